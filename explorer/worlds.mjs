// Small worlds: who has the ball after 1, 2, 3 or 4 passes? Written as course_lib/texts/worlds.py writes them.
import { generator } from "./exit_rule.mjs";

export const NAMES = {
  zh: ["小明", "小红", "小刚", "小丽", "小华", "小芳", "小军", "小美"],
  en: ["Tom", "Amy", "Ben", "Sue", "Max", "Eva", "Leo", "Zoe"],
};
export const MAX_STEPS = 4;

/** A ring of the eight children (ids), drawn: the first has the ball, each passes to the next. */
export function drawRing(seed) {
  const random = generator(seed);
  const ring = NAMES.en.map((_, child) => child);
  for (let i = ring.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [ring[i], ring[j]] = [ring[j], ring[i]];
  }
  return ring;
}

/** The world as a text: the question, then the rules of child 0, 1, … 7. */
export function render(ring, steps, language) {
  const name = NAMES[language];
  const rules = name.map((giver, child) => [giver, name[ring[(ring.indexOf(child) + 1) % ring.length]]]);
  if (language === "zh") {
    const all = rules.map(([giver, receiver]) => `${giver}传给${receiver}`).join("，");
    return `${name[ring[0]]}拿着球，传${steps}次。${all}。`;
  }
  const all = rules.map(([giver, receiver]) => `${giver} passes to ${receiver}.`).join(" ");
  return `${name[ring[0]]} has the ball. Pass it ${steps === 1 ? "1 time" : `${steps} times`}. ${all}`;
}

/**
 * What a typed text asks: {ring, steps}; null if it is not a whole world. It need not be in render's order.
 *
 * `pieces`: the tokens' words, as the worlds' tokenizer cuts them.
 */
export function parse(pieces) {
  const child = (piece) => {
    const zh = NAMES.zh.indexOf(piece);
    return zh >= 0 ? zh : NAMES.en.findIndex((name) => name.toLowerCase() === piece);
  };
  const words = pieces.slice(1, -1);
  if (words.length !== 5 + 3 * NAMES.en.length) return null;
  const start = child(words[0]);
  const steps = Number(words[3]);
  const passesTo = new Map();
  for (let i = 5; i < words.length; i += 3) passesTo.set(child(words[i]), child(words[i + 2]));
  const ring = [start];
  while (ring.length < passesTo.size) ring.push(passesTo.get(ring.at(-1)));
  const whole = passesTo.size === NAMES.en.length && new Set(ring).size === ring.length;
  const known = whole && ring.every((id) => id >= 0) && passesTo.get(ring.at(-1)) === start;
  return known && steps >= 1 && steps <= MAX_STEPS ? { ring, steps } : null;
}
