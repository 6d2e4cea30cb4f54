"""What the data is made of: rows by step beside the paper's, levels and subjects before and after, keep rates."""

from collections import Counter

from personamath.evaluation.scores.statistics import bootstrap_mean
from personamath.records import Step
from personamath.report.analysis.intervals import wilson
from personamath.report.analysis.paper import COMPOSITION, MEAN_LEVEL, PAPER
from personamath.report.analysis.result import Analysis, Cell, Chart, LeftOut, Series, Table
from personamath.report.analysis.rows import RunData
from personamath.runs.funnel import SOURCES, STEPS

STEP_NAMES: dict[Step, str] = {
    "stage1_inference": "1: inference",
    "stage1_rewrite": "1: rewrite",
    "stage2_reflection": "2: reflection",
    "stage2_rewrite": "2: rewrite",
}


def composition(data: RunData) -> Analysis:
    """Rows by source and step, beside the paper's table 2."""
    counts = Counter((row.source, row.step) for row in data.rows)
    sources = [source for source in SOURCES if any(counts[source, step] for step in STEPS)]
    rows: list[tuple[Cell, ...]] = []
    for label, of in [*((source, [source]) for source in sources), ("all", sources)]:
        ours = [sum(counts[source, step] for source in of) for step in STEPS]
        names = [*STEP_NAMES.values(), "all"]
        for name, count, printed in zip(names, [*ours, sum(ours)], COMPOSITION[label], strict=True):
            papers = round(float(printed.removesuffix("K")) * 1_000)
            rows.append((SOURCES.get(label, label), name, count, papers, count / papers))
    total, all_papers = len(data.rows), rows[-1][3]
    series = [
        Series(SOURCES[source], tuple(STEP_NAMES.values()), tuple(float(counts[source, step]) for step in STEPS))
        for source in sources
    ]
    return Analysis(
        "composition",
        "Composition",
        f"{total:,} rows were kept; the paper kept {all_papers:,}.",
        Table(("source", "step", "rows", "the paper's rows", "ours to the paper's %"), tuple(rows)),
        Chart("bars", "step", "rows", tuple(series)),
        f"Kept rows by source and step, beside table 2 of {PAPER}, whose numbers are rounded to hundreds and whose "
        "MATH row does not add up exactly: read them as within 1 %. The paper's teacher was gpt-4o-mini-2024-07-18; "
        "another teacher, other seed problems or other K1 and K2 give other numbers.",
    )


def first_answers(data: RunData) -> Analysis | LeftOut:
    """Mean level of the problems that the teacher's first answer got right and wrong: the paper's table 1."""
    name, title = "first-answers", "Level of right and wrong first answers"
    if data.seeds is None or data.wrong is None:
        return LeftOut(name, title, data.why_missing("wrong", "seeds"))
    solved = {row.seed_id for row in data.rows if row.step == "stage1_inference"}
    levels = {
        "right": [seed.level for seed in data.seeds if seed.id in solved and seed.level],
        "wrong": [seed.level for seed in data.seeds if seed.id in data.wrong and seed.level],
    }
    if not all(levels.values()):
        return LeftOut(name, title, "no problem with a level was answered right, or none was answered wrong")
    found = {answer: bootstrap_mean([float(level) for level in some]) for answer, some in levels.items()}
    rows = tuple((answer, len(levels[answer]), *found[answer], MEAN_LEVEL[answer]) for answer in ("right", "wrong"))
    series = Series(
        "mean level",
        tuple(found),
        tuple(one.value for one in found.values()),
        tuple(one.low for one in found.values()),
        tuple(one.high for one in found.values()),
    )
    return Analysis(
        name,
        title,
        f"Problems answered right have mean level {found['right'].value:.2f}, problems answered wrong "
        f"{found['wrong'].value:.2f}; in the paper {MEAN_LEVEL['right']} and {MEAN_LEVEL['wrong']}.",
        Table(("first answer", "problems", "mean level", "low", "high", "the paper's mean level"), rows),
        Chart(
            "bars",
            "first answer",
            "mean level",
            (series, Series("the paper", tuple(MEAN_LEVEL), tuple(MEAN_LEVEL.values()))),
        ),
        f"Table 1 of {PAPER}: MATH's levels, 1 to 5, by the teacher's first answer. Problems without a level "
        "(GSM8K's, and MATH's `Level ?`) are left out, as are answers that were cut off. Intervals: 95 %, bootstrap "
        "over problems.",
    )


