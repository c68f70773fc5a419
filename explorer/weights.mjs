// The block of bytes that course_lib/explorer/pack.py wrote -> networks and tokenizers.

const MIDDLE = 128; // whole numbers are kept as n + MIDDLE

/** The page's letters -> {networks: {name: {config, weights, tokenizer}}, tokenizers: [description]}. */
export async function unpack(text) {
  const bytes = await unzipped(fromLetters(...text.trim().split(" ")));
  const view = new DataView(bytes.buffer);
  const length = view.getUint32(0, true);
  const { networks, tokenizers } = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + length)));
  let place = 4 + length;

  for (const network of Object.values(networks)) {
    const base = networks[network.base]?.weights;
    network.weights = {};
    for (const { name, shape, exact } of network.tensors) {
      const count = shape.reduce((product, size) => product * size, 1);
      network.weights[name] = exact ? halves(count) : rows(shape, base?.[name]);
    }
  }
  return { networks, tokenizers };

  /** Numbers of two bytes, all low bytes before all high ones. */
  function twoBytes(count) {
    const result = new Int16Array(count);
    for (let i = 0; i < count; i++) result[i] = bytes[place + i] | (bytes[place + count + i] << 8);
    place += 2 * count;
    return result;
  }

  /** IEEE 754 half precision. */
  function halves(count) {
    return Float32Array.from(twoBytes(count), half);
  }

  /** A matrix: each row's step, then whole numbers; perhaps the difference from another matrix. */
  function rows([height, width], other) {
    const step = new Float32Array(bytes.slice(place, place + 4 * height).buffer);
    place += 4 * height;
    const whole = twoBytes(height * width);
    const result = new Float32Array(height * width);
    for (let i = 0; i < result.length; i++) {
      result[i] = step[Math.floor(i / width)] * (whole[i] - MIDDLE) + (other ? other[i] : 0);
    }
    return result;
  }
}

function half(bits) {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  return sign * (exponent ? (1024 + fraction) * 2 ** (exponent - 25) : fraction * 2 ** -24);
}

/** Two letters are a number of 13 bits (course_lib/explorer/letters.py); `size` bytes in all. */
function fromLetters(size, text) {
  const digit = new Uint8Array(128);
  let digits = 0;
  for (let code = 33; code < 127; code++) if (code !== 38 && code !== 60) digit[code] = digits++; // no & and <
  const bytes = new Uint8Array(Number(size)); // what is written beyond its end is lost
  let bits = 0;
  let held = 0; // so many bits of `bits` are not yet in a byte
  for (let i = 0, to = 0; i < text.length; i += 2) {
    bits = (bits << 13) | (digit[text.charCodeAt(i)] * digits + digit[text.charCodeAt(i + 1)]);
    for (held += 13; held >= 8; held -= 8) bytes[to++] = bits >> (held - 8);
    bits &= (1 << held) - 1;
  }
  return bytes;
}

async function unzipped(bytes) {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}
