"""The sliders of the lessons in JupyterLab, in a real browser: moved by keys, looked at, written in.

Prints the time from a key to the new picture; no test depends on it. What was seen is kept in
build/test-artifacts. `pytest tests/test_browser.py --pictures` also renews the READMEs' pictures in docs/.
"""

import io
import os
import shutil
import socket
import statistics
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass

import nbformat
import pytest
from PIL import Image

from course_lib import words
from course_lib.measures.cuts import STRATEGIES
from course_lib.paths import ROOT
from course_lib.style import font_file
from course_lib.teaching.lessons import NOTEBOOKS
from course_lib.words import t


@dataclass(frozen=True)
class Slider:
    """A slider of a lesson: the key presses from its left end to where it starts, and its readout there."""

    lesson: str
    place: int
    presses: int
    readout: str


LESSONS = {"03": "03_hierarchical_classifiers.ipynb", "04": "04_layerdrop.ipynb"}
SLIDERS = {
    "worlds": Slider("03", 0, 50, "0.50"),
    "reviews": Slider("03", 1, 50, "0.50"),
    "drop-rate": Slider("04", 0, 4, "0.20"),
    "depth": Slider("04", 1, 2, "6"),
}
FOLDERS = {"en": ".", "zh": "zh"}  # of the two editions, as in notebooks/
PICTURES = {"en": "slider.png", "zh": "slider-zh.png"}  # in docs/
ARTIFACTS = ROOT / "build" / "test-artifacts"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
STARTING, REACTING = 180, 60  # seconds; the most that a very busy machine may take

# Notes, for each new picture of a slider, the milliseconds since the key that asked for it.
STOPWATCH = """image => {
    let pressed;
    window.times = [];
    window.addEventListener("keydown", event => pressed = event.timeStamp, true);
    new MutationObserver(() => {
        const since = pressed;
        const shown = () => window.times.push(performance.now() - since);
        image.decode().finally(() => requestAnimationFrame(shown));
    }).observe(image, {attributes: true, attributeFilter: ["src"]});
}"""
BYTES = """async image => {
    const answer = await fetch(image.src, {signal: AbortSignal.timeout(10000)});
    return new Uint8Array(await answer.arrayBuffer()).join();
}"""


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """JupyterLab on this machine alone, on the lessons up to their sliders; gives its address."""
    ARTIFACTS.mkdir(parents=True, exist_ok=True)
    folder = tmp_path_factory.mktemp("lab")
    for part in FOLDERS.values():
        (folder / part).mkdir(exist_ok=True)
        for lesson in LESSONS.values():
            nbformat.write(_up_to_the_sliders(NOTEBOOKS / part / lesson), folder / part / lesson)
    # All cells stay on the page, also those out of sight; and no question about news lies on top of it.
    for name, setting in (
        ("notebook-extension/tracker", '{"windowingMode": "none"}'),
        ("apputils-extension/notification", '{"fetchNews": "false"}'),
    ):
        file = folder / "settings" / "@jupyterlab" / f"{name}.jupyterlab-settings"
        file.parent.mkdir(parents=True)
        file.write_text(setting)
    settings = {
        "JUPYTER_CONFIG_DIR": "config",
        "JUPYTER_DATA_DIR": "data",
        "JUPYTERLAB_SETTINGS_DIR": "settings",
    }
    environment = os.environ | {name: str(folder / part) for name, part in settings.items()}
    environment.pop("COURSE_LANG", None)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "jupyterlab", "--allow-root", "--no-browser", "--ip=127.0.0.1"]
    command += [f"--port={port}", f"--ServerApp.root_dir={folder}", "--IdentityProvider.token="]
    command += ["--ServerApp.password=", "--LabApp.news_url=None", "--LabApp.check_for_updates_class="]
    command[-1] += "jupyterlab.NeverCheckForUpdate"
    with (folder / "lab.log").open("w") as log:
        server = subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT)
    try:
        _wait_for(f"http://127.0.0.1:{port}/api", server, folder / "lab.log")
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        try:
            server.wait(30)
        except subprocess.TimeoutExpired:
            server.kill()


