// The list of layers, the topmost first: eye, name, order, merge, delete.

import * as editor from "./editor.js";
import { drawn, made, one } from "./elements.js";
import { paint } from "./model.js";

const THUMBNAIL_PX = 36, DRAG_PX = 6;
const list = one("layers");
const rows = new Map(); // by identifier
let shownSelection = "";

function thumbnail(canvas, layer) {
  const planes = editor.masks.of(layer), { width, height, data } = planes.at(-1);
  const small = new ImageData(width, height), [first, second = first] = paint(layer);
  const colour = first.map((value, channel) => 127.5 * (value + second[channel]));
  for (let i = 0; i < data.length; i++) small.data.set([...colour, data[i]], 4 * i);
  canvas.width = width;
  canvas.height = height;
  canvas.getContext("2d").putImageData(small, 0, 0);
  const share = THUMBNAIL_PX / Math.max(width, height);
  [canvas.style.width, canvas.style.height] = [width, height].map((length) => `${Math.max(4, Math.round(length * share))}px`);
}

function icon(name) {
  const svg = drawn("svg", { class: "icon", "aria-hidden": "true" });
  svg.append(drawn("use", { href: `#icon-${name}` }));
  return svg;
}

function row(layer) {
  const eye = made("button", { type: "button", class: "eye" }, icon("eye"));
  const canvas = made("canvas", { "aria-hidden": "true" });
  const name = made("span", { class: "name" });
  const pick = made("button", { type: "button", class: "pick" }, made("span", { class: "thumbnail" }, canvas), name);
  const item = made("li", { "data-layer": layer.id }, eye, pick);
  eye.addEventListener("click", () => {
    const now = editor.layers().find((one) => one.id === layer.id);
    editor.run({ do: "set", ids: [layer.id], field: "visible", value: !now.visible });
  });
  pick.addEventListener("click", (event) => choose(layer.id, event));
  pick.addEventListener("dblclick", () => rename(layer.id));
  pick.addEventListener("pointerdown", (event) => drag(item, layer.id, event));
  return { item, eye, pick, name, canvas, shown: null };
}

function update(entry, layer) {
  const { item, eye, pick, name, canvas } = entry, label = layer.name || "layer without a name";
  const on = editor.selected.includes(layer.id);
  item.classList.toggle("selected", on);
  pick.setAttribute("aria-pressed", String(on));
  if (entry.shown === layer) return;
  if (!entry.shown || ["colour", "lightness", "gradient", "masks"].some((field) => entry.shown[field] !== layer[field])) {
    thumbnail(canvas, layer);
  }
  entry.shown = layer;
  name.textContent = label;
  item.classList.toggle("hidden-layer", !layer.visible);
  eye.setAttribute("aria-pressed", String(layer.visible));
  eye.setAttribute("aria-label", `${layer.visible ? "Hide" : "Show"} ${label}`);
  eye.title = layer.visible ? "Hide" : "Show";
  eye.querySelector("use").setAttribute("href", layer.visible ? "#icon-eye" : "#icon-eye-off");
}

export function forget() {
  rows.clear();
  list.replaceChildren();
}

export function show() {
  const layers = editor.layers().toReversed();
  for (const layer of layers) {
    if (!rows.has(layer.id)) rows.set(layer.id, row(layer));
    update(rows.get(layer.id), layer);
  }
  const wanted = layers.map((layer) => rows.get(layer.id).item);
  const focused = document.activeElement;
  if (wanted.length !== list.children.length || wanted.some((item, at) => item !== list.children[at])) {
    list.replaceChildren(...wanted);
    if (list.contains(focused)) focused.focus();
  }
  if (String(editor.selected) !== shownSelection) reveal();
  shownSelection = String(editor.selected);
  // One row can be reached by Tab, the others from it by arrow keys.
  const stop = layers.find((layer) => editor.selected.includes(layer.id)) || layers[0];
  for (const layer of layers) {
    for (const button of [rows.get(layer.id).eye, rows.get(layer.id).pick]) button.tabIndex = layer === stop ? 0 : -1;
  }
  const count = editor.selected.length, at = layers.indexOf(stop);
  one("raise").disabled = count !== 1 || at === 0;
  one("lower").disabled = count !== 1 || at === layers.length - 1;
  one("rename").disabled = count !== 1;
  one("merge").disabled = count === 0 || (count === 1 && at === layers.length - 1);
  one("delete").disabled = count === 0;
  const what = count > 1 ? "Merge the selected layers" : "Merge with the layer below";
  one("merge").title = what;
  one("merge").setAttribute("aria-label", what);
  one("count").textContent = String(layers.length);
  one("no-layers").hidden = layers.length > 0;
}

