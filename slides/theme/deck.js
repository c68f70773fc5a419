// Starts the deck. One page, no request: everything it needs stands in it.
for (const formula of document.querySelectorAll(".math")) {
    katex.render(formula.textContent, formula, { displayMode: formula.tagName === "DIV", throwOnError: true, output: "html" });
}
Reveal.initialize({
    width: 1280, height: 720, margin: 0, minScale: 0.1, maxScale: 4, center: false, hash: true,
    slideNumber: "c/t", controls: false, transition: "none", backgroundTransition: "none", display: "flex",
    pdfMaxPagesPerSlide: 1, plugins: [RevealNotes],
}).then(() => { window.deckIsReady = true; });
