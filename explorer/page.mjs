// The page itself: what is chosen goes to the engine, what it answers goes into the picture.
import { makeChart } from "./chart.mjs";
import { EXAMPLES, FIRST } from "./examples.mjs";
import { depths, drawnOut, leavesAt } from "./exit_rule.mjs";
import { linkEngine } from "./link.mjs";
import { makeReadout } from "./readout.mjs";
import { makeRing } from "./ring.mjs";
import { DEFAULTS, fromHash, toHash } from "./state.mjs";
import { say, setWords, speak } from "./words.mjs";
import { MAX_STEPS, drawRing, parse, render } from "./worlds.mjs";

const PACE = 170; // milliseconds a layer, so that the eye can follow
const THUMB = 8; // pixels, half the knob of a slider
const TYPING = 120; // milliseconds without a key before the sentence is read
const get = (id) => document.getElementById(id);
const read = (id) => JSON.parse(get(id).textContent);
const still = matchMedia("(prefers-reduced-motion: reduce)").matches;

const facts = read("facts"); // {networks: {name: {layers, classes}}}
const NETWORKS = {
  reviews: { plain: "reviews-fastbert", layerdrop: "reviews-layerdrop-fastbert" },
  worlds: { plain: "worlds-fastbert", layerdrop: "worlds-layerdrop" },
};
const networkOf = (task, weights) => NETWORKS[task][weights];
const layersOf = (task) => facts.networks[networkOf(task, "plain")].layers;

const state = { ...DEFAULTS };
let answers = {}; // depth -> what its exit answered
let told = { ids: [], pieces: [], cut: false, milliseconds: null };
let asked = 0; // the number of the newest question
let playing = false;
let send = () => {};
let chart;
let ring = null;
let world = null;
const readout = makeReadout(get, chooseLayer);

// --- what follows from the state -------------------------------------------------------------------

const kept = () => depths(layersOf(state.task)).filter((depth) => !state.out.includes(depth));

/** The depth at which the sentence leaves; null as long as the engine has not come to it. */
function leaves() {
  const values = kept().map((depth) => answers[depth]?.uncertainty);
  const known = values.includes(undefined) ? values.slice(0, values.indexOf(undefined)) : values;
  return kept()[leavesAt(known, state.speed, kept().length)] ?? null;
}

/** How many layers are shown as passed. */
function position() {
  const end = leaves() ?? Math.max(0, ...Object.keys(answers).map(Number));
  return state.at ?? end;
}

// --- showing ---------------------------------------------------------------------------------------

function show() {
  const leaving = leaves();
  const at = position();
  const classes = facts.networks[networkOf(state.task, state.weights)].classes;
  const right = world ? world.ring[world.steps % world.ring.length] : null;
  chart.move({ answers, speed: state.speed, leaves: leaving, at, right });
  readout.show({ state, answers, told, leaves: leaving, at, kept: kept(), classes, right, playing });
  const last = kept().findLast((depth) => depth <= at && answers[depth]);
  if (ring) {
    const likely = last ? answers[last].probabilities.indexOf(Math.max(...answers[last].probabilities)) : null;
    ring.move(likely);
  }
}

/** What is still once the engine has answered or a hand has let go: the address, and the picture in words. */
function settle() {
  chart.describe(answers, leaves());
  history.replaceState(null, "", `#${toHash(state)}`);
}

let frame = 0;
function showSoon() {
  frame ||= requestAnimationFrame(() => {
    frame = 0;
    show();
  });
}

let settling = 0;
function settleSoon() {
  clearTimeout(settling);
  settling = setTimeout(settle, 150);
}

function build() {
  document.body.className = state.task;
  const layers = layersOf(state.task);
  const classes = facts.networks[networkOf(state.task, state.weights)].classes;
  const style = getComputedStyle(get("chart").parentElement);
  const width = get("chart").parentElement.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
  const scale = innerWidth >= 1600 ? 1.5 : 1; // a projector
  const words = scale * (state.task === "worlds" ? 40 : innerWidth < 500 ? 54 : 62); // room for the names of the classes
  const gutter = Math.max(words, (width + 2 * THUMB * layers) / (2 * layers + 1)); // and for "before layer 1"
  chart = makeChart(get("chart"), { width: width / scale, layers, classes, gutter: gutter / scale });
  readout.build({ layers, classes, gutter, column: (width - gutter) / layers, thumb: THUMB });
  if (told.ids.length) readout.tokens(told);
  for (const depth of depths(layers)) chart.fill(depth, answers[depth] ?? null);
  for (const name of ["task", "weights"]) {
    for (const input of get(name).querySelectorAll("input")) input.checked = input.value === state[name];
  }
  get("at").max = layers;
  get("speed").value = state.speed;
  get("rate").value = state.rate;
  buildWorld();
}

