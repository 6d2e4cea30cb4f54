"""A run that has not ended: its dataset so far, made from the journal as a run's end makes it, without asking anything.

Nothing in the run directory is changed, and a process that writes there at this moment neither waits nor notices.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

from personamath.errors import BadInput, NotAsked
from personamath.files import read_json
from personamath.folder.provenance import Origins
from personamath.journal.block_files import all_answer_files
from personamath.journal.file_format import JOURNAL_FILES
from personamath.journal.reader import JournalReader, reading
from personamath.journal.results import recorded_results
from personamath.journal.run_folder import DATASET, RUN_FILE, RunFolder
from personamath.journal.store import is_held
from personamath.methods import METHODS
from personamath.methods.work import UNANSWERED, Outcome
from personamath.programs.reading import Program
from personamath.programs.sandbox import Result
from personamath.recipe import Recipe
from personamath.records import Completion, Problem, Request
from personamath.runs.dataset import Counted, Inputs, write_dataset
from personamath.runs.funnel import Funnel
from personamath.runs.input_record import FILE_NAME as INPUTS
from personamath.runs.pipeline import Sink, Spool
from personamath.runs.run import run
from personamath.sources.named import Sources, as_recorded
from personamath.teachers.prices import Prices

GO_ON = "run the same `personamath augment` command again: it goes on, and asks nothing again"
# Answers come from the journal at once, so more seed problems at a time would only take memory.
AT_A_TIME = 32


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is."""

    done: int
    """Seed problems whose requests are all answered."""
    begun: int
    """Seed problems with at least one answer, those that are done included."""
    seed_problems: int
    going_on: bool
    """Whether a process works on the run now."""
    budget: str | None
    """The recipe's budget, which decides only at the end which rows stay; None without one."""

    def __str__(self) -> str:
        """Say it in one or two sentences."""
        state = "is still running" if self.going_on else f"stopped before its end; to finish it, {GO_ON}"
        so_far = (
            f"The run {state}. So far {self.done:,} of {self.seed_problems:,} seed problems are done and "
            f"{self.begun - self.done:,} more are begun; the numbers and rows are those of the answers in the journal."
        )
        later = " The budget {} is applied at the end: some of these rows may be left out then."
        return so_far + (later.format(self.budget) if self.budget else "")


class SoFar(NamedTuple):
    """What a run has so far."""

    progress: Progress
    folder: Path | None
    """The dataset folder; None if no row is kept yet."""
    record: Mapping[str, Any]
    """What a report reads of a finished run's run.json."""
    begun: frozenset[str]
    """Ids of the seed problems with at least one answer; the folder is about these only."""


def is_unfinished(directory: Path) -> bool:
    """Whether a run began in this directory and has not ended; one whose dataset is there ends only anew."""
    if not (directory / INPUTS).is_file():
        return False
    if not (directory / DATASET).is_dir():
        return True
    # Other commands, such as `opinion`, hold a finished run, too; only a run writes inputs.json.
    return is_held(directory) and _written_s(directory / INPUTS) > _written_s(directory / RUN_FILE)


def mark(directory: Path) -> tuple[object, ...]:
    """Return what changes whenever a run has more answers, stops, goes on or ends; costs some system calls."""
    journal = tuple(_written_s(directory / name) for name in JOURNAL_FILES)
    blocks = tuple(all_answer_files(RunFolder(str(directory))))
    return journal, blocks, is_held(directory), is_unfinished(directory)