// What was selected on the picture is brought into view in the list, without moving the page.
function reveal() {
  const entry = rows.get(editor.selected.at(-1));
  if (!entry) return;
  const top = entry.item.offsetTop - list.offsetTop, least = top + entry.item.offsetHeight - list.clientHeight;
  list.scrollTop = Math.max(Math.min(list.scrollTop, top), least);
}
new ResizeObserver(reveal).observe(list); // the fields below take more room, or less

function choose(id, { shiftKey, ctrlKey, metaKey }) {
  const order = editor.layers().map((layer) => layer.id);
  if (ctrlKey || metaKey) {
    editor.select(editor.selected.includes(id) ? editor.selected.filter((one) => one !== id) : [...editor.selected, id]);
  } else if (shiftKey && editor.selected.length) {
    const [a, b] = [order.indexOf(editor.selected[0]), order.indexOf(id)].sort((x, y) => x - y);
    const between = order.slice(a, b + 1).filter((one) => one !== editor.selected[0]);
    editor.select([editor.selected[0], ...between]);
  } else {
    editor.select([id]);
  }
}

export function rename(id) {
  const entry = rows.get(id), layer = editor.layers().find((one) => one.id === id);
  if (!entry || entry.item.querySelector("input")) return;
  const field = made("input", { class: "renaming", "aria-label": "Name of the layer", maxlength: "200", spellcheck: "false" });
  field.value = layer.name;
  let done = false;
  const end = (keeps) => {
    if (done) return;
    done = true;
    const name = field.value.trim();
    field.replaceWith(entry.pick);
    if (keeps && name && name !== layer.name) editor.run({ do: "set", ids: [id], field: "name", value: name });
    entry.pick.focus();
  };
  field.addEventListener("keydown", (event) => {
    event.stopPropagation();
    if (event.key === "Enter") end(true);
    if (event.key === "Escape") end(false);
  });
  field.addEventListener("blur", () => end(true));
  entry.pick.replaceWith(field);
  field.select();
}

// A row dragged over others: the layer goes where the line is.
function drag(item, id, down) {
  if (down.button !== 0 || down.shiftKey || down.ctrlKey || down.metaKey) return;
  let to = null;
  const others = () => [...list.children].filter((other) => other !== item);
  const follow = (event) => {
    if (to === null && Math.abs(event.clientY - down.clientY) < DRAG_PX) return;
    item.classList.add("dragged");
    const below = others().findIndex((other) => {
      const box = other.getBoundingClientRect();
      return event.clientY < box.top + box.height / 2;
    });
    to = below < 0 ? others().length : below; // from the top
    others().forEach((other, at) => {
      other.classList.toggle("before", at === to);
      other.classList.toggle("after", to === others().length && at === to - 1);
    });
  };
  const end = (event) => {
    removeEventListener("pointermove", follow);
    removeEventListener("pointerup", end);
    removeEventListener("pointercancel", end);
    for (const other of list.children) other.classList.remove("dragged", "before", "after");
    if (to === null || event.type !== "pointerup") return;
    editor.select([id]);
    editor.move(id, others().length - to);
  };
  addEventListener("pointermove", follow);
  addEventListener("pointerup", end);
  addEventListener("pointercancel", end);
}

function focusOn(id, what = "pick") {
  const entry = rows.get(id);
  if (entry) entry[what].focus();
}

list.addEventListener("keydown", (event) => {
  const item = event.target.closest("li"), id = item ? Number(item.dataset.layer) : -1;
  const order = editor.layers().map((layer) => layer.id).toReversed(), at = order.indexOf(id);
  const what = event.target.classList.contains("eye") ? "eye" : "pick";
  const way = { ArrowUp: -1, ArrowDown: 1, Home: -at, End: order.length - 1 - at }[event.key];
  if (at < 0) return;
  if (way !== undefined && event.altKey) {
    editor.select([id]);
    editor.moveBy(-way);
    focusOn(id);
  } else if (way !== undefined) {
    const next = order[Math.max(0, Math.min(order.length - 1, at + way))];
    if (event.shiftKey) editor.select([...editor.selected.filter((one) => one !== next), next]);
    else editor.select([next]);
    focusOn(next, what);
  } else if (event.key === "F2") {
    rename(id);
  } else if (event.key === "Delete" || event.key === "Backspace") {
    remove();
  } else {
    return;
  }
  event.preventDefault();
});

function remove() {
  const order = editor.layers().map((layer) => layer.id);
  const at = Math.max(...editor.selected.map((id) => order.indexOf(id)));
  editor.remove();
  const next = editor.layers()[Math.min(at, editor.layers().length - 1)];
  if (next) {
    editor.select([next.id]);
    focusOn(next.id);
  }
}

one("raise").addEventListener("click", () => editor.moveBy(1));
one("lower").addEventListener("click", () => editor.moveBy(-1));
one("rename").addEventListener("click", () => rename(editor.selected[0]));
one("merge").addEventListener("click", () => editor.merge());
one("delete").addEventListener("click", remove);
