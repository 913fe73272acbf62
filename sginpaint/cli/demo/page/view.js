// Stages: canvases on top of each other, one per layer, and pointers on them.

// Places in the picture do not depend on how large the stage is shown.
const place = (stage, event, width, height) => {
  const box = stage.getBoundingClientRect();
  return [(event.clientX - box.left) * width / box.width,
    (event.clientY - box.top) * height / box.height];
};

export function open(stage, width, height) {
  stage.replaceChildren();
  stage.style.setProperty("--w", width);
  stage.style.setProperty("--h", height);
  stage.hidden = false;
  stage.parentElement.querySelector(".empty").hidden = true;
  stage.classList.toggle("magnified", stage.clientWidth >= 2 * width);
}

export function close(stage) {
  stage.replaceChildren();
  stage.hidden = true;
  stage.parentElement.querySelector(".empty").hidden = false;
}

export function addLayer(stage, width, height, name = "") {
  const canvas = document.createElement("canvas");
  Object.assign(canvas, { width, height, className: name });
  stage.append(canvas);
  return canvas;
}

export function showPicture(stage, bitmap) {
  open(stage, bitmap.width, bitmap.height);
  const canvas = addLayer(stage, bitmap.width, bitmap.height);
  canvas.getContext("2d").drawImage(bitmap, 0, 0);
}

// Draws indices by a palette of 256 little-endian RGBA numbers.
export function draw(canvas, { data, width, height }, palette, box) {
  const [x0, y0, x1, y1] = box || [0, 0, width - 1, height - 1];
  const [wide, high] = [x1 - x0 + 1, y1 - y0 + 1];
  const colours = new Uint32Array(wide * high);
  for (let y = 0, to = 0; y < high; y++) {
    let from = (y + y0) * width + x0;
    for (let x = 0; x < wide; x++) colours[to++] = palette[data[from++]];
  }
  const image = new ImageData(new Uint8ClampedArray(colours.buffer), wide, high);
  canvas.getContext("2d").putImageData(image, x0, y0);
}

// Lets pointers paint; `brush()` says with which {tool, size, value}.
export function paintable(stage, painting, brush, changed) {
  const ring = document.createElement("div");
  Object.assign(ring, { className: "ring", hidden: true });
  stage.append(ring);
  stage.classList.add("paintable");
  let pointer = null, start = null, last = null;
  const at = (event) => place(stage, event, painting.width, painting.height);
  const stroke = (event) => {
    const { tool, size, value } = brush();
    const here = at(event);
    let was = null;
    if (tool === "rectangle") was = painting.rectangle(start, here, value);
    else painting.line(last, here, size, value);
    last = here;
    changed(was, painting.dirty);
  };
  stage.onpointerdown = (event) => {
    if (event.button || start) return;
    pointer = event.pointerId;  // a second finger must not draw along
    stage.setPointerCapture(pointer);
    start = last = at(event);
    painting.begin();
    stroke(event);
  };
  stage.onpointermove = (event) => {
    const { tool, size } = brush();
    const [x, y] = at(event), { width, height } = painting;
    ring.hidden = tool === "rectangle";
    ring.style.left = `${100 * x / width}%`;
    ring.style.top = `${100 * y / height}%`;
    ring.style.width = `${100 * size / width}%`;
    ring.style.aspectRatio = "1";
    if (start && event.pointerId === pointer) stroke(event);
  };
  const ends = (finish) => (event) => {
    if (!start || event.pointerId !== pointer) return;
    start = null;
    const { dirty } = painting;
    finish();
    changed(dirty, null);
  };
  stage.onpointerup = ends(() => painting.end());
  // The browser has taken the finger for something else, as for a pinch.
  stage.onpointercancel = ends(() => painting.cancel());
  stage.onpointerleave = () => { ring.hidden = true; };
}
