// Text -> token ids, as a fast Hugging Face tokenizer does it: made from its tokenizer.json.
//
// It knows the parts that the course's tokenizers use, and refuses any other: NFKC, Lowercase and Replace; Split;
// Unigram (Kudo 2018) and WordLevel; [CLS] text [SEP]; cut on the right.

// Oniguruma, the regular expressions of tokenizers, calls these white space and these parts of a word. JavaScript's
// own \s has U+FEFF and lacks U+0085, and its \b knows only ASCII.
const SPACE = String.raw`\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000`;
const WORD = String.raw`[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}]`;
const BOUNDARY = `(?:(?<=${WORD})(?!${WORD})|(?<!${WORD})(?=${WORD}))`;
const UNKNOWN_PENALTY = 10; // an unknown character scores that much less than the least likely piece

// Compatibility characters that came into Unicode after version 12; NFKC of tokenizers leaves them as they are.
const LATER = String.raw`\u32ff\ua7f1-\ua7f4\uab69\u{10781}-\u{107ba}\u{1ccd6}-\u{1ccf9}\u{1e030}-\u{1e06d}\u{1f16c}\u{1fbf0}-\u{1fbf9}`;
const OLDER = new RegExp(`[^${LATER}]+`, "gu");

/** -> {encode(text) -> {ids, pieces, cut}}; `pieces` are what the ids stand for, `cut` whether text was left out. */
export function makeTokenizer(description) {
  const special = description.added_tokens;
  const idOf = new Map(special.map((token) => [token.content, token.id]));
  const normalize = inTurn(description.normalizer, "normalizers", makeNormalizer);
  const split = inTurn(description.pre_tokenizer, "pretokenizers", makeSplitter);
  const model = makeModel(description.model);
  const room = description.truncation.max_length - 2; // [CLS] and [SEP] stand round the text
  const anySpecial = new RegExp(`(${special.map((token) => escaped(token.content)).join("|")})`);

  function encode(text) {
    const tokens = [];
    for (const part of text.split(anySpecial)) {
      if (idOf.has(part)) tokens.push([idOf.get(part), part]);
      else if (part) for (const word of split([normalize(part)])) if (word) tokens.push(...model(word));
    }
    const kept = [[idOf.get("[CLS]"), "[CLS]"], ...tokens.slice(0, room), [idOf.get("[SEP]"), "[SEP]"]];
    return { ids: kept.map(([id]) => id), pieces: kept.map(([, piece]) => piece), cut: tokens.length > room };
  }
  return { encode };
}

/** One step, or the steps of a Sequence, one after the other. */
function inTurn(step, parts, make) {
  const steps = (step.type === "Sequence" ? step[parts] : [step]).map(make);
  return (value) => steps.reduce((result, next) => next(result), value);
}

function makeNormalizer(step) {
  if (step.type === "NFKC") return (text) => text.replace(OLDER, (part) => part.normalize("NFKC"));
  // Character by character: tokenizers has no final sigma.
  if (step.type === "Lowercase") return (text) => Array.from(text, (each) => each.toLowerCase()).join("");
  if (step.type === "Replace") {
    const pattern = regex(step.pattern.Regex);
    return (text) => text.replace(pattern, () => step.content);
  }
  throw new Error(`no normalizer ${step.type}`);
}

/** A splitter takes pieces and cuts each of them at its pattern; what matched stays as a piece, or is removed. */
function makeSplitter(step) {
  if (step.type !== "Split" || step.invert) throw new Error(`no pre-tokenizer ${step.type}`);
  const pattern = regex(step.pattern.Regex);
  const keepsMatch = { Isolated: true, Removed: false }[step.behavior];
  if (keepsMatch === undefined) throw new Error(`no split ${step.behavior}`);
  return (pieces) => pieces.flatMap((piece) => cutAt(pattern, keepsMatch, piece));
}

function cutAt(pattern, keepsMatch, piece) {
  const found = [];
  let end = 0;
  for (const match of piece.matchAll(pattern)) {
    if (match.index > end) found.push(piece.slice(end, match.index));
    if (keepsMatch) found.push(match[0]);
    end = match.index + match[0].length;
  }
  if (end < piece.length) found.push(piece.slice(end));
  return found;
}

function makeModel(model) {
  if (model.type === "WordLevel") return wordLevel(new Map(Object.entries(model.vocab)), model.unk_token);
  if (model.type === "Unigram") return unigram(model.vocab, model.unk_id);
  throw new Error(`no model ${model.type}`);
}

const wordLevel = (vocabulary, unknown) => (word) => [[vocabulary.get(word) ?? vocabulary.get(unknown), word]];

/** Unigram: the pieces with the greatest sum of log probabilities (Viterbi); unknown neighbours become one token. */
function unigram(vocabulary, unknownId) {
  const scores = new Map(vocabulary.map(([piece, score], id) => [piece, { id, score }]));
  const longest = Math.max(...vocabulary.map(([piece]) => [...piece].length));
  const unknown = { id: unknownId, score: Math.min(...vocabulary.map(([, score]) => score)) - UNKNOWN_PENALTY };

  return (word) => {
    const characters = [...word];
    const best = [{ score: 0 }]; // best[end]: the best way to cut the first `end` characters
    const offer = (start, end, { id, score }) => {
      const total = best[start].score + score;
      if (!best[end] || total > best[end].score) best[end] = { score: total, start, id };
    };
    for (let start = 0; start < characters.length; start++) {
      let piece = "";
      for (let end = start + 1; end <= Math.min(start + longest, characters.length); end++) {
        piece += characters[end - 1];
        const known = scores.get(piece);
        if (known) offer(start, end, known);
        else if (end === start + 1) offer(start, end, unknown);
      }
    }
    const tokens = [];
    for (let end = characters.length; end > 0; end = best[end].start) {
      const { start, id } = best[end];
      const piece = characters.slice(start, end).join("");
      const next = tokens.at(-1);
      if (id === unknownId && next?.[0] === unknownId) next[1] = piece + next[1];
      else tokens.push([id, piece]);
    }
    return tokens.reverse();
  };
}

/** A pattern of Oniguruma, as far as the course uses it, as JavaScript's. */
function regex(pattern) {
  const inClass = (text) => text.replaceAll("\\s", SPACE);
  const source = pattern
    .replace(/\[[^\]]*\]/g, inClass)
    .replaceAll("\\s", `[${SPACE}]`)
    .replaceAll("\\b", BOUNDARY);
  return new RegExp(source, "gu");
}

const escaped = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
