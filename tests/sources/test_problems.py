import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from personamath.errors import BadInput
from personamath.records import Problem
from personamath.sources.problems import COLUMNS, ProblemSource
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


NUMBERS = [(36, "36"), (0.75, "0.75"), (-3, "-3"), (40.0, "40"), (1e-7, "0.0000001"), (2.5e20, "250000000000000000000")]


@pytest.mark.parametrize(("answer", "read_as"), [*NUMBERS, (True, "True")])
def test_an_answer_in_a_file_of_ones_own_may_be_a_number(tmp_path: Path, answer: float, read_as: str) -> None:
    file = write_jsonl(tmp_path / "mine.jsonl", {"question": "How many?", "answer": answer})
    (problem,) = read(f"shop:{file}:question:answer")
    assert isinstance(problem, Problem) and problem.answer == read_as


@pytest.mark.parametrize("answer", [None, float("nan")])
def test_a_missing_number_is_no_answer(tmp_path: Path, answer: float | None) -> None:
    file = write_jsonl(tmp_path / "mine.jsonl", {"question": "How many?", "answer": answer})
    assert read(f"shop:{file}:question:answer") == [Skipped("shop-mine-00000", "no answer in column answer")]


OPTIONAL = [
    ({}, None, None),
    ({"level": 3, "subject": "sums"}, 3, "sums"),
    ({"level": "3", "type": "sums"}, 3, "sums"),
    ({"level": 3.0, "subject": None, "type": "sums"}, 3, "sums"),
    ({"level": "Level 3", "subject": "sums", "type": "text"}, 3, "sums"),
    ({"level": 1500, "subject": 7}, 1500, "7"),
    ({"level": "hard", "subject": ["a", "b"]}, None, None),
    ({"level": 0, "subject": " "}, None, None),
    ({"level": -1, "subject": float("nan")}, None, None),
    ({"level": 2**31}, None, None),
    ({"level": True}, None, None),
    ({"level": "2.5"}, None, None),
]


@pytest.mark.parametrize(("columns", "level", "subject"), OPTIONAL)
def test_a_level_is_a_whole_number_and_a_subject_a_text(
    tmp_path: Path, columns: dict[str, object], level: int | None, subject: str | None
) -> None:
    file = write_jsonl(tmp_path / "mine.jsonl", {"question": "How many?", "answer": "7"} | columns)
    (problem,) = read(f"shop:{file}:question:answer")
    assert isinstance(problem, Problem)
    assert (problem.level, problem.subject) == (level, subject)


def test_rows_with_an_id_of_their_own_are_named_by_it(tmp_path: Path) -> None:
    ids: list[object] = ["A-1", 17, "week 3/no. 5", "задача 1", 18.0, "A-1", "A 1", "", None, " / ", float("nan")]
    rows = [{"id": id, "question": f"What is {n}?", "answer": "7"} for n, id in enumerate(ids)]
    found = read(
        f"shop:{write_jsonl(tmp_path / 'mine.jsonl', *rows, {'question': 'Which?', 'answer': 7})}:question:answer"
    )
    assert [(one.id, one.reason if isinstance(one, Skipped) else "") for one in found] == [
        ("shop-A-1", ""),
        ("shop-17", ""),
        ("shop-week-3-no.-5", ""),
        ("shop-задача-1", ""),
        ("shop-18", ""),
        ("shop-mine-00005", "repeats the id of an earlier row"),
        ("shop-mine-00006", "repeats the id of an earlier row"),
        ("shop-mine-00007", "no id in column id"),
        ("shop-mine-00008", "no id in column id"),
        ("shop-mine-00009", "no id in column id"),
        ("shop-mine-00010", "no id in column id"),
        ("shop-mine-00011", ""),
    ]


@pytest.mark.parametrize("source", ["gsm8k", "math"])
def test_an_id_in_gsm8k_or_math_changes_nothing(tmp_path: Path, source: str) -> None:
    file = write_jsonl(tmp_path / "train.jsonl", GSM8K | MATH | {"id": "x"})
    assert [problem.id for problem in read(f"{source}:{file}")] == [f"{source}-train-00000"]


def test_ids_are_unique_over_all_sources(tmp_path: Path) -> None:
    row = {"question": "How many?", "answer": "7", "id": "x"}
    one, two = write_jsonl(tmp_path / "one.jsonl", row), write_jsonl(tmp_path / "two.jsonl", row | {"question": "Why?"})
    found = read(f"shop:{one}:question:answer", f"shop:{two}:question:answer", f"bank:{one}:question:answer")
    assert found[1] == Skipped("shop-two-00000", "repeats the id of an earlier row")
    assert found[2] == Skipped("bank-x", "repeats an earlier question")


NOT_TEXT = [
    ({"question": 5}, "question is 5; it must be text"),
    ({"answer": ["7"]}, "answer is ['7']; it must be text or a number"),
    ({"id": {"n": 1}}, "id is {'n': 1}; it must be text or a whole number"),
]


