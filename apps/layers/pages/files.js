// Open, save and export.

import { answered, asJson, ask } from "./asking.js";
import * as editor from "./editor.js";
import { complain, made, one } from "./elements.js";
import { asSaved } from "./model.js";

const LONGEST_NAME = 200;
let opened = () => {};

export function onOpened(called) { opened = called; }

const body = () => ({ document: editor.file.id, layers: asSaved(editor.layers()) });

function download(content, name) {
  const address = URL.createObjectURL(content);
  made("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}

async function exported(kind, options) {
  const answer = await answered("/api/export", asJson({ ...body(), kind, ...options }));
  const base = editor.file.name.replace(/\.[^.]*$/, "") || "layers";
  download(await answer.blob(), `${base}.${kind}`);
}

async function during(button, work) {
  button.disabled = true;
  complain(null);
  try {
    await work();
  } catch (error) {
    complain(error);
  }
  button.disabled = false;
}

// Where the command said, or, for what was opened from the page, as a download.
export async function save() {
  if (!editor.history || one("save").disabled) return;
  const now = editor.layers();
  await during(one("save"), async () => {
    if (editor.file.saves) await ask("/api/save", asJson(body()));
    else await exported("json", {});
    if (editor.layers() === now) editor.saved();
    say("Saved.");
  });
}

export function say(sentence) {
  one("told").textContent = sentence;
}

export async function open(file) {
  if (!file) return;
  if (editor.history && editor.history.changed && !confirm("Open another file? What was changed since it was saved is lost.")) return;
  complain(null);
  try {
    await ask(`/api/open?name=${encodeURIComponent(file.name.slice(-LONGEST_NAME))}`, { method: "POST", body: file });
  } catch (error) {
    complain(error);
    return;
  }
  opened();
}

export function choose() { one("file").click(); }

one("file").addEventListener("change", () => {
  open(one("file").files[0]);
  one("file").value = "";
});
one("open").addEventListener("click", choose);
one("save").addEventListener("click", save);

const dialog = one("export-dialog");
const kind = () => dialog.querySelector("input[name=kind]:checked").value;
function fields() {
  one("size-field").hidden = !["png", "ora"].includes(kind());
  one("levels-field").hidden = kind() !== "svg";
}
one("export").addEventListener("click", () => {
  if (!one("size").value) one("size").value = Math.max(...editor.file.picture);
  fields();
  dialog.showModal();
});
for (const choice of dialog.querySelectorAll("input[name=kind]")) choice.addEventListener("change", fields);
one("export-cancel").addEventListener("click", () => dialog.close());
one("export-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  await during(one("export-now"), async () => {
    const options = { svg: { levels: Number(one("levels").value) }, json: {} }[kind()] || { size: Number(one("size").value) };
    try {
      await exported(kind(), options);
    } finally {
      dialog.close();
    }
    say("Exported.");
  });
});

// Files dropped on the page.
addEventListener("dragover", (event) => event.preventDefault());
addEventListener("drop", (event) => {
  event.preventDefault();
  open(event.dataTransfer.files[0]);
});
