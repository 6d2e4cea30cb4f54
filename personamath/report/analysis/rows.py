"""What the analyses read: the rows of a dataset folder, and more where its run, problems and personas are at hand."""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from personamath import prompts
from personamath.errors import BadInput
from personamath.journal.block_files import all_answer_files, read_answers
from personamath.journal.file_format import FILE_NAME, open_for_reading, unreadable
from personamath.journal.run_folder import RUN_FILE, RunFolder
from personamath.recipe import Recipe
from personamath.records import Persona, Problem, Request, Row
from personamath.runs.funnel import STEPS
from personamath.runs.opinions import Opinion, read_opinions
from personamath.sources.personas import BUNDLED, local_file, read_personas
from personamath.sources.problems import ProblemSource, read_problems
from personamath.teachers.prices import Price

PROVENANCE = "provenance.json"


@dataclass(frozen=True, slots=True)
class RunData:
    """A dataset, and what is known of how it was made."""

    name: str
    """As its user named it, e.g. `runs/v1` or `me/PersonaMathQA@v1.0.0`."""
    rows: tuple[Row, ...]
    """Step after step, in the order of the folder's files."""
    provenance: Mapping[str, Any]
    """The folder's provenance.json, with `recipe`, `funnel`, `simulated` and more."""
    seeds: tuple[Problem, ...] | None = None
    """All seed problems, those without rows included; None where their source is not at hand."""
    wrong: Mapping[str, str] | None = None
    """Wrong first solutions by the id of their seed problem; None without a journal and the seed problems."""
    personas: tuple[Persona, ...] | None = None
    """All personas that were drawn from; None where their source is not at hand."""
    price: Price | None = None
    """What the run was told that its teacher costs; None where it was not, or the run is not at hand."""
    opinions: Mapping[str, Opinion] | None = None
    """Blind solves of rewrites by the id of their row; None where nobody asked, or the run is not at hand."""
    missing: Mapping[str, str] = field(default_factory=dict)
    """Why `seeds`, `wrong` or `personas` is None, by that name: one sentence with the remedy."""

    @property
    def simulated(self) -> bool:
        """Whether the embedded teacher wrote it."""
        return bool(self.provenance["simulated"])

    @property
    def recipe(self) -> Recipe:
        """What decided the rows, local files by name only."""
        return _recipe(self.provenance["recipe"])

    def why_missing(self, *names: str) -> str:
        """Why one of these is None, for `LeftOut`."""
        return next((self.missing[name] for name in names if name in self.missing), f"{names[0]} is not at hand")


def read_run(folder: Path, name: str, run: Path | None = None) -> RunData:
    """Read a dataset folder; with its run directory also what the journal and the recipe's own files tell.

    Memory holds every row. Raises `BadInput` for a folder that is no dataset's or was written by another version;
    what is only missing is named in `missing`.
    """
    provenance = _read_json(folder / PROVENANCE)
    rows = read_rows(folder)
    run_file = _read_json(run / RUN_FILE) if run else provenance
    recipe = _recipe(run_file["recipe"])
    missing: dict[str, str] = {}
    seeds, personas, wrong = None, None, None
    try:
        seeds = _seeds(recipe, local=run is not None)
    except BadInput as error:
        missing["seeds"] = f"the seed problems cannot be read: {error}"
    try:
        personas = _personas(recipe, local=run is not None)
    except BadInput as error:
        missing["personas"] = f"the personas cannot be read: {error}"
    if run is None:
        missing["wrong"] = "wrong solutions are in the run's journal, which is not published: give the run directory"
    elif seeds is None:
        missing["wrong"] = missing["seeds"]
    else:
        solved = {row.seed_id for row in rows if row.step == "stage1_inference"}
        wrong = _wrong(run, recipe, (seed for seed in seeds if seed.id not in solved))
    opinions = read_opinions(run) if run else None
    return RunData(name, rows, provenance, seeds, wrong, personas, _price(run_file), opinions, missing)


def read_rows(folder: Path) -> tuple[Row, ...]:
    """All rows of a dataset folder, step after step; `BadInput` where there are none, or another version's."""
    rows = tuple(row for step in STEPS for path in sorted((folder / step).glob("*.parquet")) for row in _rows(path))
    if not rows:
        raise BadInput(f"{folder}: no rows in it; is it a dataset folder?")
    return rows


def read_recipe(run: Path) -> Recipe:
    """The recipe of a run directory; `BadInput` where it is none."""
    return _recipe(_read_json(run / RUN_FILE)["recipe"])


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        _recipe(content["recipe"])
    except FileNotFoundError:
        raise BadInput(f"{path}: no such file; give a run directory, a dataset folder or owner/name@v1.0.0") from None
    except OSError as error:
        raise BadInput(f"{path}: {error.strerror}") from None
    except (ValueError, TypeError, LookupError) as error:
        raise BadInput(f"{path}: not as PersonaMath writes it ({error}); run the same augment command again") from None
    return dict(content)


def _recipe(fields: Mapping[str, Any]) -> Recipe:
    values: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in fields.items()
    }
    return Recipe(**values)


def _price(run_file: Mapping[str, Any]) -> Price | None:
    """The price of the run's bill; a published folder has none."""
    paid = run_file.get("paid") or {}
    return Price(**paid["price"], priced_for=paid.get("priced_for")) if paid.get("price") else None


def _rows(path: Path) -> Iterator[Row]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches():
                yield from (Row(**values) for values in batch.to_pylist())
    except TypeError as error:
        raise BadInput(f"{path}: its columns are not this version's ({error}); write the folder again") from None
    except (pa.ArrowException, OSError) as error:
        raise BadInput(f"{path}: not a readable parquet file ({' '.join(str(error).split())})") from None


def _seeds(recipe: Recipe, *, local: bool) -> tuple[Problem, ...]:
    sources = [ProblemSource.parse(source) for source in recipe.problems]
    for source in sources:
        if source.path and not local:
            raise BadInput(f"{source.path} is a file of the machine that made the data: give the run directory")
    return tuple(item for item in read_problems(sources, recipe.limit) if isinstance(item, Problem))


def _personas(recipe: Recipe, *, local: bool) -> tuple[Persona, ...]:
    if not local and recipe.personas != BUNDLED and (path := local_file(recipe.personas)):
        raise BadInput(f"{path} is a file of the machine that made the data: give the run directory")
    return tuple(read_personas(recipe.personas))


def _wrong(run: Path, recipe: Recipe, unsolved: Iterable[Problem]) -> Mapping[str, str]:
    """First solutions, as the run remembers them, of seed problems that were not solved; cut ones are no attempts.

    In the order of the seed problems, wherever the answers are: in the journal, or beside it in the blocks.
    """
    asked = {_first_request(recipe, seed).digest: seed.id for seed in unsolved}
    found = dict[str, str]()
    try:
        with closing(open_for_reading(run)) as journal:
            query = "select text from answers where digest = ? and finish_reason = 'stop'"
            for digest in asked:
                found.update((digest, text) for (text,) in journal.execute(query, (digest,)))
    except sqlite3.Error as error:
        raise unreadable(run / FILE_NAME, error) from None
    folder = RunFolder(str(run))
    for file in all_answer_files(folder):
        for digest, finish_reason, text in read_answers(folder, file, ("digest", "finish_reason", "text")):
            if finish_reason == "stop" and digest in asked:
                found.setdefault(digest, text)
    return {id: found[digest].strip() for digest, id in asked.items() if digest in found}


def _first_request(recipe: Recipe, seed: Problem) -> Request:
    return Request(prompts.inference(seed.question), recipe.teacher, recipe.temperature, recipe.max_tokens)