def _written_s(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return 0.0


class UnfinishedRun:
    """A run in a directory. Its problems and personas are read once, its answers each time."""

    def __init__(self, directory: Path) -> None:
        """Raises `BadInput` if the recipe cannot be read, or if problems or personas have changed since it began."""
        record = read_json(directory / INPUTS, GO_ON)
        recipe = _recipe(record, directory / INPUTS)
        self.directory = directory
        self._inputs = Inputs.of(recipe, _pinned(recipe.sources, record))
        used = record.get("used") or {}
        if changed := [kind for kind, digest in self._inputs.digests.items() if used.get(kind, digest) != digest]:
            raise BadInput(f"{directory}: the {' and '.join(changed)} changed after the run began: restore them")
        self._origins = Origins.found(self._inputs.sources, self._inputs.personas)
        self._prices = Prices.of_dict(record.get("prices") or {})

    def so_far(self, scratch: Path) -> SoFar:
        """Make the dataset of the answers that are there now, in the folder `scratch`, which is made if need be."""
        scratch.mkdir(parents=True, exist_ok=True)
        survey = self._inputs.funnel
        funnel = Funnel(skipped=survey.skipped)
        inputs = replace(self._inputs, funnel=funnel)
        recipe = inputs.recipe
        with (
            reading(self.directory) as journal,
            recorded_results(self.directory) as results,
            Spool(scratch) as spool,
        ):
            seeds = dict(_begun(inputs, journal))
            sink = _Progressing(Counted(spool, funnel))
            asked = asyncio.run(
                run(
                    recipe,
                    seeds.items(),
                    _Nobody(),
                    journal,
                    sink,
                    personas=inputs.personas,
                    concurrency=AT_A_TIME,
                    window=AT_A_TIME,
                    prices=self._prices,
                    programs=_Ran(results),
                )
            )
            begun = [seeds[position] for position in sink.begun]
            funnel.seed_problems = Counter(seed.source for seed in begun)
            # Requests without an answer count only at the end of a run: here they are in flight, or their turn comes.
            funnel.counts = Counter({key: count for key, count in funnel.counts.items() if key[1] not in UNANSWERED})
            folder = write_dataset(scratch, inputs, self._origins, spool.rows(), spool.answers())
        kinds = [kind.name for kind in recipe.method.outline.kinds]
        record = {"recipe": recipe.as_dict(), "paid": asked.bill.as_dict(kinds)}
        total, going_on = survey.seed_problems.total(), is_held(self.directory)
        progress = Progress(sink.done, len(begun), total, going_on, recipe.budget)
        return SoFar(progress, folder, record, frozenset(seed.id for seed in begun))


def _recipe(record: Mapping[str, Any], path: Path) -> Recipe:
    content = record.get("recipe")
    if not isinstance(content, dict):
        raise BadInput(f"{path}: an earlier version began this run and did not record its recipe; {GO_ON}")
    if (method := content.get("method")) not in METHODS:
        raise BadInput(f"{path}: the method {method!r} is not one of this version of PersonaMath; {GO_ON}")
    return Recipe.of(content, str(path))


def _pinned(sources: Sources, record: Mapping[str, Any]) -> Sources:
    """Return the sources at the commits that the run read."""
    recorded = record.get("sources") or {}
    of_kind = {
        kind: {entry.get("source"): entry for entry in recorded.get(kind) or ()}
        for kind in ("problems", "personas", "benchmarks")
    }
    personas = sources.personas
    return Sources(
        tuple(as_recorded(one, of_kind["problems"].get(one.label, {})) for one in sources.problems),
        personas and as_recorded(personas, of_kind["personas"].get(personas.label, {})),
        tuple(as_recorded(one, of_kind["benchmarks"].get(one.label, {})) for one in sources.benchmarks),
    )


def _begun(inputs: Inputs, journal: JournalReader) -> Iterator[tuple[int, Problem]]:
    """Yield the seed problems with an answer to their first request, and those that need none, with positions."""
    method, requests = inputs.recipe.method, inputs.recipe.requests
    for position, seed in enumerate(inputs.problems()):
        first = method.first_request(seed, requests)
        if first is None or journal.has(first.digest):
            yield position, seed


class _Nobody:
    """A teacher that is never asked."""

    async def complete(self, request: Request) -> Completion:
        raise NotAsked("the run has no answer to this yet")


class _Ran:
    """Gives the results of programs that have run; runs none."""

    def __init__(self, results: Callable[[str], Result | None]) -> None:
        self._results = results

    async def run(self, program: Program) -> Result:
        return self._results(program.digest) or Result("not run yet")


class _Progressing:
    """A sink that notes which seed problems are begun, by position, and counts those that are done."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self.begun: list[int] = []
        self.done = 0

    def add(self, position: int, outcome: Outcome) -> None:
        is_done = not any(count for (_, reason), count in outcome.counts.items() if reason in UNANSWERED)
        self.done += is_done
        if is_done or outcome.answers:
            self.begun.append(position)
        self._sink.add(position, outcome)
