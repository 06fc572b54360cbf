// The picture on its stage: painted, with the border of what is selected and the ends of its gradient.

import { one } from "./elements.js";
import { paint } from "./model.js";
import { border, Sandwich } from "./pixels.js";
import { Place } from "./place.js";

const CHECKS_PX = 8, BORDER_STEP_PX = 3, MOST_BORDERS = 16, FULL = 65535, ALL = "all";
const stage = one("stage"), picture = one("picture"), marks = one("marks");
const context = picture.getContext("2d"), drawing = marks.getContext("2d");
const buffer = document.createElement("canvas");
const handles = [one("handle-start"), one("handle-end")];

export const place = new Place();
let masks = null, transparent = true, layers = [], selected = [];
let sandwich = null, shown = null; // what the sandwich was made of
let marked = "";
let waiting = 0;
let onScale = () => {};

export function onZoom(called) { onScale = called; }

export function open(found, ofDocument) {
  masks = found;
  transparent = ofDocument.transparent;
  place.size = masks.size;
  sandwich = shown = null;
  borders.clear();
  place.fit();
}

export function show(now, ids) {
  layers = now;
  selected = ids;
  later();
}

export function later() {
  if (!waiting) waiting = requestAnimationFrame(render);
}

function item(layer, level, part) {
  return {
    plane: masks.of(layer)[level],
    opacity: layer.visible ? layer.opacity : 0,
    colours: paint(layer).map((colour) => colour.map((value) => value * FULL)),
    gradient: layer.gradient,
    size: masks.size.map((length) => length / part),
  };
}

function render() {
  waiting = 0;
  if (!masks || !masks.levels.length) {
    context.clearRect(0, 0, picture.width, picture.height);
    drawing.clearRect(0, 0, marks.width, marks.height);
    return;
  }
  const ratio = devicePixelRatio, seen = place.seen(ratio, masks.levels[0]);
  if (seen.area[2] < 1 || seen.area[3] < 1) return;
  const changed = compose(seen);
  if (changed) draw(seen, ratio, changed === ALL ? null : changed);
  mark(seen);
  onScale(place.scale * ratio);
}

// `buffer` on the stage; part: [left, top, width, height] of it, if only that has changed.
function draw(seen, ratio, part) {
  const [left, top, width, height] = seen.area, [x, y] = place.toStage([left * seen.part, top * seen.part]);
  const scale = seen.part * place.scale, size = [width * scale, height * scale];
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.save();
  if (part) {
    // In whole px of the screen, with what smoothing has taken from the neighbours.
    const grown = (at) => at.map((value, side) => (side < 2 ? Math.floor : Math.ceil)(value * ratio) / ratio);
    const [x0, y0, x1, y1] = grown([
      x + (part[0] - 2) * scale, y + (part[1] - 2) * scale,
      x + (part[0] + part[2] + 2) * scale, y + (part[1] + part[3] + 2) * scale,
    ]);
    context.beginPath();
    context.rect(x0, y0, x1 - x0, y1 - y0);
    context.clip();
  }
  context.clearRect(0, 0, ...place.stage);
  if (transparent) {
    context.fillStyle = checks();
    context.fillRect(x, y, ...size);
  }
  context.imageSmoothingQuality = "medium";
  context.drawImage(buffer, 0, 0, width, height, x, y, ...size);
  context.restore();
}

// The layers as pixels, in `buffer`: all anew, or where only the one that is selected has changed, that one. Gives what
// has changed on the stage: a part of `buffer`, ALL, or null.
function compose({ level, part, area }) {
  const active = selected.length === 1 ? layers.findIndex((layer) => layer.id === selected[0]) : -1;
  const same = shown && shown.active === active && shown.level === level && String(shown.area) === String(area) &&
    shown.layers.length === layers.length &&
    layers.every((layer, at) => layer === shown.layers[at] || (at === active && layer.masks === shown.layers[at].masks));
  const ink = buffer.getContext("2d"), where = String([place.scale, place.x, place.y, picture.width, picture.height]);
  let changed = shown && shown.where === where ? null : ALL;
  if (same) {
    if (active >= 0 && layers[active] !== shown.layers[active]) {
      const inside = sandwich.change(item(layers[active], level, part));
      if (inside) ink.putImageData(sandwich.image, 0, 0, ...inside);
      changed = changed || inside;
    }
  } else {
    changed = ALL;
    sandwich = new Sandwich(area, layers.map((layer) => item(layer, level, part)), active, transparent);
    [buffer.width, buffer.height] = [area[2], area[3]];
    ink.putImageData(sandwich.image, 0, 0);
  }
  shown = { layers, active, level, area, where };
  return changed;
}

