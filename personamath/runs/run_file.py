"""run.json: the recipe of a run directory's dataset and the counts of its run."""

import dataclasses
import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from personamath.errors import BadInput, RunDirectoryError
from personamath.files import read_json, written_whole
from personamath.folder.provenance import package_versions
from personamath.recipe import Recipe
from personamath.runs.funnel import Funnel
from personamath.runs.setup import Setup
from personamath.teachers.prices import Bill
from personamath.teachers.urls import without_secrets

FILE_NAME = "run.json"
DEFAULTS = {
    field.name: field.default if field.default is not dataclasses.MISSING else {}
    for field in dataclasses.fields(Recipe)
    if field.default is not dataclasses.MISSING or field.name == "request"
}
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
    folder: Path, recipe: Recipe, setup: Setup, funnel: Funnel, asked: AskedCounts, retries: Counter[str]
) -> None:
    """Write run.json; raise `RunDirectoryError` if the disk refuses."""
    outline = recipe.method.outline
    content = {
        "complete": funnel.complete,
        "simulated": recipe.simulated,
        "recipe": recipe.as_dict(),
        "endpoints": ["vllm in-process"] if setup.offline_vllm else [without_secrets(url) for url in setup.base_url],
        "versions": package_versions(),
        "engine": setup.engine,
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
    """Raise `BadInput`, naming the differing keys, if a run directory contains the dataset of another recipe."""
    path = folder / FILE_NAME
    if not path.exists():
        return
    recorded = read_run_file(folder).get("recipe")
    if not isinstance(recorded, dict):
        raise BadInput(f"{path}: PersonaMath did not write this file; remove it to let this run replace its dataset")
    now = json.loads(json.dumps(recipe.as_dict()))
    # A key that a later version added had its default value. Early versions had only one method.
    before = DEFAULTS | {"method": "persona"} | recorded
    differing = [
        f"{key} was {_json(before.get(key))}, is {_json(value)}"
        for key, value in now.items()
        if before.get(key) != value
    ]
    if differing:
        raise BadInput(
            f"{folder}: contains the dataset of another recipe ({'; '.join(differing)}): use another output, or "
            "replace that dataset with --replace; its answers stay in the journal either way"
        )


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
