// The layer editor: loads what the server has open, and wires its parts together.

import { ask } from "./asking.js";
import * as editor from "./editor.js";
import { complain, made, one } from "./elements.js";
import * as files from "./files.js";
import { Masks } from "./masks.js";
import { opened } from "./model.js";
import * as panel from "./panel.js";
import * as properties from "./properties.js";
import * as stage from "./stage.js";
import * as view from "./view.js";

const OFTEN_MS = 250, AT_ONCE = 4;
let polling = false;

function tell(what, share) {
  one("progress").hidden = what === null;
  one("progress-text").textContent = what || "";
  if (share === null) one("progress-bar").removeAttribute("value");
  else one("progress-bar").value = share;
}

const wait = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });

// Masks come one after the other, as the server computes them.
async function load(file) {
  const masks = new Masks(file.size);
  let now = file;
  for (let loaded = 0; loaded < file.masks;) {
    while (now.ready <= loaded) {
      await wait(OFTEN_MS);
      const { document, working, failure } = await ask("/api/state");
      if (!document || document.id !== file.id || (working && working.what === "layers")) return false;
      if (failure && !working) throw new Error(failure);
      now = document;
    }
    const next = Math.min(now.ready, loaded + AT_ONCE);
    await Promise.all(Array.from({ length: next - loaded }, (_, index) => masks.fetch(file.id, loaded + index)));
    loaded = next;
    tell(`Masks of ${file.size.join(" × ")} px: ${loaded} of ${file.masks}`, loaded / file.masks);
  }
  panel.forget();
  view.open(masks, file);
  editor.open(file, masks, opened(file.layers));
  return true;
}

// Until what is being opened is there, or has failed. What is still shown is not edited: it would be lost.
async function follow() {
  if (polling) return;
  polling = true;
  document.querySelector("aside").inert = true;
  editor.select([]);
  try {
    for (;;) {
      const { document: file, working, failure } = await ask("/api/state");
      if (working && working.what === "layers") {
        tell(`Finding the layers of ${working.name}`, working.share);
      } else if (file && (!editor.file || editor.file.id !== file.id)) {
        await load(file);
        continue;
      } else if (!working) {
        if (failure) complain(new Error(failure));
        break;
      }
      await wait(OFTEN_MS);
    }
  } catch (error) {
    complain(error);
  }
  tell(null, null);
  document.querySelector("aside").inert = false;
  polling = false;
}

function history() {
  const { history: found } = editor, entries = found ? found.list() : [];
  one("undo").disabled = !found || !found.canUndo;
  one("redo").disabled = !found || !found.canRedo;
  const key = JSON.stringify([entries, found ? found.done : 0]);
  if (one("history").dataset.key === key) return;
  one("history").dataset.key = key;
  one("history").replaceChildren(...["As it was opened", ...entries].map((text, count) => {
    const button = made("button", { type: "button", onclick: () => editor.goTo(count) }, text);
    if (found && count === found.done) button.setAttribute("aria-current", "step");
    if (found && count > found.done) button.classList.add("undone");
    return made("li", {}, button);
  }));
}

function heading() {
  const { file, history: found } = editor;
  one("name").textContent = file ? file.name : "";
  one("changed").hidden = !found || !found.changed;
  document.title = file ? `${found.changed ? "• " : ""}${file.name}: layer editor` : "Layer editor";
  one("size-told").textContent = file ? `${file.size.join(" × ")} px` : "";
  for (const name of ["save", "export"]) one(name).disabled = !file;
  one("save").title = !file || file.saves ? "Save (Ctrl+S)" : "Save as a download (Ctrl+S)";
}

editor.onChange(() => {
  view.show(editor.layers(), editor.selected);
  heading();
  history();
  panel.show();
  properties.show();
});
view.onZoom((scale) => { one("zoom").textContent = `${Math.round(100 * scale)} %`; });
files.onOpened(follow);

one("undo").addEventListener("click", editor.undo);
one("redo").addEventListener("click", editor.redo);
const KEYS = { z: editor.undo, y: editor.redo, Z: editor.redo, s: files.save, o: files.choose };
addEventListener("keydown", (event) => {
  if (!(event.ctrlKey || event.metaKey) || event.altKey || one("export-dialog").open) return;
  const key = event.shiftKey ? event.key.toUpperCase() : event.key.toLowerCase();
  const writing = event.target.matches("input:not([type=range], [type=checkbox], [type=color])");
  if (!KEYS[key] || (writing && key.toLowerCase() !== "s")) return;
  event.preventDefault();
  KEYS[key]();
});
addEventListener("beforeunload", (event) => {
  if (editor.history && editor.history.changed) event.preventDefault();
});
document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault();
  const stop = document.querySelector("#layers [tabindex='0'].pick");
  (stop || one("stage")).focus();
});
stage.fit();
follow();
