// What is drawn over NiiVue's pictures: contours, crosshair, thin spot, letters, scale bar, and where a scan ends.
(() => {
  "use strict";

  const { AXES, cut } = globalThis.ablationViewer;
  const LETTERS = [["R", "L"], ["A", "P"], ["S", "I"]]; // towards more, towards less, of each axis
  const BEYOND = "#5b6b7f"; // blue-grey: outside a scan, as in the stills
  const RING = 7; // pixels

  // A view's frame: from points in mm to pixels of its canvas, as NiiVue laid them out.
  function frameOf(nv, tile, size, orientation) {
    const [across, up, through] = AXES[orientation];
    const [left, top, width, height] = nv.screenSlices[tile].leftTopWidthHeight;
    const [x0, y0, x1, y1] = [left + 0.4 * width, top + 0.4 * height, left + 0.6 * width, top + 0.6 * height];
    const [from, to] = [nv.screenXY2mm(x0, y0, tile), nv.screenXY2mm(x1, y1, tile)];
    const corner = tile * size; // tiles stand side by side in NiiVue's canvas
    const [perX, perY] = [(x1 - x0) / (to[across] - from[across]), (y1 - y0) / (to[up] - from[up])];
    return {
      orientation, across, up, through, size, perX, perY,
      x: (mm) => x0 - corner + (mm - from[across]) * perX,
      y: (mm) => y0 + (mm - from[up]) * perY,
      mmAcross: (x) => from[across] + (x + corner - x0) / perX,
      mmUp: (y) => from[up] + (y - y0) / perY,
    };
  }

  function beyond(context, frame, volume, at, outside) {
    // Voxels of the shown plane that lie outside the scan, row by row. Axis-aligned by construction.
    const { img, hdr } = volume;
    const [ni, nj] = [hdr.dims[1], hdr.dims[2]];
    const affine = hdr.affine;
    const dims = [hdr.dims[1], hdr.dims[2], hdr.dims[3]];
    const index = (axis, mm) => (mm - affine[axis][3]) / affine[axis][axis];
    const slice = Math.round(index(frame.through, at[frame.through]));
    if (slice < 0 || slice >= dims[frame.through]) return;
    const strides = [1, ni, ni * nj];
    const [a, u] = [frame.across, frame.up];
    const edge = (axis, n) => affine[axis][3] + (n - 0.5) * affine[axis][axis];
    context.fillStyle = BEYOND;
    for (let row = 0; row < dims[u]; row++) {
      const base = slice * strides[frame.through] + row * strides[u];
      for (let n = 0; n < dims[a]; n++) {
        if (img[base + n * strides[a]] !== outside) continue;
        const first = n;
        while (n + 1 < dims[a] && img[base + (n + 1) * strides[a]] === outside) n++;
        const [x0, x1] = [frame.x(edge(a, first)), frame.x(edge(a, n + 1))];
        const [y0, y1] = [frame.y(edge(u, row)), frame.y(edge(u, row + 1))];
        context.fillRect(Math.min(x0, x1), Math.min(y0, y1), Math.abs(x1 - x0) + 0.5, Math.abs(y1 - y0) + 0.5);
      }
    }
  }

  function contours(context, frame, shapes, strokes, shown, at, ratio) {
    for (const stroke of [...strokes].reverse()) {
      if (!shown.has(stroke.kind)) continue;
      for (const shape of shapes.filter((one) => one.kind === stroke.kind)) {
        const path = new Path2D();
        for (const line of cut(shape, frame.orientation, at[frame.through])) {
          path.moveTo(frame.x(line[0]), frame.y(line[1]));
          for (let n = 2; n < line.length; n += 2) path.lineTo(frame.x(line[n]), frame.y(line[n + 1]));
        }
        context.setLineDash([]);
        context.lineWidth = (stroke.width + 1.6) * ratio;
        context.strokeStyle = `rgba(0, 0, 0, ${stroke.rim})`;
        context.stroke(path);
        context.setLineDash(stroke.dashes.map((d) => d * stroke.width * 1.4 * ratio));
        context.lineWidth = stroke.width * 1.25 * ratio;
        context.strokeStyle = stroke.colour;
        context.stroke(path);
      }
    }
    context.setLineDash([]);
  }

  function crosshair(context, frame, at, ratio) {
    const [x, y, gap, size] = [frame.x(at[frame.across]), frame.y(at[frame.up]), 9 * ratio, frame.size];
    context.strokeStyle = "rgba(255, 255, 255, .6)";
    context.lineWidth = ratio;
    context.beginPath();
    for (const [x0, y0, x1, y1] of [[0, y, x - gap, y], [x + gap, y, size, y], [x, 0, x, y - gap], [x, y + gap, x, size]]) {
      context.moveTo(x0, y0);
      context.lineTo(x1, y1);
    }
    context.stroke();
  }

  // Ring at the thin spot, and an arrow to what the margin was measured to where enough of it lies in the plane.
  function thinSpot(context, frame, lesion, at, step, ratio) {
    if (!lesion.foot || Math.abs(lesion.at[frame.through] - at[frame.through]) > step / 2) return;
    const place = (point) => [frame.x(point[frame.across]), frame.y(point[frame.up])];
    ringed(context, place(lesion.at), place(lesion.foot), `${lesion.margin} mm`, [], ratio);
  }

  // White with a black rim, so that it shows on every scan and in every band; dashed where it lies behind the tumour.
  function ringed(context, [x, y], [fx, fy], text, dashes, ratio) {
    const length = Math.hypot(fx - x, fy - y);
    const [ux, uy, barb] = [(fx - x) / length, (fy - y) / length, Math.min(5 * ratio, length / 2)];
    for (const [colour, width] of [["#000", 4.4], ["#fff", 2]]) {
      context.strokeStyle = colour;
      context.lineWidth = width * ratio;
      context.setLineDash(dashes.map((d) => d * ratio));
      context.beginPath();
      context.arc(x, y, RING * ratio, 0, 2 * Math.PI);
      if (length > 4 * ratio) {
        context.moveTo(x, y);
        context.lineTo(fx, fy);
        context.moveTo(fx - barb * (ux - 0.6 * uy), fy - barb * (uy + 0.6 * ux));
        context.lineTo(fx, fy);
        context.lineTo(fx - barb * (ux + 0.6 * uy), fy - barb * (uy - 0.6 * ux));
      }
      context.stroke();
    }
    context.setLineDash([]);
    // Beside the ring, away from where the arrow goes.
    words(context, text, x + (fx >= x ? -1 : 1) * (RING + 5) * ratio, y, fx >= x ? "right" : "left", 13, ratio);
  }

  function words(context, text, x, y, align, points, ratio) {
    context.font = `600 ${points * ratio}px system-ui, "Segoe UI", "Liberation Sans", Arial, sans-serif`;
    context.textAlign = align;
    context.textBaseline = "middle";
    context.lineJoin = "round";
    context.lineWidth = 3.5 * ratio;
    context.strokeStyle = "#000";
    context.strokeText(text, x, y);
    context.fillStyle = "#fff";
    context.fillText(text, x, y);
  }

  // The letters follow from how NiiVue laid the picture out: a mirrored picture would carry mirrored letters.
  function letters(context, frame, ratio) {
    const { across, up, size, perX, perY } = frame;
    const [more, less] = LETTERS[across];
    const [higher, lower] = LETTERS[up];
    const edge = 11 * ratio;
    words(context, perX > 0 ? less : more, edge, size / 2, "center", 15, ratio);
    words(context, perX > 0 ? more : less, size - edge, size / 2, "center", 15, ratio);
    words(context, perY > 0 ? lower : higher, size / 2, edge, "center", 15, ratio);
    words(context, perY > 0 ? higher : lower, size / 2, size - edge, "center", 15, ratio);
  }

  function scaleBar(context, frame, ratio) {
    const perMm = Math.abs(frame.perX);
    const mm = [50, 20, 10, 5, 2].find((one) => one * perMm < frame.size / 3) || 1;
    const [x, y] = [10 * ratio, frame.size - 12 * ratio];
    for (const [colour, width] of [["#000", 5], ["#fff", 2]]) {
      context.strokeStyle = colour;
      context.lineWidth = width * ratio;
      context.beginPath();
      context.moveTo(x, y);
      context.lineTo(x + mm * perMm, y);
      context.stroke();
    }
    words(context, `${mm} mm`, x, y - 11 * ratio, "left", 12, ratio);
  }

  // Letters around the 3-D picture, where each direction points; ring and arrow as in the slices.
  function solidWords(context, project, middle, reach, lesion, size, ratio) {
    const [cx, cy] = project(middle);
    LETTERS.forEach((pair, axis) => pair.forEach((letter, less) => {
      const [x, y] = project(middle.map((mm, n) => mm + (n === axis ? (less ? -reach : reach) : 0)));
      const length = Math.hypot(x - cx, y - cy);
      if (length < 0.4 * project.scale * reach) return; // it points at the reader, or away
      const out = (0.5 * size - 14 * ratio) / length;
      words(context, letter, size / 2 + (x - cx) * out, size / 2 + (y - cy) * out, "center", 15, ratio);
    }));
    if (!lesion.foot) return;
    const behind = project.away(lesion.out) > 0;
    ringed(context, project(lesion.at), project(lesion.foot), `${lesion.margin} mm${behind ? ", on the far side" : ""}`, behind ? [3, 3] : [], ratio);
  }

  Object.assign(globalThis.ablationViewer, {
    frameOf, beyond, contours, crosshair, thinSpot, letters, scaleBar, solidWords,
  });
})();
