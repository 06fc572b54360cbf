// What the server is asked; every failure is one sentence, as an Error.

export async function ask(path, options = {}) {
  let answer;
  try {
    answer = await fetch(path, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Error("The server does not answer: is `blockworld art browse` still running?");
  }
  const text = await answer.text();
  let content = null;
  try {
    content = JSON.parse(text);
  } catch { /* a refusal is plain text */ }
  if (answer.ok) return content;
  const detail = content && content.detail;
  throw new Error(typeof detail === "string" ? detail : detail ? "The server refused what was asked." : text);
}

export function post(path, body, signal) {
  const headers = { "Content-Type": "application/json" };
  return ask(path, { method: "POST", headers, body: JSON.stringify(body), signal });
}

export const thumbnail = (id) => `/api/pictures/${id}/thumbnail`;
export const view = (id) => `/api/pictures/${id}/view`;

export function part(id, box, framed = false) {
  const where = box.map((one) => Number(one.toFixed(1))).join(",");
  return `/api/pictures/${id}/part?box=${where}${framed ? "&framed=true" : ""}`;
}
