"""finished.json: what a finished run was made from and what it left, so that the same command recognises it.

A run is recognised if nothing differs: the recipe, the options, this package and its libraries, the problems, personas
and test problems, the journal, and every file that the run left. Files are compared by their digests and never by
their times, datasets on the Hub by their commits. Any doubt means that the run is computed as usual; so does --replace,
and so does a missing finished.json.

Not covered are runs in batches and on a cluster, and methods of a user's own, whose code is not compared.
"""

import dataclasses
import hashlib
import json
import sys
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from personamath.errors import RunDirectoryError
from personamath.files import file_sha256, written_whole
from personamath.journal.file_format import BLOCKS, DAMAGED_NAME
from personamath.journal.file_format import FILE_NAME as JOURNAL
from personamath.journal.results import FILE_NAME as PROGRAM_RESULTS
from personamath.journal.run_folder import DATASET, RUN_FILE
from personamath.journal.store import lock
from personamath.methods import METHODS
from personamath.recipe import Recipe
from personamath.runs.funnel import BudgetUse, Funnel
from personamath.runs.input_record import FILE_NAME as INPUTS
from personamath.runs.made import Made
from personamath.runs.seed_ids import FILE_NAME as SEED_IDS
from personamath.runs.setup import Setup
from personamath.shipped import shipped
from personamath.sources.hub.cache import COMMIT
from personamath.sources.hub.split import HubSplit
from personamath.sources.named import Source, Sources
from personamath.sources.seed_problems import Skipped
from personamath.sources.tables import stored_files
from personamath.teachers.prices import Bill
from personamath.teachers.urls import without_secrets

FILE_NAME = "finished.json"
# Raised whenever an earlier file would be misread.
FORMAT_VERSION = 1
# What a run leaves beside its dataset folder, as far as it decides the rows or a later run reads it.
BESIDE = (JOURNAL, RUN_FILE, INPUTS, SEED_IDS, PROGRAM_RESULTS)
# Options that are not compared: where the run is, and what may be secret. None of them decides a row.
NOT_COMPARED = ("output", "replace", "header", "stated_prices")
# The packages that the bytes of a folder depend on, and the list of prices.
LIBRARIES = (
    *("aiohttp", "antlr4-python3-runtime", "datasets", "genai-prices", "huggingface_hub", "jinja2"),
    *("latex2sympy2_extended", "math-verify", "matplotlib", "pillow", "pyarrow", "sympy"),
)
_COUNTERS = ("seed_problems", "rows", "counts", "tokens", "taken_off", "answered_by", "graded")

Digests = dict[str, str]
"""SHA-256 by what it is of; of datasets on the Hub, the commit."""


@dataclass(frozen=True, slots=True)
class FromJournal:
    """What a recognised run asked and paid: nothing this time."""

    replayed: int
    """Requests that the run directory has the answers to."""
    bill: Bill
    asked: int = 0
    reused: int = 0


def recognised(recipe: Recipe, setup: Setup) -> Made | None:
    """The result of the finished run in the run directory, if it is exactly the one that would be made now."""
    folder = Path(setup.output)
    if setup.replace or not _can_be_recognised(recipe, setup) or not (folder / FILE_NAME).is_file():
        return None
    # Whatever cannot be read, written or locked is left to the run itself, which says what is wrong.
    with suppress(OSError, RunDirectoryError), lock(folder):
        return _recognised(folder, recipe, setup)
    return None


def _recognised(folder: Path, recipe: Recipe, setup: Setup) -> Made | None:
    content = _read(folder / FILE_NAME)
    if content is None or content["made from"] != made_from(recipe, setup) or content["files"] != _left_in(folder):
        return None
    if content["local inputs"] != local_inputs(recipe):
        return None
    sources, notes = _pinned(recipe.sources).resolved()  # last, because this may ask the Hub
    if content["commits"] != _commits(sources):
        return None
    for note in notes:
        print(f"note: {note}", file=sys.stderr)
    return _asking_nothing(folder, content)


def remember(recipe: Recipe, setup: Setup, made: Made, sources: Sources, local: Digests | None) -> None:
    """Write finished.json at the end of a run, if it is complete; raise `RunDirectoryError` if the disk refuses.

    `sources` have the commits that were read. `local` is what `local_inputs` returned before the run read anything: a
    run whose files have changed since is not remembered.
    """
    folder, path = Path(setup.output), Path(setup.output) / FILE_NAME
    try:
        path.unlink(missing_ok=True)
        if not _can_be_recognised(recipe, setup) or not made.folder or not made.funnel.complete:
            return
        left = _left_in(folder)
        if left is None or local is None or local != local_inputs(recipe):
            return
        asked = made.asked
        content = {
            "format": FORMAT_VERSION,
            "made from": made_from(recipe, setup),
            "local inputs": local,
            "commits": _commits(sources),
            "files": left,
            "answers": asked.asked + asked.replayed + asked.reused,
            "bill": [asked.bill.usd, asked.bill.answers, dict(asked.bill.unpriced), asked.bill.reused],
            "funnel": _as_json(made.funnel),
        }
        _write(path, content)
    except OSError as error:
        raise RunDirectoryError(f"cannot write {path}: {error.strerror or error}") from None


def local_inputs(recipe: Recipe) -> Digests | None:
    """The SHA-256 of every local file that a recipe names to be read; None if one cannot be read, or only once."""
    paths = [source.path for source in recipe.sources if source.path]
    try:
        files = [file for path in paths for file in stored_files(path)]
        return {str(file): file_sha256(file) for file in files} if all(file.is_file() for file in files) else None
    except OSError:
        return None


