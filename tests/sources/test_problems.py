import json
from collections import Counter
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from personamath.errors import BadInput
from personamath.records import Problem
from personamath.sources.problems import ProblemSource
from personamath.sources.questions import QuestionSource
from personamath.sources.seed_problems import Skipped, read_problems

GSM8K = {"question": "What is 2 + 2?", "answer": "2 + 2 = <<2+2=4>>4\n#### 4"}
MATH = {
    "problem": "What is $x$ in $2x = 1$?",
    "level": "Level 2",
    "type": "Algebra",
    "solution": r"Halve: $\boxed{\frac{1}{2}}$.",
}


def write_jsonl(path: Path, *rows: object) -> str:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(path)


def read(*sources: str, limit: int | None = None) -> list[Problem | Skipped]:
    return list(read_problems([ProblemSource.parse(source) for source in sources], limit))


def test_gsm8k_gives_the_number_after_its_marker(tmp_path: Path) -> None:
    file = write_jsonl(tmp_path / "train.jsonl", GSM8K, {"question": "Cost?", "answer": "so\n#### 1,080"})
    assert read(f"gsm8k:{file}") == [
        Problem("gsm8k-train-00000", "gsm8k", "What is 2 + 2?", "4"),
        Problem("gsm8k-train-00001", "gsm8k", "Cost?", "1,080"),
    ]


AFTER_AN_ANSWER = [
    "so\n#### 72\nThat is all.",
    "so\n#### 72\n\nNote: 3 of them are broken.",
    "so\n#### 72\r\nSource: a book of 1999",
    "so\n#### 72<|endoftext|>",
    "so\n#### 72</s>",
    "so\n#### 72 <|im_end|>\n",
    "so\n####\n72",
    "<think>\n#### 3\n</think>\nso\n#### 72",
    "#### 3 or rather\n#### 72\nas said",
]


@pytest.mark.parametrize("solution", AFTER_AN_ANSWER)
@pytest.mark.parametrize("source", ["gsm8k:{}", "shop:{}:question:answer"])
def test_what_follows_an_answer_is_not_part_of_it(tmp_path: Path, source: str, solution: str) -> None:
    file = write_jsonl(tmp_path / "train.jsonl", GSM8K | {"answer": solution})
    (problem,) = read(source.format(file))
    assert isinstance(problem, Problem) and problem.answer == "72"


@pytest.mark.parametrize("answer", ["72<|endoftext|>", "$72$</s>", "<think>3?</think>72"])
def test_a_bare_answer_loses_the_remains_of_a_model_too(tmp_path: Path, answer: str) -> None:
    file = write_jsonl(tmp_path / "train.jsonl", GSM8K | {"answer": answer})
    (problem,) = read(f"shop:{file}:question:answer")
    assert isinstance(problem, Problem) and problem.answer == "72"


@pytest.mark.parametrize(("answer", "read_as"), [(36, "36"), (0.75, "0.75"), (-3, "-3")])
def test_an_answer_in_a_file_of_ones_own_may_be_a_number(tmp_path: Path, answer: float, read_as: str) -> None:
    file = write_jsonl(tmp_path / "mine.jsonl", {"question": "How many?", "answer": answer})
    (problem,) = read(f"shop:{file}:question:answer")
    assert isinstance(problem, Problem) and problem.answer == read_as


@pytest.mark.parametrize("answer", [None, float("nan")])
def test_a_missing_number_is_no_answer(tmp_path: Path, answer: float | None) -> None:
    file = write_jsonl(tmp_path / "mine.jsonl", {"question": "How many?", "answer": answer})
    assert read(f"shop:{file}:question:answer") == [Skipped("shop-mine-00000", "no reference answer")]


def test_math_gives_its_last_box_its_level_and_its_subject(tmp_path: Path) -> None:
    file = write_jsonl(tmp_path / "train.jsonl", MATH, MATH | {"problem": "Else?", "level": "Level ?"})
    assert read(f"math:{file}") == [
        Problem("math-train-00000", "math", MATH["problem"], r"\frac{1}{2}", level=2, subject="Algebra"),
        Problem("math-train-00001", "math", "Else?", r"\frac{1}{2}", level=None, subject="Algebra"),
    ]


def test_jsonl_json_and_parquet_give_the_same_problems(tmp_path: Path) -> None:
    write_jsonl(tmp_path / "train.jsonl", MATH, MATH | {"problem": "Else?"})
    rows = [MATH, MATH | {"problem": "Else?"}]
    (tmp_path / "train.json").write_text(json.dumps(rows))
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "train-00000-of-00001.parquet")
    names = ("train.jsonl", "train.json", "train-00000-of-00001.parquet")
    first, *others = [read(f"math:{tmp_path / name}") for name in names]
    assert len(first) == 2
    assert others == [first, first]


def test_the_limit_is_for_each_source(tmp_path: Path) -> None:
    one = write_jsonl(tmp_path / "one.jsonl", *(GSM8K | {"question": f"What is {n}?"} for n in range(5)))
    two = write_jsonl(tmp_path / "two.jsonl", *(GSM8K | {"question": f"Which is {n}?"} for n in range(5)))
    ids = [problem.id for problem in read(f"gsm8k:{one}", f"gsm8k:{two}", limit=2)]
    assert ids == ["gsm8k-one-00000", "gsm8k-one-00001", "gsm8k-two-00000", "gsm8k-two-00001"]


