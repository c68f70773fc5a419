"""Builds docs/explorer.html from its sources in `explorer/`, the words, and the checkpoints.

The page is one file that asks nobody for anything: its modules become two scripts, the networks stand in it
as letters, and its own Content-Security-Policy forbids it to connect.
"""

import hashlib
import json
import re
from pathlib import Path

from course_lib import words
from course_lib.explorer.letters import to_letters
from course_lib.explorer.networks import NETWORKS, packed, what_packing_changed
from course_lib.paths import CHECKPOINTS, ROOT

SOURCES = ROOT / "explorer"
CODE = Path(__file__).parent
WORDS = Path(words.__file__).parent / "explorer.toml"
PAGE = ROOT / "docs" / "explorer.html"
POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline' 'unsafe-eval' blob:; "
    "worker-src blob:; img-src data:"
)
PREFIX = "explorer."  # of the page's words in the catalogue
_IMPORT = re.compile(r'^import \{([^}]*)\} from "\./(\w+)\.mjs";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export ((?:async )?function|const) (\w+)", re.MULTILINE)


def build(page: Path = PAGE) -> dict[str, str]:
    """Writes the page; -> what packing changed, as the page says it.

    Networks that the page holds already, packed as they would be now, are taken over: packing takes minutes.
    """
    kept = _networks_of(page)
    if kept is None:
        block = packed()
        letters, changed = to_letters(block), what_packing_changed(block)
    else:
        letters, changed = kept
    networks = {}
    for name in NETWORKS:
        config = json.loads((CHECKPOINTS / name / "config.json").read_text("utf-8"))
        classes = [config["id2label"][str(number)] for number in range(len(config["id2label"]))]
        networks[name] = {"layers": config["num_hidden_layers"], "classes": classes}
    parts = {
        "sources": digest(),
        "packing": digest_of_networks(),
        "policy": POLICY,
        "style": (SOURCES / "style.css").read_text("utf-8").strip(),
        "words": _json(page_words()),
        "facts": _json({"networks": networks, "values": changed}),
        "engine": bundle("engine"),
        "page": bundle("page"),
        "weights": letters,
    }
    template = (SOURCES / "page.html").read_text("utf-8")
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(re.sub(r"\{\{(\w+)\}\}", lambda found: parts[found[1]], template), "utf-8", newline="\n")
    return changed


def _networks_of(page: Path) -> tuple[str, dict[str, str]] | None:
    """A page's networks as letters, and what packing changed; None if they are older than their sources."""
    text = page.read_text("utf-8") if page.exists() else ""
    if f'data-packing="{digest_of_networks()}"' not in text:
        return None
    return page_part("weights-block", page), json.loads(page_part("facts", page))["values"]


def page_part(name: str, page: Path = PAGE) -> str:
    """What stands in a script of the built page, by the script's id.

    Raises:
        ValueError: the page has no such script.
    """
    found = re.search(rf'<script id="{name}"[^>]*>(.*?)</script>', page.read_text("utf-8"), re.DOTALL)
    if found is None:
        raise ValueError(f"{page.name} has no script {name!r}: build it anew with `course explorer`")
    return found[1]


def digest() -> str:
    """Of all that the page is made from: a page with another one is older than its sources."""
    return _digest(*SOURCES.iterdir(), *CODE.glob("*.py"), WORDS, *_checksums())


def digest_of_networks() -> str:
    """Of what the page's networks are made from."""
    code = (CODE / f"{name}.py" for name in ("letters", "networks", "pack", "round_well"))
    return _digest(*code, *_checksums())


def _checksums() -> list[Path]:
    return [CHECKPOINTS / name / "checksums.json" for name in NETWORKS]


def _digest(*files: Path) -> str:
    whole = hashlib.sha256()
    for name, file in sorted((f"{file.parent.name}/{file.name}", file) for file in files):
        whole.update(name.encode() + b"\0")
        whole.update(file.read_bytes().replace(b"\r\n", b"\n") + b"\0")
    return whole.hexdigest()


def page_words() -> dict[str, dict[str, str]]:
    """The words of the page: key without its prefix -> {"en": …, "zh": …}."""
    found = words.catalogue().items()
    return {key.removeprefix(PREFIX): entry for key, entry in found if key.startswith(PREFIX)}


def bundle(name: str) -> str:
    """The module explorer/NAME.mjs and all that it imports as one script, each in a scope of its own.

    At the end the module's exports are names of the script.

    Raises:
        ValueError: an import or export that is written in another way than `import { a } from "./b.mjs";`,
            `export function` and `export const`.
    """
    order: list[str] = []
    _visit(name, order)
    scripts = ['"use strict";']
    for each in order:
        code = _read(each)
        exported = [found[2] for found in _EXPORT.finditer(code)]
        code = _IMPORT.sub(lambda found: f"const {{{found[1]}}} = ${found[2]};\n", code)
        code = _EXPORT.sub(r"\1 \2", code)
        if re.search(r"^(import|export)\b", code, re.MULTILINE):
            raise ValueError(f"{each}.mjs imports or exports in a way that the builder does not know")
        scripts.append(f"const ${each} = (() => {{\n{code}\nreturn {{ {', '.join(exported)} }};\n}})();")
    exported = [found[2] for found in _EXPORT.finditer(_read(name))]
    scripts.append(f"const {{ {', '.join(exported)} }} = ${name};")
    return "\n".join(scripts)


def _visit(name: str, order: list[str]) -> None:
    """Adds a module to `order`, after those that it imports."""
    if name in order:
        return
    for found in _IMPORT.finditer(_read(name)):
        _visit(found[2], order)
    order.append(name)


def _read(name: str) -> str:
    code = (SOURCES / f"{name}.mjs").read_text("utf-8")
    if "</script" in code or "<!--" in code:
        raise ValueError(f"{name}.mjs would end the script in which it stands")
    return code


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False).replace("<", "\\u003c")
