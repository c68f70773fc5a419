"""Lesson 03 in JupyterLab, in a real browser: run all, move the slider by its keys, look at the picture.

Prints the median time from a key to the new picture; no test depends on seconds. What was seen is kept in
build/test-artifacts.
"""

import os
import shutil
import socket
import statistics
import subprocess
import sys
import time
import urllib.request

import nbformat
import pytest

from course_lib.lessons import NOTEBOOKS
from course_lib.paths import ROOT
from course_lib.style import font_file

LESSON = NOTEBOOKS / "zh" / "03_hierarchical_classifiers.ipynb"
ARTIFACTS = ROOT / "build" / "test-artifacts"
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
PATIENCE = 600_000  # milliseconds; a busy machine runs the lesson slowly, and that is no failure

# Resolves with the milliseconds from now (the key is pressed right after) to the slider's next picture;
# with null if none comes, as where no sentence changes its exit.
NEXT_PICTURE = """image => {
    window.__next = new Promise(resolve => {
        const start = performance.now();
        setTimeout(() => resolve(null), 5000);
        new MutationObserver((_, observer) => {
            observer.disconnect();
            image.decode().finally(() => requestAnimationFrame(() => resolve(performance.now() - start)));
        }).observe(image, {attributes: true, attributeFilter: ["src"]});
    });
}"""


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """JupyterLab on this machine alone, on a copy of the lesson; gives its address."""
    if not LESSON.is_file():
        pytest.skip("lesson 03 is not built yet; run `make build`")
    folder = tmp_path_factory.mktemp("lab")
    (folder / "zh").mkdir()
    shutil.copy(LESSON, folder / "zh")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
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
    command = [sys.executable, "-m", "jupyter", "lab", "--allow-root", "--no-browser", "--ip=127.0.0.1"]
    command += [f"--port={port}", f"--ServerApp.root_dir={folder}", "--IdentityProvider.token="]
    command += ["--ServerApp.password=", "--LabApp.news_url=None", "--LabApp.check_for_updates_class="]
    command[-1] += "jupyterlab.NeverCheckForUpdate"
    log = (folder / "lab.log").open("w")
    server = subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT)
    try:
        _wait_for(f"http://127.0.0.1:{port}/api", server, folder / "lab.log")
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(30)
        log.close()


def _wait_for(address, server, log):
    for _ in range(240):
        if server.poll() is not None:
            break
        try:
            urllib.request.urlopen(address, timeout=5).close()
            return
        except OSError:
            time.sleep(0.5)
    raise RuntimeError(f"JupyterLab did not start:\n{log.read_text()}")


@pytest.fixture(scope="module")
def page(lab, chromium, tmp_path_factory):
    """The lesson, run to its end, and the addresses outside this machine that the page asked for."""
    playwright = pytest.importorskip("playwright.sync_api")
    home = tmp_path_factory.mktemp("home")
    (home / "fonts").mkdir()
    shutil.copy(font_file(), home / "fonts")  # a bare machine has no Chinese font for the page around
    with playwright.sync_playwright() as session:
        browser = session.chromium.launch(
            executable_path=chromium, args=FLAGS, env=os.environ | {"XDG_DATA_HOME": str(home)}
        )
        page = browser.new_page(viewport={"width": 1280, "height": 1000})
        page.set_default_timeout(PATIENCE)
        page.outside = []
        page.on("request", lambda asked: page.outside.append(asked.url) if _is_outside(asked.url) else None)
        page.goto(f"{lab}/lab/tree/zh/{LESSON.name}?reset")
        page.wait_for_selector(".jp-NotebookPanel .jp-Cell")
        # Outputs that are there already must not be taken for new ones.
        _menu(page, "Edit", "editmenu:clear-all")
        _menu(page, "Run", "runmenu:run-all")
        # A cell with a hidden source, as the one that moves the sliders, shows no number.
        page.wait_for_function(
            """cells => {
                const prompts = [...document.querySelectorAll('.jp-CodeCell .jp-InputPrompt')];
                const done = prompts.filter(each => /^(\\[\\d+\\]:)?$/.test(each.textContent.trim()));
                return done.length === cells;
            }""",
            arg=sum(cell.cell_type == "code" for cell in nbformat.read(LESSON, 4).cells),
        )
        page.set_default_timeout(60_000)  # from here on nothing may take long
        yield page
        browser.close()


def _is_outside(url: str) -> bool:
    return url.startswith(("http", "ws")) and "//127.0.0.1" not in url


def _menu(page, menu, command):
    page.click(f'.lm-MenuBar-itemLabel:text-is("{menu}")')
    page.click(f'.lm-Menu [data-command="{command}"]')


@pytest.mark.browser
def test_the_slider_moves_the_picture_by_keyboard(page, capsys):
    ARTIFACTS.mkdir(parents=True, exist_ok=True)
    page.locator("img.widget-image").nth(1).wait_for()  # both sliders show their picture
    image, handle = page.locator("img.widget-image").last, page.locator(".noUi-handle").last
    handle.scroll_into_view_if_needed()
    handle.focus()
    pictures = {}
    for key, name in (("Home", "left"), ("End", "right")):
        page.keyboard.press(key)
        page.wait_for_timeout(1500)
        pictures[name] = _bytes_of(image)
        page.screenshot(path=ARTIFACTS / f"slider-{name}.png")
    times: list[float | None] = []
    for _ in range(50):  # from 1.00 down to the middle, one step of 0.01 a key
        image.evaluate(NEXT_PICTURE)
        page.keyboard.press("ArrowLeft")
        times.append(page.evaluate("window.__next"))
        page.wait_for_timeout(100)  # the kernel still sends the table; a key pressed now would wait for it
    pictures["middle"] = _bytes_of(image)
    page.screenshot(path=ARTIFACTS / "slider-middle.png")

    assert page.locator(".widget-readout").last.inner_text() == "0.50"
    assert len(set(pictures.values())) == 3
    seen = [milliseconds for milliseconds in times if milliseconds is not None]
    assert len(seen) >= 10
    with capsys.disabled():
        print(
            f"\nslider, from key to new picture in Chromium: median {statistics.median(seen):.0f} ms, "
            f"quickest {min(seen):.0f} ms, slowest {max(seen):.0f} ms ({len(seen)} pictures)"
        )


def _bytes_of(image) -> str:
    return image.evaluate(
        """async image => {
            const bytes = new Uint8Array(await (await fetch(image.src)).arrayBuffer());
            return bytes.join(',');
        }"""
    )


@pytest.mark.browser
def test_a_typed_sentence_shows_every_layer(page):
    box = page.locator(".widget-text input[type=text]").last
    box.fill("房间很干净，但是服务太差")
    box.press("Enter")
    page.wait_for_function("() => document.body.innerText.includes('← 在此离开')")
    page.screenshot(path=ARTIFACTS / "slider-typed.png")


@pytest.mark.browser
def test_the_page_asked_nobody_but_this_machine(page):
    assert page.outside == []
