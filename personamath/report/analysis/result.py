"""What an analysis gives: data to draw and to write down, and no word of how it looks."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

Cell = str | int | float | None
"""One value of a table: a share is a float from 0 to 1, `None` an empty place. Strings may hold others' text."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table with a header; also the CSV beside the figure."""

    columns: tuple[str, ...]
    """Headings. One that ends in `%` heads shares from 0 to 1, to be shown as percentages."""
    rows: tuple[tuple[Cell, ...], ...]
    """As many cells each as there are columns."""

    def __post_init__(self) -> None:
        """Refuse a ragged table."""
        if any(len(row) != len(self.columns) for row in self.rows):
            raise ValueError(f"rows of {set(map(len, self.rows))} cells under {len(self.columns)} columns")


@dataclass(frozen=True, slots=True)
class Series:
    """One line of a chart, or one colour of its bars."""

    name: str
    x: tuple[float | str, ...]
    """Places on the x axis; strings name categories, in the order in which they are to stand."""
    y: tuple[float, ...]
    low: tuple[float, ...] | None = None
    """Lower ends of 95 % intervals around `y`, where there are any; `high` the upper ends."""
    high: tuple[float, ...] | None = None

    @classmethod
    def of_rows(cls, name: str, rows: Sequence[tuple[Cell, ...]], x: int, y: int, low: int, high: int) -> "Series":
        """A series from the columns of a table's rows, by their numbers; none of the cells may be missing."""
        parts: list[Any] = [tuple(row[column] for row in rows) for column in (x, y, low, high)]
        return cls(name, *parts)

    def __post_init__(self) -> None:
        """Refuse a series whose parts do not match."""
        lengths = {len(part) for part in (self.x, self.y, self.low, self.high) if part is not None}
        if len(lengths) != 1 or (self.low is None) != (self.high is None):
            raise ValueError(f"series {self.name}: parts of different lengths {lengths}, or half an interval")


@dataclass(frozen=True, slots=True)
class Chart:
    """What to draw of an analysis."""

    kind: Literal["bars", "lines"]
    x_label: str
    y_label: str
    """With its unit. One that ends in `%` measures shares from 0 to 1, to be shown as percentages."""
    series: tuple[Series, ...]


@dataclass(frozen=True, slots=True)
class Analysis:
    """One analysis of a dataset or of scored models."""

    name: str
    """For file names and anchors, e.g. `question-lengths`."""
    title: str
    finding: str
    """What it shows, in one plain sentence that was computed from the table."""
    table: Table
    chart: Chart | None
    """None where the table says it all."""
    note: str
    """How it was found, the part of the paper it reproduces, and its limits."""
    warning: str | None = None
    """What stands in the way of believing it, e.g. that the data is simulated or that few rows were there."""


class LeftOut(NamedTuple):
    """An analysis that could not be made of this data."""

    name: str
    title: str
    why: str
    """One sentence, with what would make it possible."""


class Analyses(NamedTuple):
    """All that was found, in the order of reading."""

    made: tuple[Analysis, ...]
    left_out: tuple[LeftOut, ...]
