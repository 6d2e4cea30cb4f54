"""Composition of the data: rows by step and the paper's, levels and subjects before and after, keep rates."""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from personamath.evaluation.scores.statistics import Interval, bootstrap_mean
from personamath.folder.counts import in_order
from personamath.folder.used_sources import ALL, rows_of_paper
from personamath.methods import Method
from personamath.methods.method import Outline
from personamath.records import Problem, Row
from personamath.report.analysis.intervals import LEAST, TOO_FEW, share
from personamath.report.analysis.paper import MEAN_LEVEL, PAPER
from personamath.report.analysis.result import Analysis, Cell, Chart, LeftOut, Series, Table
from personamath.report.analysis.rows import RunData

HARD = 4
"""The lowest of MATH's levels, 1 to 5, that counts as hard."""
MATH = "math"
CHARTED_SOURCES = 5
"""More series than the page has colours could not be told apart."""


def composition(data: RunData) -> Analysis:
    """Count rows by source and step, for any method, next to the counts of the method's paper, if it reports them."""
    counts = Counter((row.source, row.step) for row in data.rows)
    steps, sources = data.outline.steps, sorted({row.source for row in data.rows})
    reported = rows_of_paper(data.provenance, data.outline.method)
    papers = {source: [_printed(cell) for cell in cells] for source, cells in reported.items()}
    rows: list[tuple[Cell, ...]] = []
    together = [(ALL, sources)] if len(sources) > 1 else []
    for source, of in [*((source, [source]) for source in sources), *together]:
        ours = [sum(counts[one, step.name] for one in of) for step in steps]
        theirs = papers.get(source, [None] * (len(steps) + 1))
        names = [*(step.label for step in steps), ALL]
        lines = list(zip(names, [*ours, sum(ours)], theirs, strict=True))
        for name, count, paper in lines if len(steps) > 1 else lines[:1]:
            paper_cells = (paper, count / paper if paper else None) if papers else ()
            rows.append((data.label(source), name, count, *paper_cells))
    labels = tuple(step.label for step in steps)
    series = [
        Series(name, labels, tuple(float(sum(counts[source, step.name] for source in of)) for step in steps))
        for name, of in _charted(sources, Counter(row.source for row in data.rows), data.label).items()
    ]
    finding, note = f"{len(data.rows):,} rows were kept.", "Kept rows by source and step."
    if papers:
        kept = sum(cells[-1] for source, cells in papers.items() if source != ALL)
        finding = f"{len(data.rows):,} rows were kept; the paper kept {papers.get(ALL, [kept])[-1]:,}"
        finding += "." if ALL in papers else f" of {' and '.join(map(data.label, papers))}."
        note = (
            f"Kept rows by source and step, next to the numbers that {data.outline.cite} reports. Those are rounded, "
            "so sums may be off by 1 %. Another teacher, other seed problems, prompts or settings give other numbers."
        )
    if data.recipe and data.recipe.prompts:
        note += f" The recipe replaces the method's prompts of {' and '.join(data.recipe.prompts)}."
    columns = ("source", "step", "rows", *(("the paper's rows", "ours to the paper's %") if papers else ()))
    return Analysis(
        "composition",
        "Composition",
        finding,
        Table(columns, tuple(rows)),
        Chart("bars", "step", "rows", tuple(series)),
        note,
    )


def _charted(sources: Sequence[str], rows: Counter[str], label: Callable[[str], str]) -> dict[str, list[str]]:
    """The series of the chart with the sources of each: those with the most rows, and the others together."""
    if len(sources) <= CHARTED_SOURCES:
        return {label(source): [source] for source in sources}
    most = {source for source, _ in rows.most_common(CHARTED_SOURCES - 1)}
    alone = {label(source): [source] for source in sources if source in most}
    return alone | {"other sources": [source for source in sources if source not in most]}


def _printed(cell: str) -> int:
    """Parse a number of rows as a paper prints it, e.g. `6.6K`."""
    return round(float(cell.removesuffix("K")) * 1_000)