function buildWorld() {
  world = state.task === "worlds" ? parse(told.pieces) : null;
  const classes = facts.networks["worlds-fastbert"].classes;
  ring = world ? makeRing(get("ring"), world, classes) : null;
  if (!ring) get("ring").replaceChildren();
  for (const input of get("steps").querySelectorAll("input")) input.checked = Number(input.value) === world?.steps;
}

function translate() {
  document.documentElement.lang = state.language === "zh" ? "zh-CN" : "en";
  speak(state.language);
  document.title = say("title");
  for (const element of document.querySelectorAll("[data-say]")) {
    element.textContent = say(element.dataset.say, facts.values);
  }
  for (const element of document.querySelectorAll("[data-label]")) {
    element.setAttribute("aria-label", say(element.dataset.label));
  }
  get("language").textContent = say("other_language");
  get("examples").replaceChildren(...EXAMPLES.map(exampleButton));
  get("steps").replaceChildren(...Array.from({ length: MAX_STEPS }, (_, index) => stepButton(index + 1)));
}

function exampleButton({ name, text }) {
  const button = document.createElement("button");
  Object.assign(button, { type: "button", className: "chip", textContent: say(name), title: text });
  button.onclick = () => take({ text });
  return button;
}

function stepButton(steps) {
  const label = document.createElement("label");
  const input = Object.assign(document.createElement("input"), { type: "radio", name: "steps", value: steps });
  input.onchange = () => newWorld({ steps });
  const span = Object.assign(document.createElement("span"), { textContent: steps });
  label.append(input, span);
  return label;
}

// --- asking the engine -----------------------------------------------------------------------------

function ask() {
  asked += 1;
  answers = {};
  told = { ...told, milliseconds: null };
  for (const depth of depths(chart.layers)) chart.fill(depth, null);
  send({ id: asked, network: networkOf(state.task, state.weights), text: state.text, out: state.out });
}

function hear(message) {
  if (message.id !== asked) return; // of a sentence that is no longer there
  if (message.kind === "tokens") {
    told = { ...told, ...message };
    readout.tokens(told);
    buildWorld();
  } else if (message.kind === "layer") {
    answers[message.depth] = message;
    chart.fill(message.depth, message);
    showSoon();
  } else {
    told.milliseconds = message.milliseconds;
    showSoon();
    settleSoon();
  }
}

// --- choosing --------------------------------------------------------------------------------------

/** Takes what was chosen; asks the engine where its answers change, builds anew where the picture does. */
function take(change) {
  const before = { ...state };
  Object.assign(state, change);
  const differs = (...names) => names.some((name) => String(state[name]) !== String(before[name]));
  if (differs("task") && !("out" in change)) Object.assign(state, { out: [], rate: 0 });
  if (differs("text", "task", "weights", "out")) answers = {};
  if (differs("language")) translate();
  if (differs("text", "task") && get("text").value !== state.text) get("text").value = state.text;
  if (differs("language", "task", "speed", "rate", "weights")) {
    if (differs("language", "task", "weights")) build();
    get("speed").value = state.speed;
    get("rate").value = state.rate;
  }
  if (differs("text", "task", "weights", "out")) {
    ask();
    if (differs("text", "task")) play(true);
  }
  show(); // at once: a browser hands out events right before it draws
  settleSoon();
}

function chooseTask(task) {
  if (task === "worlds") return take({ task, text: render(drawRing(state.draw), 2, state.language), at: null });
  take({ task, text: FIRST, at: null });
}

/** Another world, or the same with other steps or in the other language. */
function newWorld({ steps, draw, language }) {
  const now = world ?? { ring: drawRing(state.draw), steps: 2 };
  const tongue = language ?? (/[\u4e00-\u9fff]/.test(state.text) ? "zh" : "en");
  const order = draw ? drawRing(draw) : now.ring;
  take({ text: render(order, steps ?? now.steps, tongue), at: null });
}

