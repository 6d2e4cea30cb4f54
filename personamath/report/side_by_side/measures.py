"""What is measured of each run: ratios of two sums over the seed problems, so that seed problems can be resampled."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from personamath.errors import BadInput
from personamath.records import Row
from personamath.report.analysis.costs import spent
from personamath.report.analysis.duplicates import near_duplicates
from personamath.report.analysis.rows import RunData

REPEATS = ("repeats another", "beyond the quota")
"""How the reasons begin under which methods drop right solutions and usable rewrites that add nothing new."""


class Measure(NamedTuple):
    """One measure of a run."""

    name: str
    """For `--json`, e.g. `keep_rate`."""
    label: str
    """For tables, e.g. `tries kept`."""
    says: str
    """What is divided by what."""
    share: bool = False
    """Whether it is a share from 0 to 1, shown as a percentage."""


MEASURES = (
    Measure("rows_per_seed", "rows per seed problem", "kept rows / seed problems"),
    Measure("seeds_with_rows", "seed problems with a row", "seed problems with at least one kept row / all", True),
    Measure("keep_rate", "tries kept", "kept rows / rows that the method tried to make", True),
    Measure("requests_per_row", "requests per row", "requests / kept rows"),
    Measure("tokens_per_row", "tokens per row", "prompt and completion tokens / kept rows"),
    Measure("usd_per_1000_rows", "USD per 1,000 rows", "money for all requests / thousands of kept rows"),
    Measure("unique_questions", "unique questions", "different questions / kept rows", True),
    Measure("near_duplicates", "near duplicates", "rows whose problem nearly equals another row's / kept rows", True),
    Measure("question_words", "words in a question", "words of the questions / kept rows"),
    Measure("response_words", "words in a response", "words of the responses / kept rows"),
    Measure("flagged", "flagged rewrites", "rewrites that lose or add a number or formula / kept rewrites", True),
    Measure("overlap", "overlap with test problems", "rows that overlap with a test problem / kept rows", True),
    Measure("level", "mean level", "levels of the rows' seed problems / rows whose seed problem has a level"),
)
SEEDS_WITH_ROWS = "seeds_with_rows"


@dataclass(frozen=True, slots=True)
class Sums:
    """The two parts of a ratio for each seed problem of a run, in the order of the seed problems."""

    above: tuple[float, ...]
    below: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Measured:
    """What is known about one run."""

    name: str
    method: str
    seeds: tuple[str, ...]
    """Ids of the seed problems, also of those without a row."""
    rows: int
    requests: int
    repeats: int
    """Right solutions and usable rewrites that were dropped because they add nothing new: the method's own ceiling."""
    sums: Mapping[str, Sums]
    """By measure; a measure that does not apply to the run, or that its data does not allow, is missing."""


def measured(data: RunData) -> Measured:
    """Measure a run; raise `BadInput` if its seed problems without rows are not known."""
    if data.seeds is None:
        raise BadInput(f"{data.name}: a comparison needs all seed problems, but {data.why_missing('seeds')}")
    seeds = tuple(seed.id for seed in data.seeds)
    requests: Mapping[str, Mapping[str, int]] = data.provenance["funnel"]["requests"]
    counts = sum((Counter(of) for of in requests.values()), Counter[str]())
    sums = _sums_of_rows(data, seeds) | _sums_of_cost(data, seeds, counts.total())
    return Measured(
        data.name,
        data.outline.method,
        seeds,
        len(data.rows),
        counts.total(),
        sum(count for reason, count in counts.items() if reason.startswith(REPEATS)),
        sums,
    )


def _sums_of_rows(data: RunData, seeds: Sequence[str]) -> dict[str, Sums]:
    of_seed: dict[str, list[Row]] = defaultdict(list)
    for row in data.rows:
        of_seed[row.seed_id].append(row)
    duplicated = _duplicated(data.rows)

    def sums(above: Callable[[Row], float], among: Callable[[Row], bool] = lambda row: True) -> Sums:
        chosen = [[row for row in of_seed[seed] if among(row)] for seed in seeds]
        return Sums(tuple(float(sum(map(above, rows))) for rows in chosen), tuple(float(len(rows)) for rows in chosen))

    kept = tuple(float(len(of_seed[seed])) for seed in seeds)
    each = (1.0,) * len(seeds)
    found = {
        "rows_per_seed": Sums(kept, each),
        SEEDS_WITH_ROWS: Sums(tuple(float(count > 0) for count in kept), each),
        "unique_questions": Sums(tuple(float(_different(of_seed[seed])) for seed in seeds), kept),
        "near_duplicates": sums(lambda row: row.id in duplicated),
        "question_words": sums(lambda row: len(row.problem.split())),
        "response_words": sums(lambda row: len(row.response.split())),
        "flagged": sums(lambda row: row.flag is not None, lambda row: row.step in data.rewriting),
        "level": sums(lambda row: row.level or 0, lambda row: bool(row.level)),
    }
    if data.provenance.get("benchmarks"):
        found["overlap"] = sums(lambda row: row.overlap is not None)
    if tried := _tried(data, [of_seed[seed] for seed in seeds]):
        found["keep_rate"] = tried
    return {name: sums for name, sums in found.items() if any(sums.below)}


def _duplicated(rows: Sequence[Row]) -> frozenset[str]:
    """Return the ids of rows whose problem nearly equals that of another row.

    Methods keep many solutions of one problem on purpose, so equal problems are compared once.
    """
    by_question: dict[str, list[str]] = defaultdict(list)
    for row in rows:
        by_question[_question(row)].append(row.id)
    groups = list(by_question.values())
    pairs = near_duplicates(list(by_question))
    near = {place for pair in pairs for place in (pair.first, pair.second)}
    return frozenset(id for place, ids in enumerate(groups) if place in near or len(ids) > 1 for id in ids)


def _different(rows: Iterable[Row]) -> int:
    return len({_question(row) for row in rows})


def _question(row: Row) -> str:
    return " ".join(row.problem.split())


def _tried(data: RunData, of_seeds: Sequence[Sequence[Row]]) -> Sums | None:
    """Return kept rows and tries by seed problem, of the steps whose tries the method knows."""
    if data.recipe is None:
        return None
    kept, tried = [], []
    for rows in of_seeds:
        here = Counter(row.step for row in rows)
        tries = data.recipe.method.attempts(here)
        kept.append(float(sum(here[step] for step in tries)))
        # At least the existing rows: someone may have removed rows of an earlier step from the folder.
        tried.append(float(sum(max(count, here[step]) for step, count in tries.items())))
    return Sums(tuple(kept), tuple(tried)) if any(tried) else None


def _sums_of_cost(data: RunData, seeds: Sequence[str], requests: int) -> dict[str, Sums]:
    """Return what the run took for each kept row.

    A dataset does not record the requests of a single seed problem, so each counts with the run's average.
    """
    rows = Counter(row.seed_id for row in data.rows)
    kept = tuple(float(rows[seed]) for seed in seeds)

    def each(total: float) -> Sums:
        return Sums((total / len(seeds),) * len(seeds), kept)

    if not data.rows:
        return {}
    found = {"requests_per_row": each(requests)}
    if used := spent(data):
        found["tokens_per_row"] = each(used.tokens)
        if used.usd:  # on hardware of one's own an answer costs nothing
            found["usd_per_1000_rows"] = each(1_000 * used.usd)
    return found
