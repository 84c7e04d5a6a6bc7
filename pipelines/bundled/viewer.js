// The viewer of a report: NiiVue draws the slices and the 3-D picture unseen, each view shows its part of them.
// One library, one set of textures: PRE is NiiVue's overlay on POST, and how much of it is seen is a single number.
(() => {
  "use strict";

  const { AXES, ORIENTATIONS, shapeOf, holds, around, ...draw } = globalThis.ablationViewer;
  const find = (id) => document.getElementById(id);
  const made = (tag, properties = {}, ...children) => {
    const element = Object.assign(document.createElement(tag), properties);
    element.append(...children);
    return element;
  };
  const svg = (tag, attributes, ...children) => {
    const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
    Object.entries(attributes).forEach(([name, value]) => element.setAttribute(name, value));
    element.append(...children);
    return element;
  };
  const capital = (text) => text[0].toUpperCase() + text.slice(1);
  const BACKGROUND = [0.11, 0.13, 0.16, 1];
  const BEYOND = [0.357, 0.42, 0.498, 1]; // blue-grey: outside what is carried, as outside a scan
  const DEEP = 400; // mm, from the tumour's middle: nothing that is carried lies farther in depth
  const SIDES = { front: [180, 0], back: [0, 0], right: [270, 0], left: [90, 0], above: [180, 90], below: [180, -90] };
  const IN_3D = { target: 0.1, zone: 0.15, made: 0.15, needle: 1, vessels: 0.4, ducts: 0.4, liver: 0.1 }; // how opaque: the tumour's bands are told apart through all of them
  const NARROW = matchMedia("(max-width: 46rem)");

  let data, nv, views, solid, redraw = 0, meshes = [];
  const state = {
    lesion: -1, turn: 0, at: [0, 0, 0], mode: "side", share: 0.5, zoom: 1, zoom3d: 1, side: "", ranges: [],
    shown: new Set(), in3d: new Set(), solidStale: true,
  };
  const lesion = () => data.lesions[state.lesion];
  const volume = () => data.volumes[lesion().volume];
  const studies = () => [...data.studies.keys()]; // 0 is NiiVue's first volume; 1, where there are two, its second

  function stills(why) {
    const note = find("viewer-note");
    note.textContent = `Pictures are stills: ${why} Every still is below, with its lesion.`;
    note.hidden = false;
    find("viewer-body").hidden = true;
    document.querySelectorAll(".show-lesion").forEach((button) => button.remove());
    document.documentElement.dataset.ready = "stills";
  }

  // --- NiiVue -----------------------------------------------------------------------------------------------------

  async function library() {
    const made3 = new niivue.Niivue({
      logLevel: "silent", isResizeCanvas: false, interactive: false, dragAndDropEnabled: false, isAntiAlias: true,
      crosshairWidth: 0, show3Dcrosshair: false, isOrientationTextVisible: false, meshThicknessOn2D: 0,
      isRadiologicalConvention: true, sagittalNoseLeft: true, backColor: BEYOND, loadingText: "",
    });
    made3.addColormap("opaquegrey", { R: [0, 255], G: [0, 255], B: [0, 255], A: [255, 255], I: [0, 255] });
    const canvas = made("canvas", { width: 3, height: 1 });
    made("div", {}, canvas);
    canvas.addEventListener("webglcontextlost", () => stills("the browser took the graphics away; reload the page to try again."));
    await made3.attachToCanvas(canvas);
    cameraOf(made3);
    made3.setCustomLayout([0, 1, 2].map((sliceType) => ({ sliceType, position: [sliceType / 3, 0, 1 / 3, 1] })));
    return made3;
  }

  // NiiVue's camera takes in all surfaces: this one stays with the tumour, whatever else is shown, and cuts nothing off.
  function cameraOf(one) {
    const theirs = one.calculateMvpMatrix;
    one.calculateMvpMatrix = (...given) => {
      const { middle, reach } = lesion().camera;
      Object.assign(one, { pivot3D: middle, furthestFromPivot: reach / state.zoom3d });
      const found = theirs.apply(one, given);
      const depth = found[0];
      const share = 1 / (Math.hypot(depth[2], depth[6], depth[10]) * DEEP);
      const [x, y, z] = middle;
      for (const n of [2, 6, 10]) depth[n] *= share;
      depth[14] = -(depth[2] * x + depth[6] * y + depth[10] * z);
      return found;
    };
  }

  function volumesOf(one) {
    const { ranges } = state;
    return Promise.all(data.volumes[one.volume].images.map((base64, n) => niivue.NVImage.loadFromBase64({
      base64, name: `${data.studies[n].name}.nii.gz`, colormap: "opaquegrey", cal_min: ranges[n][0], cal_max: ranges[n][1],
    })));
  }

  function setVolumes(images) {
    nv.volumes = images; // filled first, then set once: each addVolume would upload every texture again
    nv.setVolume(images[0], 0);
  }

  function setShapes() {
    const one = lesion();
    for (const mesh of meshes) mesh.unloadMesh(nv.gl);
    meshes = one.unpacked.map(meshOf);
    one.camera ||= around(one.unpacked.find((shape) => shape.kind === data.camera) || one.unpacked[0], one.foot || one.at);
    // The opaque ones first: what is seen through is blended onto what stands already.
    meshes.sort((a, b) => b.opacity - a.opacity);
    state.solidStale = true;
  }

  function meshOf(shape) {
    const rgb = (hex) => [1, 3, 5].map((n) => parseInt(hex.slice(n, n + 2), 16));
    // A tumour without a margin wears none of the bands' colours.
    const own = shape.kind === "tumour" ? [190, 190, 190] : rgb(data.strokes.find((stroke) => stroke.kind === shape.kind).colour);
    const bands = data.bands.map((band) => rgb(band.colour));
    const colours = new Uint8Array((shape.points.length / 3) * 4);
    for (let n = 0; 4 * n < colours.length; n++) colours.set([...(shape.bands ? bands[shape.bands[n]] : own), 255], 4 * n);
    const opacity = IN_3D[shape.kind] || 1;
    return new niivue.NVMesh(shape.points, shape.triangles, shape.kind, colours, opacity, true, nv.gl);
  }

  // Draws the three slices, with that share of PRE over POST, into NiiVue's own canvas.
  function slices(size, share) {
    fit(3 * size, size);
    nv.opts.sliceType = 3;
    nv.overlayAlphaShader = share;
    nv.scene.crosshairPos = nv.mm2frac(state.at);
    const middle = [0, 1, 2].map((axis) => (nv.volumes[0].extentsMinOrtho[axis] + nv.volumes[0].extentsMaxOrtho[axis]) / 2);
    const pan = state.zoom === 1 ? [0, 0, 0] : middle.map((mm, axis) => mm - state.at[axis] * state.zoom);
    nv.scene.pan2Dxyzmm = [...pan, state.zoom];
    nv.drawScene();
  }

  function fit(width, height) {
    if (nv.canvas.width !== width) nv.canvas.width = width;
    if (nv.canvas.height !== height) nv.canvas.height = height;
  }

  // --- what is seen -----------------------------------------------------------------------------------------------

  const later = () => { redraw ||= requestAnimationFrame(() => { redraw = 0; drawAll(); }); };
  const ratio = () => Math.min(globalThis.devicePixelRatio || 1, 2);

  const sizeOf = (view) => Math.max(64, Math.round(view.canvas.clientWidth * ratio()));

  function cleared(view, size) {
    if (view.canvas.width !== size) [view.canvas.width, view.canvas.height] = [size, size];
    view.context.fillStyle = "#1c2129"; // BACKGROUND: what is seen through must not show what stood here before
    view.context.fillRect(0, 0, size, size);
  }

  function drawAll() {
    if (state.lesion < 0) return;
    const both = state.mode === "side";
    views.forEach((view) => { view.figure.hidden = view.study === 1 && !both; });
    const seen = views.filter((view) => !view.figure.hidden);
    const size = sizeOf(seen[0]);
    seen.forEach((view) => cleared(view, size));
    const paste = (view) => view.context.drawImage(nv.canvas, view.tile * size, 0, size, size, 0, 0, size, size);
    if (state.mode === "blend") {
      slices(size, state.share);
      seen.forEach(paste);
    } else {
      slices(size, 0);
      seen.filter((view) => view.study === 0).forEach(paste);
      if (studies().length > 1) slices(size, 1);
      seen.filter((view) => view.study === 1).forEach(paste);
      if (state.mode === "tiles") seen.forEach((view) => tiles(view, size, paste));
    }
    for (const view of seen) {
      view.frame = draw.frameOf(nv, view.tile, size, view.orientation);
      over(view);
    }
    captions();
    if (state.solidStale) drawSolid();
  }

  function tiles(view, size, paste) {
    const side = size / 8;
    view.context.save();
    view.context.beginPath();
    for (let row = 0; row < 8; row++) for (let n = row % 2; n < 8; n += 2) view.context.rect(n * side, row * side, side, side);
    view.context.clip();
    paste(view);
    view.context.restore();
  }

  function over(view) {
    const [context, frame, at] = [view.context, view.frame, state.at];
    const of = state.mode === "side" ? [view.study] : studies();
    of.filter((study) => volume().ends[study]).forEach((study) => draw.beyond(context, frame, nv.volumes[study], at, data.outside));
    draw.contours(context, frame, lesion().unpacked, data.strokes, state.shown, at, ratio());
    draw.crosshair(context, frame, at, ratio());
    draw.thinSpot(context, frame, lesion(), at, volume().step_mm, ratio());
    draw.letters(context, frame, ratio());
    draw.scaleBar(context, frame, ratio());
  }

  function drawSolid() {
    const size = sizeOf(solid);
    cleared(solid, size);
    fit(size, size);
    nv.meshes = meshes.filter((mesh) => mesh.name === "tumour" || state.in3d.has(mesh.name));
    const volumes = nv.volumes;
    nv.volumes = []; // the surfaces alone: a ray-cast scan would hide them
    nv.opts.backColor = BACKGROUND;
    nv.drawScene();
    solid.context.drawImage(nv.canvas, 0, 0);
    const matrix = nv.calculateMvpMatrix(null, [0, 0, size, size], nv.scene.renderAzimuth, nv.scene.renderElevation)[0];
    const project = (p) => [0, 1].map((row) => {
      const clip = matrix[row] * p[0] + matrix[4 + row] * p[1] + matrix[8 + row] * p[2] + matrix[12 + row];
      return ((row ? 1 - clip : 1 + clip) / 2) * size;
    });
    project.scale = (Math.hypot(matrix[0], matrix[4], matrix[8]) / 2) * size;
    project.away = (v) => matrix[2] * v[0] + matrix[6] * v[1] + matrix[10] * v[2];
    nv.opts.backColor = BEYOND;
    nv.volumes = volumes;
    nv.meshes = [];
    draw.solidWords(solid.context, project, lesion().camera.middle, 10, lesion(), size, ratio());
    solid.project = project;
    state.solidStale = false;
  }

  function captions() {
    solid.caption.textContent = lesion().out
      ? `Tumour of lesion ${lesion().id} in 3-D, coloured by margin; ring and arrow as in the slices`
      : `Tumour of lesion ${lesion().id} in 3-D; no thin spot is known`;
    solid.canvas.setAttribute("aria-label", `${solid.caption.textContent}; arrow keys turn it`);
    document.querySelectorAll("#viewer-views-3d button").forEach((button) => button.setAttribute("aria-pressed", button.dataset.side === state.side));
    for (const view of views) {
      const what = state.mode === "side" ? `${data.studies[view.study].name}${view.study ? " as registered" : ""}`
        : state.mode === "blend" ? `${Math.round(100 * state.share)} % PRE over POST` : "POST and PRE in turn, by squares";
      const place = `${Math.abs(state.at[view.frame ? view.frame.through : AXES[view.orientation][2]]).toFixed(1)}`;
      const whose = state.mode !== "side" || view.study ? `; ${data.outlines}` : "";
      view.caption.textContent = `${capital(view.orientation)}, ${what}${whose}`;
      view.canvas.setAttribute("aria-label", `${capital(view.orientation)} slice, ${what}, lesion ${lesion().id}, ${place} mm from the origin; arrow keys move the crosshair`);
    }
  }

  // --- where one is -----------------------------------------------------------------------------------------------

  function goTo(point) {
    const image = nv.volumes[0];
    const affine = image.hdr.affine;
    state.at = point.map((mm, axis) => {
      const [step, origin, count] = [affine[axis][axis], affine[axis][3], image.hdr.dims[axis + 1]];
      return origin + step * Math.min(Math.max(Math.round((mm - origin) / step), 0), count - 1);
    });
    nv.scene.crosshairPos = nv.mm2frac(state.at);
    nv.createOnLocationChange();
    later();
  }

  function told(location) {
    const values = location.values.map((one, n) => {
      const raw = nv.volumes[n].img[rawIndex(nv.volumes[n])];
      const study = data.studies[n];
      const value = raw === data.outside ? "outside the scan" : `${Number(one.value.toPrecision(5))}${study.unit ? ` ${study.unit}` : ""}`;
      return `${study.name} ${value}${study.note ? ` (${study.note})` : ""}`;
    });
    const place = state.at.map((mm, axis) => `${"RAS LPI"[mm < 0 ? axis + 4 : axis]} ${Math.abs(mm).toFixed(1)}`).join(", ");
    const far = Math.hypot(...state.at.map((mm, axis) => mm - lesion().at[axis]));
    const onTumour = far < 0.05 && lesion().foot; // the thin spot lies on its surface, neither inside nor outside
    const inside = lesion().unpacked.filter((shape) => !(onTumour && shape.kind === "tumour") && holds(shape, state.at)).map((shape) => shape.name);
    if (onTumour) inside.unshift("the tumour's surface");
    const from = far < 0.05 ? `at the ${spot()}` : `${far.toFixed(1)} mm from the ${spot()}`;
    find("viewer-readout").textContent =
      `Lesion ${lesion().id}: ${lesion().reading}. Crosshair: ${values.join(", ")}; at ${place} mm, ${from}; in or on: ${[...new Set(inside)].join(", ") || "none of the drawn structures"}.`;
  }

  const spot = () => (lesion().foot ? "thin spot" : "tumour's centre");

  function rawIndex(image) {
    const affine = image.hdr.affine;
    const [i, j, k] = state.at.map((mm, axis) => Math.round((mm - affine[axis][3]) / affine[axis][axis]));
    return i + image.hdr.dims[1] * (j + image.hdr.dims[2] * k);
  }

  async function show(n) {
    if (n === state.lesion) return goTo(lesion().at);
    const turn = ++state.turn;
    find("viewer-body").setAttribute("aria-busy", "true");
    const one = data.lesions[n];
    one.unpacked ||= await Promise.all(one.shapes.map(shapeOf));
    const images = state.lesion >= 0 && one.volume === lesion().volume ? null : await volumesOf(one);
    if (turn !== state.turn) return undefined; // another lesion was asked for meanwhile
    state.lesion = n;
    if (images) setVolumes(images);
    setShapes();
    find("viewer-step").textContent = volume().step_mm;
    find("viewer-arrow").textContent = lesion().arrow;
    document.querySelectorAll("#viewer-lesions button").forEach((button) => button.setAttribute("aria-pressed", button.value === String(n)));
    document.querySelectorAll("#viewer-views-3d button[data-spot]").forEach((button) => { button.disabled = !lesion().out; });
    lookFrom("spot");
    goTo(lesion().at);
    find("viewer-body").removeAttribute("aria-busy");
    return undefined;
  }

  function lookFrom(side) {
    let [azimuth, elevation] = SIDES[side] || SIDES.front;
    const out = lesion().out;
    state.side = side in SIDES || out ? side : "front";
    if (side === "spot" && out) {
      // A little aside, so that the arrow, which goes along there, is not seen end on.
      azimuth = (180 + (Math.atan2(out[0], out[1]) * 180) / Math.PI + 40 + 360) % 360;
      elevation = Math.max(-80, Math.min(80, (Math.atan2(out[2], Math.hypot(out[0], out[1])) * 180) / Math.PI + 10));
    }
    [nv.scene.renderAzimuth, nv.scene.renderElevation] = [azimuth, elevation];
    state.solidStale = true;
    later();
  }

  // --- controls ---------------------------------------------------------------------------------------------------

  function makeViews() {
    views = ORIENTATIONS.flatMap((orientation, tile) => studies().map((study) => ({ study, orientation, tile })));
    for (const view of views) {
      const study = data.studies[view.study].name.toLowerCase();
      Object.assign(view, makeView(`viewer-${study}-${view.orientation}`));
      view.figure.classList.add(`viewer-study-${view.study}`, `viewer-${view.orientation}`);
      find("viewer-views").append(view.figure);
      bindSlice(view);
    }
    solid = makeView("viewer-solid");
    solid.figure.classList.add("viewer-solid");
    find("viewer-views").append(solid.figure, beside());
    bindSolid();
  }

  function makeView(id) {
    const canvas = made("canvas", { id, tabIndex: 0 });
    canvas.setAttribute("role", "application");
    const caption = made("figcaption");
    const figure = made("figure", { className: "viewer-view" }, caption, canvas);
    return { figure, caption, canvas, context: canvas.getContext("2d") };
  }

  function bindSlice(view) {
    const { canvas } = view;
    const put = (event) => {
      const box = canvas.getBoundingClientRect();
      const at = [...state.at];
      at[view.frame.across] = view.frame.mmAcross(((event.clientX - box.left) / box.width) * canvas.width);
      at[view.frame.up] = view.frame.mmUp(((event.clientY - box.top) / box.height) * canvas.height);
      goTo(at);
    };
    canvas.addEventListener("pointerdown", (event) => { canvas.focus({ preventScroll: true }); put(event); });
    canvas.addEventListener("pointermove", (event) => { if (event.buttons & 1) put(event); });
    canvas.addEventListener("wheel", (event) => {
      if (document.activeElement !== canvas || event.ctrlKey) return;
      event.preventDefault();
      step(view.frame.through, event.deltaY < 0 ? 1 : -1);
    }, { passive: false });
    canvas.addEventListener("keydown", (event) => {
      const many = event.shiftKey ? 5 : 1;
      const { across, up, through, perX, perY } = view.frame;
      const moves = {
        ArrowRight: [across, Math.sign(perX)], ArrowLeft: [across, -Math.sign(perX)],
        ArrowDown: [up, Math.sign(perY)], ArrowUp: [up, -Math.sign(perY)], PageUp: [through, 1], PageDown: [through, -1],
      };
      if (event.key in moves) step(moves[event.key][0], many * moves[event.key][1]);
      else if (event.key === "Home") goTo(lesion().at);
      else if (event.key === "+" || event.key === "=") zoom(2);
      else if (event.key === "-") zoom(0.5);
      else if (event.key === "Escape") return canvas.blur();
      else return undefined;
      return event.preventDefault();
    });
  }

  function step(axis, count) {
    const at = [...state.at];
    at[axis] += count * volume().step_mm;
    goTo(at);
  }

  function zoom(factor) {
    state.zoom = Math.min(4, Math.max(1, state.zoom * factor));
    find("viewer-zoom").value = String(state.zoom);
    later();
  }

  function bindSolid() {
    const { canvas } = solid;
    const turn = (azimuth, elevation) => {
      nv.scene.renderAzimuth = (nv.scene.renderAzimuth + azimuth + 360) % 360;
      nv.scene.renderElevation = Math.max(-90, Math.min(90, nv.scene.renderElevation + elevation));
      state.side = "";
      state.solidStale = true;
      later();
    };
    const closer = (factor) => {
      state.zoom3d = Math.min(4, Math.max(0.5, state.zoom3d * factor));
      state.solidStale = true;
      later();
    };
    canvas.addEventListener("pointerdown", (event) => { canvas.focus({ preventScroll: true }); canvas.setPointerCapture(event.pointerId); });
    canvas.addEventListener("pointermove", (event) => { if (event.buttons & 1) turn(event.movementX / 2, event.movementY / 2); });
    canvas.addEventListener("keydown", (event) => {
      const turns = { ArrowLeft: [-10, 0], ArrowRight: [10, 0], ArrowUp: [0, -10], ArrowDown: [0, 10] };
      if (event.key === "Escape") canvas.blur();
      else if (event.key === "Home") [state.zoom3d] = [1, lookFrom("spot")];
      else if (event.key === "+" || event.key === "=") closer(1.25);
      else if (event.key === "-") closer(0.8);
      else if (event.key in turns) turn(...turns[event.key]);
      else return;
      event.preventDefault();
    });
  }

  function beside() {
    const sides = made("fieldset", { id: "viewer-views-3d" }, made("legend", { textContent: "Look at the tumour" }));
    [["spot", "towards the thin spot"], ...Object.keys(SIDES).map((side) => [side, `from ${side === "above" || side === "below" ? side : `the ${side}`}`])].forEach(([side, text]) => {
      const button = made("button", { type: "button", textContent: text, onclick: () => lookFrom(side) });
      button.dataset.side = side;
      if (side === "spot") button.dataset.spot = "";
      sides.append(button);
    });
    const also = made("fieldset", {}, made("legend", { textContent: "Also in 3-D" }));
    const present = kinds();
    data.strokes.filter(({ kind }) => kind in IN_3D && present.has(kind)).forEach(({ kind, short, colour }) => also.append(tick(short, state.in3d.has(kind), (on) => {
      state.in3d[on ? "add" : "delete"](kind);
      state.solidStale = true;
      later();
    }, square(colour))));
    const bands = made("ul", { className: "viewer-bands" });
    bands.setAttribute("aria-label", "Colours of the margin; negative: not covered on these images");
    data.bands.forEach((band) => bands.append(made("li", {}, square(band.colour), band.name)));
    return made("div", { className: "viewer-beside" }, made("p", { className: "small", textContent: "Margin, mm: positive, the zone reaches that far beyond the tumour; negative, not covered on these images." }), bands, sides, also);
  }

  function square(colour) {
    return svg("svg", { viewBox: "0 0 10 10", "aria-hidden": "true" }, svg("rect", { width: 10, height: 10, fill: colour, stroke: "#1a1a1a" }));
  }

  function tick(name, checked, changed, ...swatch) {
    const box = made("input", { type: "checkbox", checked, onchange: () => changed(box.checked) });
    return made("label", {}, box, ` ${name} `, ...swatch);
  }

  const kinds = () => new Set(data.lesions.flatMap((one) => one.shapes.map((shape) => shape.kind)));

  function makeControls() {
    lesionButtons();
    const present = kinds();
    for (const stroke of data.strokes.filter((one) => present.has(one.kind))) {
      const length = stroke.width * 1.4;
      const line = (attributes) => svg("line", { x1: 2, x2: 38, y1: 8, y2: 8, ...attributes });
      const swatch = svg("svg", { viewBox: "0 0 40 16", class: "viewer-swatch", "aria-hidden": "true" },
        line({ stroke: "#000", "stroke-opacity": stroke.rim, "stroke-width": stroke.width * 1.6 + 1.6 }),
        line({ stroke: stroke.colour, "stroke-width": stroke.width * 1.6, "stroke-dasharray": stroke.dashes.map((d) => d * length).join(" ") }));
      const label = tick(stroke.name, true, (on) => { state.shown[on ? "add" : "delete"](stroke.kind); later(); }, swatch);
      find("viewer-contours").append(label, " ");
    }
    windowFields();
    find("viewer-zoom").onchange = (event) => { state.zoom = Number(event.target.value); later(); };
    find("viewer-blend").oninput = (event) => {
      state.share = event.target.value / 100;
      find("viewer-blend-says").textContent = `${event.target.value} %`;
      later();
    };
    document.querySelectorAll("input[name=viewer-mode]").forEach((radio) => {
      radio.onchange = () => {
        state.mode = radio.value;
        find("viewer-blend-label").hidden = radio.value !== "blend";
        later();
      };
    });
    NARROW.onchange = () => { find("viewer-more").open = !NARROW.matches; };
    if (NARROW.matches) find("viewer-more").open = false;
    if (studies().length < 2) find("viewer-modes").hidden = true;
    else if (NARROW.matches) {
      document.querySelector("input[name=viewer-mode][value=blend]").click();
    }
    new ResizeObserver(() => { state.solidStale = true; later(); }).observe(find("viewer-views"));
    makeRows();
  }

  // The table's rows, from the least margin on, in their order; a lesion of no row comes last.
  function lesionButtons() {
    const rows = [...document.querySelectorAll("tr[data-lesion]")].map((row) => row.dataset.lesion);
    const place = (one) => (rows.includes(one.id) ? rows.indexOf(one.id) : rows.length);
    [...data.lesions.keys()].sort((a, b) => place(data.lesions[a]) - place(data.lesions[b])).forEach((n) => {
      const one = data.lesions[n];
      const textContent = one.margin === null ? `Lesion ${one.id}` : `Lesion ${one.id}: ${one.margin} mm`;
      find("viewer-lesions").append(made("button", { type: "button", value: n, textContent, onclick: () => show(n) }), " ");
    });
    find("viewer-back").onclick = (event) => {
      const button = [...document.querySelectorAll("tr[data-lesion]")].find((row) => row.dataset.lesion === lesion().id)?.querySelector("button");
      if (!button) return;
      event.preventDefault();
      button.focus();
      button.scrollIntoView({ block: "center" });
    };
  }

  // Presets, and numbers of one's own: of both studies at once, or of each where their values cannot be compared.
  function windowFields() {
    const select = find("viewer-window");
    data.windows.forEach((one, n) => select.append(made("option", { value: n, textContent: one.name })));
    const own = made("option", { value: "own", textContent: "own numbers", hidden: true });
    select.append(own);
    const apart = data.windows.some(({ ranges }) => ranges.some((range) => String(range) !== String(ranges[0])));
    const fields = (apart ? [[0], [1]] : [studies()]).map((studies) => {
      const name = apart ? `${data.studies[studies[0]].name} ` : "";
      const [width, level] = ["width", "level"].map((what) => made("input", { type: "number", step: "any", name: `viewer-${what}` }));
      width.min = 0;
      const changed = () => {
        if (!(width.valueAsNumber > 0) || !Number.isFinite(level.valueAsNumber)) return;
        const half = width.valueAsNumber / 2;
        studies.forEach((study) => { state.ranges[study] = [level.valueAsNumber - half, level.valueAsNumber + half]; });
        own.hidden = false;
        select.value = "own";
        rewindowed();
      };
      [width, level].forEach((field) => { field.onchange = changed; });
      find("viewer-numbers").append(made("label", {}, `${name}width `, width), made("label", {}, `${name}level `, level));
      return ([low, high]) => { [width.value, level.value] = [high - low, (high + low) / 2].map((x) => Number(x.toPrecision(5))); };
    });
    const preset = (n) => {
      state.ranges = [...data.windows[n].ranges];
      fields.forEach((fill, study) => fill(state.ranges[study]));
    };
    select.onchange = () => { if (select.value !== "own") { preset(Number(select.value)); rewindowed(); } };
    preset(0);
  }

  function rewindowed() {
    state.ranges.forEach(([low, high], study) => Object.assign(nv.volumes[study], { cal_min: low, cal_max: high }));
    nv.updateGLVolume();
    later();
  }

  // A lesion's row of the margin table leads here, too: by a button, and by a click anywhere else in it.
  function makeRows() {
    document.querySelectorAll("tr[data-lesion]").forEach((row) => {
      const n = data.lesions.findIndex((one) => one.id === row.dataset.lesion);
      if (n < 0) return;
      const go = (event) => {
        show(n);
        // By the keyboard: on to the pictures, or the next Tab would be back in the table.
        if (event.detail === 0) views[0].canvas.focus({ preventScroll: true });
        find("viewer").scrollIntoView({ behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
      };
      const button = made("button", { type: "button", className: "show-lesion", textContent: "show in views" });
      button.setAttribute("aria-label", `show in views: lesion ${data.lesions[n].id}`);
      button.onclick = go;
      row.cells[0].append(button);
      row.addEventListener("click", (event) => { if (!event.target.closest("a, button, input, summary")) go(event); });
    });
  }

  async function start() {
    try {
      data = JSON.parse(find("viewer-data").textContent);
      state.shown = new Set(data.strokes.map((stroke) => stroke.kind));
      state.in3d = new Set(data.in3d);
      if (!document.createElement("canvas").getContext("webgl2")) return stills("this browser offers no WebGL2, which the interactive views need.");
      nv = await library();
      nv.onLocationChange = told;
      makeViews();
      makeControls();
      find("viewer-body").hidden = false;
      await show(data.first);
      drawAll();
      document.documentElement.dataset.ready = "viewer";
    } catch (error) {
      stills(`the interactive views could not be set up here (${error.message}).`);
    }
    return undefined;
  }

  // For whoever tests this page: where one is, in RAS mm, with what NiiVue reads there, and how a view lies.
  globalThis.ablationViewer = {
    location: () => {
      let found = null;
      nv.onLocationChange = (location) => { found = location; };
      nv.createOnLocationChange();
      nv.onLocationChange = told;
      return { lesion: lesion().id, mm: [...found.mm].slice(0, 3), at: state.at, values: found.values.map((one) => one.value) };
    },
    pixel: (id, mm) => {
      const { frame, canvas } = views.find((view) => view.canvas.id === id);
      return [frame.x(mm[frame.across]) / canvas.width, frame.y(mm[frame.up]) / canvas.height];
    },
    pixelSolid: (mm) => solid.project(mm).map((pixels) => pixels / solid.canvas.width),
    goTo,
    drawAll,
  };

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
