"""The rooms of course_lib: imports point down, as ARCHITECTURE.md says, and no module is left outside."""

import ast

import pytest

from course_lib.paths import ROOT

LIBRARY = ROOT / "course_lib"
GROUND = {"paths", "machine", "style", "words"}
FLOORS = [  # from the ground up; rooms on the same floor do not import each other
    {"texts"},
    {"models"},
    {"measures"},
    {"training"},
    {"figures", "tables"},
    {"widgets", "explorer"},
    {"decks"},
    {"teaching"},
    {"command"},
]
FLOOR_OF = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}
FILES = sorted(path for path in LIBRARY.rglob("*.py") if path != LIBRARY / "__init__.py")


def imported(path) -> set[str]:
    """The modules of course_lib that a file imports, wherever in the file it does: "models.fastbert"."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name} imports by dots; say from course_lib.ROOM import …"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        found |= {name.removeprefix("course_lib.") for name in names if name.startswith("course_lib.")}
    return found


def room_of(path) -> str:
    return path.relative_to(LIBRARY).with_suffix("").parts[0]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(LIBRARY)))
def test_a_file_imports_from_its_own_room_and_from_below(path):
    room = room_of(path)
    assert room in FLOOR_OF or room in GROUND, f"{path.name} stands in no room of ARCHITECTURE.md"
    for module in imported(path):
        other = module.split(".")[0]
        if other in GROUND or other == room:
            continue
        assert other in FLOOR_OF, f"{path.name} imports course_lib.{module}: name the room it lives in"
        assert room not in GROUND, f"{path.name} is on the ground, but imports {module}"
        assert FLOOR_OF[other] < FLOOR_OF[room], f"{path.name}: the arrow to {module} points up"


def test_no_two_files_import_each_other_in_a_circle():
    graph = {}
    for path in FILES:
        name = ".".join(path.relative_to(LIBRARY).with_suffix("").parts).removesuffix(".__init__")
        graph[name] = imported(path)
    modules = set(graph)
    arrows = {
        name: {m if m in modules else m.rpartition(".")[0] for m in found} & modules - {name}
        for name, found in graph.items()
    }
    done, path = set(), []

    def walk(name):
        assert name not in path, f"a circle: {' -> '.join([*path[path.index(name) :], name])}"
        if name not in done:
            path.append(name)
            for other in sorted(arrows[name]):
                walk(other)
            done.add(path.pop())

    for name in sorted(modules):
        walk(name)


def test_architecture_names_every_room():
    text = (ROOT / "ARCHITECTURE.md").read_text("utf-8")
    for name in [*FLOOR_OF, *GROUND]:
        assert f"`{name}`" in text, f"ARCHITECTURE.md does not name {name}"
