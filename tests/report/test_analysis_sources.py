"""The analyses of problems of other sources than GSM8K and MATH, and of more than two."""

import base64
import dataclasses
import gzip
import json
from typing import Any

from personamath.records import Problem, Row
from personamath.report.analysis.composition import before_and_after, composition, first_answers, keep_rates
from personamath.report.analysis.false_wrong import false_wrong
from personamath.report.analysis.intervals import LEAST
from personamath.report.analysis.result import Analysis
from personamath.report.analysis.rows import RunData
from personamath.report.browser import pack
from tests.support.analysed import run_data
from tests.support.folders import row

LEVELS = {"shop": (1, 2, 10), "bank": (None, None), "school": (4,)}


def of(source: str, number: int, level: int | None, step: str = "stage1_inference") -> Row:
    seed = f"{source}-{number}"
    return dataclasses.replace(row(step, number), id=seed, seed_id=seed, source=source, level=level, subject=None)


ROWS = [of(source, number, level) for source, levels in LEVELS.items() for number, level in enumerate(levels)]


MANY = [
    dataclasses.replace(one, id=f"{one.id}-{copy}", seed_id=f"{one.id}-{copy}") for one in ROWS for copy in range(LEAST)
]
"""Enough of each for statistics."""


def data(rows: list[Row], **known: Any) -> RunData:
    return dataclasses.replace(run_data(rows), **known)


def seeds_of(rows: list[Row]) -> tuple[Problem, ...]:
    return tuple(Problem(one.seed_id, one.source, one.seed_problem, one.answer, one.level) for one in rows)


def made(found: object) -> Analysis:
    assert isinstance(found, Analysis), found
    return found


def values(found: object, column: int) -> list[Any]:
    return list(dict.fromkeys(cells[column] for cells in made(found).table.rows))


def test_three_sources_of_ones_own_make_three_groups_of_rows_without_the_papers() -> None:
    found = composition(data(ROWS))
    assert values(found, 0) == ["bank", "school", "shop", "all"]
    assert found.table.columns == ("source", "step", "rows")
    assert found.finding == "6 rows were kept."
    assert found.chart and [series.name for series in found.chart.series] == ["bank", "school", "shop"]


def test_the_papers_rows_stand_only_beside_the_same_sources() -> None:
    found = composition(data([*ROWS, of("gsm8k", 1, None)]))
    theirs = {cells[0]: cells[3] for cells in found.table.rows if cells[1] == "all"}
    assert theirs == {"bank": None, "school": None, "shop": None, "GSM8K": 38_700, "all": None}
    assert found.finding == "7 rows were kept; the paper kept 38,700 of GSM8K."


def test_more_sources_than_colours_are_charted_together() -> None:
    rows = [of(name, number, None) for size, name in enumerate("abcdefg", start=1) for number in range(size)]
    found = composition(data(rows))
    assert values(found, 0) == [*"abcdefg", "all"]
    assert found.chart
    charted = {series.name: sum(series.y) for series in found.chart.series}
    assert charted == {"d": 4, "e": 5, "f": 6, "g": 7, "other sources": 1 + 2 + 3}


def test_levels_are_in_the_order_of_their_numbers() -> None:
    found = made(before_and_after(data(MANY)))
    levels = [cells[1] for cells in found.table.rows if cells[0] == "level"]
    assert levels == ["bank", "school, level 4", "shop, level 1", "shop, level 2", "shop, level 10"]
    assert found.finding == "Mean level: 4.25 of seed problems, 4.25 of Stage 1."
    tried = keep_rates(data(ROWS, seeds=seeds_of(ROWS)))
    assert values(tried, 0) == ["all", *levels]
    index = json.loads(gzip.decompress(base64.b64decode(pack(data(ROWS)).index)))
    (shown,) = [facet for facet in index["facets"] if facet["name"] == "level"]
    assert [value["value"] for value in shown["values"]] == ["1", "2", "4", "10", "none"]


def test_levels_of_ones_own_are_not_compared_with_those_of_math() -> None:
    solved = {one.seed_id for one in MANY if one.seed_id.startswith(("shop-0", "school-0"))}
    wrong = {one.seed_id: "no" for one in MANY if one.seed_id.startswith("shop-2")}
    found = made(first_answers(data(MANY, seeds=seeds_of(MANY), solved=solved, wrong=wrong)))
    assert found.table.columns == ("first answer", "problems", "mean level", "low", "high")
    assert "paper" not in found.finding and "(school 4 to 4, shop 1 to 10)" in found.note


def test_wrong_answers_to_any_source_are_counted_by_source() -> None:
    wrong = {"shop-0": r"\boxed{7}", "bank-1": r"\boxed{8}"}
    found = made(false_wrong(data(ROWS, seeds=seeds_of(ROWS), wrong=wrong)))
    assert "MATH's for a source of another name (1 of shop, 1 of bank)" in found.note
