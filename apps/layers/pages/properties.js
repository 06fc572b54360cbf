// Colour, lightness, gradient and opacity of what is selected, and the colours that the picture has.

import * as editor from "./editor.js";
import { made, one } from "./elements.js";
import { fromHexadecimal, hexadecimal } from "./model.js";
import { inPicture, ofPicture } from "./view.js";

const SLIDERS = { lightness: 100, opacity: 100 };
const MOST_SWATCHES = 24;

function shown(field, value) {
  if (document.activeElement !== field) field.value = value;
}

function colourFields(prefix, value) {
  const text = value ? hexadecimal(value) : "";
  if (text) one(`${prefix}-picker`).value = text;
  shown(one(prefix), text);
  one(prefix).removeAttribute("aria-invalid");
}

export function show() {
  const chosen = editor.chosen(), [first] = chosen;
  one("properties").disabled = !first;
  one("selected").textContent = !first ? "Nothing is selected" : chosen.length === 1 ? first.name || "layer" :
    `${chosen.length} layers`;
  one("select-hint").hidden = Boolean(first);
  one("fields").hidden = !first;
  swatches();
  if (!first) return;
  colourFields("colour", first.colour);
  for (const [name, parts] of Object.entries(SLIDERS)) {
    one(`${name}-slider`).value = Math.round(first[name] * parts);
    shown(one(name), Math.round(first[name] * parts));
  }
  one("gradient").checked = Boolean(first.gradient);
  one("gradient-fields").hidden = !first.gradient;
  if (first.gradient) {
    colourFields("second", first.gradient.colour);
    one("angle-slider").value = angle(first.gradient);
    shown(one("angle"), angle(first.gradient));
  }
}

function swatches() {
  const colours = [...new Set(editor.layers().map((layer) => hexadecimal(layer.colour)))].slice(0, MOST_SWATCHES);
  const place = one("swatches");
  if (place.dataset.colours === String(colours)) return;
  place.dataset.colours = String(colours);
  place.replaceChildren(...colours.map((colour) => {
    const button = made("button", { type: "button", "aria-label": `Colour ${colour}`, title: colour,
      onclick: () => editor.set("colour", fromHexadecimal(colour)) });
    button.style.background = colour;
    return button;
  }));
}

// Two fields of one colour: a picker, which sends values while it is dragged, and six digits.
function colourInput(prefix, set) {
  one(`${prefix}-picker`).addEventListener("input", (event) => set(fromHexadecimal(event.target.value), true));
  one(`${prefix}-picker`).addEventListener("change", () => editor.history.end());
  one(prefix).addEventListener("input", (event) => {
    const found = fromHexadecimal(event.target.value);
    event.target.setAttribute("aria-invalid", String(!found));
    if (found) set(found, true);
  });
  one(prefix).addEventListener("change", () => editor.history.end());
  one(prefix).addEventListener("blur", show);
}

colourInput("colour", (value, goesOn) => editor.set("colour", value, goesOn));
colourInput("second", (value, goesOn) => withGradient((gradient) => ({ ...gradient, colour: value }), goesOn));

function slider(name, least, most, set) {
  for (const field of [one(`${name}-slider`), one(name)]) {
    field.addEventListener("input", () => {
      const value = Number(field.value);
      if (field.value !== "" && Number.isFinite(value)) set(Math.max(least, Math.min(most, value)), true);
    });
    field.addEventListener("change", () => editor.history.end());
    field.addEventListener("blur", show);
  }
}

slider("lightness", -100, 100, (value, goesOn) => editor.set("lightness", value / 100, goesOn));
slider("opacity", 0, 100, (value, goesOn) => editor.set("opacity", value / 100, goesOn));
slider("angle", 0, 359, (value, goesOn) => withGradient((gradient) => turned(gradient, value), goesOn));

// Several layers get the gradient of the first.
function withGradient(change, goesOn) {
  const [first] = editor.chosen();
  if (first && first.gradient) editor.set("gradient", change(first.gradient), goesOn);
}

function px({ start, end }) {
  const [[x0, y0], [x1, y1]] = [start, end].map(inPicture);
  return { middle: [(x0 + x1) / 2, (y0 + y1) / 2], across: x1 - x0, down: y1 - y0 };
}

// Degrees clockwise from left-to-right.
function angle(gradient) {
  const { across, down } = px(gradient);
  return (Math.round(Math.atan2(down, across) * 180 / Math.PI) + 360) % 360;
}

function turned(gradient, degrees) {
  const { middle: [x, y], across, down } = px(gradient), half = Math.hypot(across, down) / 2;
  const [dx, dy] = [Math.cos(degrees * Math.PI / 180) * half, Math.sin(degrees * Math.PI / 180) * half];
  return { ...gradient, start: ofPicture([x - dx, y - dy]), end: ofPicture([x + dx, y + dy]) };
}

// A new gradient goes from the left of a layer to its right, to a colour that is lighter, or darker.
function gradientOf(layer) {
  const [left, top, right, bottom] = editor.masks.extent(layer), middle = (top + bottom) / 2;
  const bright = layer.colour.reduce((sum, value) => sum + value, 0) > 1.8;
  const colour = layer.colour.map((value) => Number((bright ? value * 0.35 : value + 0.65 * (1 - value)).toFixed(6)));
  return { colour, start: ofPicture([left, middle]), end: ofPicture([right, middle]) };
}

one("gradient").addEventListener("change", (event) => {
  const [first] = editor.chosen();
  editor.set("gradient", event.target.checked ? gradientOf(first) : null);
});
