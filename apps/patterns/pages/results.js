// A box looked for, and what was found: the regions side by side.

import { part } from "./api.js";
import { asJson, ask } from "./asking.js";
import * as box from "./box.js";
import { compare } from "./compare.js";
import { complain, made, one } from "./elements.js";

let picture = null;
let running = null;

export function open(shown) {
  if (running) running.abort();
  picture = shown;
  one("picture-name").textContent = picture.name;
  one("results").replaceChildren();
  one("results-title").textContent = "Draw a box around a detail";
  one("results-hint").hidden = false;
  one("search-exports").hidden = true;
  box.show(picture);
}

async function find() {
  const wanted = box.current();
  if (!wanted) {
    complain(new Error("There is no box yet: draw one on the picture, or fill in its fields."));
    return;
  }
  if (running) running.abort();
  const mine = running = new AbortController();
  complain(null);
  one("results-title").textContent = "Searching…";
  try {
    const asked = { picture: picture.id, box: wanted, verify: one("verify").checked };
    const found = await ask("/api/search", asJson(asked, mine.signal));
    if (running === mine) show(found);
  } catch (error) {
    if (error.name === "AbortError") return;
    one("results-title").textContent = "Nothing was found";
    complain(error);
  }
}

function show({ search, query, results, searched, finished }) {
  const verified = results.filter((result) => result.verified).length;
  const so = finished ? "" : " indexed so far";
  one("results-title").textContent =
    `${results.length} matches in ${searched} pictures${so}, ${verified} with points that agree`;
  one("results-hint").hidden = true;
  const left = { ...query.picture, box: query.box };
  const pairs = results.map((result) => ({
    left, right: { ...result.picture, box: result.box },
    points: result.points, score: result.score, verified: result.verified,
  }));
  one("results").replaceChildren(...pairs.map((pair, number) => card(pair, () => compare(pairs, number), true, number + 1)));
  one("search-exports").hidden = !results.length;
  for (const link of one("search-exports").querySelectorAll("a")) link.href = `/api/exports/${search}/${link.dataset.kind}`;
}

export function card({ left, right, score, verified, points }, onclick, both, rank) {
  const shown = [made("img", { src: part(right.id, right.box, true), alt: "", loading: "lazy" })];
  if (both) shown.unshift(made("img", { src: part(left.id, left.box), alt: "", loading: "lazy" }));
  const how = both ? `${verified ? `${points.length} points agree` : "alike"}, score ${score.toFixed(3)}` : `score ${score.toFixed(3)}`;
  const label = made("span", { class: "caption" }, ...(rank ? [made("b", {}, `${rank}. `)] : []), right.name, made("small", {}, how));
  const button = made("button", { type: "button", class: "pair", onclick }, made("span", { class: "parts" }, ...shown), label);
  return made("li", {}, button);
}

one("ask").addEventListener("submit", (event) => {
  event.preventDefault();
  find();
});
box.onChosen(find);
