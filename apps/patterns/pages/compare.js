// Two pictures side by side, with the boxes that are held to show the same, and the points that agree.
// A side is { id, name, size, box }; points are x, y of the left and of the right one, in [0, 1].

import { view } from "./api.js";
import { drawn, one, rectangles } from "./elements.js";

const AROUND = 0.35; // of the box's longest side, shown around it
const dialog = one("compare");
let pairs = [];
let which = 0;

export function compare(list, first) {
  pairs = list;
  which = first;
  draw();
  dialog.showModal();
}

function draw() {
  const { left, right, points, score, verified } = pairs[which];
  one("compare-title").textContent = `${which + 1} of ${pairs.length}, score ${score.toFixed(3)}`;
  side("left", left, points.map(([x, y]) => [x, y]));
  side("right", right, points.map(([, , x, y]) => [x, y]));
  one("right-link").setAttribute("href", `#/picture/${right.id}`);
  one("compare-hint").textContent = verified
    ? `${points.length} points agree about where the detail is, how large, and how it is turned; of the same colour, they belong together.`
    : "The features are alike, but no points agree about how the detail is turned or moved.";
  one("show-points").disabled = !points.length;
  one("previous").disabled = which === 0;
  one("next").disabled = which === pairs.length - 1;
}

function side(name, { id, name: title, size, box }, points) {
  const svg = one(name);
  const [width, height] = size;
  let frame = [0, 0, width, height];
  if (!one("show-whole").checked) {
    const around = AROUND * Math.max(box[2], box[3]);
    const [left, top] = [Math.max(0, box[0] - around), Math.max(0, box[1] - around)];
    frame = [left, top, Math.min(width, box[0] + box[2] + around) - left, Math.min(height, box[1] + box[3] + around) - top];
  }
  svg.setAttribute("viewBox", frame.join(" "));
  svg.setAttribute("aria-label", `${title}, the detail framed`);
  svg.replaceChildren(drawn("image", { href: view(id), width, height }), ...rectangles(box));
  if (one("show-points").checked) {
    const shown = svg.getBoundingClientRect().width || 600;
    const r = 4.5 * Math.max(frame[2] / shown, frame[3] / (svg.getBoundingClientRect().height || 400));
    points.forEach(([x, y], number) => svg.append(drawn("circle", {
      class: "point", cx: x * width, cy: y * height, r, fill: `hsl(${Math.round((330 * number) / points.length)} 75% 45%)`,
    })));
  }
  one(`${name}-caption`).textContent = title;
}

function step(by) {
  which = Math.min(Math.max(0, which + by), pairs.length - 1);
  draw();
}

one("previous").addEventListener("click", () => step(-1));
one("next").addEventListener("click", () => step(1));
one("close").addEventListener("click", () => dialog.close());
one("right-link").addEventListener("click", () => dialog.close());
for (const id of ["show-points", "show-whole"]) one(id).addEventListener("change", draw);
dialog.addEventListener("keydown", (event) => {
  if (event.key === "ArrowLeft") step(-1);
  if (event.key === "ArrowRight") step(1);
});
