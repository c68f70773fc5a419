// The way to the engine: in a worker where there can be one, so that no slider ever waits; else in the page.

/**
 * -> a function that takes the engine's messages; `tell` gets its answers.
 *
 * `code`: the engine as text, a script that defines makeEngine; a page opened from a file may start a worker from a
 * blob, not from another file. `weights`: the letters of pack.py.
 */
export async function linkEngine(code, weights, tell) {
  return (await inWorker(code, weights, tell)) ?? (await inPage(code, weights, tell));
}

/** Resolves with null where the browser allows no worker. */
function inWorker(code, weights, tell) {
  const serve = `${code}
let answer;
onmessage = async ({ data }) => {
  if (answer) return answer(data);
  answer = await makeEngine(data, (told) => postMessage(told));
  postMessage({ kind: "ready" });
};`;
  return new Promise((resolve) => {
    let worker;
    try {
      worker = new Worker(URL.createObjectURL(new Blob([serve], { type: "text/javascript" })));
    } catch {
      return resolve(null);
    }
    worker.onerror = () => resolve(null);
    worker.onmessage = ({ data }) => {
      if (data.kind === "ready") resolve((message) => worker.postMessage(message));
      else tell(data);
    };
    worker.postMessage(weights);
  });
}

async function inPage(code, weights, tell) {
  const makeEngine = new Function(`${code}\nreturn makeEngine;`)();
  return makeEngine(weights, tell);
}