def keep_rates(data: RunData) -> Analysis | LeftOut:
    """How much of each step is kept, by level."""
    name, title = "keep-rates", "What is kept, by level"
    if data.seeds is None:
        return LeftOut(name, title, data.why_missing("seeds"))
    recipe = data.recipe
    kept = Counter((row.step, _level(row.level, row.source)) for row in data.rows)
    seeds = Counter(_level(seed.level, seed.source) for seed in data.seeds)
    groups = sorted(seeds)
    rows: list[tuple[Cell, ...]] = []
    for group in groups:
        solved, recovered = kept["stage1_inference", group], kept["stage2_reflection", group]
        tried = [
            (solved, seeds[group]),
            (kept["stage1_rewrite", group], recipe.k1 * solved),
            (recovered, seeds[group] - solved),
            (kept["stage2_rewrite", group], recipe.k2 * recovered),
        ]
        for step, (successes, trials) in zip(STEPS, tried, strict=True):
            share = wilson(successes, trials) if trials else (None, None, None)
            rows.append((group, STEP_NAMES[step], trials, successes, *share))
    series = []
    for step in STEPS:
        shown = [row for row in rows if row[1] == STEP_NAMES[step] and row[2]]
        if shown:
            series.append(Series.of_rows(STEP_NAMES[step], shown, 0, 4, 5, 6))
    first = wilson(sum(kept["stage1_inference", group] for group in groups), len(data.seeds))
    return Analysis(
        name,
        title,
        f"The first answer is right for {first.value:.1%} of {len(data.seeds):,} seed problems.",
        Table(("level", "step", "tried", "kept", "kept %", "low %", "high %"), tuple(rows)),
        Chart("bars", "level", "kept %", tuple(series)),
        "Tried is, in stage 1, every seed problem and K1 rewrites of each solved one; in stage 2, every seed "
        "problem that was not solved and K2 rewrites of each recovered one. What was cut off, failed or could not "
        "be used counts as not kept. Intervals: 95 %, Wilson's; rewrites of one problem are not independent, so "
        "theirs are too narrow.",
    )


def before_and_after(data: RunData) -> Analysis:
    """Shares of the levels and subjects among the seed problems and the rows of both stages."""
    seeds = data.seeds or {row.seed_id: row for row in data.rows}.values()
    sets: dict[str, list[tuple[str, str]]] = {
        "seed problems": [_kinds(seed.source, seed.level, seed.subject) for seed in seeds],
        "stage 1": [_kinds(row.source, row.level, row.subject) for row in data.rows if row.stage == 1],
        "stage 2": [_kinds(row.source, row.level, row.subject) for row in data.rows if row.stage == 2],
    }
    sets = {label: members for label, members in sets.items() if members}
    rows: list[tuple[Cell, ...]] = []
    for place, kind in enumerate(("level", "subject")):
        counts = {label: Counter(member[place] for member in members) for label, members in sets.items()}
        for value in sorted({value for counted in counts.values() for value in counted}):
            rows.append((kind, value, *(counted[value] / counted.total() for counted in counts.values())))
    levels = [row for row in rows if row[0] == "level"]
    series = [
        Series(label, tuple(str(row[1]) for row in levels), tuple(float(row[2 + place] or 0) for row in levels))
        for place, label in enumerate(sets)
    ]
    hard = {
        label: sum(value in ("MATH, level 4", "MATH, level 5") for value, _ in some) / len(some)
        for label, some in sets.items()
    }
    return Analysis(
        "before-after",
        "Levels and subjects, before and after",
        "MATH's levels 4 and 5 are " + ", ".join(f"{share:.1%} of {label}" for label, share in hard.items()) + ".",
        Table(("of", "value", *(f"{label} %" for label in sets)), tuple(rows)),
        Chart("bars", "level of the seed problem", "share %", tuple(series)),
        "A rewritten problem has the level and subject of its seed problem: what is shown is which seed problems "
        "the rows come from. "
        + (
            "Seed problems are all that could be used."
            if data.seeds
            else "Seed problems are those with rows: others are not known here."
        ),
    )


def _level(level: int | None, source: str) -> str:
    return f"{SOURCES.get(source, source)}, level {level}" if level else SOURCES.get(source, source)


def _kinds(source: str, level: int | None, subject: str | None) -> tuple[str, str]:
    return _level(level, source), subject or SOURCES.get(source, source)
