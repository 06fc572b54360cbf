// Repeated details: looked for in the background, shown as they are found.

import { ask } from "./asking.js";
import { compare } from "./compare.js";
import { complain, made, one } from "./elements.js";
import { card } from "./results.js";

const WORDS = {
  "not begun": "Compares every picture with those that are likely to share something with it. This takes a while, and goes on while you look around.",
  waiting: "Waits until all pictures are indexed.",
  running: "Comparing", done: "All pictures are compared.", stopped: "Stopped; what was compared is kept.", failed: "Failed: ",
};
let standing = { state: "not begun" };
let known = "";

const active = () => standing.state === "running" || standing.state === "waiting";

export async function update(told, visible) {
  standing = told;
  const { state, done, pictures, failure } = told;
  one("discover").textContent = active() ? "Stop" : state === "stopped" ? "Go on" : "Look for repeated details";
  one("discover").hidden = state === "done";
  one("discovery-text").textContent =
    WORDS[state] + (state === "running" && pictures ? `: ${done} of ${pictures} pictures` : "") + (failure || "");
  one("discovery-bar").hidden = state !== "running";
  one("discovery-bar").max = Math.max(1, pictures);
  one("discovery-bar").value = done;
  const now = `${state === "not begun" ? "" : done}/${state}`;
  if (visible && now !== known) {
    known = now;
    show(await ask("/api/details"));
  }
}

function show(clusters) {
  one("details-exports").hidden = !clusters.length;
  const none = standing.state === "done" ? [made("p", { class: "hint" }, "No detail is in three pictures or more. Across media scores are lower: `--least-score` of the command says what counts.")] : [];
  one("clusters").replaceChildren(...(clusters.length ? clusters.map(cluster) : none));
}

function cluster({ score, members, details }, number) {
  const by = new Map(members.map((member) => [member.picture.id, member.picture]));
  const pairs = members.map(({ picture, box }) => {
    const detail = details.find(({ a, b }) => a === picture.id || b === picture.id);
    const turned = detail.a === picture.id;
    const other = by.get(turned ? detail.b : detail.a);
    const otherBox = turned ? detail.b_box : detail.a_box;
    const points = turned ? detail.points.map(([x, y, u, v]) => [u, v, x, y]) : detail.points;
    return {
      left: { ...other, box: otherBox }, right: { ...picture, box: turned ? detail.a_box : detail.b_box },
      shown: { ...picture, box }, points, score: detail.score, verified: true,
    };
  });
  const tiles = pairs.map((pair, which) => card({ ...pair, right: pair.shown }, () => compare(pairs, which), false));
  return made("section", { class: "cluster" },
    made("h3", {}, `Detail ${number + 1}`, made("small", {}, `in ${members.length} pictures, best score ${score.toFixed(3)}`)),
    made("ul", { class: "members" }, ...tiles));
}

one("discover").addEventListener("click", async () => {
  try {
    await ask("/api/discovery", { method: active() ? "DELETE" : "POST" });
    complain(null);
  } catch (error) {
    complain(error);
  }
  document.dispatchEvent(new Event("asked"));
});
