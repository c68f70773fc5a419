// When a sentence leaves (FastBERT, section 3.3), and which layers a draw takes out (LayerDrop, section 3.1).

/** Logits -> probabilities. */
export function softmax(logits) {
  const largest = Math.max(...logits);
  const powers = Array.from(logits, (logit) => Math.exp(logit - largest));
  const sum = powers.reduce((total, power) => total + power, 0);
  return powers.map((power) => power / sum);
}

/** Entropy / log C: 0 is certain, 1 has no idea (FastBERT, equation 7). */
export function uncertainty(probabilities) {
  const entropy = probabilities.reduce((sum, p) => sum - (p > 0 ? p * Math.log(p) : 0), 0);
  return Math.min(1, Math.max(0, entropy / Math.log(probabilities.length)));
}

/**
 * Where a sentence leaves: the place (0, 1, …) of the first exit whose uncertainty is below the speed; the last exit
 * always answers. -1 as long as no exit that has answered lets it go.
 *
 * `uncertainties`: of the exits that have answered so far, from below; `exits`: how many there are in all.
 */
export function leavesAt(uncertainties, speed, exits) {
  const first = uncertainties.slice(0, exits - 1).findIndex((value) => value < speed);
  if (first >= 0) return first;
  return uncertainties.length === exits ? exits - 1 : -1;
}

/**
 * The depths that a draw takes out: every layer draws a number once, and is out where that is below the rate, so that
 * a higher rate only takes out more. If all would go, the one with the largest number stays.
 */
export function drawnOut(rate, draw, layers) {
  const random = generator(draw);
  const numbers = Array.from({ length: layers }, random);
  const out = depths(layers).filter((depth) => numbers[depth - 1] < rate);
  if (out.length < layers) return out;
  const stays = numbers.indexOf(Math.max(...numbers)) + 1;
  return out.filter((depth) => depth !== stays);
}

/** 1, 2, … L. */
export const depths = (layers) => Array.from({ length: layers }, (_, index) => index + 1);

/** Random numbers in [0, 1) from a seed (mulberry32), the same in every browser. */
export function generator(seed) {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
