"""A deck as PDF: Chromium prints its HTML, a page a slide."""

import io
from pathlib import Path

from pypdf import PdfReader, PdfWriter

WAIT = 120_000  # milliseconds; a busy machine is no failure
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
WIDTH, HEIGHT = "1280px", "720px"


def pdf(page: Path, browser: str | None, title: str, digest: str) -> bytes:
    """Prints the page; `digest` is kept as a keyword, dates are left out.

    Raises:
        ValueError: there is no browser.
    """
    if browser is None:
        raise ValueError(
            "PDF needs Chromium or Chrome, and there is none; `course doctor` tells how to get it"
        )
    from playwright.sync_api import sync_playwright  # comes with the tests' packages

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=browser, args=FLAGS)
        try:
            tab = chromium.new_page(viewport={"width": 1280, "height": 720})
            tab.goto(f"{page.resolve().as_uri()}?view=print", wait_until="load", timeout=WAIT)
            tab.wait_for_function("window.deckIsReady && document.querySelector('.pdf-page')", timeout=WAIT)
            tab.evaluate("document.fonts.ready")
            printed = tab.pdf(width=WIDTH, height=HEIGHT, print_background=True)
        finally:
            chromium.close()
    writer = PdfWriter(clone_from=io.BytesIO(printed))
    writer.metadata = {"/Title": title, "/Keywords": digest}
    buffer = io.BytesIO()
    writer.write(buffer)
    return buffer.getvalue()


def pdf_digest(path: Path) -> str | None:
    """The keyword that `pdf` left."""
    return (PdfReader(path).metadata or {}).get("/Keywords")
