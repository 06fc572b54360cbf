// Where the picture lies on the stage: its scale in CSS px per px of the picture, and its upper left corner in CSS px.

const LARGEST_SCALE = 16, MARGIN_PX = 24;

export class Place {
  constructor() {
    this.size = [1, 1];
    this.stage = [1, 1];
    this.fitted = true;
    Object.assign(this, { scale: 1, x: 0, y: 0 });
  }

  get smallest() {
    const [width, height] = this.size, [across, down] = this.stage;
    const room = (length) => Math.max(20, length - 2 * MARGIN_PX);
    return Math.min(room(across) / width, room(down) / height, LARGEST_SCALE);
  }

  fit() {
    this.fitted = true;
    this.scale = this.smallest;
    this.inside();
  }

  // Keeps the point of the picture that is under (cx, cy) where it is.
  zoom(factor, cx = this.stage[0] / 2, cy = this.stage[1] / 2) {
    const scale = Math.min(LARGEST_SCALE, Math.max(this.smallest, this.scale * factor));
    this.x = cx - (cx - this.x) * scale / this.scale;
    this.y = cy - (cy - this.y) * scale / this.scale;
    this.scale = scale;
    this.fitted = scale === this.smallest;
    this.inside();
  }

  pan(dx, dy) {
    this.x += dx;
    this.y += dy;
    this.inside();
  }

  resize(width, height) {
    this.stage = [width, height];
    if (this.fitted) this.fit();
    else this.zoom(1);
  }

  // In the middle where there is room; else no border further in than the margin.
  inside() {
    [this.x, this.y] = [this.x, this.y].map((at, axis) => {
      const length = this.size[axis] * this.scale, room = this.stage[axis];
      if (length <= room - 2 * MARGIN_PX + 1) return (room - length) / 2;
      return Math.min(MARGIN_PX, Math.max(room - MARGIN_PX - length, at));
    });
  }

  toPicture([x, y]) { return [(x - this.x) / this.scale, (y - this.y) / this.scale]; }
  toStage([x, y]) { return [this.x + x * this.scale, this.y + y * this.scale]; }

  // Which halving of the picture has about as many px as the screen, and the part of it that is seen.
  seen(pixelRatio, levels) {
    const finer = Math.log2(1 / (this.scale * pixelRatio));
    const level = Math.max(0, Math.min(levels.length - 1, Math.floor(finer + 0.25)));
    const part = 2 ** level, { width, height } = levels[level];
    const [left, top] = this.toPicture([0, 0]).map((at) => Math.max(0, Math.floor(at / part)));
    const [right, bottom] = this.toPicture(this.stage).map((at) => Math.ceil(at / part));
    return { level, part, area: [left, top, Math.min(width, right) - left, Math.min(height, bottom) - top] };
  }
}
