// Masks as pixels: made smaller, united, and layers painted over each other. Arrays in, arrays out.
//
// A plane: { width, height, data: Uint8Array, box }, where box is [left, top, right, bottom] of what is not 0.
// Colours of 16 bits are multiplied with how opaque they are.

const FULL = 65535;

export function plane(width, height, data) {
  let left = width, top = height, right = 0, bottom = 0;
  for (let y = 0; y < height; y++) {
    const row = y * width;
    let first = 0;
    while (first < width && data[row + first] === 0) first++;
    if (first === width) continue;
    let last = width - 1;
    while (data[row + last] === 0) last--;
    if (y < top) top = y;
    bottom = y + 1;
    if (first < left) left = first;
    if (last >= right) right = last + 1;
  }
  return { width, height, data, box: [left, top, right, bottom] };
}

// Half as large: means of 2 x 2.
export function halved({ width, height, data }) {
  const w = Math.ceil(width / 2), h = Math.ceil(height / 2), found = new Uint8Array(w * h);
  for (let y = 0; y < h; y++) {
    const upper = 2 * y * width, lower = Math.min(2 * y + 1, height - 1) * width;
    for (let x = 0; x < w; x++) {
      const a = 2 * x, b = Math.min(a + 1, width - 1);
      found[y * w + x] = (data[upper + a] + data[upper + b] + data[lower + a] + data[lower + b] + 2) >> 2;
    }
  }
  return plane(w, h, found);
}

// Where any of them is: 1 - (1 - a) (1 - b) ...
export function united(planes) {
  const [{ width, height }] = planes, found = new Uint8Array(planes[0].data);
  for (const { data } of planes.slice(1)) {
    for (let i = 0; i < found.length; i++) found[i] += Math.round(data[i] * (255 - found[i]) / 255);
  }
  return plane(width, height, found);
}

// How much of a layer's second colour there is at pixel (x, y) of a plane: at + x right + y down, within [0, 1].
function fade({ start, end }, [width, height]) {
  const px = ([x, y]) => [(x + 1) / 2 * width, (y + 1) / 2 * height];
  const [x0, y0] = px(start), [x1, y1] = px(end);
  const length = (x1 - x0) ** 2 + (y1 - y0) ** 2;
  if (length === 0) return { at: 1, right: 0, down: 0 };
  const right = (x1 - x0) / length, down = (y1 - y0) / length;
  return { at: (0.5 - x0) * right + (0.5 - y0) * down, right, down };
}

// What a layer is painted with: item = { plane, opacity, colours: one or two of 16 bits, gradient, size: of the whole
// picture in the plane's px, with fractions }.
function brush({ colours, gradient, size }) {
  const [first, second] = colours;
  const slope = gradient ? fade(gradient, size) : { at: 0, right: 0, down: 0 };
  const way = gradient ? second.map((value, i) => value - first[i]) : [0, 0, 0];
  return { first, way, slope, faded: Boolean(gradient) };
}

// A row of a stack of layers, over what stands in `row` (RGBA, float).
function paintRow(row, items, y, left, width) {
  for (const item of items) {
    const { plane: { width: stride, data, box }, opacity } = item;
    if (y < box[1] || y >= box[3]) continue;
    const from = Math.max(left, box[0]), to = Math.min(left + width, box[2]);
    const { first, way, slope, faded } = item.brush;
    let [r, g, b] = first;
    for (let x = from, i = y * stride + from, o = 4 * (from - left); x < to; x++, i++, o += 4) {
      const mask = data[i];
      if (mask === 0) continue;
      const a = mask * opacity / 255;
      if (faded) {
        let t = slope.at + x * slope.right + y * slope.down;
        t = t < 0 ? 0 : t > 1 ? 1 : t;
        r = first[0] + t * way[0]; g = first[1] + t * way[1]; b = first[2] + t * way[2];
      }
      row[o] += a * (r - row[o]);
      row[o + 1] += a * (g - row[o + 1]);
      row[o + 2] += a * (b - row[o + 2]);
      row[o + 3] += a * (FULL - row[o + 3]);
    }
  }
}

// Layers below one and layers above it, each painted together once, so that a change of that one alone is quick.
export class Sandwich {
  // area: [left, top, width, height] of planes. items: lowest first; active: number of the one that may change, or -1.
  constructor(area, items, active, transparent) {
    const [left, top, width, height] = area;
    this.area = area;
    this.image = new ImageData(width, height);
    const count = active < 0 ? items.length : active;
    this.under = stacked(area, items.slice(0, count), transparent ? 0 : FULL);
    const above = active < 0 ? [] : items.slice(active + 1);
    this.over = above.length ? stacked(area, above, 0) : null;
    this.blend([left, top, left + width, top + height], active < 0 ? null : items[active]);
  }

