"""A local file is GSM8K or MATH only by its contents."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from personamath.sources import published
from personamath.sources.problems import COLUMNS, ProblemSource
from personamath.sources.published import misnaming, published_as
from personamath.teachers.simulated import bundled_problems


def read(data: Path, name: str) -> list[dict[str, str]]:
    return [json.loads(line) for line in (data / name / "train.jsonl").read_text(encoding="utf-8").strip().split("\n")]


def source(name: str, path: Path) -> ProblemSource:
    return ProblemSource(name, path, COLUMNS.get(name, COLUMNS["gsm8k"]))


@pytest.mark.parametrize("name", ["gsm8k", "math"])
def test_the_published_train_splits_are_known(data: Path, name: str, tmp_path: Path) -> None:
    assert published_as(source(name, data / name / "train.jsonl")) == name
    rows = read(data, name)
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "other-name.parquet")
    assert published_as(source(name, tmp_path / "other-name.parquet")) == name
    question = COLUMNS[name][0]
    for changed in (
        rows[:-1],
        rows[::-1],
        [*rows, rows[0]],
        [rows[0] | {question: "What is 1 + 1?"}, *rows[1:]],
    ):
        pq.write_table(pa.Table.from_pylist(changed), tmp_path / "changed.parquet")
        assert published_as(source(name, tmp_path / "changed.parquet")) is None


def test_each_subject_of_math_is_known(data: Path, tmp_path: Path) -> None:
    by_subject: dict[str, list[dict[str, str]]] = {}
    for row in read(data, "math"):
        by_subject.setdefault(row["type"], []).append(row)
    assert len(by_subject) == 7
    for number, rows in enumerate(by_subject.values()):
        path = tmp_path / f"{number}.jsonl"
        path.write_text("\n".join(json.dumps(row) for row in rows))
        assert published_as(source("math", path)) == "math"


def test_gsm8k_under_another_name_is_gsm8k(data: Path) -> None:
    assert published_as(source("shop", data / "gsm8k" / "train.jsonl")) == "gsm8k"


@pytest.mark.parametrize(
    "content",
    ['{"question": "1 + 1?", "answer": "#### 2"}\n', '{"question": "1 + 1?", "answer": 2}\n', "{}\n", "not JSON\n", ""],
)
def test_any_other_file_is_neither(content: str, tmp_path: Path) -> None:
    path = tmp_path / "train.jsonl"
    path.write_text(content)
    assert published_as(source("gsm8k", path)) is None
    assert published_as(source("gsm8k", tmp_path / "missing.jsonl")) is None


def test_a_file_that_only_calls_itself_gsm8k_is_named_with_the_remedy(tmp_path: Path) -> None:
    path = tmp_path / "mine.jsonl"
    path.write_text('{"question": "1 + 1?", "answer": "#### 2"}\n')
    assert misnaming(source("gsm8k", path)) == (
        f"{path} is not GSM8K's published train split, but the source of its rows will be gsm8k: give problems of your "
        "own a name of their own, NAME:PATH:QUESTION_COLUMN:ANSWER_COLUMN, e.g. "
        f"shop:{path}:question:answer"
    )
    assert misnaming(source("shop", path)) is None
    assert misnaming(ProblemSource.parse("math")) is None
    assert not any(misnaming(ProblemSource.parse(bundled)) for bundled in bundled_problems())


@pytest.mark.parametrize("name", ["gsm8k", "math"])
def test_a_copy_of_the_train_split_may_call_itself_so(data: Path, name: str) -> None:
    assert misnaming(source(name, data / name / "train.jsonl")) is None


def test_a_long_file_is_not_read_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "long.jsonl"
    row = '{"question": "1 + 1?", "answer": "#### 2"}\n'
    path.write_text(row * published.MOST_ROWS + row + "not JSON\n")
    assert published_as(source("gsm8k", path)) is None


def test_the_split_on_the_hub_is_not_read_for_this() -> None:
    assert published_as(ProblemSource.parse("gsm8k")) is None
