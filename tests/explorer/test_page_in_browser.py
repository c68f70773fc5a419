"""The built page in Chromium, opened as a file: it answers as course_lib does, by mouse and keys.

Prints the time from a move of the slider to the new picture. What was seen is kept in build/test-artifacts.
`pytest tests/explorer --pictures` also renews the READMEs' pictures in docs/.
"""

import io
import os
import shutil
import statistics
from urllib.parse import urlencode

import numpy as np
import pytest
import torch
from PIL import Image

from course_lib.explorer.build import PAGE
from course_lib.explorer.networks import LAYERDROP, PLAIN, WORLDS
from course_lib.explorer.pack import packed_fastbert
from course_lib.models.checkpoints import load_fastbert
from course_lib.models.pruning import prune
from course_lib.paths import CHECKPOINTS, ROOT
from course_lib.style import font_file
from course_lib.texts.worlds import make_world, render

pytestmark = pytest.mark.browser

ARTIFACTS = ROOT / "build" / "test-artifacts"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
PATIENCE = 180_000  # milliseconds; the most that a very busy machine may take
SENTENCE = "房间很干净，但是服务太差"
WORLD = render(make_world(["小明", "小红", "小刚", "小丽", "小华", "小芳", "小军", "小美"], 3), "zh")
CHOICES = {  # network -> how the address names it
    PLAIN: {"task": "reviews", "weights": "plain"},
    LAYERDROP: {"task": "reviews", "weights": "layerdrop"},
    WORLDS[0]: {"task": "worlds", "weights": "plain"},
    WORLDS[1]: {"task": "worlds", "weights": "layerdrop"},
}
PICTURES = {"en": "explorer.png", "zh": "explorer-zh.png"}  # in docs/


@pytest.fixture(scope="module")
def browser(chromium, tmp_path_factory):
    playwright = pytest.importorskip("playwright.sync_api")
    ARTIFACTS.mkdir(parents=True, exist_ok=True)
    home = tmp_path_factory.mktemp("home")
    (home / "fonts").mkdir()
    shutil.copy(font_file(), home / "fonts")  # a bare machine has no Chinese font
    with playwright.sync_playwright() as session:
        browser = session.chromium.launch(
            executable_path=chromium,
            args=FLAGS,
            env=os.environ | {"XDG_DATA_HOME": str(home)},
            timeout=PATIENCE,
        )
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser):
    """A function: the screen and what the address says -> the page, ready; nothing may be amiss later."""
    pages = []

    def opened(size=(1280, 720), script="", **state):
        context = browser.new_context(viewport={"width": size[0], "height": size[1]}, reduced_motion="reduce")
        page = context.new_page()
        pages.append(page)
        page.set_default_timeout(PATIENCE)
        page.amiss, page.asked = [], []
        page.on("console", lambda message: page.amiss.append(message.text))
        page.on("pageerror", lambda error: page.amiss.append(str(error)))
        page.on("request", lambda request: page.asked.append(request.url))
        if script:
            page.add_init_script(script)
        page.goto(f"{PAGE.as_uri()}#{urlencode(state)}")
        page.wait_for_selector("body[data-ready]")
        wait_for_answer(page)
        return page

    yield opened
    for page in pages:
        assert page.amiss == []
        outside = [url for url in page.asked if not url.startswith((PAGE.as_uri(), "blob:", "data:"))]
        assert outside == []
        page.context.close()


def wait_for_answer(page):
    """Until every layer that is left has answered, and the address has followed."""
    page.wait_for_function("""() => {
        const left = document.querySelectorAll("#layers button[aria-pressed=true]").length;
        const rows = [...document.querySelectorAll("#table tbody tr")];
        const answered = rows.filter((row) => row.cells[1].textContent !== "–").length;
        return left > 0 && answered === left && document.querySelector("#table .leaving");
    }""")


def table(page) -> dict[int, list[float]]:
    """What the page shows: depth -> probabilities and uncertainty."""
    rows = page.locator("#table tbody tr").evaluate_all(
        "rows => rows.map((row) => [...row.cells].map((cell) => cell.textContent))"
    )
    return {int(row[0]): [float(value) for value in row[1:]] for row in rows if row[1] != "–"}


def leaving(page) -> int:
    return int(page.locator("#layers .leaving").inner_text())


