"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const canvas = document.getElementById("map"), context = canvas.getContext("2d"), near = document.getElementById("near");
const parts = {mask: document.getElementById("mask"), picture: document.getElementById("picture"),
               words: document.getElementById("words")};
const LEAST_ZOOM = 0.7, MOST_ZOOM = 60;
let zoom = 1, shift = [0, 0], hovered = -1, chosen = -1, drag = null, pinch = null;
const touches = new Map();

const sheet = new Image();
sheet.addEventListener("load", draw);
sheet.src = data.masks.file;

// Width of the square that the map has at zoom 1, and of a mask in it, CSS px.
const span = () => Math.min(canvas.clientWidth, canvas.clientHeight) * 0.94;
const side = () => Math.min(72, Math.max(9, 0.75 * span() / Math.sqrt(data.at.length)) * Math.sqrt(zoom));

function place(number) {
  const [x, y] = data.at[number];
  return [canvas.clientWidth / 2 + shift[0] + (x - 0.5) * span() * zoom,
          canvas.clientHeight / 2 + shift[1] + (y - 0.5) * span() * zoom];
}

function cell(cells, number) {
  return [number % cells.columns * cells.side, Math.floor(number / cells.columns) * cells.side];
}

const ground = (number) => data.light[number] ? "#4a463f" : "#efece5";

function draw() {
  const ratio = window.devicePixelRatio || 1;
  const width = Math.round(canvas.clientWidth * ratio), height = Math.round(canvas.clientHeight * ratio);
  if (canvas.width !== width || canvas.height !== height) { canvas.width = width; canvas.height = height; }
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, canvas.clientWidth, canvas.clientHeight);
  const alike = new Set(chosen < 0 ? [] : data.near[chosen].map((one) => one[0]));
  const size = side();
  const order = [...data.at.keys()].sort((a, b) => rank(a, alike) - rank(b, alike));
  for (const number of order) {
    const [x, y] = place(number), more = rank(number, alike), own = size * (more > 1 ? 1.6 : more ? 1.25 : 1);
    if (x < -own || y < -own || x > canvas.clientWidth + own || y > canvas.clientHeight + own) continue;
    context.globalAlpha = chosen >= 0 && !more ? 0.35 : 1;
    context.fillStyle = ground(number);
    context.fillRect(x - own / 2, y - own / 2, own, own);
    context.drawImage(sheet, ...cell(data.masks, number), data.masks.side, data.masks.side, x - own / 2, y - own / 2,
                      own, own);
    if (more) {
      context.lineWidth = more > 1 ? 2.5 : 1.5;
      context.strokeStyle = "#8a2f1d";
      context.strokeRect(x - own / 2, y - own / 2, own, own);
    }
  }
  context.globalAlpha = 1;
}

// How far to the front: all, those like the chosen one, the chosen one, that under the pointer.
const rank = (number, alike) => number === hovered ? 3 : number === chosen ? 2 : alike.has(number) ? 1 : 0;

function under(x, y) {
  let best = -1, nearest = (side() * 0.6) ** 2;
  for (let number = 0; number < data.at.length; number++) {
    const [a, b] = place(number), far = (a - x) ** 2 + (b - y) ** 2;
    if (far < nearest) [best, nearest] = [number, far];
  }
  return best;
}

function background(element, cells, number, width, colour = "") {
  const [x, y] = cell(cells, number), scale = width / cells.side;
  element.style.backgroundImage = `url(${cells.file})`;
  element.style.backgroundSize = `${cells.width * scale}px ${cells.height * scale}px`;
  element.style.backgroundPosition = `${-x * scale}px ${-y * scale}px`;
  if (colour) element.style.backgroundColor = colour;
}

function show(number) {
  if (number < 0) return;
  background(parts.mask, data.masks, number, parts.mask.clientWidth, ground(number));
  background(parts.picture, data.pictures, data.picture[number], parts.picture.clientWidth);
  parts.words.replaceChildren(data.names[data.picture[number]], document.createElement("small"));
  parts.words.lastChild.textContent = `layer ${data.layer[number]}, ${data.colour[number]}`;
}

