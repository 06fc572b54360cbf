// Mouse, wheel and keys on the picture: a click selects, dragging and arrow keys move, the wheel and + - 0 1 zoom.

import * as editor from "./editor.js";
import { one } from "./elements.js";
import { inPicture, later, ofPicture, place } from "./view.js";

const CLICK_PX = 4, STEP_PX = 60, ZOOM = 1.25, HANDLE_STEP_PX = 10;
const stage = one("stage");

function at(event) {
  const { left, top } = stage.getBoundingClientRect();
  return [event.clientX - left, event.clientY - top];
}

// Calls moved(event) while a pointer is dragged from an element, and ended(event, whether it moved).
export function dragged(element, moved, ended) {
  element.addEventListener("pointerdown", (down) => {
    if (down.button !== 0 || (down.target.closest("button") && down.target !== element)) return;
    element.setPointerCapture(down.pointerId);
    let far = false, last = down;
    const follow = (event) => {
      far = far || Math.hypot(event.clientX - down.clientX, event.clientY - down.clientY) > CLICK_PX;
      if (far) moved(event, event.clientX - last.clientX, event.clientY - last.clientY);
      if (far) last = event;
    };
    const done = (event) => {
      element.removeEventListener("pointermove", follow);
      element.removeEventListener("pointerup", done);
      element.removeEventListener("pointercancel", done);
      ended(event, far);
    };
    element.addEventListener("pointermove", follow);
    element.addEventListener("pointerup", done);
    element.addEventListener("pointercancel", done);
  });
}

function pick(event) {
  if (!editor.masks) return;
  const found = editor.masks.topmost(editor.layers(), place.toPicture(at(event)));
  const more = event.shiftKey || event.ctrlKey || event.metaKey;
  if (!found) {
    if (!more) editor.select([]);
    return;
  }
  if (!more) editor.select([found.id]);
  else if (editor.selected.includes(found.id)) editor.select(editor.selected.filter((id) => id !== found.id));
  else editor.select([...editor.selected, found.id]);
}

dragged(stage, (_, dx, dy) => {
  stage.classList.add("moving");
  place.pan(dx, dy);
  later();
}, (event, far) => {
  stage.classList.remove("moving");
  if (!far && event.type === "pointerup") pick(event);
});

function zoomed(factor, ...centre) {
  place.zoom(factor, ...centre);
  later();
}

export function fit() {
  place.fit();
  later();
}

stage.addEventListener("wheel", (event) => {
  event.preventDefault();
  zoomed(Math.exp(-Math.sign(event.deltaY) * Math.min(0.3, Math.abs(event.deltaY) / 400)), ...at(event));
}, { passive: false });

const KEYS = {
  "+": () => zoomed(ZOOM), "=": () => zoomed(ZOOM), "-": () => zoomed(1 / ZOOM), 0: fit,
  1: () => zoomed(1 / (place.scale * devicePixelRatio)),
  ArrowLeft: () => place.pan(STEP_PX, 0), ArrowRight: () => place.pan(-STEP_PX, 0),
  ArrowUp: () => place.pan(0, STEP_PX), ArrowDown: () => place.pan(0, -STEP_PX),
};
stage.addEventListener("keydown", (event) => {
  const done = KEYS[event.key];
  if (event.target !== stage || !done || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  done();
  later();
});
one("zoom-in").addEventListener("click", () => zoomed(ZOOM));
one("zoom-out").addEventListener("click", () => zoomed(1 / ZOOM));
one("zoom-fit").addEventListener("click", fit);

// The ends of a gradient: dragged, or moved by arrow keys.
for (const [name, end] of [["handle-start", "start"], ["handle-end", "end"]]) {
  const handle = one(name);
  const put = (px, goesOn) => {
    const [layer] = editor.chosen();
    if (layer && layer.gradient) editor.set("gradient", { ...layer.gradient, [end]: ofPicture(px) }, goesOn);
  };
  dragged(handle, (event) => put(place.toPicture(at(event)), true), () => editor.history.end());
  handle.addEventListener("keydown", (event) => {
    const ways = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    const [layer] = editor.chosen(), way = ways[event.key];
    if (!way || !layer || !layer.gradient) return;
    event.preventDefault();
    const step = (event.shiftKey ? 1 : HANDLE_STEP_PX) / place.scale;
    put(inPicture(layer.gradient[end]).map((value, axis) => value + step * way[axis]), true);
  });
}