function mark({ level, part }) {
  const chosen = layers.filter((layer) => selected.includes(layer.id));
  const faded = chosen.length === 1 ? chosen[0].gradient : null;
  const key = JSON.stringify([
    chosen.map((layer) => layer.masks), faded && [faded.start, faded.end], place.scale, place.x, place.y, place.stage,
  ]);
  if (key === marked) return;
  marked = key;
  const ratio = devicePixelRatio;
  drawing.setTransform(1, 0, 0, 1, 0, 0);
  drawing.clearRect(0, 0, marks.width, marks.height);
  drawing.setTransform(ratio, 0, 0, ratio, 0, 0);
  const step = Math.max(1, Math.round(BORDER_STEP_PX / (part * place.scale)));
  for (const layer of chosen) {
    const lines = borderOf(layer, level, step), path = new Path2D();
    for (let i = 0; i < lines.length; i += 4) {
      path.moveTo(...place.toStage([lines[i] * part, lines[i + 1] * part]));
      path.lineTo(...place.toStage([lines[i + 2] * part, lines[i + 3] * part]));
    }
    outline(path);
  }
  handles.forEach((handle) => { handle.hidden = !faded; });
  if (!faded) return;
  const ends = [faded.start, faded.end].map((end) => place.toStage(inPicture(end)));
  const path = new Path2D();
  path.moveTo(...ends[0]);
  path.lineTo(...ends[1]);
  outline(path);
  handles.forEach((handle, which) => {
    [handle.style.left, handle.style.top] = ends[which].map((at) => `${at}px`);
  });
}

// Kept as long as it is the same ones that are asked for, as while an end of a gradient is dragged.
const borders = new Map();
function borderOf(layer, level, step) {
  const plane = masks.of(layer)[level];
  const known = borders.get(plane);
  if (known && known.step === step) return known.lines;
  if (borders.size >= MOST_BORDERS) borders.clear();
  const lines = border(plane, step);
  borders.set(plane, { step, lines });
  return lines;
}

function outline(path) {
  for (const [colour, width] of [["rgb(255 255 255 / 85%)", 3.5], ["#2f5bea", 1.6]]) {
    drawing.strokeStyle = colour;
    drawing.lineWidth = width;
    drawing.lineCap = "round";
    drawing.stroke(path);
  }
}

// Places of gradients, in [-1, 1], as px of the picture, and the other way round.
export const inPicture = (at) => at.map((value, axis) => (value + 1) / 2 * masks.size[axis]);
export const ofPicture = (at) => at.map((value, axis) =>
  Number(Math.max(-10, Math.min(10, 2 * value / masks.size[axis] - 1)).toFixed(4)));

let pattern = null;
function checks() {
  if (pattern) return pattern;
  const small = document.createElement("canvas"), ink = small.getContext("2d");
  small.width = small.height = 2 * CHECKS_PX;
  ink.fillStyle = "#fff";
  ink.fillRect(0, 0, small.width, small.height);
  ink.fillStyle = "#e9ebef";
  ink.fillRect(0, 0, CHECKS_PX, CHECKS_PX);
  ink.fillRect(CHECKS_PX, CHECKS_PX, CHECKS_PX, CHECKS_PX);
  pattern = context.createPattern(small, "repeat");
  return pattern;
}

new ResizeObserver(() => {
  const { clientWidth: width, clientHeight: height } = stage, ratio = devicePixelRatio;
  for (const canvas of [picture, marks]) [canvas.width, canvas.height] = [width * ratio, height * ratio].map(Math.round);
  place.resize(width, height);
  marked = "";
  if (shown) shown.where = "";
  pattern = null;
  cancelAnimationFrame(waiting);
  render();
}).observe(stage);
