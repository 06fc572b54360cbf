// Masks of a document: fetched once, kept at full size and at halves of it, united where layers were merged.

import { answered } from "./asking.js";
import { halved, plane, united } from "./pixels.js";

const SMALLEST_PX = 48;

export class Masks {
  constructor(size) {
    this.size = size;
    this.levels = []; // of each mask, planes from the largest
    this.joined = new Map(); // the same of masks that were united, by their numbers
  }

  async fetch(id, number) {
    const answer = await answered(`/api/documents/${id}/masks/${number}`);
    const data = new Uint8Array(await answer.arrayBuffer());
    const [width, height] = this.size;
    if (data.length !== width * height) throw new Error("A mask did not come whole: reload the page.");
    this.levels[number] = pyramid(plane(width, height, data));
  }

  // Planes of a layer, from the largest.
  of({ masks }) {
    if (masks.length === 1) return this.levels[masks[0]];
    const key = String(masks);
    if (!this.joined.has(key)) {
      this.joined.set(key, pyramid(united(masks.map((number) => this.levels[number][0]))));
    }
    return this.joined.get(key);
  }

  // In [0, 255], at a place [x, y] in px of the largest plane.
  at(layer, [x, y]) {
    const [width, height] = this.size, column = Math.floor(x), row = Math.floor(y);
    if (column < 0 || row < 0 || column >= width || row >= height) return 0;
    return this.of(layer)[0].data[row * width + column];
  }

  // [left, top, right, bottom] of where it is more than a half, or else of the whole picture, in px of the largest plane.
  extent(layer) {
    const planes = this.of(layer), level = Math.min(2, planes.length - 1), { width, height, data } = planes[level];
    const { box } = plane(width, height, data.map((value) => value & 128));
    const whole = [0, 0, ...this.size];
    return box[0] < box[2] ? box.map((at, side) => Math.min(at * 2 ** level, whole[side % 2 + 2])) : whole;
  }

  // The topmost layer that is seen at a place: where its mask is above a half, else that with the largest mask there.
  topmost(layers, place) {
    const seen = layers.filter((layer) => layer.visible && layer.opacity > 0);
    const inside = seen.findLast((layer) => this.at(layer, place) >= 128);
    if (inside) return inside;
    const values = seen.map((layer) => this.at(layer, place)), largest = Math.max(0, ...values);
    return largest >= 8 ? seen[values.lastIndexOf(largest)] : null;
  }
}

function pyramid(largest) {
  const found = [largest];
  while (Math.max(found.at(-1).width, found.at(-1).height) > 2 * SMALLEST_PX) found.push(halved(found.at(-1)));
  return found;
}
