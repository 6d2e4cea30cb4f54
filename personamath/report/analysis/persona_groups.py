"""Which personas help: rewrites by occupation group, adjusted for the seed problems; only for the persona method."""

from collections import Counter
from collections.abc import Iterator, Sequence
from math import inf
from typing import NamedTuple

from personamath.evaluation.scores.statistics import Interval
from personamath.methods.persona import ForPersonas, rewrite_id
from personamath.recipe import Recipe
from personamath.records import Row
from personamath.report.analysis.intervals import LEAST, adjusted_means
from personamath.report.analysis.result import Analysis, Cell, Chart, LeftOut, Series, Table
from personamath.report.analysis.rows import RunData

NAME, TITLE = "persona-groups", "Which personas help?"
HEADINGS = ("kept, adjusted %", "novelty, adjusted %", "words, adjusted", "flagged, adjusted %")


class _Attempt(NamedTuple):
    """One requested rewrite."""

    seed_id: str
    occupation: str
    row: Row | None
    """The row it became; None if it was not kept."""


def persona_groups(data: RunData) -> Analysis | LeftOut:
    """Compute keep rate, novelty, length and flag rate by occupation group, adjusted for the seed problems."""
    recipe = data.recipe
    if recipe is None or not isinstance(recipe.method, ForPersonas):
        return LeftOut(NAME, TITLE, f"the method {data.outline.method!r} does not rewrite for personas")
    if data.personas is None:
        return LeftOut(NAME, TITLE, data.why_missing("personas"))
    if not any(persona.occupation for persona in data.personas):
        return LeftOut(NAME, TITLE, "the personas have no `occupation` column; the bundled ones have ISCO-08's groups")
    attempts = [attempt for attempt in _attempts(data, recipe, recipe.method) if attempt.occupation]
    sizes = Counter(attempt.occupation for attempt in attempts)
    attempts = [attempt for attempt in attempts if sizes[attempt.occupation] >= LEAST]
    if len({attempt.occupation for attempt in attempts}) < 2:
        why = f"it compares groups of {LEAST} rewrites or more, and there are fewer than two such groups"
        return LeftOut(NAME, TITLE, why)
    if not any(attempt.row for attempt in attempts):
        return LeftOut(NAME, TITLE, "no rewrite was kept for a persona of a known occupation")
    names = sorted({attempt.occupation for attempt in attempts})
    kept = _adjusted(attempts, [float(attempt.row is not None) for attempt in attempts])
    with_rows = [attempt for attempt in attempts if attempt.row]
    rows = [attempt.row for attempt in attempts if attempt.row]
    measured = {
        "novelty": _adjusted(with_rows, [_novelty(row) for row in rows]),
        "words": _adjusted(with_rows, [float(len(row.problem.split())) for row in rows], inf),
        "flagged": _adjusted(with_rows, [float(row.flag is not None) for row in rows]),
    }
    table: list[tuple[Cell, ...]] = []
    for name in names:
        tried = [attempt.row for attempt in attempts if attempt.occupation == name]
        found = sum(row is not None for row in tried)
        cells = [kept[name], *(one.get(name, (None, None, None)) for one in measured.values())]
        table.append((name, len(tried), found / len(tried), *(cell for group in cells for cell in group)))
    best, worst = max(names, key=lambda name: kept[name].value), min(names, key=lambda name: kept[name].value)
    apart = kept[best].low > kept[worst].high
    columns = [column for heading in HEADINGS for column in (heading, *_ends(heading))]
    return Analysis(
        NAME,
        TITLE,
        f"Rewrites are kept most often for {best} ({kept[best].value:.1%}) and least often for {worst} "
        f"({kept[worst].value:.1%}); their intervals {'do not overlap' if apart else 'overlap, so it may be chance'}.",
        Table(("occupation", "asked for", "kept %", *columns), tuple(table)),
        Chart("bars", "occupation group of the persona", "kept, adjusted %", (_series(names, kept),)),
        "This counts every persona that was drawn for a solved or recovered problem, also if its rewrite was dropped. "
        "Adjusted values estimate what each group would have if all groups had the same seed problems: a least-squares "
        "fit with one effect per seed problem. Novelty is the share of a rewrite's distinct words that its seed "
        "problem lacks. Words are the rewrite's length. Flagged rewrites are those with a value in the column `flag`. "
        "Intervals: 95 %, bootstrap over seed problems. With eleven groups, one of ten differences is expected to look "
        f"real by chance. Groups with fewer than {LEAST} rewrites are left out.",
    )


def _attempts(data: RunData, recipe: Recipe, method: ForPersonas) -> Iterator[_Attempt]:
    """Yield every requested rewrite, by repeating the draw of personas."""
    personas = data.personas or ()
    rows = {row.id: row for row in data.rows}
    for first in data.rows:
        if first.step in data.rewriting:
            continue  # a rewrite is not rewritten again
        for persona in method.drawn(first.step, first.id, personas, recipe.rng_seed):
            row = rows.get(rewrite_id(first.id, persona))
            yield _Attempt(first.id, persona.occupation or "", row)


def _adjusted(attempts: Sequence[_Attempt], values: Sequence[float], most: float = 1.0) -> dict[str, Interval]:
    """Return adjusted means by occupation, clipped to the range 0 to `most`, which the fit may leave."""
    names = sorted({attempt.occupation for attempt in attempts})
    groups = {name: number for number, name in enumerate(names)}
    seeds = {seed: number for number, seed in enumerate(dict.fromkeys(attempt.seed_id for attempt in attempts))}
    found = adjusted_means(
        [groups[attempt.occupation] for attempt in attempts], [seeds[attempt.seed_id] for attempt in attempts], values
    )
    return {
        name: Interval(*(min(max(end, 0.0), most) for end in interval))
        for name, interval in zip(names, found, strict=True)
    }


def _novelty(row: Row) -> float:
    words = set(row.problem.lower().split())
    return len(words - set(row.seed_problem.lower().split())) / len(words)


def _ends(heading: str) -> tuple[str, str]:
    percent = " %" if heading.endswith("%") else ""
    return f"low{percent}", f"high{percent}"


def _series(names: list[str], found: dict[str, Interval]) -> Series:
    value, low, high = zip(*(found[name] for name in names), strict=True)
    return Series("kept", tuple(names), value, low, high)
