// FastBERT's forward pass for one sentence, layer by layer, as course_lib/models/fastbert.py computes it.
//
// Shapes: T tokens, H hidden size, F feed-forward size, E exit size, C classes. A matrix is one Float32Array, row after
// row; a weight has a row for each output, as in PyTorch.

/** The states before layer 1: ids [T] -> [T, H]. */
export function embed(network, ids) {
  const { weights, config } = network;
  const size = config.hidden_size;
  const word = weights["bert.embeddings.word_embeddings.weight"];
  const position = weights["bert.embeddings.position_embeddings.weight"];
  const type = weights["bert.embeddings.token_type_embeddings.weight"]; // all tokens are of type 0
  const states = new Float32Array(ids.length * size);
  ids.forEach((id, t) => {
    for (let h = 0; h < size; h++) states[t * size + h] = word[id * size + h] + position[t * size + h] + type[h];
  });
  return layerNorm(network, "bert.embeddings.LayerNorm", states);
}

/** One encoder layer: states [T, H] -> [T, H]; `depth` counts from 1. */
export function layer(network, depth, states) {
  const name = `bert.encoder.layer.${depth - 1}`;
  const self = `${name}.attention.self`;
  const query = linear(network, `${self}.query`, states); // [T, H]
  const key = linear(network, `${self}.key`, states);
  const value = linear(network, `${self}.value`, states);
  const { mixed } = attention(query, key, value, network.config.num_attention_heads, network.config.hidden_size);

  let after = add(linear(network, `${name}.attention.output.dense`, mixed), states);
  after = layerNorm(network, `${name}.attention.output.LayerNorm`, after);
  const wide = linear(network, `${name}.intermediate.dense`, after).map(gelu); // [T, F]
  return layerNorm(network, `${name}.output.LayerNorm`, add(linear(network, `${name}.output.dense`, wide), after));
}

/** One exit: states [T, H] -> {logits [C], looksAt [T]}, how much of its attention each token gets (mean of heads). */
export function exit(network, depth, states) {
  const name = `exits.${depth - 1}`;
  const { exit_hidden_size: size, exit_num_heads: heads } = network.config;
  const narrow = linear(network, `${name}.narrow`, states).map(Math.tanh); // [T, E]
  const query = linear(network, `${name}.query`, narrow.subarray(0, size)); // [1, E]: only [CLS] asks
  const both = linear(network, `${name}.key_value`, narrow); // [T, 2 E]
  const key = columns(both, 2 * size, 0, size);
  const value = columns(both, 2 * size, size, size);
  const { mixed, shares } = attention(query, key, value, heads, size);

  const output = linear(network, `${name}.attention_output`, mixed); // [1, E]
  const dense = linear(network, `${name}.dense`, output).map(Math.tanh);
  return { logits: linear(network, `${name}.classifier`, dense), looksAt: shares };
}

/** Scaled dot-product attention: query [Q, H], key and value [T, H] -> mixed [Q, H]; the first query's shares [T]. */
function attention(query, key, value, heads, size) {
  const asking = query.length / size;
  const tokens = key.length / size;
  const width = size / heads;
  const mixed = new Float32Array(query.length);
  const shares = new Float32Array(tokens);
  const scores = new Float32Array(tokens);
  for (let head = 0; head < heads; head++) {
    for (let q = 0; q < asking; q++) {
      const from = q * size + head * width;
      let largest = -Infinity;
      for (let t = 0; t < tokens; t++) {
        let sum = 0;
        for (let w = 0; w < width; w++) sum += query[from + w] * key[t * size + head * width + w];
        scores[t] = sum / Math.sqrt(width);
        if (scores[t] > largest) largest = scores[t];
      }
      let total = 0;
      for (let t = 0; t < tokens; t++) total += scores[t] = Math.exp(scores[t] - largest);
      for (let t = 0; t < tokens; t++) {
        const share = scores[t] / total;
        if (q === 0) shares[t] += share / heads;
        for (let w = 0; w < width; w++) mixed[from + w] += share * value[t * size + head * width + w];
      }
    }
  }
  return { mixed, shares };
}

/** input [T, I] -> [T, O]. Four outputs at a time: nearly all of the time is spent here. */
function linear({ weights }, name, input) {
  const weight = weights[`${name}.weight`];
  const bias = weights[`${name}.bias`];
  const outputs = bias.length;
  const inputs = weight.length / outputs;
  const tokens = input.length / inputs;
  const result = new Float32Array(tokens * outputs);
  for (let o = 0; o < outputs; o += 4) {
    const rows = Math.min(4, outputs - o);
    if (rows < 4) {
      for (let row = o; row < outputs; row++) oneOutput(row);
      break;
    }
    const a = o * inputs;
    const b = a + inputs;
    const c = b + inputs;
    const d = c + inputs;
    for (let t = 0; t < tokens; t++) {
      const from = t * inputs;
      let [first, second, third, fourth] = [0, 0, 0, 0];
      for (let i = 0; i < inputs; i++) {
        const x = input[from + i];
        first += x * weight[a + i];
        second += x * weight[b + i];
        third += x * weight[c + i];
        fourth += x * weight[d + i];
      }
      const to = t * outputs + o;
      result[to] = first + bias[o];
      result[to + 1] = second + bias[o + 1];
      result[to + 2] = third + bias[o + 2];
      result[to + 3] = fourth + bias[o + 3];
    }
  }
  return result;

  function oneOutput(row) {
    for (let t = 0; t < tokens; t++) {
      let sum = bias[row];
      for (let i = 0; i < inputs; i++) sum += input[t * inputs + i] * weight[row * inputs + i];
      result[t * outputs + row] = sum;
    }
  }
}

function layerNorm({ weights, config }, name, states) {
  const weight = weights[`${name}.weight`];
  const bias = weights[`${name}.bias`];
  const size = weight.length;
  const result = new Float32Array(states.length);
  for (let from = 0; from < states.length; from += size) {
    let mean = 0;
    for (let h = 0; h < size; h++) mean += states[from + h] / size;
    let variance = 0;
    for (let h = 0; h < size; h++) variance += (states[from + h] - mean) ** 2 / size;
    const scale = 1 / Math.sqrt(variance + config.layer_norm_eps);
    for (let h = 0; h < size; h++) result[from + h] = (states[from + h] - mean) * scale * weight[h] + bias[h];
  }
  return result;
}

const add = (left, right) => left.map((value, index) => value + right[index]);

/** `count` columns of a matrix of rows of `width`, from column `first`. */
function columns(matrix, width, first, count) {
  const result = new Float32Array((matrix.length / width) * count);
  for (let from = 0, to = 0; from < matrix.length; from += width, to += count) {
    result.set(matrix.subarray(from + first, from + first + count), to);
  }
  return result;
}

/** x Φ(x), Φ the normal distribution. The error function after Abramowitz and Stegun, 7.1.26: wrong by 1.5e-7 at most. */
function gelu(x) {
  const z = Math.abs(x) / Math.SQRT2;
  const t = 1 / (1 + 0.3275911 * z);
  const series =
    t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
  const erf = 1 - series * Math.exp(-z * z);
  return 0.5 * x * (1 + (x < 0 ? -erf : erf));
}
