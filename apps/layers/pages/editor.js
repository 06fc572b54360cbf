// What is open, what is selected, and who wants to hear when either changes.

import { History } from "./model.js";

const listeners = [];
export let history = null;
export let file = null; // as the server describes it
export let masks = null;
export let selected = []; // identifiers of layers

export const layers = () => history ? history.layers : [];
export const chosen = () => layers().filter((layer) => selected.includes(layer.id));
export function onChange(called) { listeners.push(called); }

function changed() {
  const there = new Set(layers().map((layer) => layer.id));
  selected = selected.filter((id) => there.has(id));
  for (const called of listeners) called();
}

export function open(described, found, from) {
  [file, masks, history, selected] = [described, found, new History(from), []];
  changed();
}

export function select(ids) {
  if (history) history.end();
  selected = ids;
  changed();
}

export function run(command, goesOn = false) {
  history.run(command, goesOn);
  changed();
}

// A field of all selected layers. goesOn: see History.
export function set(field, value, goesOn = false) {
  if (selected.length) run({ do: "set", ids: selected, field, value }, goesOn);
}

export function goTo(count) {
  if (!history) return;
  history.goTo(count);
  changed();
}

export const undo = () => { if (history && history.canUndo) goTo(history.done - 1); };
export const redo = () => { if (history && history.canRedo) goTo(history.done + 1); };

export function saved() {
  history.markSaved();
  changed();
}

export function remove() {
  if (selected.length) run({ do: "delete", ids: selected });
}

// Selected layers, or the one with that below it.
export function merge() {
  let ids = selected;
  if (ids.length === 1) {
    const at = layers().findIndex((layer) => layer.id === ids[0]);
    if (at < 1) return;
    ids = [layers()[at - 1].id, ids[0]];
  }
  if (ids.length < 2) return;
  const top = layers().findLast((layer) => ids.includes(layer.id));
  history.end();
  selected = [top.id];
  run({ do: "merge", ids });
}

export function move(id, to) {
  const at = layers().findIndex((layer) => layer.id === id);
  const within = Math.max(0, Math.min(layers().length - 1, to));
  if (at >= 0 && within !== at) run({ do: "move", id, to: within });
}

export function moveBy(steps) {
  if (selected.length === 1) move(selected[0], layers().findIndex((layer) => layer.id === selected[0]) + steps);
}
