// The picture: a column for each layer; above what its exit answers, below how uncertain it is. A dot under the line
// of the speed lets the sentence go. Built once for a size; a move only changes what moves.
import { put, set } from "./svg.mjs";
import { percent, say, sayClass } from "./words.mjs";

const TOP = 22; // pixels above a panel, for its title
const UNCERTAINTY = 132; // height of the lower panel
const GAP = 12;

/** `classes`: names in the order of the exits' probabilities. */
export function makeChart(svg, { width, layers, classes, gutter }) {
  svg.replaceChildren();
  const many = classes.length > 2;
  const answers = many ? 17 * classes.length : 104; // height of the upper panel
  const low = TOP + answers + GAP + TOP + 6; // where the lower panel begins
  const height = low + UNCERTAINTY + 6;
  const column = (width - gutter) / layers;
  const bar = Math.min(column * 0.72, 56);
  const x = (depth) => gutter + (depth - 0.5) * column;
  const y = (uncertainty) => low + UNCERTAINTY * (1 - uncertainty);
  set(svg, { viewBox: `0 0 ${width} ${height}` });

  put(svg, "text", { x: 0, y: 14, class: "title" }, say("chart_answers"));
  put(svg, "text", { x: 0, y: low - 12, class: "title" }, say("chart_uncertainty"));
  const zone = put(svg, "rect", { x: gutter, width: width - gutter, class: "zone" });
  for (const value of [0, 0.5, 1]) {
    put(svg, "line", { x1: gutter, x2: width, y1: y(value), y2: y(value), class: "grid" });
    put(svg, "text", { x: gutter - 6, y: y(value) + 4, class: "tick end" }, String(value));
  }
  const rows = many ? classes.map((name, index) => put(svg, "text", rowPlace(index), sayClass(name))) : [];
  if (!many) {
    put(svg, "text", { x: gutter - 6, y: TOP + 12, class: "tick end" }, sayClass(classes[0]));
    put(svg, "text", { x: gutter - 6, y: TOP + answers - 4, class: "tick end" }, sayClass(classes[1]));
  }
  const target = put(svg, "rect", { class: "target", x: gutter, width: width - gutter, height: 17 });
  const line = put(svg, "polyline", { class: "curve" });
  const columns = Array.from({ length: layers }, (_, index) => makeColumn(index + 1));
  const threshold = put(svg, "line", { x1: gutter, x2: width, class: "threshold" });
  const label = put(svg, "text", { x: width, class: "threshold-label end" });

  function rowPlace(index) {
    return { x: gutter - 6, y: TOP + 17 * index + 13, class: "tick end" };
  }

  function makeColumn(depth) {
    const group = put(svg, "g");
    const from = x(depth) - bar / 2;
    const parts = classes.map((_, index) => {
      if (many) {
        return put(group, "rect", { x: from, width: bar, y: TOP + 17 * index + 1, height: 15, rx: 3, class: "cell" });
      }
      return put(group, "rect", { x: from, width: bar, class: `part class-${index}` });
    });
    const share = put(group, "text", { x: x(depth), class: "share" });
    const stem = put(group, "line", { x1: x(depth), x2: x(depth), y1: y(0), class: "stem" });
    const dot = put(group, "circle", { cx: x(depth), r: 5, class: "dot" });
    const value = put(group, "text", { x: x(depth), class: "value" });
    return { group, parts, share, stem, dot, value };
  }

  /** One exit's answer into its column; null empties it. */
  function fill(depth, answer) {
    const { group, parts, share, stem, dot, value } = columns[depth - 1];
    group.classList.toggle("empty", !answer);
    if (!answer) return;
    const { probabilities, uncertainty } = answer;
    if (many) {
      parts.forEach((part, index) => set(part, { "fill-opacity": (0.06 + 0.94 * probabilities[index]).toFixed(3) }));
    } else {
      const first = answers * probabilities[0];
      set(parts[0], { y: TOP, height: Math.max(0, first - 1) });
      set(parts[1], { y: TOP + first, height: answers - first });
      const likely = probabilities[1] > probabilities[0] ? 1 : 0;
      set(share, { y: likely ? TOP + answers - 7 : TOP + 16 });
      share.textContent = bar >= 34 ? `${Math.round(100 * probabilities[likely])}` : "";
    }
    set(dot, { cy: y(uncertainty) });
    set(stem, { y2: y(uncertainty) });
    set(value, { y: uncertainty > 0.86 ? y(uncertainty) + 19 : y(uncertainty) - 10 });
    value.textContent = column >= 40 ? uncertainty.toFixed(2) : "";
  }

  /** `answers`: by depth; `leaves`: depth or null; `at`: layers passed; `right`: the true class, if it is known. */
  function move({ answers: found, speed, leaves, at, right }) {
    set(zone, { y: y(speed), height: UNCERTAINTY * speed });
    set(threshold, { y1: y(speed), y2: y(speed) });
    set(label, { y: speed > 0.9 ? y(speed) + 15 : y(speed) - 6 });
    label.textContent = say("chart_speed", { speed: speed.toFixed(2) });
    columns.forEach(({ group }, index) => {
      const depth = index + 1;
      group.classList.toggle("ahead", depth > at && (leaves === null || at < leaves));
      group.classList.toggle("beyond", leaves !== null && at >= leaves && depth > leaves);
      group.classList.toggle("leaving", depth === leaves && at >= leaves);
    });
    const shown = Object.keys(found).map(Number).filter((depth) => depth <= Math.max(at, leaves !== null && at >= leaves ? layers : 0));
    set(line, { points: shown.map((depth) => `${x(depth)},${y(found[depth].uncertainty)}`).join(" ") });
    target.classList.toggle("empty", right === null);
    if (right !== null) set(target, { y: TOP + 17 * right });
    rows.forEach((row, index) => row.classList.toggle("right", index === right));
  }

  /** The picture in one sentence, for those who do not see it. */
  function describe(found, leaves) {
    const parts = Object.entries(found).map(([depth, { probabilities, uncertainty }]) => {
      const likely = probabilities.indexOf(Math.max(...probabilities));
      const word = sayClass(classes[likely]);
      return say("chart_alt_layer", { depth, word, share: percent(probabilities[likely]), value: uncertainty.toFixed(2) });
    });
    set(svg, { "aria-label": say("chart_alt", { layers: parts.join("; "), leaves: leaves ?? "–" }) });
  }

  return { fill, move, describe, layers };
}