@torch.no_grad()
@pytest.mark.parametrize("name", CHOICES)
def test_the_page_answers_as_course_lib_does(open_page, unpacked, name):
    whole, tokenizer = packed_fastbert(unpacked[name], CHECKPOINTS / name), load_fastbert(name)[1]
    texts = (
        [WORLD, WORLD.replace("3", "1")]
        if name in WORLDS
        else [SENTENCE, "", "A very good book! 👍", "好" * 200]
    )
    page = open_page(text=texts[0], **CHOICES[name])
    for text in texts:
        page.locator("#text").fill(text)
        page.wait_for_timeout(300)  # it reads when the typing rests
        for out in ([], [2, 5]):
            for depth in out:
                page.locator("#layers button").nth(depth - 1).click()
            wait_for_answer(page)
            kept = [depth for depth in range(1, whole.config.num_hidden_layers + 1) if depth not in out]
            model = prune(whole, kept)
            inputs = tokenizer(text, truncation=True, return_tensors="pt")["input_ids"]
            expected = model.layer_logits(inputs)[:, 0].softmax(-1).numpy()
            found = table(page)
            assert list(found) == kept
            assert np.allclose([row[:-1] for row in found.values()], expected, atol=1e-3 + 5e-4)  # 3 decimals
            for speed in (0.0, 0.3, 0.9):
                page.locator("#speed").fill(str(speed))
                page.wait_for_timeout(60)
                place = model.predict(inputs, speed=speed).exit_layer.item()
                assert leaving(page) == kept[place - 1], (text, out, speed)
            for depth in out:
                page.locator("#layers button").nth(depth - 1).click()
            wait_for_answer(page)


def test_five_hundred_moves_of_the_speed_slider_never_stall(open_page, capsys):
    page = open_page(text=SENTENCE, task="reviews")
    times = page.evaluate("""async () => {
        const slider = document.getElementById("speed");
        const nextFrame = () => new Promise(requestAnimationFrame);
        const painted = () => new Promise((resolve) => { // what is posted in a frame comes after its drawing
            const { port1, port2 } = new MessageChannel();
            port1.onmessage = resolve;
            port2.postMessage(null);
        });
        const times = [];
        for (let move = 0; move < 500; move++) {
            await nextFrame(); // when a browser hands out the moves of a hand
            slider.value = (move * 37 % 101) / 100;
            const before = performance.now();
            slider.dispatchEvent(new Event("input", { bubbles: true }));
            await painted();
            times.push(performance.now() - before);
            const label = document.querySelector("#chart .threshold-label").textContent;
            if (!label.endsWith(Number(slider.value).toFixed(2))) throw new Error(`shows ${label}`);
        }
        return times;
    }""")
    with capsys.disabled():
        print(
            f"\nfrom a move of the speed slider to the new picture in Chromium: median "
            f"{statistics.median(times):.1f} ms, slowest {max(times):.0f} ms ({len(times)} moves)"
        )
    assert len(times) == 500
    assert statistics.median(times) < 250 and max(times) < 10_000  # a hang, not a busy machine


def test_it_also_answers_where_there_can_be_no_worker(open_page):
    page = open_page(script="window.Worker = undefined", text=SENTENCE)
    assert len(table(page)) == 12


def test_keys_scrub_and_change_the_speed_and_the_address_keeps_it(open_page):
    page = open_page(text=SENTENCE, speed=0.05, language="en")
    page.locator("h1").click()
    end = leaving(page)
    page.keyboard.press("ArrowLeft")
    assert (
        page.locator("#layers .passed").count() == end - 1 and page.locator("#layers .leaving").count() == 0
    )
    page.keyboard.press("ArrowRight")
    assert leaving(page) == end
    for _ in range(3):
        page.keyboard.press("ArrowUp")
    page.wait_for_timeout(100)
    assert page.locator("#speed-now").inner_text() == "0.08"
    page.locator("#layers button").nth(6).click()
    wait_for_answer(page)
    page.locator('#weights label:has([value="layerdrop"])').click()
    wait_for_answer(page)
    page.wait_for_timeout(400)  # the address follows when the hand rests
    address, seen = page.url, (table(page), leaving(page), page.locator("#answer").inner_text())
    assert "out=7" in address and "speed=0.08" in address and "weights=layerdrop" in address
    again = open_page(
        **dict(pair.split("=") for pair in address.split("#")[1].split("&") if "text" not in pair),
        text=SENTENCE,
    )
    assert (table(again), leaving(again), again.locator("#answer").inner_text()) == seen


