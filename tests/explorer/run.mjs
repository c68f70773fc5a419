// Runs the explorer's modules for the tests: a task as JSON comes in, what they answer goes out.
import fs from "node:fs";
import { makeEngine } from "../../explorer/engine.mjs";
import { EXAMPLES } from "../../explorer/examples.mjs";
import * as rule from "../../explorer/exit_rule.mjs";
import { fromHash, toHash } from "../../explorer/state.mjs";
import { makeTokenizer } from "../../explorer/tokenizer.mjs";
import { drawRing, parse, render } from "../../explorer/worlds.mjs";

const tasks = {
  examples: () => EXAMPLES,
  /** {tokenizer: path, texts} -> ids of each. */
  tokenize({ tokenizer, texts }) {
    const { encode } = makeTokenizer(JSON.parse(fs.readFileSync(tokenizer, "utf8")));
    return texts.map((text) => encode(text).ids);
  },
  /** {weights: letters' path, questions: [{network, text, out}]} -> [{ids, layers}]. */
  async answer({ weights, questions }) {
    let heard = [];
    const answer = await makeEngine(fs.readFileSync(weights, "utf8"), (message) => heard.push(message));
    const all = [];
    for (const [id, question] of questions.entries()) {
      heard = [];
      await answer({ id, ...question });
      const layers = heard.filter(({ kind }) => kind === "layer");
      layers.forEach((layer) => (layer.looksAt = Array.from(layer.looksAt)));
      all.push({ ids: heard[0].ids, layers, milliseconds: heard.at(-1).milliseconds });
    }
    return all;
  },
  /** {cases: [{uncertainties, speed, exits}]} -> places. */
  leave({ cases }) {
    return cases.map(({ uncertainties, speed, exits }) => rule.leavesAt(uncertainties, speed, exits));
  },
  /** {rates, draws, layers} -> depths taken out, [draws][rates]. */
  draw({ rates, draws, layers }) {
    return draws.map((draw) => rates.map((rate) => rule.drawnOut(rate, draw, layers)));
  },
  /** {hashes} -> what is read from them, and written again where the state is whole. */
  hash({ hashes, states }) {
    const layersOf = (task) => (task === "worlds" ? 6 : 12);
    return {
      read: hashes.map((hash) => fromHash(hash, layersOf)),
      again: states.map((state) => fromHash(toHash(state), layersOf)),
    };
  },
  /** {seeds, tokenizer} -> [{ring, texts: {language: [of 1 to 4 steps]}, parsed}]. */
  worlds({ seeds, tokenizer }) {
    const { encode } = makeTokenizer(JSON.parse(fs.readFileSync(tokenizer, "utf8")));
    return seeds.map((seed) => {
      const ring = drawRing(seed);
      const texts = [1, 2, 3, 4].flatMap((steps) => ["zh", "en"].map((tongue) => render(ring, steps, tongue)));
      return { ring, texts, parsed: texts.map((text) => parse(encode(text).pieces)) };
    });
  },
};

const { task, ...rest } = JSON.parse(fs.readFileSync(0, "utf8"));
process.stdout.write(JSON.stringify(await tasks[task](rest)));