  // Paint again with a changed layer. Gives what has changed, [left, top, width, height] within the image, or null.
  change(item) {
    const [left, top, width, height] = this.area, { box } = item.plane;
    const inside = [Math.max(left, box[0]), Math.max(top, box[1]), Math.min(left + width, box[2]), Math.min(top + height, box[3])];
    if (inside[0] >= inside[2] || inside[1] >= inside[3]) return null;
    this.blend(inside, item, true);
    return [inside[0] - left, inside[1] - top, inside[2] - inside[0], inside[3] - inside[1]];
  }

  blend([x0, y0, x1, y1], item, onlyWhereItIs = false) {
    const [left, top, width] = this.area, { under, over } = this, out = this.image.data;
    const { first, way, slope, faded } = item ? brush(item) : { first: [0, 0, 0], way: [0, 0, 0], slope: {}, faded: false };
    const opacity = item ? item.opacity / 255 : 0, data = item && item.plane.data, stride = item ? item.plane.width : 0;
    let [r, g, b] = first;
    for (let y = y0; y < y1; y++) {
      let o = 4 * ((y - top) * width + x0 - left);
      for (let x = x0, i = y * stride + x0; x < x1; x++, i++, o += 4) {
        const mask = data ? data[i] : 0;
        if (mask === 0 && onlyWhereItIs) continue;
        const a = mask * opacity;
        if (faded) {
          let t = slope.at + x * slope.right + y * slope.down;
          t = t < 0 ? 0 : t > 1 ? 1 : t;
          r = first[0] + t * way[0]; g = first[1] + t * way[1]; b = first[2] + t * way[2];
        }
        let red = under[o], green = under[o + 1], blue = under[o + 2], alpha = under[o + 3];
        red += a * (r - red); green += a * (g - green); blue += a * (b - blue); alpha += a * (FULL - alpha);
        if (over !== null) {
          const through = 1 - over[o + 3] / FULL;
          red = over[o] + through * red; green = over[o + 1] + through * green; blue = over[o + 2] + through * blue;
          alpha = over[o + 3] + through * alpha;
        }
        const share = alpha >= FULL - 1 ? 1 / 257 : alpha > 0 ? 255 / alpha : 0;
        out[o] = red * share; out[o + 1] = green * share; out[o + 2] = blue * share; out[o + 3] = alpha / 257;
      }
    }
  }
}

function stacked([left, top, width, height], items, alpha) {
  const found = new Uint16Array(4 * width * height), row = new Float32Array(4 * width);
  const shown = items.filter((item) => item.opacity > 0).map((item) => ({ ...item, brush: brush(item) }));
  for (let y = 0; y < height; y++) {
    row.fill(0);
    if (alpha) for (let o = 3; o < row.length; o += 4) row[o] = alpha;
    paintRow(row, shown, top + y, left, width);
    const at = 4 * y * width;
    for (let o = 0; o < row.length; o++) found[at + o] = row[o] + 0.5;
  }
  return found;
}

// The border at half of a plane, as lines [x0, y0, x1, y1, ...] in its px, by marching squares on every `step`-th pixel.
export function border({ width, height, data, box }, step) {
  const lines = [], level = 127.5;
  const at = (x, y) => x < 0 || y < 0 || x >= width || y >= height ? 0 : data[y * width + x];
  const between = (a, b) => (level - a) / (b - a);
  for (let y = Math.max(-step, box[1] - (box[1] % step) - step); y < box[3]; y += step) {
    for (let x = Math.max(-step, box[0] - (box[0] % step) - step); x < box[2]; x += step) {
      const a = at(x, y), b = at(x + step, y), c = at(x + step, y + step), d = at(x, y + step);
      const inside = (a > level) + (b > level) + (c > level) + (d > level);
      if (inside === 0 || inside === 4) continue;
      const cuts = [];
      if (a > level !== b > level) cuts.push(x + step * between(a, b), y);
      if (b > level !== c > level) cuts.push(x + step, y + step * between(b, c));
      if (d > level !== c > level) cuts.push(x + step * between(d, c), y + step);
      if (a > level !== d > level) cuts.push(x, y + step * between(a, d));
      for (let k = 0; k + 3 < cuts.length; k += 4) lines.push(cuts[k] + 0.5, cuts[k + 1] + 0.5, cuts[k + 2] + 0.5, cuts[k + 3] + 0.5);
    }
  }
  return lines;
}
