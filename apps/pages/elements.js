// Elements of the page, made with their attributes; text is never taken for markup.

const SVG = "http://www.w3.org/2000/svg";

export const one = (id) => document.getElementById(id);

export function made(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key === "onclick") element.addEventListener("click", value);
    else element.setAttribute(key, value);
  }
  element.append(...children);
  return element;
}

export function drawn(name, attributes) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}

export function rectangles([x, y, width, height]) {
  return ["halo", "box"].map((kind) => drawn("rect", { class: kind, x, y, width, height }));
}

export function complain(error) {
  const place = one("error");
  place.textContent = error ? error.message : "";
  place.hidden = !error;
}
