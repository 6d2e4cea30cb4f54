"""The input of the analyses: the rows of a dataset folder, and its run, problems and personas where available."""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from personamath.completion import read_completion
from personamath.errors import BadInput
from personamath.folder.layout import PROVENANCE, Layout
from personamath.folder.provenance import is_changed, layout_of, personas_origin, problems_origin
from personamath.folder.reading import read_provenance, read_rows
from personamath.folder.teachers import has_roles
from personamath.folder.used_sources import labels
from personamath.journal.block_files import all_answer_files, read_answers
from personamath.journal.file_format import FILE_NAME, open_for_reading, unreadable
from personamath.journal.run_folder import RUN_FILE, RunFolder
from personamath.methods import METHODS, in_current_words
from personamath.methods.method import Outline
from personamath.recipe import Recipe
from personamath.records import Persona, Problem, Row
from personamath.report.analysis.not_kept import Lost, read_lost
from personamath.runs.budget import in_budget_order
from personamath.runs.opinions import Opinion, read_opinions
from personamath.runs.run_file import read_run_file, recipe_of, started_in
from personamath.sources.named import Source, as_recorded
from personamath.sources.personas import PersonaSource
from personamath.sources.problems import ProblemSource
from personamath.sources.seed_problems import read_problems
from personamath.teachers.prices import Price

PERSONA, REVIEW = "persona", "review"
"""Columns that the page shows separately; only some methods have them."""
ONLY_A_RUN = "only a run's journal has what was not kept, such as wrong solutions: give the run directory"
NOT_THERE = "{} is a file on the machine that made the data: give the run directory"
CHANGED = "{} changed after the data was made: restore it, or run the same `personamath augment` command again"
UNKNOWN_METHOD = "this version of PersonaMath does not know the method {!r}: install the one that made the data"


@dataclass(frozen=True)
class RunData:
    """A dataset and the available facts about its making."""

    name: str
    """As the user named it, e.g. `runs/v1` or `me/PersonaMathQA@v1.0.0`."""
    rows: tuple[Row, ...]
    """Step by step, in the order of the folder's files."""
    provenance: Mapping[str, Any]
    """The folder's provenance.json, with `recipe`, `funnel`, `simulated` and more."""
    seeds: tuple[Problem, ...] | None = None
    """All seed problems, including those without rows; None if their source is unavailable or has changed."""
    solved: frozenset[str] | None = None
    """Ids of the seed problems whose first answer was right; None without the seed problems, or if the method does not
    begin by solving them."""
    wrong: Mapping[str, str] | None = None
    """Wrong first solutions by the id of their seed problem; None without a journal and the seed problems."""
    personas: tuple[Persona, ...] | None = None
    """All personas of the recipe's source; None if the method uses none, or the source is unavailable."""
    price: Price | None = None
    """The teacher's price that the run was billed at; None if the price is unknown or the run is unavailable."""
    prices: Mapping[str, Price] = field(default_factory=dict)
    """The price of each model, if roles have teachers of their own and the run is available."""
    cached_shares: Mapping[str, float] = field(default_factory=dict)
    """By kind of request, the share of the prompt tokens that the provider had in its cache and that the run was billed
    less for; empty if the run is unavailable."""
    lost: Lost | None = None
    """What the run did not keep; None if that is not known."""
    opinions: Mapping[str, Opinion] | None = None
    """Blind solves of rewrites by the id of their row; None if there are none or the run is unavailable."""
    missing: Mapping[str, str] = field(default_factory=dict)
    """Why `seeds`, `wrong`, `lost` or `personas` is None, by field name: one sentence with the remedy."""
    unfinished: str | None = None
    """How far the run is, in a sentence or two; None if it has ended."""

    @cached_property
    def layout(self) -> Layout:
        """The configs and columns of the dataset."""
        return layout_of(self.provenance)

    @cached_property
    def outline(self) -> Outline:
        """The method's steps, kinds of requests and columns, as the dataset declares them, in this version's words."""
        return in_current_words(self.layout.outline)

    def step_label(self, name: str) -> str:
        """Return the name of a step for people."""
        return self.outline.step(name).label

    @cached_property
    def labels(self) -> Mapping[str, str]:
        """The display names of the rows' sources."""
        return labels(self.provenance)

    def label(self, source: str) -> str:
        """Return the display name of a source; `GSM8K` only if its problems are from there."""
        return self.labels.get(source, source)

    @cached_property
    def rewriting(self) -> frozenset[str]:
        """Names of the steps that reword problems."""
        return frozenset(step.name for step in self.outline.steps if step.rewrites)

    @cached_property
    def correcting(self) -> frozenset[str]:
        """Names of the steps that correct a wrong solution."""
        return frozenset(kind.step for kind in self.outline.kinds if kind.role == "reflect")

    @cached_property
    def recipe(self) -> Recipe | None:
        """The recipe of the rows, with local files by name only; None if this version does not know the method."""
        return _recipe(self.provenance, self.outline, Path(PROVENANCE))

    @property
    def simulated(self) -> bool:
        """Whether the simulated teacher wrote the rows."""
        return bool(self.provenance["simulated"])

    def why_missing(self, *names: str) -> str:
        """Return why one of these fields is None, for `LeftOut`."""
        return next((self.missing[name] for name in names if name in self.missing), f"{names[0]} is not available")