def _up_to_the_sliders(path):
    """The lesson without what follows its sliders, and without outputs that could be taken for new ones."""
    lesson = nbformat.read(path, 4)
    last = max(number for number, cell in enumerate(lesson.cells) if "Slider(" in cell.source)
    lesson.cells = lesson.cells[: last + 1]
    for cell in lesson.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return lesson


def _wait_for(address, server, log):
    end = time.monotonic() + STARTING
    while time.monotonic() < end and server.poll() is None:
        try:
            urllib.request.urlopen(address, timeout=5).close()
            return
        except OSError:
            time.sleep(0.2)
    raise RuntimeError(f"JupyterLab did not start:\n{log.read_text()}")


@pytest.fixture(scope="module")
def open_page(lab, chromium, tmp_path_factory, pytestconfig):
    """A function: lesson, language -> its page with all sliders shown, opened when first asked for.

    `.outside` holds the addresses beyond this machine that the page asked for.
    """
    playwright = pytest.importorskip("playwright.sync_api")
    home = tmp_path_factory.mktemp("home")
    (home / "fonts").mkdir()
    shutil.copy(font_file(), home / "fonts")  # a bare machine has no Chinese font for the page around
    pages = {}
    with playwright.sync_playwright() as session:
        browser = session.chromium.launch(
            executable_path=chromium,
            args=FLAGS,
            env=os.environ | {"XDG_DATA_HOME": str(home)},
            timeout=STARTING * 1000,
        )
        # The README's picture is made for dense screens.
        dense = 2 if pytestconfig.getoption("pictures") else 1

        def opened(lesson, language="zh"):
            words.use(language)
            if (lesson, language) not in pages:
                page = browser.new_page(viewport={"width": 1280, "height": 1200}, device_scale_factor=dense)
                pages[lesson, language] = page
                page.outside = []
                page.on(
                    "request",
                    lambda asked: page.outside.append(asked.url) if _is_outside(asked.url) else None,
                )
                page.set_default_timeout(STARTING * 1000)
                page.goto(f"{lab}/lab/tree/{FOLDERS[language]}/{LESSONS[lesson]}?reset")
                _run_all(page, sum(slider.lesson == lesson for slider in SLIDERS.values()))
                page.set_default_timeout(REACTING * 1000)
            return pages[lesson, language]

        try:
            yield opened
        finally:
            words.use(None)
            for (lesson, language), page in pages.items():
                page.screenshot(path=ARTIFACTS / f"page-{lesson}-{language}.png")  # tells more than an error
            browser.close()


def _run_all(page, sliders):
    # "Run all" is lost before the kernel is there, and the notebook's own sign says idle long before.
    page.wait_for_selector("#jp-main-statusbar >> text=/Python 3.* [|] Idle/")
    page.click('.lm-MenuBar-itemLabel:text-is("Run")')
    page.click('.lm-Menu [data-command="runmenu:run-all"]')
    trouble = '.jp-OutputArea-output:is([data-mime-type$=".stderr"], [data-mime-type$=".error"])'
    page.wait_for_selector(f"{trouble}, :nth-match(img.widget-image, {sliders})")
    assert page.locator(trouble).all_inner_texts() == []


def _is_outside(url: str) -> bool:
    return url.startswith(("http", "ws")) and "//127.0.0.1" not in url


@pytest.fixture(params=SLIDERS)
def slider(request, open_page):
    """One slider on its page; `.name` and `.about` say which."""
    about = SLIDERS[request.param]
    page = open_page(about.lesson)
    slider = page.locator(".widget-vbox").nth(about.place)
    slider.name, slider.about = request.param, about
    return slider


