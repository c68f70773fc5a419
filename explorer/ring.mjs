// The world as a picture: the children in the order in which they pass, the ball where the layer in view says it is.
import { put, set } from "./svg.mjs";
import { say, sayClass } from "./words.mjs";

const SIZE = 210;
const MIDDLE = SIZE / 2;
const RADIUS = 78;

/** `world`: {ring, steps} of worlds.mjs; `classes`: the children's names. */
export function makeRing(svg, world, classes) {
  svg.replaceChildren();
  set(svg, { viewBox: `0 0 ${SIZE} ${SIZE}` });
  const { ring, steps } = world;
  const angle = (place) => (2 * Math.PI * place) / ring.length - Math.PI / 2;
  const point = (place, radius = RADIUS) => [
    MIDDLE + radius * Math.cos(angle(place)),
    MIDDLE + radius * Math.sin(angle(place)),
  ];
  const arc = (to) => {
    const [x0, y0] = point(0);
    const [x1, y1] = point(to);
    return `M ${x0} ${y0} A ${RADIUS} ${RADIUS} 0 ${to > ring.length / 2 ? 1 : 0} 1 ${x1} ${y1}`;
  };
  put(svg, "circle", { cx: MIDDLE, cy: MIDDLE, r: RADIUS, class: "way" });
  put(svg, "path", { d: arc(steps), class: "passes" });
  put(svg, "text", { x: MIDDLE, y: MIDDLE - 2, class: "steps" }, String(steps));
  put(svg, "text", { x: MIDDLE, y: MIDDLE + 16, class: "steps-word" }, say(steps === 1 ? "ring_pass" : "ring_passes"));
  ring.forEach((child, place) => {
    const [x, y] = point(place);
    put(svg, "circle", { cx: x, cy: y, r: 21, class: place === steps ? "child right" : place ? "child" : "child first" });
    put(svg, "text", { x, y: y + 4, class: "name" }, sayClass(classes[child]));
  });
  const ball = put(svg, "circle", { r: 6, class: "ball" });

  /** The ball goes to the child that is answered; null hides it. */
  function move(child) {
    ball.classList.toggle("empty", child === null);
    if (child === null) return;
    const [x, y] = point(ring.indexOf(child), RADIUS + 21);
    set(ball, { cx: x, cy: y });
  }

  const name = (place) => sayClass(classes[ring[place]]);
  set(svg, { "aria-label": say("ring_alt", { first: name(0), steps, last: name(steps) }) });
  return { move };
}