def test_space_plays_the_sentence_through_the_layers(browser):
    page = browser.new_page()  # with motion
    page.set_default_timeout(PATIENCE)
    page.goto(f"{PAGE.as_uri()}#{urlencode({'text': SENTENCE, 'speed': 0, 'language': 'en'})}")
    page.wait_for_selector("#layers .leaving")
    page.locator("h1").click()
    page.evaluate("""() => {  // the second press comes from within: a busy machine would miss the moment
        const layers = document.getElementById("layers");
        window.seen = [];
        new MutationObserver((_, observer) => {
            const passed = layers.querySelectorAll(".passed").length;
            if (window.seen.at(-1) !== passed) window.seen.push(passed);
            if (passed !== 4) return;
            observer.disconnect();
            document.body.dispatchEvent(new KeyboardEvent("keydown", { key: " ", bubbles: true }));
        }).observe(layers, { subtree: true, attributes: true });
    }""")
    page.keyboard.press("Space")
    page.wait_for_function("window.seen.at(-1) === 4")
    assert page.evaluate("window.seen") == [0, 1, 2, 3, 4]
    page.wait_for_timeout(700)  # four layers' time
    assert page.locator("#layers .passed").count() == 4
    page.keyboard.press("Space")
    page.wait_for_selector("#layers .leaving")
    page.close()


def test_the_drop_rate_takes_layers_out_and_gives_them_back(open_page):
    page = open_page(text=SENTENCE)
    counts = []
    for rate in ("0.3", "0.9", "0"):
        page.locator("#rate").fill(rate)
        wait_for_answer(page)
        counts.append(page.locator("#layers .out").count())
    assert 0 < counts[0] < counts[1] <= 11 and counts[2] == 0


def test_worlds_are_drawn_and_take_one_to_four_steps(open_page):
    page = open_page(language="en")
    page.locator('#task label:has([value="worlds"])').click()
    for steps in (4, 1):
        page.locator("#steps label").nth(steps - 1).click()
        wait_for_answer(page)
        assert page.locator("#ring .steps").text_content() == str(steps)
        assert f"Pass it {steps}" in page.locator("#text").input_value()
    page.locator("#tongue").click()
    page.locator("#another").click()
    wait_for_answer(page)
    assert "传1次" in page.locator("#text").input_value()
    assert "has the ball" in page.locator("#reason").inner_text()


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize(
    "size", [(360, 740), (1280, 720), (1920, 1080)], ids=["phone", "laptop", "projector"]
)
def test_it_fits_any_screen_and_every_control_has_a_name(open_page, language, size):
    for task, text in (("reviews", SENTENCE), ("worlds", WORLD)):
        page = open_page(size, language=language, task=task, text=text)
        assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
        nameless = page.evaluate("""() => [...document.querySelectorAll("button, input, textarea, svg[role]")]
            .filter((element) => element.checkVisibility())
            .filter((element) => !(element.ariaLabel || element.textContent.trim()
                || [...(element.labels ?? [])].some((label) => label.textContent.trim())))
            .map((element) => element.outerHTML)""")
        assert nameless == []
        page.screenshot(path=ARTIFACTS / f"explorer-{task}-{language}-{size[0]}.png", full_page=size[0] < 500)


def test_dark_and_light(open_page):
    page = open_page(text=SENTENCE, language="zh")
    paper = "getComputedStyle(document.body).backgroundColor"
    before = page.evaluate(paper)
    page.locator("#theme").click()
    assert page.evaluate(paper) != before
    page.screenshot(path=ARTIFACTS / "explorer-dark.png")


@pytest.mark.parametrize("language", PICTURES)
def test_the_picture_for_the_readme(browser, language, pytestconfig):
    renew = pytestconfig.getoption("pictures")
    context = browser.new_context(
        viewport={"width": 1280, "height": 790},
        device_scale_factor=2 if renew else 1,
        reduced_motion="reduce",
    )
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    world = make_world(["小明", "小红", "小刚", "小丽", "小华", "小芳", "小军", "小美"], 3)
    state = {"language": language, "task": "worlds", "text": render(world, language)}
    page.goto(f"{PAGE.as_uri()}#{urlencode(state)}")
    page.wait_for_selector("body[data-ready]")
    wait_for_answer(page)
    page.wait_for_timeout(500)
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    smaller = picture.quantize(256, method=Image.Quantize.MAXCOVERAGE)
    smaller.save((ROOT / "docs" if renew else ARTIFACTS) / PICTURES[language], optimize=True)
    context.close()