function choose(number, moved = false) {
  chosen = number;
  document.getElementById("near-title").hidden = number < 0;
  near.replaceChildren();
  if (number >= 0) {
    show(number);
    for (const [other, far] of data.near[number]) near.append(entry(other, far));
    for (const image of near.querySelectorAll("i")) {
      background(image, data.masks, Number(image.dataset.number), image.clientWidth, ground(image.dataset.number));
    }
    if (moved) centre(number);
  }
  draw();
}

function entry(number, far) {
  const item = document.createElement("li"), button = document.createElement("button");
  const image = document.createElement("i");
  image.dataset.number = number;
  button.type = "button";
  button.append(image, `${data.names[data.picture[number]]}, layer ${data.layer[number]}: ${far.toFixed(2)}`);
  button.addEventListener("click", () => choose(number, true));
  button.addEventListener("pointerenter", () => { hovered = number; show(number); draw(); });
  button.addEventListener("pointerleave", () => { hovered = -1; show(chosen); draw(); });
  item.append(button);
  return item;
}

function centre(number) {
  const [x, y] = place(number), inside = (v, most) => v > 40 && v < most - 40;
  if (inside(x, canvas.clientWidth) && inside(y, canvas.clientHeight)) return;
  shift = [shift[0] + canvas.clientWidth / 2 - x, shift[1] + canvas.clientHeight / 2 - y];
}

function zoomed(times, x = canvas.clientWidth / 2, y = canvas.clientHeight / 2) {
  const before = zoom;
  zoom = Math.min(MOST_ZOOM, Math.max(LEAST_ZOOM, zoom * times));
  const from = [x - canvas.clientWidth / 2, y - canvas.clientHeight / 2];
  shift = shift.map((one, k) => from[k] - (from[k] - one) * zoom / before);
  draw();
}

const apart = () => { const [a, b] = [...touches.values()]; return Math.hypot(a[0] - b[0], a[1] - b[1]); };

canvas.addEventListener("wheel", (event) => {
  event.preventDefault();
  zoomed(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.0015)), event.offsetX, event.offsetY);
}, {passive: false});
canvas.addEventListener("pointerdown", (event) => {
  canvas.setPointerCapture(event.pointerId);
  touches.set(event.pointerId, [event.offsetX, event.offsetY]);
  pinch = touches.size === 2 ? apart() : null;
  drag = {x: event.offsetX, y: event.offsetY, far: 0};
});
canvas.addEventListener("pointermove", (event) => {
  if (touches.has(event.pointerId)) touches.set(event.pointerId, [event.offsetX, event.offsetY]);
  if (pinch && touches.size === 2) {
    zoomed(apart() / pinch, event.offsetX, event.offsetY);
    pinch = apart();
    drag = null;
  } else if (drag) {
    drag.far += Math.abs(event.offsetX - drag.x) + Math.abs(event.offsetY - drag.y);
    shift = [shift[0] + event.offsetX - drag.x, shift[1] + event.offsetY - drag.y];
    [drag.x, drag.y] = [event.offsetX, event.offsetY];
    draw();
  } else {
    const found = under(event.offsetX, event.offsetY);
    if (found !== hovered) { hovered = found; show(found < 0 ? chosen : found); draw(); }
  }
});
for (const kind of ["pointerup", "pointercancel"]) {
  canvas.addEventListener(kind, (event) => {
    if (kind === "pointerup" && drag && drag.far < 6) choose(under(event.offsetX, event.offsetY));
    touches.delete(event.pointerId);
    drag = pinch = null;
  });
}
canvas.addEventListener("pointerleave", () => { hovered = -1; show(chosen); draw(); });
canvas.addEventListener("keydown", (event) => {
  const step = {ArrowLeft: [60, 0], ArrowRight: [-60, 0], ArrowUp: [0, 60], ArrowDown: [0, -60]}[event.key];
  if (step) { shift = [shift[0] + step[0], shift[1] + step[1]]; draw(); }
  else if (event.key === "+" || event.key === "=") zoomed(1.3);
  else if (event.key === "-") zoomed(1 / 1.3);
  else if (event.key === "Escape") choose(-1);
  else return;
  event.preventDefault();
});
document.getElementById("all").addEventListener("click", () => { zoom = 1; shift = [0, 0]; draw(); });
new ResizeObserver(draw).observe(canvas);