def text_of(row: Row, column: str) -> str | None:
    """Return the text in one of the method's own columns; None if it is empty."""
    value = row.columns.get(column)
    return None if value is None else str(value)


def other_columns(row: Row, outline: Outline) -> dict[str, str]:
    """Return the method's own columns of a row, without persona, review and columns that are constant in its step."""
    apart = {PERSONA, REVIEW, *outline.step(row.step).fixed}
    texts = {name: text_of(row, name) for name in outline.columns if name not in apart}
    return {name: text for name, text in texts.items() if text is not None}


def read_run(folder: Path, name: str, run: Path | None = None, record: Mapping[str, Any] | None = None) -> RunData:
    """Read a dataset folder, and with its run directory also the journal and the recipe's own files.

    `record` takes the place of run.json for a run that has not ended. Memory holds every row. Raises `BadInput` for a
    folder that is not a dataset folder or that another version wrote.
    `missing` lists sources that are unavailable or have changed since the data was made.
    """
    provenance = read_provenance(folder)
    outline = layout_of(provenance, folder / PROVENANCE).outline
    _recipe(provenance, outline, folder / PROVENANCE)
    content, path = (record or read_run_file(run), run / RUN_FILE) if run else (provenance, folder / PROVENANCE)
    recipe = _recipe(content, outline, path)
    opinions = read_opinions(run) if run else None
    prices = _prices(content, provenance["recipe"])
    data = RunData(
        name,
        read_rows(folder),
        provenance,
        price=_price(content),
        prices=prices,
        cached_shares=_cached_shares(content),
        opinions=opinions,
    )
    if recipe is None:
        why = UNKNOWN_METHOD.format(outline.method)
        return replace(data, missing=dict.fromkeys(("seeds", "wrong", "lost", "personas"), why))
    start = started_in(content, run) if run else None
    data = _with_seeds(data, recipe, start)
    data = _with_personas(data, recipe, start)
    return _with_lost(_with_first_answers(data, recipe, run), recipe, run)


def _with_seeds(data: RunData, recipe: Recipe, folder: Path | None) -> RunData:
    """Add the seed problems; `folder` is where the run was started, None if its own files are not at hand."""
    try:
        return replace(data, seeds=_seeds(recipe, data, folder))
    except BadInput as error:
        return replace(data, missing={**data.missing, "seeds": f"the seed problems are not available: {error}"})


def _with_personas(data: RunData, recipe: Recipe, folder: Path | None) -> RunData:
    source = recipe.method.persona_source
    if source is None:
        return data
    try:
        return replace(data, personas=_personas(source, data, folder))
    except BadInput as error:
        return replace(data, missing={**data.missing, "personas": f"the personas are not available: {error}"})


def _with_first_answers(data: RunData, recipe: Recipe, run: Path | None) -> RunData:
    """Add the ids of the seed problems whose first answer was right, and the wrong first answers."""
    solves_first = bool(data.outline.kinds) and data.outline.kinds[0].role == "solve"
    solved, wrong = None, None
    if data.seeds is not None and solves_first:
        asked = ((seed.id, recipe.method.first_request(seed, recipe.requests)) for seed in data.seeds)
        first = {
            request.digest: id for id, request in asked if request and request.purpose == data.outline.kinds[0].name
        }
        solved = frozenset(first[row.request] for row in data.rows if row.request in first)
        if run:
            wrong = dict(_answered(run, {digest: id for digest, id in first.items() if id not in solved}))
    if wrong is not None:
        return replace(data, solved=solved, wrong=wrong)
    if not solves_first:
        why = f"the method {data.outline.method!r} does not begin by solving the seed problem"
    elif run is None:
        why = ONLY_A_RUN
    else:
        why = data.missing["seeds"]
    return replace(data, solved=solved, missing={**data.missing, "wrong": why})


