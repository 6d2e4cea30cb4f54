"""The documentation names what is there: rooms, files, modules, options, methods, and where libraries are imported."""

import argparse
import ast
import contextlib
import io
import json
import pkgutil
import re
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path

import pytest

from personamath.commands.cli import COMMANDS
from personamath.methods import METHODS
from tests.conftest import REPO

PACKAGES = ("personamath", "personamath_hub")
FOLDERS = (*PACKAGES, "model_cards", "recipes", "accelerate_configs", "examples", "benchmarks", "docs", "tests")
PAGES = sorted([REPO / "README.md", REPO / "CONTRIBUTING.md", *(REPO / "docs").glob("*.md")])
# Files that CONTRIBUTING.md has its reader make.
TO_BE_MADE = {"personamath/methods/retelling.py", "tests/methods/test_retelling.py"}
# Pages whose options are PersonaMath's own, beside these of vLLM, Ray, lm-eval and the benchmarks.
PAGES_WITH_OPTIONS = (
    "README",
    "CONTRIBUTING",
    "analysis",
    "batch",
    "cost",
    "data",
    "method",
    "reliability",
    "scaling",
    "teachers",
)
OPTIONS_OF_OTHERS = {"--tensor-parallel-size", "--data-parallel-size", "--reasoning-parser", "--recursive"}
# Of vLLM, llama.cpp, SGLang and transformers.
OPTIONS_OF_OTHERS |= {"--generation-config", "--max-model-len", "--served-model-name", "--api-key", "--parallel"}
OPTIONS_OF_OTHERS |= {"--constraint"}  # of uv
OPTIONS_OF_OTHERS |= {"--branch", "--source", "--show-missing", "--skip-covered"}  # of coverage
OPTIONS_OF_OTHERS |= {"--ctx-size", "--reasoning-budget", "--threads", "--sampling-defaults", "--continuous-batching"}
OPTION_TO_BE_MADE = "--sentences"
ARCHITECTURE = (REPO / "docs" / "architecture.md").read_text(encoding="utf-8")


def rooms() -> set[str]:
    """Every package, and every module beside packages, as the map names them."""
    packages = {init.parent for name in PACKAGES for init in (REPO / name).rglob("__init__.py")}
    modules = {path for name in PACKAGES for path in (REPO / name).glob("*.py") if path.name[:2] != "__"}
    return {path.relative_to(REPO).as_posix() for path in packages | modules} - {"personamath"}


def mapped() -> list[str]:
    """The rooms that the map names, in its order."""
    block = re.search(r"## The map\n.*?```text\n(.*?)```", ARCHITECTURE, re.DOTALL)
    assert block
    return [line.split()[0] for line in block[1].splitlines()]


def test_the_map_has_every_room_and_nothing_else() -> None:
    assert sorted(mapped()) == sorted(rooms())


def test_the_map_goes_from_the_top_layer_down() -> None:
    project = tomllib.loads((REPO / "pyproject.toml").read_text(encoding="utf-8"))
    contract = project["tool"]["importlinter"]["contracts"][0]
    layers = [layer for line in contract["layers"] for layer in line.split(" | ")]
    named = [room.removesuffix(".py").replace("/", ".") for room in mapped()]
    assert [room for room in named if room in layers] == layers
    room = ""
    for name in named:  # parts of a room come right after it
        room = name if name in layers else room
        assert name == room or name.startswith(f"{room}.")


def rows_of(heading: str) -> Iterator[tuple[list[str], list[str]]]:
    """What the two columns of the table under a heading name as code."""
    section = ARCHITECTURE.partition(f"{heading}\n")[2].partition("\n## ")[0]
    for line in re.findall(r"^\| `.*", section, re.MULTILINE):
        first, second = line.split("|")[1:3]
        yield re.findall(r"`([^`]+)`", first), re.findall(r"`([^`]+)`", second)


