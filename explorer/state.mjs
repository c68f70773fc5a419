// What is chosen on the page, and the same as an address that can be shared: …/explorer.html#speed=0.30&out=3.7

export const DEFAULTS = {
  language: "en",
  task: "reviews", // or "worlds"
  weights: "plain", // or "layerdrop"
  text: "",
  speed: 0.5,
  out: [], // depths that are taken out, rising
  rate: 0, // of the last draw
  draw: 1, // its number
  at: null, // how many layers the sentence has passed in the picture; null: it stands where it leaves
};
const CHOICES = { language: ["en", "zh"], task: ["reviews", "worlds"], weights: ["plain", "layerdrop"] };
const MAX_TEXT = 2000; // letters; the network reads the first 128 tokens

/** State -> the part of an address behind "#". */
export function toHash(state) {
  const fields = new URLSearchParams();
  for (const name of ["language", "task", "weights", "text"]) fields.set(name, state[name]);
  fields.set("speed", state.speed.toFixed(2));
  if (state.out.length) fields.set("out", state.out.join("."));
  if (state.rate) fields.set("rate", state.rate.toFixed(2));
  if (state.draw !== DEFAULTS.draw) fields.set("draw", state.draw);
  if (state.at !== null) fields.set("at", state.at);
  return fields.toString();
}

/** The part behind "#" -> what of the state it says. What cannot be read is left out. */
export function fromHash(hash, layersOf) {
  const fields = new URLSearchParams(hash.replace(/^#/, ""));
  const state = {};
  for (const [name, allowed] of Object.entries(CHOICES)) {
    if (allowed.includes(fields.get(name))) state[name] = fields.get(name);
  }
  if (fields.has("text")) state.text = fields.get("text").slice(0, MAX_TEXT);
  const layers = layersOf(state.task ?? DEFAULTS.task);
  const numbers = { speed: [0, 1], rate: [0, 0.9], draw: [1, 2 ** 31], at: [0, layers] };
  for (const [name, [least, most]] of Object.entries(numbers)) {
    const value = Number(fields.get(name) || NaN);
    if (value >= least && value <= most) state[name] = name === "draw" || name === "at" ? Math.round(value) : value;
  }
  const out = (fields.get("out") ?? "").split(".").map(Number);
  const known = [...new Set(out)].filter((depth) => Number.isInteger(depth) && depth >= 1 && depth <= layers);
  if (known.length && known.length < layers) state.out = known.sort((a, b) => a - b);
  return state;
}
