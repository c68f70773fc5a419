// What answers the page: a sentence in, every layer's answer out, one after the other. It runs in a worker, or in the
// page itself where there can be none; either way it lets other things happen between two layers.
import { softmax, uncertainty } from "./exit_rule.mjs";
import { embed, exit, layer } from "./network.mjs";
import { makeTokenizer } from "./tokenizer.mjs";
import { unpack } from "./weights.mjs";

/**
 * Answers messages {id, network, text, out}: `out` are the depths that are taken out, exits and all, as
 * course_lib's `prune` does it. `tell` gets, for each of them,
 *   {id, kind: "tokens", ids, pieces, cut}, then for each layer that runs
 *   {id, kind: "layer", depth, probabilities, uncertainty, looksAt}, and at the end
 *   {id, kind: "done", milliseconds}.
 * A newer message ends the work on an older one.
 *
 * Returns a function that takes a message; `weights` is the text that pack.py wrote.
 */
export async function makeEngine(weights, tell) {
  const { networks, tokenizers } = await unpack(weights);
  const ready = tokenizers.map(makeTokenizer);
  let newest;

  return async function answer({ id, network: name, text, out }) {
    newest = id;
    const network = networks[name];
    const { ids, pieces, cut } = ready[network.tokenizer].encode(text);
    tell({ id, kind: "tokens", ids, pieces, cut });
    const started = performance.now();
    let states = embed(network, ids);
    for (let depth = 1; depth <= network.config.num_hidden_layers; depth++) {
      if (out.includes(depth)) continue;
      states = layer(network, depth, states);
      const { logits, looksAt } = exit(network, depth, states);
      const probabilities = softmax(logits);
      tell({ id, kind: "layer", depth, probabilities, uncertainty: uncertainty(probabilities), looksAt });
      await others();
      if (newest !== id) return;
    }
    tell({ id, kind: "done", milliseconds: performance.now() - started });
  };
}

/** Lets messages and drawing go first; unlike setTimeout, browsers do not slow it down. */
function others() {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}