@cache
def imports() -> dict[str, set[str]]:
    """The files that import each library, wherever in the file."""
    found: dict[str, set[str]] = {}
    packages = (file for name in PACKAGES for file in (REPO / name).rglob("*.py"))
    for path in [*packages, *(REPO / "recipes").glob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module] if isinstance(node, ast.ImportFrom) and node.module else []
            for name in names:
                found.setdefault(name.partition(".")[0], set()).add(path.relative_to(REPO).as_posix())
    return found


@pytest.mark.parametrize(
    ("library", "homes"),
    [(library, homes) for libraries, homes in rows_of("## Homes of the heavy libraries") for library in libraries],
)
def test_heavy_libraries_are_imported_in_their_homes_only(library: str, homes: list[str]) -> None:
    files = imports()[library]
    assert [
        file for file in sorted(files) if not any(file == home or file.startswith(f"{home}/") for home in homes)
    ] == []
    assert [home for home in homes if not any(file == home or file.startswith(f"{home}/") for file in files)] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_path_that_a_page_names_exists(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    named = set(re.findall(rf"(?<![\w/.-])(?:{'|'.join(FOLDERS)})/[\w./-]*[\w/]", text)) - TO_BE_MADE
    assert [path for path in sorted(named) if not (REPO / path).exists()] == []
    short = set(re.findall(r"`([a-z_]+/[\w/]+\.py)`", text)) - TO_BE_MADE  # `methods/work.py`
    assert [
        path for path in sorted(short) if not any((start / path).exists() for start in (REPO, REPO / "personamath"))
    ] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_link_of_a_page_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\((?!https?://)([^)]+)\)", page.read_text(encoding="utf-8")):
        path, _, anchor = target.partition("#")
        file = page.parent / path if path else page
        assert file.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.*)$", file.read_text(encoding="utf-8"), re.MULTILINE)
            assert anchor in {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}, target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_name_in_the_packages_resolves(page: Path) -> None:
    names = re.findall(r"(?<![\w/.-])personamath(?:_hub)?(?:\.\w+)+(?!/)", page.read_text(encoding="utf-8"))
    for name in set(names):
        assert pkgutil.resolve_name(name) is not None


@cache
def own_options() -> set[str]:
    """The options of all commands."""
    found = set()
    for name in COMMANDS:
        parser = argparse.ArgumentParser()
        import_module(f"personamath.commands.{name}").add_arguments(parser)
        found |= {option for action in parser._actions for option in action.option_strings}
    return found


@pytest.mark.parametrize(
    "page", [page for page in PAGES if page.stem in PAGES_WITH_OPTIONS], ids=lambda page: page.stem
)
def test_every_option_that_a_page_names_is_one(page: Path) -> None:
    prose = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    named = {option for code in re.findall(r"`([^`\n]+)`", prose) for option in re.findall(r"(?<!\S)--[a-z-]+", code)}
    assert named - own_options() - OPTIONS_OF_OTHERS - {OPTION_TO_BE_MADE} == set()


@pytest.mark.parametrize("name", METHODS)
def test_every_method_is_described(name: str) -> None:
    page = (REPO / "docs" / "method.md").read_text(encoding="utf-8")
    assert f"\n### {name}\n" in page and f"| `{name}`" in page
    assert f"`{name}`" in (REPO / "README.md").read_text(encoding="utf-8")


def test_the_digest_of_the_answers_is_computed_as_the_documentation_shows(demo_run: Path) -> None:
    facts = json.loads((demo_run / "dataset" / "provenance.json").read_text(encoding="utf-8"))
    page = (REPO / "docs" / "data.md").read_text(encoding="utf-8")
    (snippet,) = re.findall(r"^```python\n(import hashlib\n.*?)^```", page, re.MULTILINE | re.DOTALL)
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        exec(snippet.replace("runs/v1/", f"{demo_run}/"), {})
    assert printed.getvalue().strip() == facts["journal"]["sha256"]
