// The picture that a box is drawn on: by dragging, by arrow keys, or in fields. Boxes are x, y, w, h in px of the picture.

import { view } from "./api.js";
import { drawn, one, rectangles } from "./elements.js";

const LEAST_SHARE = 0.01; // of the longest side: less is a click, not a box
const FIELDS = ["x", "y", "w", "h"].map((name) => one(`box-${name}`));
const stage = one("stage");
const svg = one("view");
let picture = null;
let box = null;
let start = null;
let chosen = () => {};

export const current = () => box;

export function onChosen(called) {
  chosen = called;
}

export function show(shown) {
  picture = shown;
  const [width, height] = picture.size;
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  svg.replaceChildren(drawn("image", { href: view(picture.id), width, height }));
  FIELDS.forEach((field, axis) => field.setAttribute("max", picture.size[axis % 2]));
  put(null);
}

export function put(wanted) {
  box = wanted && inside(wanted);
  svg.querySelectorAll("rect").forEach((old) => old.remove());
  if (box) svg.append(...rectangles(box));
  FIELDS.forEach((field, which) => { field.value = box ? box[which] : ""; });
}

function inside([x, y, w, h]) {
  const [width, height] = picture.size;
  const left = Math.min(Math.max(0, Math.round(x)), width - 1);
  const top = Math.min(Math.max(0, Math.round(y)), height - 1);
  return [left, top, Math.max(1, Math.min(Math.round(w), width - left)), Math.max(1, Math.min(Math.round(h), height - top))];
}

function place(event) {
  const point = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
  return [Math.min(Math.max(point.x, 0), picture.size[0]), Math.min(Math.max(point.y, 0), picture.size[1])];
}

function between([x0, y0], [x1, y1]) {
  return [Math.min(x0, x1), Math.min(y0, y1), Math.abs(x1 - x0), Math.abs(y1 - y0)];
}

function isBox([, , w, h]) {
  return Math.min(w, h) >= LEAST_SHARE * Math.max(...picture.size);
}

stage.addEventListener("pointerdown", (event) => {
  if (!picture || event.button !== 0) return;
  start = place(event);
  stage.setPointerCapture(event.pointerId);
  stage.focus({ focusVisible: false });
  event.preventDefault();
});
stage.addEventListener("pointermove", (event) => {
  if (!start) return;
  const drag = between(start, place(event));
  if (isBox(drag)) put(drag);
});
stage.addEventListener("pointerup", (event) => {
  if (!start) return;
  const drag = between(start, place(event));
  start = null;
  if (!isBox(drag)) return;
  put(drag);
  chosen();
});
stage.addEventListener("pointercancel", () => { start = null; });

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
stage.addEventListener("keydown", (event) => {
  if (!picture) return;
  if (event.key === "Enter" && box) {
    event.preventDefault();
    chosen();
  }
  const arrow = ARROWS[event.key];
  if (!arrow || event.ctrlKey || event.altKey || event.metaKey) return;
  event.preventDefault();
  const [width, height] = picture.size;
  const step = Math.max(1, Math.round(0.01 * Math.max(width, height)));
  const [x, y, w, h] = box || [width * 0.375, height * 0.375, width * 0.25, height * 0.25];
  const [across, down] = arrow.map((towards) => towards * step);
  if (!box) put([x, y, w, h]);
  else if (event.shiftKey) put([x, y, Math.max(step, w + across), Math.max(step, h + down)]);
  else put([Math.min(Math.max(0, x + across), width - w), Math.min(Math.max(0, y + down), height - h), w, h]);
});
for (const field of FIELDS) {
  field.addEventListener("change", () => {
    const values = FIELDS.map((one) => one.valueAsNumber);
    if (picture && values.every(Number.isFinite)) put(values);
  });
}