@pytest.mark.parametrize(("columns", "message"), NOT_TEXT)
def test_a_cell_of_another_kind_is_refused_by_place(tmp_path: Path, columns: dict[str, object], message: str) -> None:
    file = write_jsonl(tmp_path / "mine.jsonl", {"question": "How many?", "answer": "7"} | columns)
    with pytest.raises(BadInput) as error:
        read(f"shop:{file}:question:answer")
    assert str(error.value) == f"{file}:1: {message}"


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
    (GSM8K | {"answer": "no marker"}, "no `####` in column answer"),
    (GSM8K | {"answer": "nothing after it #### "}, "nothing after `####` in column answer"),
    (GSM8K | {"answer": None}, "no answer in column answer"),
    (GSM8K | {"question": "  "}, "no question in column question"),
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
    (
        '{"problem": "a", "solution": "b"}\n',
        "train.jsonl:1",
        "the nearest known one is 'solution', and its columns are problem, solution",
    ),
    (
        '{"questions": "a", "answer": "b"}\n',
        "train.jsonl:1",
        "no column 'question'; the nearest known one is 'questions'",
    ),
    ('{"question": 5, "answer": "#### 1"}\n', "train.jsonl:1", "question is 5; it must be text"),
    ('{"question": "a", "answer": 36}\n', "train.jsonl:1", "answer is 36; it must be text"),
    ('{"question": "a"}\n', "train.jsonl:1", "no column 'answer'; known are question"),
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


ON_THE_HUB = [
    ("gsm8k@v1", "gsm8k", "gsm8k-train", ("openai/gsm8k", "main", "train", "v1")),
    ("gsm8k@refs/pr/3", "gsm8k", "gsm8k-train", ("openai/gsm8k", "main", "train", "refs/pr/3")),
    ("gsm8k@refs%2Fpr%2F3", "gsm8k", "gsm8k-train", ("openai/gsm8k", "main", "train", "refs/pr/3")),
    ("math@0123abc", "math", "math-train", ("EleutherAI/hendrycks_math", "algebra", "train", "0123abc")),
    ("AI-MO/NuminaMath-1.5:problem:answer", "numinamath-1-5", "numinamath-1-5-train", ("AI-MO/NuminaMath-1.5",)),
    ("me/Sums@v1:q:a", "sums", "sums-train", ("me/Sums", None, "train", "v1")),
    ("me/Sums:hard:q:a", "sums", "sums-train", ("me/Sums", "hard", "train", None)),
    ("me/Sums@a/b:hard:test:q:meta.a", "sums", "sums-test", ("me/Sums", "hard", "test", "a/b")),
    ("shop:me/Sums:q:a", "shop", "shop-train", ("me/Sums", None, "train", None)),
    ("shop:me/Sums@v1:hard:test:q:a", "shop", "shop-test", ("me/Sums", "hard", "test", "v1")),
    ("me/Sums:meta.json:a", "sums", "sums-train", ("me/Sums", None, "train", None)),
]


@pytest.mark.parametrize(("text", "name", "prefix", "place"), ON_THE_HUB)
def test_a_dataset_on_the_hub_is_read_as_written(text: str, name: str, prefix: str, place: tuple[Any, ...]) -> None:
    source = ProblemSource.parse(text)
    assert (source.name, source.id_prefix, source.path) == (name, prefix, None)
    assert source.splits[0][: len(place)] == place
    assert source.published == text
    assert source.columns == (COLUMNS[name] if name in COLUMNS else tuple(text.split(":")[-2:]))


def test_a_revision_is_put_in_and_taken_out(tmp_path: Path) -> None:
    pinned = {
        "gsm8k": "gsm8k@v2",
        "math@v1": "math@v2",
        "me/Sums:q:a": "me/Sums@v2:q:a",
        "me/Sums@refs/pr/1:hard:q:@a": "me/Sums@v2:hard:q:@a",
        "me/Sums:q:@a": "me/Sums@v2:q:@a",
        "shop:me/Sums@v1:q:a": "shop:me/Sums@v2:q:a",
    }
    for text, other in pinned.items():
        source = ProblemSource.parse(text)
        assert source.at("v2") == other
        assert ProblemSource.parse(source.label).splits[0].revision is None
    file = ProblemSource.parse(f"shop:{tmp_path}/a@b.jsonl:q:a")
    assert (file.label, file.published) == ("shop:a@b.jsonl", "shop:a@b.jsonl:q:a")


def test_a_folder_that_is_there_is_no_name_on_the_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert ProblemSource.parse("shop:me/sums:q:a").splits
    (tmp_path / "me" / "sums").mkdir(parents=True)
    assert ProblemSource.parse("shop:me/sums:q:a").path == Path("me/sums")


