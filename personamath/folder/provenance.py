"""provenance.json records what a dataset folder was made from, so that anyone can see if two folders share an origin.

It depends only on the recipe, its sources, the journal and the package versions; it contains no time, no machine path
and no person's name. `docs/data.md` shows how to derive a row again from it.
"""

import dataclasses
import hashlib
import platform
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from functools import cache
from importlib.metadata import version
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

from personamath.errors import BadInput, RunDirectoryError
from personamath.folder.layout import FORMAT_VERSION, PROVENANCE, Layout
from personamath.folder.overlap import TestProblems
from personamath.methods import PersonaMath
from personamath.methods.method import Outline
from personamath.methods.prompts import Prompt
from personamath.recipe import Recipe
from personamath.records import Persona
from personamath.sources.hub import HubSplit
from personamath.sources.named import Sources
from personamath.sources.personas import COLUMN, PersonaSource
from personamath.sources.problems import ProblemSource
from personamath.sources.published import published_as
from personamath.sources.questions import QuestionSource, digested
from personamath.sources.tables import stored_files

# Packages that the numbers and bytes of a run depend on.
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
    "pillow",
    "pyarrow",
    "sympy",
)
# This project's comparison of MATH's train split with its test split: problems that are equal after runs of digits are
# masked, and problems that share 13 words in a row.
MATH_OVERLAP = {"train": 7_500, "masked": 249, "ngram": 517}


@dataclasses.dataclass(frozen=True, slots=True)
class Origins:
    """The origins of everything that a recipe names: the problems, the personas and the test problems."""

    problems: Sequence[Mapping[str, Any]]
    """One entry per source, with its digest or commit."""
    personas: Mapping[str, Any] | None
    """None for a method without personas."""
    occupations: Mapping[str, str] = dataclasses.field(default_factory=dict)
    """Occupation class by persona, where the source gives one."""
    benchmarks: Sequence[Mapping[str, Any]] = ()
    """One entry per source of test problems to compare the rows with, like the entries of `problems`."""
    test_problems: TestProblems | None = None
    """The test problems in `benchmarks`; None if there are none."""
    digests: Mapping[str, str] = dataclasses.field(default_factory=dict)
    """Digests of what was used, independent of the files that hold it: of the test problems, and at the end of a run
    of the problems and personas."""
    benchmark_digests: Sequence[str] = ()
    """The digest of each of `benchmarks`."""

    @classmethod
    def named(cls, recipe: Recipe) -> "Origins":
        """Return the names in the recipe, without looking anything up."""
        sources = recipe.sources
        return cls(
            [_named(source) for source in sources.problems],
            _personas_named(sources.personas) if sources.personas else None,
        )

    @classmethod
    def found(cls, sources: Sources, personas: Sequence[Persona]) -> "Origins":
        """Read the digests of files and the test problems; the commits of `sources` are known."""
        digests = [hashlib.sha256() for _ in sources.benchmarks]
        tested = TestProblems(
            question
            for source, digest in zip(sources.benchmarks, digests, strict=True)
            for question in digested(source.read(), digest)
        )
        each = [digest.hexdigest() for digest in digests]
        return cls(
            [_contents_origin(source) for source in sources.problems],
            personas_origin(sources.personas) if sources.personas else None,
            {persona.description: persona.occupation for persona in personas if persona.occupation},
            [_benchmark_origin(source) for source in sources.benchmarks],
            tested if each else None,
            {"benchmarks": _sha256("".join(each).encode())} if each else {},
            each,
        )


def provenance(
    recipe: Recipe,
    counts: Mapping[str, Any],
    origins: Origins,
    journal: Mapping[str, Any] | None,
    rows_by_occupation: Mapping[str, int],
) -> dict[str, Any]:
    """Return the content of provenance.json; `counts` is the run's funnel, `journal` the digest of its answers."""
    method = recipe.method
    return {
        "format": FORMAT_VERSION,
        "simulated": recipe.simulated,
        "method": recipe.outline.as_dict() | {"prompts": list(method.prompts)},
        "recipe": published_recipe(recipe),
        "prompts": _prompts(recipe),
        "problems": list(origins.problems),
        "benchmarks": list(origins.benchmarks),
        "personas": origins.personas and dict(origins.personas) | {"rows_by_occupation": dict(rows_by_occupation)},
        "used": dict(origins.digests),
        "journal": journal,
        "packages": package_versions(),
        # The reasons of failed requests depend on the network of one day; `requests` has their number.
        "funnel": {name: value for name, value in counts.items() if name != "failed"},
    }


def prompt_digests(prompts: Mapping[str, Prompt]) -> dict[str, dict[str, str]]:
    """The digest of each prompt by its name, for run.json and provenance.json."""
    return {name: {"sha256": _sha256(prompt.template.encode())} for name, prompt in prompts.items()}


def _prompts(recipe: Recipe) -> dict[str, dict[str, Any]]:
    """The prompts that were used, with their texts; where the recipe replaces one, also which one it replaces."""
    own, used = recipe.method.prompts, recipe.prompts_in_use
    digests, of_own = prompt_digests(used), prompt_digests(own)
    return {
        name: digests[name]
        | {"text": prompt.template}
        | ({"replaces": of_own[name] | {"origin": own[name].origin}} if name in recipe.prompts else {})
        for name, prompt in used.items()
    }


