// The page: which view is shown, the pictures as they are indexed, and how far that is.

import { thumbnail } from "./api.js";
import { ask } from "./asking.js";
import * as details from "./details.js";
import { complain, made, one } from "./elements.js";
import * as results from "./results.js";

const OFTEN_MS = 700;
const SELDOM_MS = 4000;
const pictures = new Map();
let indexed = 0; // how many of the server's list are here
let finished = false;
let timer = 0;
let updating = false;

const visible = (name) => !one(name).hidden;

function route() {
  const [, view = "", id = ""] = location.hash.split("/");
  const picture = view === "picture" ? pictures.get(id) : null;
  if (view === "picture" && !picture && !finished) return; // it may come
  const name = picture ? "picture" : view === "details" ? "details" : "pictures";
  for (const section of ["pictures", "picture", "details"]) one(section).hidden = section !== name;
  for (const link of document.querySelectorAll("nav a")) {
    if (link.dataset.view === (name === "details" ? name : "pictures")) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  complain(view === "picture" && !picture ? new Error("There is no such picture here.") : null);
  if (picture) results.open(picture);
  if (name === "details") poll();
  scrollTo(0, 0);
}

function add(list) {
  const filter = one("filter").value.toLowerCase();
  for (const picture of list) {
    pictures.set(picture.id, picture);
    const link = made("a", { href: `#/picture/${picture.id}` },
      made("img", { src: thumbnail(picture.id), alt: "", loading: "lazy" }), made("span", {}, picture.name));
    const item = made("li", {}, link);
    item.hidden = !picture.name.toLowerCase().includes(filter);
    one("thumbnails").append(item);
  }
}

function tell({ done, files, finished: all, pictures: count, duplicates, problems, failure }) {
  const parts = [all ? `${count} pictures` : `Indexing: ${done} of ${files} files`];
  if (all && duplicates) parts.push(`${duplicates} ${duplicates === 1 ? "duplicate" : "duplicates"}`);
  one("progress-text").textContent = parts.join(", ");
  one("progress-bar").hidden = all;
  one("progress-bar").max = Math.max(1, files);
  one("progress-bar").value = done;
  const sentences = failure ? [`Indexing stopped: ${failure}`, ...problems] : problems;
  one("problems-button").hidden = !sentences.length;
  one("problems-button").textContent = sentences.length === 1 ? "1 problem" : `${sentences.length} problems`;
  if (one("problems").childElementCount !== sentences.length) {
    one("problems").replaceChildren(...sentences.map((sentence) => made("li", {}, sentence)));
  }
  one("none").hidden = !(all && !count);
  one("none").textContent = "There is no picture in this folder that can be used.";
}

async function poll() {
  if (updating) return;
  updating = true;
  clearTimeout(timer);
  let next = SELDOM_MS;
  try {
    const state = await ask("/api/state");
    one("folder").textContent = state.folder;
    document.title = `${state.folder}: pattern browser`;
    tell(state.indexing);
    if (state.indexing.pictures > indexed) {
      const list = await ask(`/api/pictures?after=${indexed}`);
      indexed += list.length;
      add(list);
    }
    const first = !visible("pictures") && !visible("picture") && !visible("details");
    const came = state.indexing.finished && !finished;
    finished = state.indexing.finished;
    if (first || (came && location.hash.startsWith("#/picture/") && !visible("picture"))) route();
    await details.update(state.discovery, visible("details"));
    if (!finished || ["running", "waiting"].includes(state.discovery.state)) next = OFTEN_MS;
  } catch (error) {
    complain(error);
  }
  updating = false;
  timer = setTimeout(poll, next);
}

one("filter").addEventListener("input", () => {
  const filter = one("filter").value.toLowerCase();
  for (const item of one("thumbnails").children) item.hidden = !item.textContent.toLowerCase().includes(filter);
});
one("upload").addEventListener("change", async () => {
  const [file] = one("upload").files;
  if (!file) return;
  one("upload").disabled = true;
  complain(null);
  try {
    const picture = await ask("/api/uploads", { method: "POST", body: file });
    pictures.set(picture.id, { ...picture, name: pictures.has(picture.id) ? picture.name : file.name });
    location.hash = `#/picture/${picture.id}`;
  } catch (error) {
    complain(error);
  }
  one("upload").disabled = false;
  one("upload").value = "";
});
one("problems-button").addEventListener("click", () => {
  one("problems").hidden = !one("problems").hidden;
  one("problems-button").setAttribute("aria-expanded", String(!one("problems").hidden));
});
document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault();
  one("content").focus();
});
addEventListener("hashchange", route);
document.addEventListener("asked", poll);
poll();
