// The page's words, from course_lib/words/explorer.toml, in the language in use.

let catalogue = {};
let language = "en";

export function setWords(entries) {
  catalogue = entries;
}

export function speak(chosen) {
  language = chosen;
}

/** The words for `key`, with {name} filled in. */
export function say(key, values = {}) {
  const words = catalogue[key]?.[language];
  if (words === undefined) throw new Error(`no words for ${key}`);
  return words.replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

/** A class's name: "positive" by the catalogue, "Tom/小明" by its halves. */
export function sayClass(name) {
  if (name.includes("/")) return name.split("/")[language === "zh" ? 1 : 0];
  return say(`class_${name}`);
}

export const percent = (share) => `${(100 * share).toFixed(1)}${language === "zh" ? "%" : " %"}`;
