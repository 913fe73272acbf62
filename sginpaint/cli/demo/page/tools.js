// The controls of the two brushes: tools, sizes, and the classes to paint.

const $ = (selector) => document.querySelector(selector);
const sliders = document.querySelectorAll(".size input");

export const IGNORE = 255;  // the class of pixels of which nothing is said

// What a brush paints with: {tool, size in pixels, value}.
export function chosen(name) {
  const tool = $(`[name=${name}-tool]:checked`).value;
  const size = Number($(`[data-for=${name}] .size input`).value);
  const painted = $("[name=class]:checked")?.value;
  const value = name === "map" ? Number(painted) : tool === "eraser" ? 0 : 1;
  return { tool, size, value };
}

// Sizes that suit a picture of so many pixels a side.
export function fit(side) {
  for (const input of sliders) {
    if (input.id) continue;  // the one that is no size
    input.max = Math.max(16, Math.round(side / 3));
    input.value = Math.max(1, Math.round(side / 14));
    input.dispatchEvent(new Event("input"));
  }
}

export function tellSizes() {
  for (const input of sliders) {
    const unit = input.id ? "%" : "px";
    const tell = () => { input.nextSibling.value = `${input.value} ${unit}`; };
    input.addEventListener("input", tell);
    tell();
  }
}

export function listClasses(classes) {
  const open = {
    name: "leave open", value: IGNORE,
    hint: "Takes back what was painted: the system decides",
  };
  const entries = classes.map((info, value) => ({ ...info, value }));
  for (const { name, colour, value, hint = "" } of [...entries, open]) {
    const label = document.createElement("label");
    label.title = hint;
    const input = document.createElement("input");
    Object.assign(input, { type: "radio", name: "class", value });
    input.checked = value === 0;
    const text = document.createElement("span");
    const swatch = document.createElement("i");
    if (colour) swatch.style.background = `rgb(${colour})`;
    text.append(swatch, name);
    label.append(input, text);
    $("#classes").append(label);
  }
}
