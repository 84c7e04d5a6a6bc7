// Surfaces of a lesion: unpacked, cut by planes exactly, and asked what a point lies in. Points are RAS, mm.
(() => {
  "use strict";

  // The axes of a plane: across and up the picture, and the one that it is crossed by.
  const AXES = { axial: [0, 1, 2], coronal: [0, 2, 1], sagittal: [1, 2, 0] };
  const ORIENTATIONS = ["axial", "coronal", "sagittal"];

  async function unpacked(text) {
    const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    return new Response(stream).arrayBuffer();
  }

  async function shapeOf(packed) {
    const numbers = new Int16Array(await unpacked(packed.vertices));
    const points = new Float32Array(numbers.length);
    for (let n = 0; n < numbers.length; n++) {
      points[n] = packed.middle_mm[n % 3] + packed.step_mm * numbers[n];
    }
    const differences = new Int32Array(await unpacked(packed.triangles));
    const triangles = new Uint32Array(differences.length);
    for (let n = 0, sum = 0; n < differences.length; n++) {
      triangles[n] = sum += differences[n];
    }
    const bands = packed.bands ? new Uint8Array(await unpacked(packed.bands)) : null;
    return { kind: packed.kind, name: packed.name, points, triangles, bands, cuts: {} };
  }

  // Lines, each a flat array of picture coordinates (across, up), where a plane cuts a surface. A vertex on the plane
  // counts as above it, so that every triangle that is cut is cut through exactly two edges.
  function cut(shape, orientation, at) {
    const kept = shape.cuts[orientation];
    if (kept && kept.at === at) {
      return kept.lines;
    }
    const lines = chained(steps(shape, AXES[orientation], at));
    shape.cuts[orientation] = { at, lines };
    return lines;
  }

  function steps({ points, triangles }, [across, up, through], at) {
    const count = points.length / 3;
    const places = new Map();
    const neighbours = new Map();
    const cross = (a, b) => {
      const key = a < b ? a * count + b : b * count + a;
      if (!places.has(key)) {
        const share = (at - points[3 * a + through]) / (points[3 * b + through] - points[3 * a + through]);
        const between = (axis) => points[3 * a + axis] + share * (points[3 * b + axis] - points[3 * a + axis]);
        places.set(key, [between(across), between(up)]);
        neighbours.set(key, []);
      }
      return key;
    };
    for (let t = 0; t < triangles.length; t += 3) {
      const [a, b, c] = [triangles[t], triangles[t + 1], triangles[t + 2]];
      const [x, y, z] = [a, b, c].map((v) => points[3 * v + through] >= at);
      if (x === y && y === z) {
        continue;
      }
      const ends = [];
      if (x !== y) ends.push(cross(a, b));
      if (y !== z) ends.push(cross(b, c));
      if (z !== x) ends.push(cross(c, a));
      neighbours.get(ends[0]).push(ends[1]);
      neighbours.get(ends[1]).push(ends[0]);
    }
    return { places, neighbours };
  }

  function chained({ places, neighbours }) {
    // Open ends first, so that an open line is not begun in its middle.
    const starts = [...neighbours.keys()].sort((a, b) => (neighbours.get(a).length !== 1) - (neighbours.get(b).length !== 1));
    const lines = [];
    for (const start of starts) {
      const line = [...places.get(start)];
      let here = start;
      while (neighbours.get(here).length) {
        const next = neighbours.get(here).pop();
        const back = neighbours.get(next);
        back.splice(back.indexOf(here), 1);
        line.push(...places.get(next));
        here = next;
      }
      if (line.length > 2) lines.push(line);
    }
    return lines;
  }

  // Whether a point lies in a closed surface: it crosses an odd number of the lines of its axial cut to one side.
  function holds(shape, [x, y, z]) {
    let inside = false;
    for (const line of cut(shape, "axial", z)) {
      for (let n = 0; n + 3 < line.length; n += 2) {
        const [x0, y0, x1, y1] = line.slice(n, n + 4);
        if (y0 > y !== y1 > y && x < x0 + ((y - y0) / (y1 - y0)) * (x1 - x0)) inside = !inside;
      }
    }
    return inside;
  }

  // Middle of a surface's box with a point, and half the box's diagonal: what a camera needs to see all of it.
  function around({ points }, also) {
    const [low, high] = [also.slice(), also.slice()];
    for (let n = 0; n < points.length; n++) {
      low[n % 3] = Math.min(low[n % 3], points[n]);
      high[n % 3] = Math.max(high[n % 3], points[n]);
    }
    return { middle: low.map((mm, n) => (mm + high[n]) / 2), reach: Math.hypot(...low.map((mm, n) => high[n] - mm)) / 2 };
  }

  globalThis.ablationViewer = { AXES, ORIENTATIONS, shapeOf, cut, holds, around };
})();
