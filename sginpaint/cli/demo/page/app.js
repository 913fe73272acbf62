// The page: what is loaded, which button does what, and when it may.

import * as api from "./api.js";
import { Painting, differs, joined } from "./painting.js";
import * as png from "./png.js";
import * as tools from "./tools.js";
import * as view from "./view.js";

const { IGNORE } = tools;
const $ = (selector) => document.querySelector(selector);
const rgba = (r, g, b, a) => ((a << 24) | (b << 16) | (g << 8) | r) >>> 0;

const PAINT = "Paint what is to be filled, then press Fill.";
const CHANGED = "The hole has changed: press Fill.";

const HOLE = new Uint32Array(256).fill(rgba(230, 40, 90, 165));
HOLE[0] = 0;
const SHADE = new Uint32Array(256);
SHADE[0] = rgba(20, 24, 36, 80);

let system;
let colours;  // [[r, g, b], ...] of 256
// id, name, file, picture, hole, map, and of the last filling: filled (its hole),
// coarse, result.
let state = {};
let busy = false;
let active = "hole";  // the panel that Ctrl+Z is about

function say(text, kind = "") {
  $("#told").textContent = text;
  $("#clock").textContent = "";
  $("#status").className = kind;
}

// Runs one thing at a time, tells how long it takes (% in `done`), and what
// went wrong.
async function during(doing, done, action) {
  if (busy) return;
  busy = true;
  const focused = document.activeElement, start = performance.now();
  const seconds = () => `${((performance.now() - start) / 1000).toFixed(1)} s`;
  refresh();
  say(`${doing} …`, "busy");
  // Apart from what is said, or a screen reader would read out every tenth.
  const timer = setInterval(() => { $("#clock").textContent = seconds(); }, 100);
  try {
    await action();
    say(done.replace("%", seconds()) + (stale() ? ` ${CHANGED}` : ""));
  } catch (error) {
    say(error.message, "error");
  } finally {
    clearInterval(timer);
    busy = false;
    refresh();
    // Some browsers take it from a button that is disabled meanwhile.
    if (document.activeElement === document.body) {
      focused.focus({ preventScroll: true });
    }
  }
}

const painted = () => Boolean(state.hole?.data.includes(1));

// Whether the hole is another than the one that was filled.
function stale() {
  const { hole, filled } = state;
  return Boolean(filled) && differs(hole.data, filled.data);
}

function advice(name) {
  if (!painted()) return PAINT;
  if (stale()) return CHANGED;
  return `Press ${name === "map" ? "Render" : "Fill"} to see what comes of it.`;
}

function refresh() {
  const { hole, map, filled, coarse, result } = state;
  const may = {
    "#over": hole, "#fill": painted(),
    "#render": map && system.editable && !stale(),
    "#save-result": result, "#save-mask": filled || painted(), "#save-map": map,
  };
  for (const [name, on] of Object.entries(may)) $(name).disabled = busy || !on;
  for (const [name, painting] of Object.entries({ hole, map })) {
    const button = (what) => $(`[data-for=${name}] [data-do=${what}]`);
    button("undo").disabled = busy || !painting?.done.length;
    button("redo").disabled = busy || !painting?.undone.length;
    button("reset").disabled = busy || !painting;
  }
  $("#classes").disabled = !map;
  $("#shown").disabled = !(filled && (coarse || result));
}

function edit(name, layer, palette) {
  const painting = state[name], stage = $(`#${name}`);
  const redraw = (was, box) => {
    active = name;
    const dirty = joined(was, box);
    if (dirty) view.draw(layer, painting, palette, dirty);
    if (!box && !busy) {
      refresh();
      say(advice(name));
    }
  };
  for (const what of ["undo", "redo", "reset"]) {
    $(`[data-for=${name}] [data-do=${what}]`).onclick = () => {
      painting[what]();
      view.draw(layer, painting, palette);
      redraw();
    };
  }
  view.draw(layer, painting, palette);
  view.paintable(stage, painting, () => tools.chosen(name), redraw);
}

async function load(file) {
  if (!file) return;
  $("#file").value = "";  // so that the same file can be chosen again
  await during("Loading", PAINT, async () => {
    if (file.size > system.max_bytes) {
      throw new Error(`The file is larger than ${system.max_bytes >> 20} MB.`);
    }
    const { id, width, height } = await api.load(file);
    // Upright, as the server sees it: browsers turn some kinds of files only.
    const picture = await createImageBitmap(await api.original(id));
    await forget();
    const name = file.name.replace(/\.[^.]*$/, "") || "picture";
    state = { id, name, file, picture, hole: new Painting(width, height) };
    tools.fit(Math.max(width, height));
    view.showPicture($("#hole"), picture);
    edit("hole", view.addLayer($("#hole"), width, height, "layer"), HOLE);
  });
}

async function forget() {
  const { id } = state;
  state = {};
  for (const name of ["hole", "map", "result"]) view.close($(`#${name}`));
  $("#unseen").hidden = true;
  $("#map-panel").hidden = $("#save-map").hidden = !system.editable;
  if (id) await api.drop(id);
}

