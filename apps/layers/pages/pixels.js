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

// Layers below one and layers above it, each painted together once, so that a change of that one alone is quick: what is
// seen of a pixel is a rest, and a weight times that layer's colour.
export class Sandwich {
  // area: [left, top, width, height] of planes. items: lowest first; active: number of the one that may change, or -1.
  constructor(area, items, active, transparent) {
    const [left, top, width, height] = area;
    this.area = area;
    this.image = new ImageData(width, height);
    this.pixels = new Uint32Array(this.image.data.buffer);
    this.parts = new Int32Array(4 * width * height); // rest of red, green and blue, and weight; 65536 is 1 of 255
    const count = active < 0 ? items.length : active;
    this.under = stacked(area, items.slice(0, count), transparent ? 0 : FULL);
    const above = active < 0 ? [] : items.slice(active + 1);
    this.over = above.length ? stacked(area, above, 0) : null;
    this.item = active < 0 ? null : items[active];
    const whole = [left, top, left + width, top + height];
    this.weigh(whole);
    this.tint(whole);
  }

  // Paint again with a changed layer. Gives what has changed, [left, top, width, height] within the image, or null.
  change(item) {
    const [left, top, width, height] = this.area, { box } = item.plane, { opacity } = this.item;
    this.item = item;
    const [x0, y0, x1, y1] = [
      Math.max(left, box[0]), Math.max(top, box[1]), Math.min(left + width, box[2]), Math.min(top + height, box[3]),
    ];
    if (x0 >= x1 || y0 >= y1) return null;
    if (opacity !== item.opacity) this.weigh([x0, y0, x1, y1]);
    this.tint([x0, y0, x1, y1]);
    return [x0 - left, y0 - top, x1 - x0, y1 - y0];
  }

  weigh([x0, y0, x1, y1]) {
    const [left, top, width] = this.area, { under, over, parts, pixels, item } = this;
    const opacity = item ? item.opacity / 255 : 0, data = item && item.plane.data, stride = item ? item.plane.width : 0;
    for (let y = y0; y < y1; y++) {
      let o = 4 * ((y - top) * width + x0 - left);
      for (let x = x0, i = y * stride + x0; x < x1; x++, i++, o += 4) {
        const a = data ? data[i] * opacity : 0;
        let red = under[o] * (1 - a), green = under[o + 1] * (1 - a), blue = under[o + 2] * (1 - a);
        let alpha = under[o + 3] + a * (FULL - under[o + 3]), weight = a;
        if (over !== null) {
          const through = 1 - over[o + 3] / FULL;
          red = over[o] + through * red; green = over[o + 1] + through * green; blue = over[o + 2] + through * blue;
          alpha = over[o + 3] + through * alpha;
          weight *= through;
        }
        const share = alpha > 0 ? 255 * 65536 / alpha : 0;
        parts[o] = red * share; parts[o + 1] = green * share; parts[o + 2] = blue * share;
        parts[o + 3] = alpha > 0 ? weight * FULL * FULL / alpha : 0;
        pixels[o >> 2] = Math.round(alpha / 257) << 24;
      }
    }
  }

  tint([x0, y0, x1, y1]) {
    const [left, top, width] = this.area, { parts, pixels, item } = this;
    const { first, way, slope, faded } = item ? brush(item) : { first: [0, 0, 0], way: [0, 0, 0], slope: {}, faded: false };
    let [r, g, b] = first.map((value) => Math.round(value / 257));
    for (let y = y0; y < y1; y++) {
      let p = (y - top) * width + x0 - left, o = 4 * p;
      for (let x = x0; x < x1; x++, p++, o += 4) {
        if (faded) {
          let t = slope.at + x * slope.right + y * slope.down;
          t = t < 0 ? 0 : t > 1 ? 1 : t;
          r = ((first[0] + t * way[0]) / 257 + 0.5) | 0;
          g = ((first[1] + t * way[1]) / 257 + 0.5) | 0;
          b = ((first[2] + t * way[2]) / 257 + 0.5) | 0;
        }
        const weight = parts[o + 3];
        pixels[p] = (pixels[p] & 0xff000000) | ((parts[o + 2] + weight * b + 32768) >> 16 << 16) |
          ((parts[o + 1] + weight * g + 32768) >> 16 << 8) | ((parts[o] + weight * r + 32768) >> 16);
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

// The border at a half, or where nothing is above that, at half of the largest value, as lines [x0, y0, x1, y1, ...] in px
// of the plane, by marching squares on every `step`-th pixel.
export function border({ width, height, data, box }, step) {
  let most = 0;
  for (let y = box[1]; y < box[3]; y += step) {
    for (let x = box[0]; x < box[2]; x += step) most = Math.max(most, data[y * width + x]);
  }
  const lines = [], level = most > 128 ? 127.5 : most / 2;
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
