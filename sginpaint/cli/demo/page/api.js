// What the page asks of the server. Errors are sentences for a person.

async function ask(path, options) {
  let response;
  try {
    response = await fetch("/api/" + path, options);
  } catch {
    throw new Error("The server does not answer; is it still running?");
  }
  if (response.ok) return response;
  const text = await response.text();
  let sentence = `The server answers ${response.status}.`;
  try {
    sentence = JSON.parse(text).error || sentence;
  } catch { /* an answer that is not the application's own */ }
  const error = new Error(sentence[0].toUpperCase() + sentence.slice(1));
  throw Object.assign(error, { status: response.status });
}

const json = async (...args) => (await ask(...args)).json();
const blob = async (...args) => (await ask(...args)).blob();
const picture = (id, part = "") => `pictures/${id}${part && "/" + part}`;

export const system = () => json("system");
export const load = (file) => json("pictures", { method: "POST", body: file });
export const original = (id) => blob(picture(id));
export const drop = (id) => ask(picture(id), { method: "DELETE" });
export const fill = (id, mask) =>
  json(picture(id, "mask"), { method: "PUT", body: mask });
export const coarse = (id) => blob(picture(id, "coarse"));
export const map = (id) => blob(picture(id, "map"));
export const render = (id, map) =>
  blob(picture(id, "render"), { method: "POST", body: map });
