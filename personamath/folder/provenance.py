"""provenance.json: what a dataset folder was made from, so that anyone can tell whether two folders share their origin.

A function of the recipe, what it names, the journal and the package versions: no clock, no path of a machine, no name
of a person. `docs/data.md` tells how to re-derive a row from it.
"""

import dataclasses
import hashlib
import platform
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib.metadata import version
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

from personamath import prompts
from personamath.errors import BadInput
from personamath.folder.overlap import TestProblems, chosen_benchmarks
from personamath.journal.file_format import FILE_NAME, answer_sha256, open_for_reading, unreadable
from personamath.recipe import Recipe
from personamath.records import Persona
from personamath.runs.funnel import SOURCES, Funnel
from personamath.sources.personas import BUNDLED, hub_dataset, local_file
from personamath.sources.problems import ProblemSource
from personamath.sources.questions import QuestionSource
from personamath.sources.tables import HubSplit, resolved_commit

FORMAT_VERSION = 1
# What the numbers and the bytes of a run depend on.
RECORDED_PACKAGES = (
    "personamath",
    "aiohttp",
    "antlr4-python3-runtime",
    "datasets",
    "huggingface_hub",
    "jinja2",
    "latex2sympy2_extended",
    "math-verify",
    "matplotlib",
    "pyarrow",
    "sympy",
)
# MATH's own splits, train against test, compared by this project: problems that are equal once runs of digits are
# masked, and problems that share 13 words in a row.
MATH_OVERLAP = {"train": 7_500, "masked": 249, "ngram": 517}
PROMPTS = {"inference": prompts.INFERENCE, "rewriting": prompts.REWRITING, "reflection": prompts.REFLECTION}


@dataclasses.dataclass(frozen=True, slots=True)
class Origins:
    """What a recipe names, as it was found: the problems, the personas, the test problems, the journal."""

    problems: Sequence[Mapping[str, Any]]
    """One for each source, with its digest or commit."""
    personas: Mapping[str, Any]
    occupations: Mapping[str, str] = dataclasses.field(default_factory=dict)
    """Occupation class by persona, where the source tells."""
    run: Path | None = None
    """The run directory with the journal; None for rows that no run made."""
    benchmarks: Sequence[Mapping[str, Any]] = ()
    """One for each source of test problems that the rows are compared with, as of the problems."""
    test_problems: TestProblems | None = None
    """What they hold; None where there are no benchmarks."""
    elsewhere: Callable[[], Iterable[tuple[str, bytes]]] = tuple
    """Answers of the run beside the journal, see `journal_digest`; asked for when all are there."""

    @classmethod
    def named(cls, recipe: Recipe) -> "Origins":
        """What the recipe says, looked up nowhere."""
        return cls([{"source": name} for name in map(_problems_name, recipe.problems)], _personas_name(recipe.personas))

    @classmethod
    def found(
        cls,
        recipe: Recipe,
        personas: Sequence[Persona],
        run: Path,
        elsewhere: Callable[[], Iterable[tuple[str, bytes]]] = tuple,
    ) -> "Origins":
        """Files read for their digests, and Hub datasets asked for the commit they were loaded from."""
        compared = chosen_benchmarks(recipe.benchmark, recipe.problems)
        return cls(
            [_problems_origin(ProblemSource.parse(source)) for source in recipe.problems],
            _personas_name(recipe.personas) | _personas_origin(recipe.personas),
            {persona.description: persona.occupation for persona in personas if persona.occupation},
            run,
            [_benchmark_origin(source) for source in compared],
            TestProblems(question for source in compared for question in source.read()) if compared else None,
            elsewhere,
        )


def provenance(
    recipe: Recipe, funnel: Funnel, origins: Origins, rows_by_occupation: Mapping[str, int]
) -> dict[str, Any]:
    """The content of provenance.json."""
    counts = funnel.as_dict()
    # Why a request failed is the network's business of one day; how many did is in `requests`.
    del counts["failed"]
    return {
        "format": FORMAT_VERSION,
        "simulated": recipe.simulated,
        "recipe": published_recipe(recipe),
        "prompts": {name: {"sha256": _sha256(text.encode()), "text": text} for name, text in PROMPTS.items()},
        "problems": list(origins.problems),
        "benchmarks": list(origins.benchmarks),
        "personas": dict(origins.personas) | {"rows_by_occupation": dict(rows_by_occupation)},
        "journal": journal_digest(origins.run, origins.elsewhere()) if origins.run else None,
        "packages": package_versions(),
        "funnel": counts,
    }