def made_from(recipe: Recipe, setup: Setup) -> Digests:
    """Digests of what a run is made from, without its inputs and its answers."""
    options = {each.name: getattr(setup, each.name) for each in dataclasses.fields(setup)}
    options = {name: value for name, value in options.items() if name not in NOT_COMPARED}
    options["base_url"] = list(map(without_secrets, setup.base_url))
    options["by_role"] = {
        role: dataclasses.asdict(one) | {"base_url": list(map(without_secrets, one.base_url))}
        for role, one in setup.by_role.items()
    }
    prompts = {name: prompt.template for name, prompt in recipe.prompts_in_use.items()}
    return {
        "recipe": _sha256([recipe.as_dict(), prompts]),
        "options": _sha256(options),
        "package": _package_sha256(),
        "libraries": _sha256([sys.version, *(f"{name} {version(name)}" for name in LIBRARIES)]),
    }


def _can_be_recognised(recipe: Recipe, setup: Setup) -> bool:
    is_own = METHODS.get(recipe.method.outline.method) is type(recipe.method)
    return is_own and setup.engine == "local" and not setup.batch


def _asking_nothing(folder: Path, content: dict[str, Any]) -> Made:
    """The result of a recognised run; run.json then says, as after any other run, that nothing was asked this time."""
    replayed = content["answers"]
    path = folder / RUN_FILE
    run = json.loads(path.read_text(encoding="utf-8"))
    counts = {"asked this time": 0, "from the journal": replayed, "from other runs": 0}
    now = run | {"answers": counts, "asked again after": {}}
    if ran := run.get("programs"):
        known = ran["run this time"] + ran["from the journal"]
        now["programs"] = ran | {"run this time": 0, "from the journal": known}
    if now != run:
        with written_whole(path) as partial:
            partial.write_text(json.dumps(now, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        _write(folder / FILE_NAME, content | {"files": _left_in(folder)})
    usd, answers, unpriced, reused = content["bill"]
    bill = Bill(None, usd, answers, Counter(unpriced), reused)
    return Made(_of_json(content["funnel"]), FromJournal(replayed, bill), Counter(), folder / DATASET)


def _left_in(folder: Path) -> Digests | None:
    """The digests of the files of a finished run; None if another run has begun there, or one ended badly."""
    log = folder / f"{JOURNAL}-wal"
    if (folder / DAMAGED_NAME).exists() or (folder / BLOCKS).exists() or (log.exists() and log.stat().st_size):
        return None
    beside = [folder / name for name in BESIDE if (folder / name).exists()]
    inside = sorted(path for path in (folder / DATASET).rglob("*") if not path.is_dir())
    return {path.relative_to(folder).as_posix(): file_sha256(path) for path in (*beside, *inside)}


def _pinned(sources: Sources) -> Sources:
    """The sources, with the commit of each that the user pinned to one: the Hub need not be asked for these."""

    def at_commit(source: Source) -> Source:
        return dataclasses.replace(source, splits=tuple(map(_at_its_commit, source.splits)))

    personas = sources.personas and at_commit(sources.personas)
    return Sources(tuple(map(at_commit, sources.problems)), personas, tuple(map(at_commit, sources.benchmarks)))


def _at_its_commit(split: HubSplit) -> HubSplit:
    is_commit = split.revision and COMMIT.fullmatch(split.revision)
    return split._replace(commit=split.revision) if is_commit else split


def _commits(sources: Sources) -> Digests:
    return {split.shown: str(split.commit) for source in sources for split in source.splits}


def _as_json(funnel: Funnel) -> dict[str, Any]:
    """The counts of a complete run; a counter becomes a list of keys and counts, because its keys may have parts."""
    return {
        "skipped": funnel.skipped,
        "done": funnel.done,
        "wrong": funnel.wrong,
        "budget": funnel.budget and dataclasses.asdict(funnel.budget),
        **{name: list(getattr(funnel, name).items()) for name in _COUNTERS},
    }


def _of_json(content: dict[str, Any]) -> Funnel:
    counters: dict[str, Any] = {
        name: Counter({tuple(key) if isinstance(key, list) else key: count for key, count in content[name]})
        for name in _COUNTERS
    }
    return Funnel(
        skipped=[Skipped(*one) for one in content["skipped"]],
        done=content["done"],
        wrong={source: (reference, answer) for source, (reference, answer) in content["wrong"].items()},
        budget=BudgetUse(**content["budget"]) if content["budget"] else None,
        **counters,
    )


def _write(path: Path, content: dict[str, Any]) -> None:
    """Write the file with a digest of its own, so that a changed one is noticed."""
    text = json.dumps({"sha256": _sha256(content), "content": content}, indent=1) + "\n"
    with written_whole(path) as partial:
        partial.write_text(text, encoding="utf-8")


def _read(path: Path) -> dict[str, Any] | None:
    """The content of the file; None if it is damaged, or if another version of the package wrote it."""
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        content = stored["content"]
        is_whole = stored["sha256"] == _sha256(content) and content["format"] == FORMAT_VERSION
        return dict(content) if is_whole else None
    except (ValueError, LookupError, TypeError):
        return None


@cache
def _package_sha256() -> str:
    """The digest of this package's code and templates: a checkout changes without another version."""
    folders = (Path(__file__).parent.parent, shipped("model_cards"))
    files = [path for folder in folders for path in sorted(folder.rglob("*")) if path.is_file()]
    return _sha256([file_sha256(path) for path in files if path.suffix != ".pyc"])


def _sha256(content: object) -> str:
    """The digest of something that JSON can hold."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