def layout_of(provenance: Mapping[str, Any], path: Path | str = PROVENANCE) -> Layout:
    """Return the layout of the folder with this provenance.json; raise `BadInput`, which names `path`, if invalid."""
    format_version = provenance.get("format")
    if not isinstance(format_version, int) or format_version < 1:
        raise BadInput(f"{path}: not a provenance file (its format is {format_version!r}); write the folder again")
    if format_version > FORMAT_VERSION:
        raise BadInput(
            f"{path}: has format {format_version}, but this version reads up to {FORMAT_VERSION}: update PersonaMath"
        )
    if format_version == 1:
        return Layout(PersonaMath.outline, format_version)
    return Layout(Outline.of(provenance.get("method"), f"{path}: method"), format_version)


def prompt_names(provenance: Mapping[str, Any]) -> list[str]:
    """Return the names of the prompts in the method's order."""
    return list(PersonaMath.prompts) if provenance["format"] == 1 else list(provenance["method"]["prompts"])


def published_recipe(recipe: Recipe) -> dict[str, Any]:
    """Return the recipe without paths of this machine; local files keep only their names."""
    fields, sources = recipe.as_dict(), recipe.sources
    if sources.personas:
        fields["personas"] = sources.personas.published
    return fields | {
        "problems": [source.published for source in sources.problems],
        "benchmark": [QuestionSource.parse(text, "test").published for text in recipe.benchmark],
    }


def package_versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that a run's numbers and bytes depend on."""
    return dict(_package_versions())


@cache  # each version is read from the package's files
def _package_versions() -> Mapping[str, str]:
    return {"python": platform.python_version()} | {name: version(name) for name in RECORDED_PACKAGES}


def journal_digest(answers: Iterable[tuple[str, bytes]]) -> dict[str, Any]:
    """Return the number of answers that a dataset came from, and one digest over them that ignores their order.

    `answers` are request digests, each with the SHA-256 of its answer; of a repeated request only the first counts. The
    digest is the SHA-256 of the answers' SHA-256 values in the order of the request digests. It does not include
    unused answers in the journal, such as second opinions.
    """
    count, digest = 0, hashlib.sha256()
    with closing(sqlite3.connect("")) as scratch:  # a temporary database on disk
        try:
            scratch.execute("create table answers (request text primary key, sha256 blob) without rowid")
            scratch.executemany("insert or ignore into answers values (?, ?)", answers)
            for (sha256,) in scratch.execute("select sha256 from answers order by request"):
                count += 1
                digest.update(sha256)
        except sqlite3.Error as error:
            raise RunDirectoryError(
                f"temporary files cannot be written ({error}): make room, or name another folder in TMPDIR, then run "
                "the same command"
            ) from None
    return {"answers": count, "sha256": digest.hexdigest()}


def _named(source: ProblemSource) -> dict[str, Any]:
    return {"source": source.label, "name": source.name, "columns": list(source.columns)}


def _personas_named(source: PersonaSource) -> dict[str, Any]:
    return {"source": source.label, "name": source.name, "columns": [COLUMN], "local": source.path is not None}


def problems_origin(source: ProblemSource) -> dict[str, Any]:
    """Identify a source of problems by the digest of its file, or by its commit on the Hub."""
    return _named(source) | (_file_origin(source.path) if source.path else _hub_origin(source.splits))


def _contents_origin(source: ProblemSource) -> dict[str, Any]:
    """The origin of a source of problems, and for a file of the user's own also which published split it equals."""
    origin = problems_origin(source)
    is_own = "sha256" in origin and "package" not in origin
    return origin | ({"published_as": published_as(source)} if is_own else {})


def personas_origin(source: PersonaSource) -> dict[str, Any]:
    """Identify a source of personas in the same way as problems."""
    if source.splits:
        return _personas_named(source) | _hub_origin(source.splits)
    if source.path:
        return _personas_named(source) | _file_origin(source.path)
    with as_file(files("personamath.sources.bundled") / "personas.jsonl") as bundled:
        return _personas_named(source) | _file_origin(bundled)


def is_changed(recorded: Mapping[str, Any], found: Mapping[str, Any]) -> bool:
    """Whether a source of problems or personas differs from the recorded one, judged by digests and commits."""
    if "sha256" in recorded:
        return bool(recorded["sha256"] != found.get("sha256"))
    commits = (
        (old["commit"], new["commit"]) for old, new in zip(recorded.get("hub", ()), found.get("hub", ()), strict=False)
    )
    return any(None not in (old, new) and old != new for old, new in commits)


def _benchmark_origin(source: QuestionSource) -> dict[str, Any]:
    origin = _file_origin(source.path) if source.path else _hub_origin(source.splits)
    named = {"source": source.label, "name": source.name, "columns": [source.column], "column": source.column}
    return named | origin


def _hub_origin(splits: Sequence[HubSplit]) -> dict[str, Any]:
    return {
        "hub": [
            {"repo": split.repo, "config": split.config, "split": split.split, "commit": split.commit}
            for split in splits
        ]
    }


def _file_origin(path: Path) -> dict[str, Any]:
    digest, size = hashlib.sha256(), 0
    try:
        for stored in stored_files(path):
            with stored.open("rb") as file:
                hashlib.file_digest(file, lambda: digest)
                size += file.tell()
        origin = {"sha256": digest.hexdigest(), "bytes": size}
    except OSError as error:
        raise BadInput(f"{path}: {error.strerror or error}") from None
    bundled = files("personamath.sources.bundled") / path.name
    if bundled.is_file() and _sha256(bundled.read_bytes()) == origin["sha256"]:
        return origin | {"package": f"personamath {version('personamath')}"}
    return origin


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
