"""run.json: the recipe of a run directory's dataset and the counts of its run."""

import dataclasses
import json
import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from personamath.errors import BadInput, RunDirectoryError
from personamath.files import read_json, written_whole
from personamath.folder.layout import PROVENANCE
from personamath.folder.provenance import package_versions, prompt_digests, published_recipe
from personamath.journal.run_folder import DATASET, is_url
from personamath.methods import METHODS, Method
from personamath.methods.method import defaults_added_later
from personamath.methods.roles import of_method
from personamath.recipe import Recipe
from personamath.runs.funnel import Funnel
from personamath.runs.input_record import InputRecord, Moved, pins
from personamath.runs.made import AskedCounts
from personamath.runs.setup import Setup
from personamath.sources.hub.split import without_revision
from personamath.teachers.serve import SERVED
from personamath.teachers.urls import without_secrets

FILE_NAME = "run.json"
REACHED = "reached"
WORKING_FOLDER = "working folder"
"""Where the run was started, from its run directory on: relative paths in the recipe begin there."""
DEFAULTS = {
    field.name: field.default if field.default is not dataclasses.MISSING else {}
    for field in dataclasses.fields(Recipe)
    if field.default is not dataclasses.MISSING or field.name == "request"
}
OF_EVERY_METHOD = {"problems", "teacher", "prompts", *DEFAULTS}
"""The keys of a recipe that are not settings of its method."""
OWN_NAME, OWN_FILE = "own", "problems.jsonl"
"""The source name, and the file in the run directory, of problems that are given as rows."""
GIVEN = re.compile(rf"{OWN_NAME}:(?:.*[/\\])?{re.escape(OWN_FILE)}:question:answer")
REPLACE = "give --replace to let this run replace its dataset"
REMEDY = "run the same `personamath augment` command again"