WRONG = [
    ("aime", "write gsm8k or math; for your own file NAME:PATH"),
    ("", "write gsm8k or math"),
    ("gsm8k:", "write gsm8k or math"),
    ("math;train.jsonl", "write math-train:math;train.jsonl:QUESTION_COLUMN:ANSWER_COLUMN"),
    ("mine.jsonl", "write mine:mine.jsonl:QUESTION_COLUMN:ANSWER_COLUMN"),
    ("/data/My Sums.csv", "write my-sums:/data/My Sums.csv:QUESTION_COLUMN:ANSWER_COLUMN"),
    ("gsm8k.jsonl", "write my-gsm8k:gsm8k.jsonl:QUESTION_COLUMN:ANSWER_COLUMN"),
    ("mine.jsonl:question:answer", "write mine:mine.jsonl:question:answer"),
    ("gsm8k:mine.jsonl:question:answer", "write mine:mine.jsonl:question:answer"),
    ("shop:mine.jsonl", "write shop:mine.jsonl:QUESTION_COLUMN:ANSWER_COLUMN"),
    ("shop:mine.jsonl:question", "write shop:mine.jsonl:question:ANSWER_COLUMN"),
    ("shop:mine.jsonl:question:", "write shop:mine.jsonl:question:ANSWER_COLUMN"),
    ("Shop:mine.jsonl:question:answer", "write mine:mine.jsonl:question:answer"),
    (r"C:\x.jsonl", r"write x:C:\x.jsonl:QUESTION_COLUMN:ANSWER_COLUMN"),
    (r"C:\data\x.jsonl:question:answer", r"write x:C:\data\x.jsonl:question:answer"),
    (r"c:\data\x.csv:question:answer", r"write x:c:\data\x.csv:question:answer"),
    ("gsm8k@", "no revision after the @: write gsm8k@REVISION"),
    ("gsm8k@v1:mine.jsonl", "a local file has no revision: write gsm8k:mine.jsonl for the file, or gsm8k@v1"),
    ("openai/gsm8k", "write gsm8k, whose columns are known"),
    ("EleutherAI/hendrycks_math@v1", "write math@v1, whose columns are known"),
    ("openai/gsm8k:question:answer", "write a name of your own first, my-gsm8k:openai/gsm8k:question:answer"),
    ("me/all:q:a", "write a name of your own first, my-all:me/all:q:a"),
    ("me/3d:q:a", "write a name of your own first, my-3d:me/3d:q:a"),
    ("me/Sums", "QUESTION_COLUMN and ANSWER_COLUMN missing: write me/Sums:QUESTION_COLUMN:ANSWER_COLUMN"),
    ("me/Sums@v1:problem", "ANSWER_COLUMN missing: write me/Sums@v1:problem:ANSWER_COLUMN"),
    ("shop:me/Sums:problem", "ANSWER_COLUMN missing: write shop:me/Sums:problem:ANSWER_COLUMN"),
    ("me/Sums@:q:a", "no revision after the @: write me/Sums@REVISION:q:a"),
    ("shop:me/Sums@:q:a", "or shop:me/Sums:q:a for main"),
    ("me/Sums:q:", "nothing between or after two colons: write me/Sums[:CONFIG[:SPLIT]]:QUESTION_COLUMN"),
    ("me/Sums:a:b:c:d:e", "too many colons: write me/Sums[:CONFIG[:SPLIT]]:QUESTION_COLUMN:ANSWER_COLUMN"),
    ("datasets/me/Sums:q:a", "write gsm8k or math"),
]


@pytest.mark.parametrize(("text", "message"), WRONG)
def test_a_wrong_form_is_refused_with_the_right_one_in_the_users_words(text: str, message: str) -> None:
    with pytest.raises(BadInput) as error:
        ProblemSource.parse(text)
    assert message in str(error.value) and repr(text) in str(error.value) and "\n" not in str(error.value)


def test_unknown_file_types_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"use \.jsonl"):
        read(f"gsm8k:{tmp_path / 'train.xlsx'}")


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
    assert Counter(skipped.values()) == {
        "the last box is empty in column solution": 2,
        "repeats an earlier question": 1,
    }
    assert skipped["math-train-05529"] == skipped["math-train-05531"] == "the last box is empty in column solution"
    levels = Counter(problem.level for problem in problems if isinstance(problem, Problem) and problem.source == "math")
    assert set(levels) == {1, 2, 3, 4, 5, None}


def test_the_table_on_the_page_about_problems_of_ones_own_is_read(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "problems.md").read_text(encoding="utf-8")
    table, error = re.findall(r"^```text\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    file = tmp_path / "exercises.csv"
    file.write_text(table, encoding="utf-8")
    found = read(f"shop:{file}:question:answer")
    assert [(one.id, one.answer, one.level, one.subject) for one in found if isinstance(one, Problem)] == [
        ("shop-week-1", "60", 1, "multiplication"),
        ("shop-week-2", "12.50", 2, "money"),
        ("shop-week-3", "3/8", 3, "fractions"),
    ]
    with pytest.raises(BadInput) as refused:
        read(f"shop:{file}:question:anser")
    assert str(refused.value) == f"{tmp_path}/{error.strip()}"