@pytest.mark.browser
def test_the_keys_move_the_picture(slider, capsys):
    page = slider.page
    image = slider.locator("img.widget-image")
    pictures = {"middle": image.evaluate(BYTES)}  # where the slider starts
    image.evaluate(STOPWATCH)
    slider.locator(".noUi-handle").focus()
    for move in range(1, 21):  # from end to end: every move has another picture
        side = "left" if move % 2 else "right"
        page.keyboard.press("Home" if side == "left" else "End")
        page.wait_for_function("moves => window.times.length >= moves", arg=move)
        page.wait_for_timeout(150)  # the texts follow the picture; a key pressed now would wait for them
        if side not in pictures:
            pictures[side] = image.evaluate(BYTES)
            _keep(slider, f"{slider.name}-{side}")
    assert len(set(pictures.values())) == 3

    page.keyboard.press("Home")
    for _ in range(slider.about.presses):  # as fast as when the key is held down
        page.keyboard.press("ArrowRight")
    assert slider.locator(".widget-readout").inner_text() == slider.about.readout
    _wait_until(lambda: image.evaluate(BYTES) == pictures["middle"], "the picture of the middle")
    _keep(slider, f"{slider.name}-middle")
    times = page.evaluate("window.times")[:20]
    with capsys.disabled():
        print(
            f"\n{slider.name} slider, from key to new picture in Chromium: "
            f"median {statistics.median(times):.0f} ms, quickest {min(times):.0f} ms, "
            f"slowest {max(times):.0f} ms ({len(times)} moves)"
        )


def _keep(slider, name):
    (ARTIFACTS / f"slider-{name}.png").write_bytes(_look_at(slider))


def _look_at(slider) -> bytes:
    slider.evaluate("slider => slider.scrollIntoView({block: 'center'})")  # clear of the notebook's rim
    return slider.screenshot()


def _wait_until(is_so, what):
    """For what Playwright, whose own waits are bounded, cannot wait for."""
    end = time.monotonic() + REACTING
    while not is_so():
        assert time.monotonic() < end, f"{what} did not come within {REACTING} seconds"
        time.sleep(0.1)


@pytest.mark.browser
@pytest.mark.parametrize("slider", ["depth"], indirect=True)
def test_every_strategy_is_a_button(slider):
    image = slider.locator("img.widget-image")
    buttons = slider.locator(".widget-toggle-buttons button")
    assert buttons.all_inner_texts() == [t(f"depth.{name}") for name in STRATEGIES]
    seen = []
    for name in [*STRATEGIES[1:], STRATEGIES[0]]:
        before = image.evaluate(BYTES)
        buttons.get_by_text(t(f"depth.{name}"), exact=True).click()
        _wait_until(lambda before=before: image.evaluate(BYTES) != before, f"the picture of {name}")
        seen.append(image.evaluate(BYTES))
        _keep(slider, f"{slider.name}-{name}")
    assert len(set(seen)) == len(STRATEGIES)


@pytest.mark.browser
def test_the_picture_for_the_readme(open_page, pytestconfig):
    """The live slider on the reviews; in docs/ it is renewed only where that is asked for."""
    renew = pytestconfig.getoption("pictures")
    for language in ("zh", "en") if renew else ("zh",):
        slider = open_page("03", language).locator(".widget-vbox").nth(SLIDERS["reviews"].place)
        assert slider.locator(".widget-slider .widget-label").inner_text() == t("slider.speed")
        picture = Image.open(io.BytesIO(_look_at(slider))).convert("RGB")
        # A palette halves the file, and nobody sees it.
        smaller = picture.quantize(256, method=Image.Quantize.MAXCOVERAGE)
        smaller.save((ROOT / "docs" if renew else ARTIFACTS) / PICTURES[language], optimize=True)


@pytest.mark.browser
@pytest.mark.parametrize("slider", ["worlds", "reviews"], indirect=True)
def test_a_typed_sentence_shows_every_layer(slider):
    box = slider.locator(".widget-text input")
    box.fill(slider.locator("span[title]").first.get_attribute("title"))  # of the table's first row
    box.press("Enter")
    slider.get_by_text(t("slider.leaves_here")).wait_for()
    assert slider.get_by_text(t("slider.column_uncertainty")).is_visible()
    _keep(slider, f"{slider.name}-typed")


@pytest.mark.browser
@pytest.mark.parametrize("lesson", LESSONS)
def test_the_page_asked_nobody_but_this_machine(open_page, lesson):
    assert open_page(lesson).outside == []