def _with_lost(data: RunData, recipe: Recipe, run: Path | None) -> RunData:
    """Add what the run did not keep."""
    missing = [data.missing[name] for name in ("seeds", "personas") if name in data.missing]
    if run is None:
        why = ONLY_A_RUN
    elif recipe.method.runs_programs:
        why = "what was not kept is known only by running the teacher's programs again, which a report does not do"
    elif missing:
        why = missing[0]
    else:
        seeds, requests = _begun(data, recipe), data.provenance["funnel"]["requests"]
        return replace(data, lost=read_lost(run, recipe, seeds, data.personas or (), data.rows, requests))
    return replace(data, missing={**data.missing, "lost": why})


def _begun(data: RunData, recipe: Recipe) -> Sequence[Problem]:
    """The seed problems that the run's counts are of: with a budget, those that are within it."""
    seeds = data.seeds or ()
    if budget := data.provenance["funnel"].get("budget"):
        return [seed for _, seed in in_budget_order(seeds, recipe.rng_seed)[: budget["seed_problems"]]]
    return seeds


def _recipe(content: Mapping[str, Any], outline: Outline, path: Path) -> Recipe | None:
    """Return the recipe in run.json or provenance.json; None if this version does not know its method."""
    return recipe_of(content, path) if outline.method in METHODS else None


def _price(run_file: Mapping[str, Any]) -> Price | None:
    """Return the price that the run was billed at; a published folder has none."""
    return _price_in(run_file.get("paid") or {})


def _prices(run_file: Mapping[str, Any], recipe: Mapping[str, Any]) -> dict[str, Price]:
    """Return the price of each model at which the run was billed, if the recipe has roles."""
    if not has_roles(recipe):
        return {}
    by_model = (run_file.get("paid") or {}).get("by_model") or {}
    return {model: price for model, paid in by_model.items() if (price := _price_in(paid))}


def _price_in(paid: Mapping[str, Any]) -> Price | None:
    if not paid.get("price"):
        return None
    return Price(**paid["price"], cached=paid.get("price_of_cached_tokens"), priced_for=paid.get("priced_for"))


def _cached_shares(run_file: Mapping[str, Any]) -> dict[str, float]:
    """Return the share of each kind's prompt tokens that the provider had in its cache, where the run counted it."""
    by_kind = (run_file.get("paid") or {}).get("by_purpose") or {}
    return {
        kind: paid["cached_prompt_tokens"] / paid["prompt_tokens"]
        for kind, paid in by_kind.items()
        if paid.get("cached_prompt_tokens") and paid.get("prompt_tokens")
    }


def _seeds(recipe: Recipe, data: RunData, folder: Path | None) -> tuple[Problem, ...]:
    """Read the seed problems; raise `BadInput` if they are no longer those of the rows."""
    sources = [_found(ProblemSource.parse(source), folder) for source in recipe.problems]
    recorded = {origin["source"]: origin for origin in data.provenance.get("problems", ())}
    sources = [as_recorded(source, recorded.get(source.label, {})) for source in sources]
    changed = [
        str(source.path or source.label)
        for source in sources
        if is_changed(recorded.get(source.label, {}), problems_origin(source))
    ]
    if changed:
        raise BadInput(CHANGED.format(" and ".join(changed)))
    seeds = tuple(
        item
        for item in read_problems(sources, recipe.limit, solutions=recipe.method.reads_solutions)
        if isinstance(item, Problem)
    )
    questions = {seed.id: seed.question for seed in seeds}
    for row in data.rows:
        if questions.get(row.seed_id) != row.seed_problem:
            raise BadInput(f"{row.seed_id} is not the problem that the data was made from; give the files of that run")
    return seeds


def _found(source: Source, folder: Path | None) -> Source:
    """Return a source with its file in the folder in which the run was started, if it is still there."""
    if source.path is None:
        return source
    if folder is None:
        raise BadInput(NOT_THERE.format(source.path))
    there = folder / source.path
    return replace(source, path=there) if there.exists() else source


def _personas(source: str, data: RunData, folder: Path | None) -> tuple[Persona, ...]:
    """Read the personas; raise `BadInput` if their source has changed since the run."""
    recorded = data.provenance.get("personas") or {}
    parsed = as_recorded(_found(PersonaSource.parse(source), folder), recorded)
    if is_changed(recorded, personas_origin(parsed)):
        raise BadInput(CHANGED.format(f"the source of personas {source!r}"))
    return tuple(parsed.read())


def _answered(run: Path, asked: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield the ids of the requests in `asked` with their answers, in the order of `asked`; skip cut answers.

    The answers may be in the journal or in the block files beside it.
    """
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
    for digest, id in asked.items():
        # As the run read it.
        if digest in found and (answer := read_completion(found[digest]).answer.strip()):
            yield id, answer