def first_answers(data: RunData) -> Analysis | LeftOut:
    """Compute the mean level of problems with a right and a wrong first answer, for any method: table 1."""
    name, title = "first-answers", "Level of right and wrong first answers"
    if data.seeds is None or data.solved is None or data.wrong is None:
        return LeftOut(name, title, data.why_missing("wrong", "seeds"))
    levels = {
        "right": [seed.level for seed in data.seeds if seed.id in data.solved and seed.level],
        "wrong": [seed.level for seed in data.seeds if seed.id in data.wrong and seed.level],
    }
    if fewest := [answer for answer, some in levels.items() if len(some) < LEAST]:
        return LeftOut(name, title, f"fewer than {LEAST} problems with a level were answered {' and '.join(fewest)}")
    found = {answer: bootstrap_mean([float(level) for level in some]) for answer, some in levels.items()}
    has_paper = MATH in rows_of_paper(data.provenance, data.outline.method) and _levelled(data.seeds) == {MATH}
    rows = tuple(
        (answer, len(levels[answer]), *found[answer], *([MEAN_LEVEL[answer]] if has_paper else []))
        for answer in ("right", "wrong")
    )
    series = [_with_intervals("mean level", found)]
    finding = (
        f"Problems answered right have mean level {found['right'].value:.2f}, problems answered wrong "
        f"{found['wrong'].value:.2f}"
    )
    if has_paper:
        series.append(Series("the paper", tuple(MEAN_LEVEL), tuple(MEAN_LEVEL.values())))
        finding += f"; in the paper {MEAN_LEVEL['right']} and {MEAN_LEVEL['wrong']}"
    return Analysis(
        name,
        title,
        f"{finding}.",
        Table(
            (
                "first answer",
                "problems",
                "mean level",
                "low",
                "high",
                *(["the paper's mean level"] if has_paper else []),
            ),
            rows,
        ),
        Chart("bars", "first answer", "mean level", tuple(series)),
        (
            f"Table 1 of {PAPER}: MATH's levels, 1 to 5, by the teacher's first answer. Problems without a level "
            "(GSM8K's, and MATH's `Level ?`) are left out"
            if has_paper
            else "Levels by the teacher's first answer, as the sources give them, whatever they mean there "
            f"({_ranges(data.seeds, data.label)}). Problems without a level are left out"
        )
        + ", as are answers that were cut off. Intervals: 95 %, bootstrap over problems.",
    )


def _levelled(problems: Iterable[Problem | Row]) -> set[str]:
    """The sources that give levels."""
    return {problem.source for problem in problems if problem.level}


def _ranges(problems: Collection[Problem | Row], label: Callable[[str], str]) -> str:
    """The lowest and the highest level of each source that gives levels."""
    ranges = []
    for source in sorted(_levelled(problems)):
        levels = [problem.level for problem in problems if problem.source == source and problem.level]
        ranges.append(f"{label(source)} {min(levels)} to {max(levels)}")
    return ", ".join(ranges)


def _with_intervals(name: str, found: dict[str, Interval]) -> Series:
    value, low, high = zip(*found.values(), strict=True)
    return Series(name, tuple(found), value, low, high)


def keep_rates(data: RunData) -> Analysis | LeftOut:
    """Compute the share of each step's tries that is kept, by level, for any method that this version knows.

    Shares of too few tries are left out of the table and the chart.
    """
    name, title = "keep-rates", "Share of tries kept, by level"
    if data.seeds is None or data.recipe is None:
        return LeftOut(name, title, data.why_missing("seeds"))
    if not data.recipe.method.attempts({}):
        return LeftOut(name, title, f"the method {data.outline.method!r} does not say how many rows it tries to make")
    tried, kept = _attempts(data.rows, data.seeds, data.recipe.method, data.label)
    steps, levels = data.outline.steps, sorted({level for level, _ in tried}, key=in_order)
    levels = [ALL, *levels] if len(levels) > 1 else levels
    for (level, of), count in list(tried.items()):
        tried[ALL, of] += count
        kept[ALL, of] += kept[level, of]
    cells: dict[tuple[str, str], tuple[Cell, ...]] = {}
    for level in levels:
        for step in steps:
            trials, successes = tried[level, step.name], kept[level, step.name]
            cells[level, step.name] = (level, step.label, trials, successes, *share(successes, trials))
    series = []
    for step in steps:
        if shown := [cells[level, step.name] for level in levels if tried[level, step.name] >= LEAST]:
            series.append(Series.of_rows(step.label, shown, 0, 4, 5, 6))
    used = len({row.seed_id for row in data.rows}) / len(data.seeds)
    finding = f"{used:.1%} of {len(data.seeds):,} seed problems have a row."
    if data.solved is not None:
        right = len(data.solved) / len(data.seeds)
        finding = (
            f"The first answer is right for {right:.1%} of {len(data.seeds):,} seed problems; {used:.1%} have a row."
        )
    return Analysis(
        name,
        title,
        finding,
        Table(("level", "step", "tried", "kept", "kept %", "low %", "high %"), tuple(cells.values())),
        Chart("bars", "level", "kept %", tuple(series)) if series else None,
        "`tried` counts the rows that a step tried to make from the rows that the earlier steps kept. A try that was "
        "cut off, failed or was unusable counts as not kept, also if another answer that was cut off prevented it. "
        "Intervals: 95 %, Wilson's. Rows of one seed problem are not independent, so the intervals of a step that "
        "makes several rows per problem are too narrow. " + TOO_FEW,
    )


