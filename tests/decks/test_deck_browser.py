"""The built decks in a real browser: no overflow, no request, and sliders that move and stay in step."""

import pytest
from editions import EDITIONS, filled, written
from pypdf import PdfReader

from course_lib.decks.build import BUILT

pytestmark = pytest.mark.browser

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
WAIT = 120_000  # milliseconds; a busy machine is no failure
NAMES = ["-".join(edition) for edition in EDITIONS]
SMALLEST = 32  # CSS pixels: 24 points on a slide of 1280 x 720

# What is wrong on the slide that is shown: things over its edge, small letters, empty pictures.
WRONG = """smallest => {
    const slide = Reveal.getCurrentSlide(), edge = slide.getBoundingClientRect(), wrong = [];
    if (slide.scrollHeight > slide.clientHeight || slide.scrollWidth > slide.clientWidth)
        wrong.push(`overflows: ${slide.scrollWidth} x ${slide.scrollHeight}`);
    for (const part of slide.querySelectorAll("h2, p, li, td, th, img, svg, svg text, .katex-html, input")) {
        if (part.closest("aside")) continue;
        const box = part.getBoundingClientRect();
        const across = Math.max(box.right - edge.right, edge.left - box.left);
        if (Math.max(across, box.bottom - edge.bottom, edge.top - box.top) > 1)
            wrong.push(`over the edge: ${part.tagName} ${part.textContent.slice(0, 30)}`);
    }
    const walk = document.createTreeWalker(slide, NodeFilter.SHOW_TEXT);
    while (walk.nextNode()) {
        const around = walk.currentNode.parentElement;
        if (!walk.currentNode.data.trim() || around.closest("aside, script, title, .katex")) continue;
        const size = parseFloat(getComputedStyle(around).fontSize);
        if (size < smallest) wrong.push(`${size} px: ${walk.currentNode.data}`);
    }
    for (const picture of slide.querySelectorAll("img"))
        if (!picture.naturalWidth || picture.clientHeight < 300 || !picture.alt) wrong.push("no picture");
    for (const picture of slide.querySelectorAll("svg"))
        if (picture.children.length < 20) wrong.push("an empty drawing");
    return wrong;
}"""


@pytest.fixture(scope="module")
def browser(chromium):
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield started
        started.close()


@pytest.fixture
def deck(browser):
    """deck(name, language): its page, opened as a file; it must ask for nothing and make no error."""
    asked, pages = [], []

    def opened(name: str, language: str):
        context = browser.new_context(viewport={"width": 1280, "height": 720})
        context.on("request", lambda request: asked.append(request.url))
        page = context.new_page()
        page.on("pageerror", lambda error: asked.append(str(error)))
        page.goto((BUILT / f"{name}-{language}.html").resolve().as_uri(), timeout=WAIT)
        page.wait_for_function("window.deckIsReady", timeout=WAIT)
        pages.append(context)
        return page

    yield opened
    assert not [each for each in asked if not each.startswith(("file:", "data:", "blob:", "about:"))]
    for context in pages:
        context.close()


@pytest.mark.parametrize(("name", "language"), EDITIONS, ids=NAMES)
def test_no_slide_overflows_or_has_small_letters_or_an_empty_picture(deck, name, language):
    page = deck(name, language)
    page.evaluate("document.fonts.ready")
    count = page.evaluate("Reveal.getTotalSlides()")
    assert count == len(written(name).slides)
    found = {}
    for number in range(count):
        page.evaluate(f"Reveal.slide({number})")
        if wrong := page.evaluate(WRONG, SMALLEST):
            found[number + 1] = wrong
    assert not found


def live_slides(name: str) -> list[int]:
    return [n for n, each in enumerate(written(name).slides) if each.show and each.show.kind == "live"]


@pytest.mark.parametrize(("name", "language"), EDITIONS, ids=NAMES)
def test_a_slider_moves_its_picture_by_keys_and_by_mouse_and_never_the_slides(deck, name, language):
    page = deck(name, language)
    for number in live_slides(name):
        page.evaluate(f"Reveal.slide({number})")
        slider, seen = page.locator("section.present input"), set()

        def picture():
            return page.locator("section.present .live").evaluate(
                "live => live.querySelector('svg').innerHTML + live.querySelector('.state').textContent"
            )

        seen.add(picture())
        for key in ("Home", "End", "ArrowLeft"):
            slider.press(key)
            seen.add(picture())
        box = slider.bounding_box()
        page.mouse.click(box["x"] + box["width"] / 3, box["y"] + box["height"] / 2)
        seen.add(picture())
        assert len(seen) == 5
        slider.press("ArrowRight")
        assert page.evaluate("Reveal.getIndices().h") == number
        slider.press("Escape")  # gives the keys back to the deck
        page.keyboard.press("ArrowRight")
        assert page.evaluate("Reveal.getIndices().h") == number + 1


def test_presenter_and_audience_move_in_step(deck):
    page = deck("fastbert", "zh")
    number = live_slides("fastbert")[0]
    page.evaluate(f"Reveal.slide({number})")
    with page.expect_popup(timeout=WAIT) as opening:
        page.keyboard.press("s")
    presenter = opening.value
    presenter.wait_for_selector("#current-slide iframe", timeout=WAIT)
    frame = presenter.query_selector("#current-slide iframe").content_frame()
    frame.wait_for_function(f"window.deckIsReady && Reveal.getIndices().h === {number}", timeout=WAIT)
    notes = presenter.locator(".speaker-controls-notes")
    assert written("fastbert").slides[number].notes["zh"]["ask"][:8] in notes.inner_text()

    value = "document.querySelector('section.present input').value"
    page.locator("section.present input").press("Home")
    frame.wait_for_function(f"{value} === '0'", timeout=WAIT)
    frame.locator("section.present input").press("End")
    page.wait_for_function(f"{value} === document.querySelector('section.present input').max", timeout=WAIT)


@pytest.mark.parametrize(("name", "language"), EDITIONS[::3], ids=NAMES[::3])
def test_on_paper_each_slide_fills_its_page_and_no_picture_is_lost(browser, name, language):
    page = browser.new_page(viewport={"width": 1280, "height": 720})
    page.goto(f"{(BUILT / f'{name}-{language}.html').resolve().as_uri()}?view=print", timeout=WAIT)
    page.wait_for_function("window.deckIsReady && document.querySelector('.pdf-page')", timeout=WAIT)
    found = page.evaluate(
        """[...document.querySelectorAll(".pdf-page section")].map(slide => ({
            size: [slide.clientWidth, slide.clientHeight], most: slide.scrollHeight,
            pictures: [...slide.querySelectorAll("img, svg")]
                .map(each => each.getBoundingClientRect().height)
        }))"""
    )
    page.close()
    assert len(found) == len(written(name).slides)
    for number, slide in enumerate(found, start=1):
        assert slide["size"] == [1280, 720] and slide["most"] <= 720, number
        assert all(height > 300 for height in slide["pictures"]), number


@pytest.mark.parametrize(("name", "language"), EDITIONS, ids=NAMES)
def test_the_pdf_has_a_page_a_slide_with_its_words(name, language):
    pages = PdfReader(BUILT / f"{name}-{language}.pdf").pages
    slides = filled(name, language).slides
    assert len(pages) == len(slides)
    for page, slide in zip(pages, slides, strict=True):
        text = "".join(page.extract_text().split())
        assert "".join(slide.title.split())[:12] in text