SKIPPED = [
    (GSM8K | {"answer": "no marker"}, "no reference answer"),
    (GSM8K | {"answer": "nothing after it #### "}, "no reference answer"),
    (GSM8K | {"answer": None}, "no reference answer"),
    (GSM8K | {"question": "  "}, "no question"),
    (GSM8K | {"question": "What is 1 + 1?<|im_end|>"}, "marks of reasoning or of a chat template in the question"),
    (GSM8K | {"question": "What is \ud83d?"}, "half a surrogate pair"),
    (GSM8K | {"question": "\udc00"}, "half a surrogate pair"),
    (GSM8K | {"question": "What is\n2  + 2?"}, "repeats an earlier question"),
]


@pytest.mark.parametrize(("row", "reason"), SKIPPED)
def test_rows_that_cannot_serve_are_named_with_the_reason(tmp_path: Path, row: object, reason: str) -> None:
    file = write_jsonl(tmp_path / "train.jsonl", GSM8K, row)
    assert read(f"gsm8k:{file}")[1] == Skipped("gsm8k-train-00001", reason)


@pytest.mark.parametrize(("column", "kept"), [("type", False), ("problem", False), ("solution", False), ("url", True)])
def test_half_a_surrogate_pair_in_any_column_that_is_used_leaves_a_row_out(
    column: str, kept: bool, tmp_path: Path
) -> None:
    row: dict[str, str] = MATH | {column: MATH.get(column, "") + "\ud83d"}
    (found,) = read(f"math:{write_jsonl(tmp_path / 'train.jsonl', row)}")
    assert isinstance(found, Problem) if kept else found == Skipped("math-train-00000", "half a surrogate pair")


@pytest.mark.parametrize("name", ["train.jsonl", "train.json"])
def test_a_byte_order_mark_is_dropped(name: str, tmp_path: Path) -> None:
    write_jsonl(tmp_path / name, GSM8K if name.endswith("l") else [GSM8K])
    plain = read(f"gsm8k:{tmp_path / name}")
    (tmp_path / name).write_text((tmp_path / name).read_text(), encoding="utf-8-sig")
    assert read(f"gsm8k:{tmp_path / name}") == plain


def test_test_problems_with_half_a_surrogate_pair_are_left_out(tmp_path: Path) -> None:
    file = write_jsonl(tmp_path / "test.jsonl", GSM8K, GSM8K | {"question": "What is \ud83d?"})
    assert list(QuestionSource.parse(f"{file}:question", "test").read()) == [GSM8K["question"]]


BAD = [
    ("", "no-such.jsonl", "no such file"),
    ('{"question": "a", "answer": "#### 1"}\n{"question": "b", "ans', "train.jsonl:2", "not a complete line of JSON"),
    ('{"problem": "a", "solution": "b"}\n', "train.jsonl:1", "question and answer; found problem, solution"),
    ('{"question": 5, "answer": "#### 1"}\n', "train.jsonl:1", "question is 5; it must be text"),
    ('{"question": "a", "answer": 36}\n', "train.jsonl:1", "answer is 36; it must be text"),
    ('{"question": "a"}\n', "train.jsonl:1", "need the text columns question and answer; found question"),
    ('{"question": "a", "answer": ' + "9" * 5000 + "}\n", "train.jsonl:1", "not a line of JSON that can be read"),
    ("[1, 2]\n", "train.jsonl:1", "expected an object"),
]


@pytest.mark.parametrize(("content", "place", "message"), BAD)
def test_bad_files_are_refused_by_place(tmp_path: Path, content: str, place: str, message: str) -> None:
    (tmp_path / "train.jsonl").write_text(content)
    with pytest.raises(BadInput) as error:
        read(f"gsm8k:{tmp_path / (place if place.startswith('no-such') else 'train.jsonl')}")
    assert place in str(error.value)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("source", ["aime", "gsm8k:", "", "math;train.jsonl"])
def test_unknown_sources_are_refused(source: str) -> None:
    with pytest.raises(BadInput, match="write gsm8k or math"):
        ProblemSource.parse(source)


def test_unknown_file_types_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"use \.jsonl"):
        read(f"gsm8k:{tmp_path / 'train.csv'}")


def test_two_files_that_would_make_the_same_ids_are_refused(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    one = write_jsonl(tmp_path / "train.jsonl", GSM8K)
    two = write_jsonl(tmp_path / "other" / "train.jsonl", GSM8K)
    with pytest.raises(BadInput, match="rename one"):
        read(f"gsm8k:{one}", f"gsm8k:{two}")


def test_the_real_training_problems_are_all_there(data: Path) -> None:
    problems = read(f"gsm8k:{data}/gsm8k/train.jsonl", f"math:{data}/math/train.jsonl")
    assert len(problems) == 7_473 + 7_500
    skipped = {problem.id: problem.reason for problem in problems if isinstance(problem, Skipped)}
    assert Counter(skipped.values()) == {"no reference answer": 2, "repeats an earlier question": 1}
    assert skipped["math-train-05529"] == skipped["math-train-05531"] == "no reference answer"
    levels = Counter(problem.level for problem in problems if isinstance(problem, Problem) and problem.source == "math")
    assert set(levels) == {1, 2, 3, 4, 5, None}
