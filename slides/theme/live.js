// The sliders: each draws what was computed before (JSON beside it), and all windows of the deck stay in step.
(() => {
    const INK = "#333", PALE = "#767676", LINE = "#d9d9d9", BLUE = "#0173b2", ORANGE = "#de8f05", GREY = "#949494";
    const DRAWN = { speed: drawSpeed, drop_rate: drawDropRate };
    const sliders = new Map();  // number of the slide -> {show(value), value}
    const windows = new Set();  // the other windows of this deck: the presenter's frames

    for (const place of document.querySelectorAll(".live")) {
        const data = JSON.parse(place.querySelector("script").textContent);
        const label = add(place, "label"), name = add(label, "span"), input = add(label, "input"), output = add(label, "output");
        name.textContent = data.name;
        Object.assign(input, { type: "range", min: 0, max: data.values.length - 1, step: 1 });
        input.setAttribute("aria-label", data.name);
        const state = add(place, "p");
        state.className = "state";
        const picture = svg(place, "svg", { viewBox: "0 0 1200 440", role: "img" });
        const show = index => {
            input.value = index;
            output.textContent = data.values[index].toFixed(2);
            state.innerHTML = data.states[index];
            picture.replaceChildren();
            picture.setAttribute("aria-label", `${data.name} ${output.textContent}: ${state.textContent}`);
            DRAWN[data.kind](picture, data, index);
        };
        const number = Number(place.dataset.number);
        sliders.set(number, { show, last: data.values.length - 1 });
        input.addEventListener("input", () => { show(Number(input.value)); tell(number, Number(input.value)); });
        // An arrow key moves the slider, not the slides.
        input.addEventListener("keydown", event => { if (event.key !== "Escape") event.stopPropagation(); else input.blur(); });
        show(data.values.indexOf(data.start));
    }

    // --- in step: the audience's window opens the presenter's, whose frames show the same file -----------------
    const above = window.parent === window ? null : window.parent.opener;
    if (above) above.postMessage({ course: "hello" }, "*");
    window.addEventListener("message", event => {
        const { course, number, index } = event.data ?? {};
        if (course === "hello" && event.source) {
            windows.add(event.source);
            for (const [each, { now }] of sliders) if (now !== undefined) event.source.postMessage({ course: "move", number: each, index: now }, "*");
        }
        const slider = sliders.get(number);
        if (course !== "move" || !slider || !Number.isInteger(index) || index < 0 || index > slider.last) return;
        slider.show(index);
        slider.now = index;
        for (const other of windows) if (other !== event.source) other.postMessage(event.data, "*");
    });

    function tell(number, index) {
        sliders.get(number).now = index;
        for (const other of [above, ...windows]) if (other) other.postMessage({ course: "move", number, index }, "*");
    }

    // --- drawing ----------------------------------------------------------------------------------------------
    function drawSpeed(picture, data, index) {
        const layers = data.shares[0].length;
        const left = axes(picture, { x: 110, y: 52, width: 400, height: 290, from: [0.4, 0], to: [layers + 0.6, 1] });
        left.percents([0, 0.5, 1]);
        left.below(Array.from({ length: layers }, (_, n) => n + 1).filter(n => layers <= 6 || n % 3 === 0 || n === 1), n => n);
        left.names(data.words.exit_layer, data.words.share);
        data.shares[index].forEach((share, n) => left.bar(n + 1, share, 0.8, BLUE));
        left.line([[data.mean[index], 0], [data.mean[index], 1]], ORANGE, 4);

        const lowest = Math.min(...data.accuracy, ...data.fixed.accuracy), highest = Math.max(...data.accuracy, ...data.fixed.accuracy);
        const room = Math.max(0.04, (highest - lowest) * 0.12), top = Math.max(...data.speedup, ...data.fixed.speedup);
        const right = axes(picture, {
            x: 640, y: 52, width: 540, height: 290,
            from: [Math.log2(0.9), lowest - room], to: [Math.log2(top * 1.1), Math.min(highest + room, 1.02)],
        });
        const ticks = [0, 1, 2].map(n => lowest + (n * (highest - lowest)) / 2);
        right.percents(ticks);
        right.below([1, 2, 4, 8].filter(n => n < top * 1.1).map(Math.log2), n => `${2 ** n}×`);
        right.names(data.words.speedup, data.words.accuracy);
        data.fixed.speedup.forEach((each, n) => right.square([Math.log2(each), data.fixed.accuracy[n]]));
        right.line(data.speedup.map((each, n) => [Math.log2(each), data.accuracy[n]]), BLUE, 4);
        right.dot([Math.log2(data.speedup[index]), data.accuracy[index]]);
        right.legend([[BLUE, data.words.early], [GREY, data.words.fixed_depth]]);
    }

    function drawDropRate(picture, data, index) {
        const runs = data.runs[index], steps = runs.length;
        const left = axes(picture, { x: 80, y: 52, width: 500, height: 290, from: [0.5, 0.5], to: [steps + 0.5, data.layers + 0.5] });
        left.below([1, Math.round(steps / 2), steps], n => n);
        left.beside([1, data.layers / 2, data.layers], n => n);
        left.names(data.words.training_step, data.words.layer);
        runs.forEach((step, n) => [...step].forEach((on, layer) => left.cell(n + 1, layer + 1, on === "1" ? BLUE : "#e4e4e4")));
        const mean = runs.reduce((sum, step) => sum + [...step].filter(on => on === "1").length, 0) / steps;
        left.line([[0.5, mean], [steps + 0.5, mean]], ORANGE, 4);

        const curves = Object.entries(data.trained), all = curves.flatMap(([, curve]) => curve.accuracy);
        const lowest = Math.min(...all) - 0.02, highest = Math.max(...all) + 0.02;
        const right = axes(picture, { x: 690, y: 52, width: 490, height: 290, from: [1.4, lowest], to: [data.layers + 0.6, highest] });
        right.percents([0, 1, 2].map(n => lowest + 0.02 + (n * (highest - lowest - 0.04)) / 2));
        right.below(curves[0][1].keep, n => n);
        right.names(data.words.layers_kept, data.words.accuracy);
        const chosen = data.trained[data.values[index].toFixed(2)];
        for (const [, curve] of curves) right.line(curve.keep.map((keep, n) => [keep, curve.accuracy[n]]), curve === chosen ? ORANGE : "#bbb", curve === chosen ? 6 : 3);
        right.legend([[ORANGE, chosen ? data.words.trained : data.words.untrained]]);
    }

    function axes(picture, { x, y, width, height, from, to }) {
        const across = value => x + (width * (value - from[0])) / (to[0] - from[0]);
        const up = value => y + height - (height * (value - from[1])) / (to[1] - from[1]);
        const text = (words, at, more = {}) => { svg(picture, "text", { x: at[0], y: at[1], fill: INK, ...more }).textContent = words; };
        svg(picture, "path", { d: `M${x},${y} V${y + height} H${x + width}`, fill: "none", stroke: GREY, "stroke-width": 2 });
        const beside = (values, form) => values.forEach(value => {
            svg(picture, "path", { d: `M${x},${up(value)} h${width}`, stroke: LINE });
            text(form(value), [x - 10, up(value) + 11], { "text-anchor": "end" });
        });
        return {
            beside,
            percents: values => beside(values, value => `${Math.round(100 * value)}%`),
            below: (values, form) => values.forEach(value => text(form(value), [across(value), y + height + 38], { "text-anchor": "middle" })),
            names(below, title) {
                text(below, [x + width / 2, y + height + 80], { "text-anchor": "middle", fill: PALE });
                svg(picture, "title", {}).textContent = `${below} / ${title}`;
                text(title, [x - 76, y - 18], { fill: PALE });
            },
            bar: (at, value, wide, fill) => svg(picture, "rect", { x: across(at - wide / 2), width: across(at + wide / 2) - across(at - wide / 2), y: up(value), height: up(0) - up(value), fill }),
            cell: (column, row, fill) => svg(picture, "rect", { x: across(column - 0.45), width: across(column + 0.45) - across(column - 0.45), y: up(row + 0.45), height: up(row - 0.45) - up(row + 0.45), fill }),
            line: (points, stroke, wide) => svg(picture, "polyline", { points: points.map(([a, b]) => `${across(a)},${up(b)}`).join(" "), fill: "none", stroke, "stroke-width": wide }),
            square: ([a, b]) => svg(picture, "rect", { x: across(a) - 6, y: up(b) - 6, width: 12, height: 12, fill: GREY }),
            dot: ([a, b]) => svg(picture, "circle", { cx: across(a), cy: up(b), r: 13, fill: ORANGE }),
            // Above the axes, from the right end backwards.
            legend: rows => [...rows].reverse().reduce((end, [color, words]) => {
                const label = svg(picture, "text", { x: end, y: y - 18, "text-anchor": "end", fill: INK });
                label.textContent = words;
                const start = end - [...words].reduce((sum, letter) => sum + (letter > "\u2e7f" ? 32 : 14.5), 0);
                svg(picture, "rect", { x: start - 30, y: y - 38, width: 22, height: 22, fill: color });
                return start - 52;
            }, x + width),
        };
    }

    function add(parent, name) { return parent.appendChild(document.createElement(name)); }

    function svg(parent, name, attributes) {
        const node = document.createElementNS("http://www.w3.org/2000/svg", name);
        for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
        return parent.appendChild(node);
    }
})();