function chooseLayer(depth) {
  const out = state.out.includes(depth) ? state.out.filter((each) => each !== depth) : [...state.out, depth];
  if (out.length < layersOf(state.task)) take({ out: out.sort((a, b) => a - b), at: null });
}

function drawLayers(rate, draw) {
  take({ rate, draw, out: drawnOut(rate, draw, layersOf(state.task)), at: null });
}

// --- time ------------------------------------------------------------------------------------------

let clock = 0;

/** Lets the sentence run through the layers; from below if `again`, or if it stands at the end. */
function play(again = false) {
  stop();
  if (still) return take({ at: null });
  const end = leaves();
  if (again || (end !== null && position() >= end)) state.at = 0;
  else state.at = position();
  playing = true;
  clock = setInterval(() => {
    const goal = leaves();
    if (goal !== null && state.at >= goal) {
      state.at = null;
      stop();
    } else if (answers[state.at + 1] || state.out.includes(state.at + 1)) {
      state.at += 1; // it waits where the engine has not answered yet
    }
    showSoon();
  }, PACE);
  showSoon();
}

function stop() {
  clearInterval(clock);
  playing = false;
  showSoon();
}

function scrub(at) {
  stop();
  state.at = Math.min(layersOf(state.task), Math.max(0, at));
  show();
  settleSoon();
}

function faster(by) {
  take({ speed: Math.min(1, Math.max(0, Math.round(100 * (state.speed + by)) / 100)), ...freed() });
}

/** The picture follows the speed again, unless it is running. */
const freed = () => (playing ? {} : { at: null });

function pressed(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest("textarea, input")) return; // they have keys of their own
  if (event.key === " " && event.target.closest("button, summary")) return;
  const acts = {
    " ": () => (playing ? scrub(position()) : play()),
    ArrowLeft: () => scrub(position() - 1),
    ArrowRight: () => scrub(position() + 1),
    ArrowUp: () => faster(event.shiftKey ? 0.1 : 0.01),
    ArrowDown: () => faster(event.shiftKey ? -0.1 : -0.01),
  };
  if (!acts[event.key]) return;
  event.preventDefault();
  acts[event.key]();
}

// --- the beginning ---------------------------------------------------------------------------------

function listen() {
  let typing = 0;
  get("text").oninput = (event) => {
    clearTimeout(typing);
    typing = setTimeout(() => take({ text: event.target.value, at: null }), TYPING);
  };
  get("speed").oninput = (event) => take({ speed: Number(event.target.value), ...freed() });
  get("rate").oninput = (event) => drawLayers(Number(event.target.value), state.draw);
  get("at").oninput = (event) => scrub(Number(event.target.value));
  get("redraw").onclick = () => drawLayers(state.rate || 0.5, state.draw + 1);
  get("all-back").onclick = () => take({ out: [], rate: 0, at: null });
  get("task").onchange = (event) => chooseTask(event.target.value);
  get("weights").onchange = (event) => take({ weights: event.target.value });
  get("another").onclick = () => newWorld({ draw: 1 + Math.floor(Math.random() * 1e6) });
  get("tongue").onclick = () => newWorld({ language: /[\u4e00-\u9fff]/.test(state.text) ? "en" : "zh" });
  get("play").onclick = () => (playing ? scrub(position()) : play());
  get("language").onclick = () => take({ language: state.language === "zh" ? "en" : "zh" });
  get("theme").onclick = () => {
    const root = document.documentElement;
    root.dataset.theme = root.dataset.theme === "dark" ? "light" : "dark";
  };
  addEventListener("keydown", pressed);
  addEventListener("hashchange", () => take({ ...DEFAULTS, language: state.language, text: state.text, ...fromHash(location.hash, layersOf) }));
  let width = innerWidth;
  addEventListener("resize", () => {
    if (innerWidth === width) return; // a phone's keyboard only changes the height
    width = innerWidth;
    build();
    show();
  });
}

async function start() {
  setWords(read("words"));
  Object.assign(state, { language: navigator.language.startsWith("zh") ? "zh" : "en", text: FIRST });
  Object.assign(state, fromHash(location.hash, layersOf));
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  document.documentElement.dataset.theme = dark ? "dark" : "light";
  get("text").value = state.text;
  translate();
  build();
  listen();
  get("answer").textContent = say("loading");
  send = await linkEngine(get("engine").textContent, get("weights-block").textContent, hear);
  ask();
  if (state.at === null) play(true);
  document.body.dataset.ready = "yes";
}

start();
