"""The result of an analysis: data for tables and charts, without any layout."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple

Cell = str | int | float | None
"""One value of a table: a share is a float from 0 to 1, and `None` is an empty cell. Strings may hold foreign text."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table with a header; it is also written as CSV."""

    columns: tuple[str, ...]
    """Headings. A column whose heading ends in `%` holds shares from 0 to 1, shown as percentages."""
    rows: tuple[tuple[Cell, ...], ...]
    """Rows with one cell per column."""

    def __post_init__(self) -> None:
        """Refuse a ragged table."""
        if any(len(row) != len(self.columns) for row in self.rows):
            raise ValueError(f"rows of {set(map(len, self.rows))} cells under {len(self.columns)} columns")


@dataclass(frozen=True, slots=True)
class Series:
    """One line of a chart, or one colour of its bars."""

    name: str
    x: tuple[float | str, ...]
    """Positions on the x axis; strings are categories, in display order."""
    y: tuple[float, ...]
    low: tuple[float, ...] | None = None
    """Lower ends of the 95 % intervals around `y`; None without intervals."""
    high: tuple[float, ...] | None = None
    """Upper ends of the 95 % intervals around `y`; None without intervals."""

    @classmethod
    def of_rows(cls, name: str, rows: Sequence[tuple[Cell, ...]], x: int, y: int, low: int, high: int) -> "Series":
        """Make a series from columns of a table's rows, given by their numbers; no cell may be missing."""
        parts: list[Any] = [tuple(row[column] for row in rows) for column in (x, y, low, high)]
        return cls(name, *parts)

    def __post_init__(self) -> None:
        """Refuse a series whose parts do not match."""
        lengths = {len(part) for part in (self.x, self.y, self.low, self.high) if part is not None}
        if len(lengths) != 1 or (self.low is None) != (self.high is None):
            raise ValueError(f"series {self.name}: parts of different lengths {lengths}, or half an interval")


@dataclass(frozen=True, slots=True)
class Chart:
    """The chart of an analysis."""

    kind: Literal["bars", "lines"]
    x_label: str
    y_label: str
    """Label with its unit. If it ends in `%`, the values are shares from 0 to 1, shown as percentages."""
    series: tuple[Series, ...]

    @property
    def why_useless(self) -> str | None:
        """Say why the chart would show nothing that the table does not show better; None if it is worth drawing."""
        values = [value for series in self.series for value in (*series.y, *(series.high or ()))]
        if not any(values):
            return "There is no chart, because all values are 0."
        if self.kind == "bars" and len({x for series in self.series for x in series.x}) == 1:
            return "There is no chart, because there is only one group."
        return None


@dataclass(frozen=True, slots=True)
class Analysis:
    """One analysis of a dataset or of scored models."""

    name: str
    """For file names and anchors, e.g. `question-lengths`."""
    title: str
    finding: str
    """The result in one plain sentence, computed from the table."""
    table: Table
    chart: Chart | None
    """None if the table is enough."""
    note: str
    """The method, the part of the paper that it reproduces, and its limits."""
    warning: str | None = None
    """Caveats, e.g. simulated data."""

    @property
    def drawable(self) -> "Analysis":
        """The analysis without a chart that would show nothing; the note then says why."""
        why = self.chart and self.chart.why_useless
        return replace(self, chart=None, note=f"{self.note} {why}".strip()) if why else self


class LeftOut(NamedTuple):
    """An analysis that this data does not allow."""

    name: str
    title: str
    why: str
    """One sentence with the reason, and where possible the remedy."""


class Analyses(NamedTuple):
    """All analyses, in reading order."""

    made: tuple[Analysis, ...]
    left_out: tuple[LeftOut, ...]

    def named(self, name: str) -> Analysis | None:
        """Return the analysis of this name, if it was made."""
        return next((one for one in self.made if one.name == name), None)