def seed_sources(provenance: Mapping[str, Any]) -> list[str]:
    """`gsm8k` and `math`, as far as rows come from them and not from the problems that the package carries."""
    used = {problems["source"].partition(":")[0] for problems in provenance["problems"] if "package" not in problems}
    counted = provenance["funnel"]["rows"].values()
    return [source for source in SOURCES if source in used and any(sources.get(source) for sources in counted)]


def published_recipe(recipe: Recipe) -> dict[str, Any]:
    """The recipe without the folders of one machine: local files by name."""
    fields = dataclasses.asdict(recipe)
    return fields | {
        "problems": [_problems_name(source) for source in recipe.problems],
        "personas": _personas_name(recipe.personas)["source"],
        "benchmark": [QuestionSource.parse(text, "test").name for text in recipe.benchmark],
    }


def package_versions() -> dict[str, str]:
    """Python's version and those of the packages that a run's numbers and bytes depend on."""
    return {"python": platform.python_version()} | {name: version(name) for name in RECORDED_PACKAGES}


def journal_digest(run: Path, elsewhere: Iterable[tuple[str, bytes]] = ()) -> dict[str, Any]:
    """How many answers a run holds, and one digest over them, whatever order they arrived in.

    SHA-256 over the SHA-256 of each answer (request digest, finish reason and text, a line break between them), in
    the order of the request digests. `elsewhere` has the request digests and the SHA-256 of answers that lie beside the
    journal; the journal's own counts, and then the first.
    """
    answers, digest, before = 0, hashlib.sha256(), None
    connection = open_for_reading(run)
    try:
        connection.create_function("answer_sha256", 3, answer_sha256, deterministic=True)
        connection.execute("create temporary table elsewhere (digest text, answer blob)")
        connection.executemany("insert into elsewhere values (?, ?)", elsewhere)
        # Hash while scanning, then sort the hashes: reading by the index would jump through the whole file.
        query = """
            select digest, answer_sha256(digest, finish_reason, text) as answer, 0 as place from answers not indexed
            union all select digest, answer, rowid from elsewhere order by digest, place
        """
        for request, answer, _ in connection.execute(query):
            if request != before:
                answers += 1
                digest.update(answer)
            before = request
    except sqlite3.Error as error:
        raise unreadable(run / FILE_NAME, error) from None
    finally:
        connection.close()
    return {"answers": answers, "sha256": digest.hexdigest()}


def _problems_name(source: str) -> str:
    kind, _, path = source.partition(":")
    return f"{kind}:{Path(path).name}" if path else kind


def _personas_name(source: str) -> dict[str, Any]:
    path = local_file(source)
    return {"source": path.name if path else source, "local": path is not None}


def _problems_origin(source: ProblemSource) -> dict[str, Any]:
    if source.path is None:
        return {"source": source.kind} | _hub_origin(source.hub_splits())
    return {"source": f"{source.kind}:{source.path.name}"} | _file_origin(source.path)


def _personas_origin(source: str) -> dict[str, Any]:
    if source == BUNDLED:
        with as_file(files("personamath.sources.bundled") / "personas.jsonl") as bundled:
            return _file_origin(bundled)
    path = local_file(source)
    return _file_origin(path) if path else _hub_origin([hub_dataset(source)])


def _benchmark_origin(source: QuestionSource) -> dict[str, Any]:
    origin = _file_origin(source.path) if source.path else _hub_origin(source.splits)
    return {"source": source.name, "column": source.column} | origin


def _hub_origin(splits: Sequence[HubSplit]) -> dict[str, Any]:
    return {
        "hub": [
            {"repo": split.repo, "config": split.config, "split": split.split, "commit": resolved_commit(split)}
            for split in splits
        ]
    }


def _file_origin(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            origin = {"sha256": hashlib.file_digest(file, "sha256").hexdigest(), "bytes": file.tell()}
    except OSError as error:
        raise BadInput(f"{path}: {error.strerror or error}") from None
    bundled = files("personamath.sources.bundled") / path.name
    if bundled.is_file() and _sha256(bundled.read_bytes()) == origin["sha256"]:
        return origin | {"package": f"personamath {version('personamath')}"}
    return origin


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
