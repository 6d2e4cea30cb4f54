"""Test problems found again in the data: the three rules, on tables of cases and on the real MATH."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from personamath.errors import BadInput
from personamath.folder.overlap import RULES, TestProblems, chosen_benchmarks, strongest
from personamath.records import Overlap
from personamath.sources.hub import HubSplit
from personamath.sources.questions import QuestionSource

TESTED = "A train leaves at 9 and runs 120 miles in 2 hours, then it stops for lunch. How fast is it?"
THIRTEEN = "a train leaves at 9 and runs 120 miles in 2 hours, then"

CASES: list[tuple[str, Overlap | None]] = [
    (TESTED, "equal"),
    (f"\n{TESTED.replace(' ', '  ')}\t", "equal"),
    (TESTED.replace("120", "88"), "masked"),
    (TESTED.replace("120", "88").replace(" ", "\n "), "masked"),
    (TESTED.replace("9", "10").replace("120", "1"), "masked"),
    ("What is 7 + 77?", "masked"),
    ("What is 1,200 + 5?", None),  # one more run of digits
    (TESTED.upper(), "13-gram"),  # the first two rules take notice of case
    (f"Once {THIRTEEN} it does something else.", "13-gram"),
    (f"Once {THIRTEEN.removesuffix(' then')} it does something else.", None),  # twelve words
    (THIRTEEN.replace("hours,", "hours"), None),  # words keep their punctuation
    ("", None),
]


@pytest.mark.parametrize(("text", "overlap"), CASES)
def test_the_first_rule_that_holds_is_told(text: str, overlap: Overlap | None) -> None:
    assert TestProblems(["What is 120 + 5?", TESTED]).overlap(text) == overlap


@given(st.lists(st.text(st.sampled_from("ab 12\n"), min_size=1), min_size=1), st.text(st.sampled_from("ab 12\n")))
def test_a_test_problem_is_always_found(questions: list[str], other: str) -> None:
    tested = TestProblems(questions)
    assert all(tested.overlap(question) == "equal" for question in questions)
    assert tested.overlap(other) == "equal" or " ".join(other.split()) not in {" ".join(q.split()) for q in questions}


def test_the_strongest_of_several_counts() -> None:
    assert RULES == ("equal", "masked", "13-gram")
    assert strongest(None, "13-gram", "masked") == "masked"
    assert strongest(None, "equal", "13-gram") == "equal"
    assert strongest(None, None) is None


def test_in_math_the_rules_find_what_is_known(data: Path) -> None:
    train, test = (QuestionSource.parse(f"math:{data}/math/{split}.jsonl", split) for split in ("train", "test"))
    tested = TestProblems(test.read())
    found = [tested.overlap(question) for question in train.read()]
    assert len(found) == 7_500
    assert found.count("equal") == 1
    assert found.count("equal") + found.count("masked") == 249
    # One word more, and only the third rule can hold.
    assert [tested.overlap(f"More: {question}") for question in train.read()].count("13-gram") == 517


def test_test_problems_are_the_hubs_unless_a_file_stands_for_them() -> None:
    named = [source.name for source in chosen_benchmarks((), ("gsm8k", "math:train.jsonl"))]
    assert named == ["gsm8k"]
    (source,) = chosen_benchmarks((), ("gsm8k",))
    assert source.splits == (HubSplit("openai/gsm8k", "main", "test"),) and source.column == "question"
    both = chosen_benchmarks(("math:/data/test.jsonl", "me/AIME:problem"), ("math", "gsm8k"))
    assert [source.name for source in both] == ["gsm8k", "math:test.jsonl", "me/AIME:problem"]
    assert chosen_benchmarks((), ("math:a.jsonl",)) == []


SOURCES = [
    ("math", ("problem", None, 7, "algebra")),
    ("me/data:text", ("text", None, 1, None)),
    ("me/data:part:text", ("text", None, 1, "part")),
    ("dir/more.parquet:text", ("text", "dir/more.parquet", 0, None)),
    ("gsm8k:dir/x.json", ("question", "dir/x.json", 0, None)),
]


@pytest.mark.parametrize(("text", "expected"), SOURCES)
def test_a_question_source_is_read_as_written(text: str, expected: tuple[str, str | None, int, str | None]) -> None:
    source = QuestionSource.parse(text, "test")
    config = source.splits[0].config if source.splits else None
    assert (source.column, source.path and str(source.path), len(source.splits), config) == expected
    assert all(split.split == "test" for split in source.splits)
    assert "dir/" not in source.name


@pytest.mark.parametrize(
    "text", ["", "me", "me/data", "me/data:", "a/b/c:text", "/b:text", "a/b:c:d:e", "x.jsonl", "math:"]
)
def test_what_names_no_questions_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match="write gsm8k or math"):
        QuestionSource.parse(text, "test")


def test_a_column_that_is_not_there_is_named_with_those_that_are(tmp_path: Path) -> None:
    (tmp_path / "x.jsonl").write_text('{"question": "1?"}\n{"question": null}\n')
    with pytest.raises(BadInput, match=r"x.jsonl:1: no column 'problem'; known are question"):
        list(QuestionSource.parse(f"{tmp_path}/x.jsonl:problem", "test").read())
    with pytest.raises(BadInput, match=r"x.jsonl:2: question is "):
        list(QuestionSource.parse(f"gsm8k:{tmp_path}/x.jsonl", "test").read())