def _attempts(
    rows: Iterable[Row], seeds: Iterable[Problem], method: Method, label: Callable[[str], str]
) -> tuple[Counter[tuple[str, str]], Counter[tuple[str, str]]]:
    """Count the rows that were tried and kept, by level and step."""
    of_seed: dict[str, Counter[str]] = defaultdict(Counter)
    for row in rows:
        of_seed[row.seed_id][row.step] += 1
    tried, kept = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
    for seed in seeds:
        level, here = _level(seed.level, label(seed.source)), of_seed[seed.id]
        for step, attempts in method.attempts(here).items():
            kept[level, step] += here[step]
            # At least the existing rows: someone may have removed rows of an earlier step from the folder.
            tried[level, step] += max(attempts, here[step])
    return tried, kept


def before_and_after(data: RunData) -> Analysis | LeftOut:
    """Compute the shares of levels and subjects among seed problems and rows, per config, for any method."""
    name, title = "before-after", "Levels and subjects, before and after"
    seeds: Collection[Problem | Row] = data.seeds or {row.seed_id: row for row in data.rows}.values()
    if not any(seed.level or seed.subject for seed in seeds):
        return LeftOut(name, title, "no seed problem has a level or a subject")
    groups: dict[str, Collection[Problem | Row]] = {"seed problems": seeds}
    groups |= {config: rows for config, rows in _groups(data).items() if len(rows) >= LEAST}
    if len(groups) == 1 or len(seeds) < LEAST:
        return LeftOut(name, title, f"there are fewer than {LEAST} seed problems, or fewer rows in each config")
    sets = {name: [_kinds(data.label(one.source), one.level, one.subject) for one in of] for name, of in groups.items()}
    rows: list[tuple[Cell, ...]] = []
    for place, kind in enumerate(("level", "subject")):
        counts = {label: Counter(member[place] for member in members) for label, members in sets.items()}
        for value in sorted({value for counted in counts.values() for value in counted}, key=in_order):
            rows.append((kind, value, *(counted[value] / counted.total() for counted in counts.values())))
    levels = [row for row in rows if row[0] == "level"]
    series = [
        Series(label, tuple(str(row[1]) for row in levels), tuple(float(row[2 + place] or 0) for row in levels))
        for place, label in enumerate(sets)
    ]
    return Analysis(
        name,
        title,
        _levels(groups),
        Table(("of", "value", *(f"{label} %" for label in sets)), tuple(rows)),
        Chart("bars", "level of the seed problem", "share %", tuple(series)),
        "A rewritten problem has the level and subject of its seed problem, so this shows which seed problems the rows "
        "come from. "
        + (
            "`seed problems` counts all usable seed problems."
            if data.seeds
            else "`seed problems` counts only those with rows; the others are not known here."
        )
        + f" Configs with fewer than {LEAST} rows are left out.",
    )


def _groups(data: RunData) -> dict[str, list[Row]]:
    """Group the rows by the method's own configs, or by step if it has none; skip empty groups."""
    configs = {name: config.steps for name, config in data.outline.configs.items()}
    configs = configs or {step.name: (step.name,) for step in data.outline.steps}
    groups = {name: [row for row in data.rows if row.step in steps] for name, steps in configs.items()}
    return {_config_label(name, configs[name], data.outline): rows for name, rows in groups.items() if rows}


def _config_label(name: str, steps: Sequence[str], outline: Outline) -> str:
    """Return a config's name for people: that of its only step, or what its steps' names begin with, e.g. `Stage 1`."""
    if steps == (name,):
        return outline.step(name).label
    begins = {outline.step(step).label.partition(":")[0] for step in steps}
    return begins.pop() if len(begins) == 1 else name


def _levels(groups: Mapping[str, Collection[Problem | Row]]) -> str:
    """Compare the levels of groups of problems in a sentence."""
    levelled = {source for of in groups.values() for source in _levelled(of)}
    if not levelled:
        return "No seed problem has a level."
    if levelled == {MATH}:
        return f"Level {HARD} and above: {', '.join(f'{_hard(of):.1%} of {name}' for name, of in groups.items())}."
    means = []
    for name, of in groups.items():
        if levels := [problem.level for problem in of if problem.level]:
            means.append(f"{sum(levels) / len(levels):.2f} of {name}")
    return f"Mean level: {', '.join(means)}."


def _hard(problems: Collection[Problem | Row]) -> float:
    return sum((problem.level or 0) >= HARD for problem in problems) / len(problems)


def _level(level: int | None, label: str) -> str:
    return f"{label}, level {level}" if level else label


def _kinds(label: str, level: int | None, subject: str | None) -> tuple[str, str]:
    return _level(level, label), subject or label
