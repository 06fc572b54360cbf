// The document: layers from the lowest to the topmost, and the list of commands that were done to them. It knows no page.
//
// A layer: { id, name, colour: [r, g, b] in [0, 1], lightness in [-1, 1], gradient: null or { colour, start, end },
// opacity, visible, masks: numbers of masks }. Places are [x, y] in [-1, 1], from the left and upper border to the others.
// Layers are never changed, but replaced, so that what is the same object looks the same.

const NAMES = {
  colour: "Recolour", lightness: "Lightness of", gradient: "Gradient of", opacity: "Opacity of", name: "Rename",
};

export const opened = (layers) => layers.map((layer, index) => Object.freeze({ ...layer, id: index }));

export const asSaved = (layers) => layers.map(({ id, ...layer }) => layer);

// Commands: { do: "set", ids, field, value }, { do: "move", id, to }, { do: "merge", ids }, { do: "delete", ids }.
export function applied(layers, command) {
  const named = (layer) => command.ids.includes(layer.id);
  if (command.do === "set") {
    return layers.map((layer) => named(layer) ? Object.freeze({ ...layer, [command.field]: command.value }) : layer);
  }
  if (command.do === "move") {
    const moved = layers.find((layer) => layer.id === command.id);
    const others = layers.filter((layer) => layer !== moved);
    return [...others.slice(0, command.to), moved, ...others.slice(command.to)];
  }
  if (command.do === "delete") return layers.filter((layer) => !named(layer));
  if (command.do === "merge") {
    // The topmost takes in the masks of the others, and stays as it is otherwise.
    const joined = layers.filter(named);
    const top = joined.at(-1);
    const merged = Object.freeze({ ...top, masks: joined.toReversed().flatMap((layer) => layer.masks) });
    return layers.filter((layer) => !named(layer) || layer === top).map((layer) => layer === top ? merged : layer);
  }
  throw new Error(`There is no command ${command.do}.`);
}

export function told(layers, command) {
  const ids = command.ids || [command.id];
  const first = layers.find((layer) => layer.id === ids[0]);
  const what = ids.length === 1 && first ? first.name || "layer" : `${ids.length} layers`;
  if (command.do === "set" && command.field === "visible") return `${command.value ? "Show" : "Hide"} ${what}`;
  if (command.do === "set") return `${NAMES[command.field]} ${what}`;
  return `${{ move: "Move", merge: "Merge", delete: "Delete" }[command.do]} ${what}`;
}

export class History {
  constructor(layers) {
    this.commands = [];
    this.states = [layers];
    this.done = 0; // how many of the commands
    this.saved = layers;
    this.open = false;
  }

  get layers() { return this.states[this.done]; }
  get changed() { return this.layers !== this.saved; }
  get canUndo() { return this.done > 0; }
  get canRedo() { return this.done < this.commands.length; }

  // goesOn: whether the next command of this kind, as while a slider is dragged, takes this one's place.
  run(command, goesOn = false) {
    const last = this.commands[this.done - 1];
    if (this.open && last && last.field === command.field && String(last.ids) === String(command.ids)) this.done -= 1;
    const next = applied(this.layers, command);
    this.commands.splice(this.done, Infinity, command);
    this.states.splice(this.done + 1, Infinity, next);
    this.done += 1;
    this.open = goesOn;
  }

  end() { this.open = false; }

  goTo(count) {
    this.open = false;
    this.done = Math.max(0, Math.min(count, this.commands.length));
  }

  undo() { this.goTo(this.done - 1); }
  redo() { this.goTo(this.done + 1); }
  markSaved() { this.saved = this.layers; }
  list() { return this.commands.map((command, index) => told(this.states[index], command)); }
}

export const lightened = (colour, lightness) =>
  colour.map((value) => value * (1 - Math.abs(lightness)) + Math.max(0, lightness));

// The colours that are seen: one, or of a gradient that where its line starts and that where it ends.
export const paint = ({ colour, lightness, gradient }) =>
  (gradient ? [colour, gradient.colour] : [colour]).map((one) => lightened(one, lightness));

export const hexadecimal = (colour) =>
  "#" + colour.map((value) => Math.round(255 * value).toString(16).padStart(2, "0")).join("");

export function fromHexadecimal(text) {
  const found = /^#?([0-9a-f]{3}|[0-9a-f]{6})$/i.exec(text.trim());
  if (!found) return null;
  const digits = found[1].length === 3 ? found[1].replace(/./g, "$&$&") : found[1];
  return [0, 2, 4].map((at) => Number((parseInt(digits.slice(at, at + 2), 16) / 255).toFixed(6)));
}