def write_run_file(
    folder: Path,
    recipe: Recipe,
    setup: Setup,
    record: InputRecord,
    funnel: Funnel,
    asked: AskedCounts,
    retries: Counter[str],
    reached: Mapping[str, int],
    ran: Mapping[str, Any],
) -> None:
    """Write run.json; raise `RunDirectoryError` if the disk refuses.

    `reached` has the number of requests in flight that the run found best, by endpoint; `ran` what it says of programs.
    """
    outline = recipe.method.outline
    content = {
        "complete": funnel.complete,
        "simulated": recipe.simulated,
        "recipe": recipe.as_dict(),
        WORKING_FOLDER: _working_folder(setup.output),
        "prompts": prompt_digests(recipe.prompts_in_use),
        "used": dict(record.used),
        "sources": dict(record.sources),
        **_endpoints(recipe, setup),
        "versions": package_versions(),
        "engine": setup.engine,
        "concurrency": {"set": setup.fixed_concurrency, REACHED: dict(reached)},
        "answers": {
            "asked this time": asked.asked,
            "from the journal": asked.replayed,
            "from other runs": asked.reused,
        },
        **ran,
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


def _working_folder(output: str) -> str:
    """The working folder, relative to the run directory so that both can move together."""
    here = os.path.realpath(Path.cwd())
    return here if is_url(output) else os.path.relpath(here, os.path.realpath(output))


def started_in(content: Mapping[str, Any], run: Path) -> Path:
    """Return the folder in which a run was started, by its run.json; the working folder if that does not say."""
    recorded = content.get(WORKING_FOLDER)
    return run.resolve() / recorded if isinstance(recorded, str) else Path()


def _endpoints(recipe: Recipe, setup: Setup) -> dict[str, Any]:
    """The endpoints that were asked and, with roles, which model and endpoints each role has."""
    if setup.serve:
        return {"endpoints": [SERVED]}
    teachers = setup.teachers(recipe)
    shown = {"endpoints": [without_secrets(url) for url in teachers.base_urls]}
    by_role = teachers.routes_by_role
    if len(set(by_role.values())) <= 1:
        return shown
    roles = {
        role: {"model": model, "endpoints": [without_secrets(url) for url in urls]}
        for role, (model, urls) in by_role.items()
    }
    return shown | {"teachers": roles}


def reached_before(folder: Path, recipe: Recipe) -> dict[str, int]:
    """Return the number of requests in flight that an earlier run with the same teachers found best, by endpoint."""
    if not (folder / FILE_NAME).exists():
        return {}
    try:
        content = read_json(folder / FILE_NAME, REPLACE)
        if content["recipe"]["teacher"] != recipe.as_dict()["teacher"]:
            return {}
        reached = content["concurrency"][REACHED]
        return {url: number for url, number in reached.items() if isinstance(number, int) and number > 0}
    except (BadInput, LookupError, TypeError, AttributeError):
        return {}  # an earlier version or a person wrote it; it is only a place to begin


def read_run_file(folder: Path) -> dict[str, Any]:
    """Read a run directory's run.json; raise `BadInput` if it is missing."""
    return read_json(folder / FILE_NAME, "give a run directory, or " + REMEDY)


def read_recipe(folder: Path, method: Method) -> Recipe:
    """Read the recipe of a run directory, with `method` instead of its own, which may be a user's.

    Raises `BadInput` if the folder is not a run directory.
    """
    content, path = read_run_file(folder), folder / FILE_NAME
    recorded = content.get("recipe")
    if isinstance(recorded, dict) and isinstance(name := recorded.get("method"), str) and name not in METHODS:
        # Only its author knows which of its keys are that method's settings.
        known = {key: value for key, value in recorded.items() if key in OF_EVERY_METHOD}
        if isinstance(prompts := known.get("prompts"), Mapping):
            known["prompts"] = {name: of for name, of in prompts.items() if name in method.prompts}
        if isinstance(teacher := known.get("teacher"), Mapping):
            known["teacher"] = of_method(teacher, method.outline, str(path))
        return Recipe.of(known | {"method": method}, str(path))
    return dataclasses.replace(recipe_of(content, path), method=method)


def recipe_of(content: Mapping[str, Any], path: Path) -> Recipe:
    """Return the recipe in the content of run.json or provenance.json."""
    try:
        return Recipe.of(content["recipe"], str(path))
    except (LookupError, TypeError, AttributeError):
        raise BadInput(f"{path}: PersonaMath did not write this file; {REMEDY}") from None


def check_same_recipe(folder: Path, recipe: Recipe) -> None:
    """Raise `BadInput` if a run directory holds the dataset of another recipe, naming the keys that differ."""
    differing = list(_differences(folder, recipe))
    if differing:
        raise _another(folder, differing)


def check_same_inputs(folder: Path, now: InputRecord) -> None:
    """Raise `BadInput` if a run directory belongs to the same recipe, but to other problems, personas or benchmarks.

    Of a run that has not ended, only datasets on the Hub count: files may be mended. Of one that has, everything does.
    """
    if not holds_rows(folder):
        now.check_same_as_begun(folder)
        return
    path, _ = _record(folder)
    content = read_json(path, REPLACE)
    used, sources = content.get("used"), content.get("sources")
    before = used if isinstance(used, dict) else {}
    # provenance.json has the sources at its top.
    recorded = sources if isinstance(sources, dict) else _provenance(folder)
    differing = [kind for kind, digest in now.used.items() if before.get(kind, digest) != digest]
    unknown = [kind for kind in now.used if kind not in before]
    moved = list(now.moved(recorded, [*differing, *unknown]))
    changed = [f"the {kind} have changed" for kind in dict.fromkeys([*differing, *(one.kind for one in moved)])]
    if changed:
        raise _another(folder, [*changed, *map(str, moved)], moved)


def _provenance(folder: Path) -> dict[str, Any]:
    path = folder / DATASET / PROVENANCE
    return read_json(path, REPLACE) if path.exists() else {}


def _another(folder: Path, differing: Iterable[str], moved: Sequence[Moved] = ()) -> BadInput:
    to_keep = f"to keep it, name {pins(moved)}; or " if moved else ""
    return BadInput(
        f"{folder}: contains the dataset of another recipe ({_joined(differing)}): {to_keep}use another output, or "
        "replace that dataset with --replace; its answers stay in the journal either way"
    )


def _joined(parts: Iterable[str]) -> str:
    return "; ".join(dict.fromkeys(parts))


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
    path, is_run_file = _record(folder)
    content = read_json(path, REPLACE)
    later = defaults_added_later(recipe.method)
    now = DEFAULTS | later | (recipe.as_dict() if is_run_file else published_recipe(recipe))
    recorded = content.get("recipe")
    if not isinstance(recorded, dict):
        raise BadInput(f"{path}: not as PersonaMath writes it; {REPLACE}")
    # A key that a later version added is as it was by default. Once there was one method only.
    before = _comparable(DEFAULTS | later | {"method": "persona"} | recorded)
    after = _comparable(json.loads(json.dumps(now)))
    same_method = before["method"] == after["method"]
    # The settings of two methods cannot be compared.
    for key in [key for key in after if same_method or key in {"method", *OF_EVERY_METHOD}]:
        if before.get(key) != after[key]:
            yield f"{key} was {_json(before.get(key))}, is {_json(after[key])}"
    if same_method:
        yield from (f"{key} was {_json(value)}, is unknown here" for key, value in before.items() if key not in after)
        yield from _changed_prompts(content.get("prompts"), recipe)


def _record(folder: Path) -> tuple[Path, bool]:
    """The file that says what a run directory's dataset was made from, and whether that is run.json."""
    if (folder / FILE_NAME).exists():
        return folder / FILE_NAME, True
    return folder / DATASET / PROVENANCE, False  # killed just before it wrote run.json, or somebody removed that


def _changed_prompts(recorded: object, recipe: Recipe) -> Iterator[str]:
    """The prompts of the same method that have changed; an earlier version had its own, and recorded none."""
    if not isinstance(recorded, dict):
        recorded = prompt_digests(recipe.method.prompts)
    before = {name: one.get("sha256") for name, one in recorded.items() if isinstance(one, dict)}
    now = {name: one["sha256"] for name, one in prompt_digests(recipe.prompts_in_use).items()}
    for name in dict.fromkeys([*before, *now]):
        if before.get(name) != now.get(name):
            yield f"the prompt {name!r} has changed"


def _comparable(recipe: dict[str, Any]) -> dict[str, Any]:
    """A recipe in which sources are alike that may hold the same: what they hold is compared by its digest.

    Revisions are left out; so is where the run directory was of problems that were given as rows. Prompts, too, are
    compared by their texts. Another budget makes more or fewer rows of the same dataset.
    """
    found = {key: value for key, value in recipe.items() if key not in ("prompts", "budget")}
    for key in ("problems", "benchmark"):
        if isinstance(sources := recipe.get(key), list):
            found[key] = [
                "given as rows" if GIVEN.fullmatch(str(one)) else without_revision(str(one)) for one in sources
            ]
    if isinstance(personas := recipe.get("personas"), str):
        found["personas"] = without_revision(personas)
    return found


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
