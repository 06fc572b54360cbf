// What a server is asked; every failure is one sentence, as an Error.

export async function answered(path, options = {}) {
  let answer;
  try {
    answer = await fetch(path, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Error("The server does not answer: is the command that started it still running?");
  }
  if (answer.ok) return answer;
  const text = await answer.text();
  let detail = text;
  try {
    detail = JSON.parse(text).detail;
  } catch { /* a refusal is plain text */ }
  throw new Error(typeof detail === "string" ? detail : "The server refused what was asked.");
}

export async function ask(path, options = {}) {
  return (await answered(path, options)).json();
}

export const asJson = (body, signal) => ({
  method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body), signal,
});
