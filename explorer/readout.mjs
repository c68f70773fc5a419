// What the page says in words and buttons: the answer, the tokens, the layers, the table.
import { depths } from "./exit_rule.mjs";
import { percent, say, sayClass } from "./words.mjs";

/** `get`: id -> element; `choose(depth)` is called when a layer is clicked. */
export function makeReadout(get, choose) {
  let pieces = []; // the tokens' elements
  let rows = []; // the table's rows, by depth - 1

  function build({ layers, classes, gutter, column, thumb }) {
    const place = `padding-left: ${gutter}px; grid-template-columns: repeat(${layers}, minmax(0, 1fr))`;
    get("layers").style = place;
    get("layers").replaceChildren(...depths(layers).map(layerButton));
    // The knob stands under the middle of its layer; before layer 1, half a column to the left of it.
    const [left, right] = [gutter - column / 2 - thumb, column / 2 - thumb];
    document.querySelector(".timeline").style = `padding-left: ${left}px; padding-right: ${right}px`;
    const head = [say("column_layer"), ...classes.map(sayClass), say("column_uncertainty")];
    const table = get("table");
    table.replaceChildren();
    table.createTHead().insertRow().append(...head.map((text) => cell("th", text, "col")));
    const body = table.createTBody();
    rows = depths(layers).map((depth) => {
      const row = body.insertRow();
      row.append(cell("th", depth, "row"), ...head.slice(1).map(() => cell("td", "")));
      return row;
    });
  }

  function layerButton(depth) {
    const button = Object.assign(document.createElement("button"), { type: "button", textContent: depth });
    button.onclick = () => choose(depth);
    return button;
  }

  function tokens({ pieces: words, ids, cut }) {
    const unknown = ids.filter((id) => id === 1).length;
    pieces = words.map((word, index) => {
      const mark = /^\[(CLS|SEP)\]$/.test(word);
      const className = mark ? "mark" : ids[index] === 1 ? "unknown" : "";
      return Object.assign(document.createElement("span"), { className, textContent: word.replaceAll("_", " ") });
    });
    get("tokens").replaceChildren(...pieces);
    const notes = [];
    if (unknown) notes.push(say("note_unknown", { unknown, tokens: ids.length - 2 }));
    if (cut) notes.push(say("note_cut", { tokens: ids.length }));
    get("note").textContent = notes.join(" ");
  }

  function show({ state, answers, told, leaves, at, kept, classes, right, playing }) {
    get("speed-now").textContent = state.speed.toFixed(2);
    get("rate-now").textContent = state.rate.toFixed(2);
    get("at").value = at;
    get("at").setAttribute("aria-valuetext", say("timeline_at", { at }));
    get("play").textContent = playing ? "❚❚" : "▶";
    get("play").setAttribute("aria-label", say(playing ? "pause" : "play"));
    showLayers(state, leaves, at);
    showTokens(answers[kept.findLast((depth) => depth <= at)]);
    showAnswer({ state, answers, told, leaves, at, kept, classes, right });
    rows.forEach((row, index) => fillRow(row, answers[index + 1], index + 1 === leaves));
  }

  function showLayers(state, leaves, at) {
    [...get("layers").children].forEach((button, index) => {
      const depth = index + 1;
      const out = state.out.includes(depth);
      const leaving = depth === leaves && at >= depth;
      const passed = !out && !leaving && depth <= at && (leaves === null || depth < leaves);
      const name = out ? "out" : leaving ? "leaving" : passed ? "passed" : "";
      if (button.className !== name) button.className = name;
      button.setAttribute("aria-pressed", String(!out));
      button.setAttribute("aria-label", say(out ? "layer_out" : "layer_in", { depth }));
    });
  }

  /** Each token in the shade of how much the exit looks at it, beside an even share. */
  function showTokens(answer) {
    pieces.forEach((piece, index) => {
      const share = answer ? answer.looksAt[index] * pieces.length : 0;
      const shade = Math.round(Math.min(60, 14 * share));
      piece.style.background = answer ? `color-mix(in srgb, var(--orange) ${shade}%, transparent)` : "";
    });
  }

  function showAnswer({ state, answers, told, leaves, at, kept, classes, right }) {
    if (leaves === null || at < leaves) {
      const begun = kept.findLast((depth) => depth <= at && answers[depth]);
      get("answer").textContent = begun ? say("on_its_way", { at: begun }) : say("reading");
      get("reason").textContent = begun ? reading(answers[begun], classes) : "";
      return;
    }
    const { probabilities, uncertainty } = answers[leaves];
    const [likely, share] = likeliest(probabilities);
    const key = state.out.length ? "leaves_of_kept" : "leaves";
    const layers = kept.length + state.out.length;
    const used = kept.indexOf(leaves) + 1;
    const word = sayClass(classes[likely]);
    const text = say(key, { depth: leaves, used, kept: kept.length, layers, word, share: percent(share) });
    if (get("answer").textContent !== text) get("answer").textContent = text;

    const last = kept.at(-1);
    const why = leaves === last && !(uncertainty < state.speed) ? "reason_last" : "reason_below";
    const parts = [say(why, { value: uncertainty.toFixed(2), speed: state.speed.toFixed(2) })];
    if (right !== null) parts.push(say(likely === right ? "is_right" : "is_wrong", { word: sayClass(classes[right]) }));
    if (leaves !== last && answers[last]) {
      const [other, all] = likeliest(answers[last].probabilities);
      parts.push(say("last_says", { word: sayClass(classes[other]), share: percent(all) }));
    }
    if (told.milliseconds !== null) parts.push(say("milliseconds", { value: Math.round(told.milliseconds) }));
    get("reason").textContent = parts.join(say("between"));
  }

  function reading({ probabilities, uncertainty }, classes) {
    const [likely, share] = likeliest(probabilities);
    return say("not_yet", { word: sayClass(classes[likely]), share: percent(share), value: uncertainty.toFixed(2) });
  }

  function fillRow(row, answer, leaving) {
    row.className = leaving ? "leaving" : "";
    const values = answer ? [...answer.probabilities, answer.uncertainty].map((value) => value.toFixed(3)) : [];
    [...row.cells].slice(1).forEach((each, index) => (each.textContent = values[index] ?? "–"));
  }

  return { build, tokens, show };
}

function cell(name, text, scope) {
  const element = Object.assign(document.createElement(name), { textContent: text });
  if (scope) element.scope = scope;
  return element;
}

/** -> [the likeliest class, its probability]. */
function likeliest(probabilities) {
  const share = Math.max(...probabilities);
  return [probabilities.indexOf(share), share];
}
