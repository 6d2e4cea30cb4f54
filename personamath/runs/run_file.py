"""run.json: the recipe of a run directory's dataset and the counts of its run."""

import dataclasses
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

from personamath.errors import BadInput, RunDirectoryError
from personamath.files import read_json, written_whole
from personamath.folder.layout import PROVENANCE
from personamath.folder.provenance import package_versions, published_recipe
from personamath.journal.run_folder import DATASET
from personamath.recipe import Recipe
from personamath.runs.funnel import Funnel
from personamath.runs.setup import Setup
from personamath.teachers.prices import Bill
from personamath.teachers.urls import without_secrets

FILE_NAME = "run.json"
REACHED = "reached"
DEFAULTS = {
    field.name: field.default if field.default is not dataclasses.MISSING else {}
    for field in dataclasses.fields(Recipe)
    if field.default is not dataclasses.MISSING or field.name == "request"
}
OWN_NAME, OWN_FILE = "own", "problems.jsonl"
"""The source name, and the file in the run directory, of problems that are given as rows."""
GIVEN = re.compile(rf"{OWN_NAME}:(?:.*[/\\])?{re.escape(OWN_FILE)}:question:answer")
REPLACE = "give --replace to let this run replace its dataset"
REMEDY = "run the same `personamath augment` command again"


class AskedCounts(Protocol):
    """What a run asked and paid."""

    @property
    def asked(self) -> int:
        """Requests that the teacher answered in this run."""
        ...

    @property
    def replayed(self) -> int:
        """Requests answered from the run directory."""
        ...

    @property
    def bill(self) -> Bill:
        """The cost of all answers in the run directory."""
        ...


def write_run_file(
    folder: Path,
    recipe: Recipe,
    setup: Setup,
    funnel: Funnel,
    asked: AskedCounts,
    retries: Counter[str],
    reached: Mapping[str, int],
) -> None:
    """Write run.json; raise `RunDirectoryError` if the disk refuses.

    `reached` has the requests in flight that were found right, by base URL.
    """
    outline = recipe.method.outline
    content = {
        "complete": funnel.complete,
        "simulated": recipe.simulated,
        "recipe": recipe.as_dict(),
        **_endpoints(recipe, setup),
        "versions": package_versions(),
        "engine": setup.engine,
        "concurrency": {"set": setup.fixed_concurrency, REACHED: dict(reached)},
        "answers": {"asked this time": asked.asked, "from the journal": asked.replayed},
        "taken off": funnel.taken_off_by_kind(),
        "asked again after": dict(retries.most_common()),
        "paid": asked.bill.as_dict(kind.name for kind in outline.kinds),
        **funnel.as_dict(outline),
    }
    path = folder / FILE_NAME
    try:
        with written_whole(path) as partial:
            partial.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    except OSError as error:
        raise RunDirectoryError(f"cannot write {path}: {error.strerror}") from None


def _endpoints(recipe: Recipe, setup: Setup) -> dict[str, Any]:
    """The endpoints that were asked, and for roles who answered which."""
    if setup.serve:
        return {"endpoints": ["vllm serve"]}
    teachers = setup.teachers(recipe)
    shown = {"endpoints": [without_secrets(url) for url in teachers.base_urls]}
    by_role = teachers.routes_by_role
    if len(set(by_role.values())) == 1:
        return shown
    roles = {
        role: {"model": model, "endpoints": [without_secrets(url) for url in urls]}
        for role, (model, urls) in by_role.items()
    }
    return shown | {"teachers": roles}


def reached_before(folder: Path, recipe: Recipe) -> dict[str, int]:
    """Return the requests in flight that an earlier run with the same teacher found right, by base URL."""
    if not (folder / FILE_NAME).exists():
        return {}
    try:
        content = read_json(folder / FILE_NAME, REPLACE)
        if content["recipe"]["teacher"] != recipe.as_dict()["teacher"]:
            return {}
        reached = content["concurrency"][REACHED]
        return {url: number for url, number in reached.items() if isinstance(number, int) and number > 0}
    except (BadInput, LookupError, TypeError, AttributeError):
        return {}  # an earlier version wrote it, or a hand; it is only a place to begin


def read_run_file(folder: Path) -> dict[str, Any]:
    """Read a run directory's run.json; raise `BadInput` if it is missing."""
    return read_json(folder / FILE_NAME, "give a run directory, or " + REMEDY)


def read_recipe(folder: Path) -> Recipe:
    """Read the recipe of a run directory; raise `BadInput` if the folder is not a run directory."""
    return recipe_of(read_run_file(folder), folder / FILE_NAME)


def recipe_of(content: Mapping[str, Any], path: Path) -> Recipe:
    """Return the recipe in the content of run.json or provenance.json."""
    try:
        return Recipe.of(content["recipe"], str(path))
    except (LookupError, TypeError, AttributeError):
        raise BadInput(f"{path}: PersonaMath did not write this file; {REMEDY}") from None


def check_same_recipe(folder: Path, recipe: Recipe) -> None:
    """Raise `BadInput` where a run directory holds the dataset of another recipe, naming the keys that differ."""
    differing = list(_differences(folder, recipe))
    if differing:
        raise BadInput(
            f"{folder}: contains the dataset of another recipe ({'; '.join(differing)}): use another output, or "
            "replace that dataset with --replace; its answers stay in the journal either way"
        )


def holds_rows(folder: Path) -> bool:
    """Whether a run ended here with rows; a directory whose run kept none has nothing to protect."""
    if not (folder / FILE_NAME).exists():
        return (folder / DATASET / PROVENANCE).exists()
    rows = read_json(folder / FILE_NAME, REPLACE).get("rows")
    return not isinstance(rows, dict) or any(rows.values())


def _differences(folder: Path, recipe: Recipe) -> Iterator[str]:
    """The keys of a recipe that differ from those of the dataset in a run directory, with both values."""
    if not holds_rows(folder):
        return
    path, now = folder / FILE_NAME, DEFAULTS | recipe.as_dict()
    if not path.exists():  # the run was killed just before it wrote it, or somebody removed it
        path, now = folder / DATASET / PROVENANCE, DEFAULTS | published_recipe(recipe)
    recorded = read_json(path, REPLACE).get("recipe")
    if not isinstance(recorded, dict):
        raise BadInput(f"{path}: not as PersonaMath writes it; {REPLACE}")
    # A key that a later version added is as it was by default. Once there was one method only.
    before = _comparable(DEFAULTS | {"method": "persona"} | recorded)
    after = _comparable(json.loads(json.dumps(now)))
    same_method = before["method"] == after["method"]
    # The settings of two methods cannot be compared.
    for key in [key for key in after if same_method or key in {"method", *DEFAULTS, "problems", "teacher"}]:
        if before.get(key) != after[key]:
            yield f"{key} was {_json(before.get(key))}, is {_json(after[key])}"
    if same_method:
        yield from (f"{key} was {_json(value)}, is unknown here" for key, value in before.items() if key not in after)


def _comparable(recipe: dict[str, Any]) -> dict[str, Any]:
    """A recipe in which problems that were given as rows are alike, wherever the run directory was."""
    sources = recipe.get("problems")
    if not isinstance(sources, list):
        return recipe
    return recipe | {"problems": ["given as rows" if GIVEN.fullmatch(str(source)) else source for source in sources]}


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