const indices = ({ data, width, height }) => png.encode(data, width, height);

// Does something with a picture and the hole that is filled, if it is about one;
// if the server has forgotten them, again.
async function kept(action, filled) {
  try {
    return await action();
  } catch (error) {
    if (error.status !== 404) throw error;
  }
  state.id = (await api.load(state.file)).id;
  if (filled) await api.fill(state.id, await indices(filled));
  return action();
}

const editing = () =>
  system.editable ? " Paint classes over the map, then press Render." : "";

const fill = () => during("Filling", `Filled in %.${editing()}`, async () => {
  const { width, height, data } = state.hole;
  const filled = new Painting(width, height, data.slice());
  const mask = await indices(filled);
  const found = await kept(() => api.fill(state.id, mask));
  state.filled = filled;
  if (system.editable) {
    state.coarse = await api.coarse(state.id);
    await show("coarse");
  } else state.result = await api.render(state.id);
  if (found.map) await showMap();
  if (system.editable) await update(state.map.edited);
  await show("result");
  reveal();
});

async function showMap() {
  const { id, filled, map } = state;
  const { width, height } = filled;
  const stage = $("#map");
  $("#map-panel").hidden = $("#save-map").hidden = false;
  const seen = await png.decode(await api.map(id));
  const whole = seen.every((x) => x === IGNORE);  // nothing is predicted at all
  state.map = new Painting(width, height, seen, whole ? -1 : IGNORE);
  $("#unseen").hidden = whole || !seen.includes(IGNORE);
  if (map?.edited) state.map.carry(map);
  view.showPicture(stage, await createImageBitmap(state.coarse || state.result));
  const layer = view.addLayer(stage, width, height, "layer");
  layer.style.opacity = $("#opacity").value / 100;
  view.draw(view.addLayer(stage, width, height, "layer shade"), filled, SHADE);
  const palette = Uint32Array.from(colours, ([r, g, b]) => rgba(r, g, b, 255));
  palette[IGNORE] = 0;
  if (system.editable) edit("map", layer, palette);
  else view.draw(layer, state.map, palette);
}

async function update(guided) {
  const map = guided ? await indices(state.map) : undefined;
  state.result = await kept(() => api.render(state.id, map), state.filled);
}

const render = () => during("Rendering", "Rendered in %.", async () => {
  await update(true);
  await show("result");
  reveal();
});

async function show(what) {
  const blob = state[what];
  if (!blob) return;
  $(`[name=shown][value=${what}]`).checked = true;
  const bitmap = what === "picture" ? blob : await createImageBitmap(blob);
  view.showPicture($("#result"), bitmap);
}

// On a phone it lies below what was painted.
function reveal() {
  const { hole, map } = state;
  if (hole.begun || map?.begun) return;  // or the page moves under the stroke
  $("#result").scrollIntoView({ block: "nearest" });
}

function save(blob, what) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = `${state.name}_${what}.png`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
}

async function saveMask() {
  // Of the result that is shown, if there is one.
  const { width, height, data } = state.filled || state.hole;
  save(await png.encode(data.map((x) => 255 * x), width, height), "mask");
}

async function saveMap() {
  const { width, height, data } = state.map;
  save(await png.encode(data, width, height, colours), "map");
}

function listen() {
  const on = (name, what) => $(name).addEventListener("click", what);
  on("#fill", fill);
  on("#render", render);
  on("#over", () => during("Clearing", "Load a picture.", forget));
  on("#save-result", () => save(state.result, "result"));
  on("#save-mask", saveMask);
  on("#save-map", saveMap);
  $("#file").onchange = (event) => load(event.target.files[0]);
  $("#shown").onchange = (event) => show(event.target.value);
  $("#opacity").oninput = (event) => {
    const layer = $("#map .layer");
    if (layer) layer.style.opacity = event.target.value / 100;
  };
  tools.tellSizes();
  document.ondragover = (event) => {
    event.preventDefault();
    $("#hole-panel").classList.add("over");
  };
  document.ondragleave = () => $("#hole-panel").classList.remove("over");
  document.ondrop = (event) => {
    event.preventDefault();
    $("#hole-panel").classList.remove("over");
    load(event.dataTransfer.files[0]);
  };
  document.onkeydown = (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== "z") return;
    event.preventDefault();
    const what = event.shiftKey ? "redo" : "undo";
    $(`[data-for=${active}] [data-do=${what}]`).click();
  };
}

async function start() {
  listen();
  system = await api.system();
  $("#system").textContent = system.name;
  colours = Array.from({ length: 256 }, () => system.not_said);
  system.classes.forEach(({ colour }, i) => { colours[i] = colour; });
  if (system.editable) tools.listClasses(system.classes);
  else {
    $("#read-only").textContent =
      `${system.name} follows no map: it fills by what surrounds the hole.`;
    $("#read-only").hidden = false;
    $("#map-panel").hidden = $("#save-map").hidden = true;
    $("[data-for=map]").hidden = true;
    $("[name=shown][value=coarse]").parentElement.hidden = true;
  }
  refresh();
}

start().catch((error) => say(error.message, "error"));
