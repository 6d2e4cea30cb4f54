"""Says a comparison in words and cells: values with their intervals, and which differences the data can show."""

import textwrap
from collections.abc import Iterator, Sequence
from itertools import groupby

from personamath.evaluation.scores.statistics import Interval
from personamath.report.analysis.result import Table
from personamath.report.analysis.texts import RESAMPLES as SHUFFLES
from personamath.report.side_by_side.comparison import SideBySide, without_rows
from personamath.report.side_by_side.measures import MEASURES, Measure
from personamath.report.side_by_side.resampling import RESAMPLES, Difference

EMPTY = "–"
LINE_CHARACTERS = 110
"""Width of the paragraphs on a terminal, about that of a table of four runs."""
METHODS_OF_INTERVALS = (
    f"Intervals are 95 %: a bootstrap over seed problems ({RESAMPLES:,} resamples, the same ones for every run, so "
    "differences are paired); Wilson's for `seed problems with a row`; for the vocabulary, percentiles over "
    f"{SHUFFLES} shuffles of the questions. Requests, tokens and money of single seed problems are not recorded, so "
    "those intervals come from the kept rows alone. Answers taken from other runs count as if this run had paid for "
    "them."
)


def table(found: SideBySide) -> Table:
    """Return one row for each measure and one column for each run."""
    runs = found.runs
    rows: list[tuple[str, ...]] = [
        ("method", *(run.method for run in runs)),
        ("seed problems", *(f"{len(run.seeds):,}" for run in runs)),
        ("kept rows", *(f"{run.rows:,}" for run in runs)),
        ("requests", *(f"{run.requests:,}" for run in runs)),
    ]
    for measure in MEASURES:
        cells = [found.intervals[run.name].get(measure.name) for run in runs]
        if any(cells):
            rows.append((measure.label, *(_cell(measure, cell) for cell in cells)))
    if found.vocabulary:
        counts = [found.vocabulary.types[run.name] for run in runs]
        label = f"word types in {found.vocabulary.words:,} words"
        rows.append((label, *(f"{each.value:,.0f} ({each.low:,.0f} to {each.high:,.0f})" for each in counts)))
    rows.append(("ceiling: problems without a row", *(f"{without_rows(run):,}" for run in runs)))
    rows.append(("ceiling: dropped repeats", *(f"{run.repeats:,}" for run in runs)))
    return Table(("", *(run.name for run in runs)), tuple(rows))


def sentences(found: SideBySide) -> Iterator[str]:
    """Yield for each pair of runs what the data shows and what it cannot show; then reflection against new tries."""
    seeds = min(len(run.seeds) for run in found.runs)
    for (first, second), of_pair in groupby(found.differences, key=lambda each: (each.first, each.second)):
        differences = list(of_pair)
        shown = [each for each in differences if each.shown]
        equal = [each for each in differences if not each.shown and each.difference.low == each.difference.high]
        others = [each for each in differences if not each.shown and each not in equal]
        if shown:
            yield f"{first} and {second} differ: {_listed(shown)}."
        if others:
            yield f"{first} and {second}: {_listed(others)}; {seeds:,} seed problems cannot tell them apart."
        if equal:
            yield f"{first} and {second} are equal: {', '.join(each.measure.label for each in equal)}."
    if found.differences:
        yield (
            f"These are {len(found.differences):,} comparisons at 95 % each: where nothing differs, about one in "
            "twenty looks like a difference."
        )
    yield from (each.words() for each in found.second_chances)


def terminal(found: SideBySide) -> Iterator[str]:
    """Yield the lines to print: the table, the sentences, the intervals' methods."""
    cells = table(found)
    lines = [cells.columns, *([str(cell) for cell in row] for row in cells.rows)]
    widths = [max(len(str(line[column])) for line in lines) for column in range(len(cells.columns))]
    for line in lines:
        yield "  ".join(
            f"{cell:<{width}}" if column == 0 else f"{cell:>{width}}"
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
    for sentence in (*sentences(found), METHODS_OF_INTERVALS):
        yield ""
        yield textwrap.fill(sentence, LINE_CHARACTERS, break_long_words=False, break_on_hyphens=False)


def _listed(differences: Sequence[Difference]) -> str:
    return "; ".join(_difference(each) for each in differences)


def _difference(each: Difference) -> str:
    measure, (one, two) = each.measure, each.values
    low, high = (_signed(measure, end) for end in (each.difference.low, each.difference.high))
    unit = " points" if measure.share else ""
    return f"{measure.label} {_number(measure, one)} and {_number(measure, two)} (difference {low} to {high}{unit})"


def _cell(measure: Measure, cell: Interval | None) -> str:
    if cell is None:
        return EMPTY
    low, high = (_number(measure, end).removesuffix(" %") for end in (cell.low, cell.high))
    return f"{_number(measure, cell.value)} ({low} to {high})"


def _number(measure: Measure, value: float) -> str:
    """Round for people: a share to a whole percentage, another value to three digits."""
    if measure.share:
        return f"{100 * value:.0f} %"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def _signed(measure: Measure, value: float) -> str:
    shown = _number(measure, abs(value)).removesuffix(" %")
    return f"{'−' if value < 0 else '+'}{shown}"
