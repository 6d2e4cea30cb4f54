"""Test problems found again in the data: the three rules, on tables of cases and on the real MATH."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from personamath.errors import BadInput
from personamath.folder.overlap import RULES, TestProblems, strongest
from personamath.records import Overlap
from personamath.sources.hub import HubSplit
from personamath.sources.questions import QuestionSource, chosen_benchmarks

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
    named = [source.label for source in chosen_benchmarks((), ("gsm8k", "math:train.jsonl"))]
    assert named == ["gsm8k"]
    (source,) = chosen_benchmarks((), ("gsm8k",))
    assert source.splits == (HubSplit("openai/gsm8k", "main", "test"),) and source.column == "question"
    both = chosen_benchmarks(("math:/data/test.jsonl", "me/AIME:problem"), ("math", "gsm8k"))
    assert [source.label for source in both] == ["gsm8k", "math:test.jsonl", "me/AIME:problem"]
    assert chosen_benchmarks((), ("math:a.jsonl",)) == []


SOURCES = [
    ("math", ("problem", None, 7, "algebra")),
    ("me/data:text", ("text", None, 1, None)),
    ("me/data:part:text", ("text", None, 1, "part")),
    ("dir/more.parquet:text", ("text", "dir/more.parquet", 0, None)),
    ("gsm8k:dir/x.json", ("question", "dir/x.json", 0, None)),
    ("math@v1", ("problem", None, 7, "algebra")),
    ("me/data@v1:text", ("text", None, 1, None)),
    ("me/data@refs/pr/3:part:text", ("text", None, 1, "part")),
    ("me/data:part:test:text", ("text", None, 1, "part")),
    ("me/data:meta.json", ("meta.json", None, 1, None)),
    (r"C:\data\x.csv:text", ("text", r"C:\data\x.csv", 0, None)),
]


@pytest.mark.parametrize(("text", "expected"), SOURCES)
def test_a_question_source_is_read_as_written(text: str, expected: tuple[str, str | None, int, str | None]) -> None:
    source = QuestionSource.parse(text, "test")
    config = source.splits[0].config if source.splits else None
    assert (source.column, source.path and str(source.path), len(source.splits), config) == expected
    assert all(split.split == "test" for split in source.splits)
    assert "dir/" not in source.published


WRONG = [
    ("", "write gsm8k or math"),
    ("me", "write gsm8k or math"),
    ("a/b/c:text", "write gsm8k or math"),
    ("/b:text", "write gsm8k or math"),
    ("math:", "write gsm8k or math"),
    ("me/data", "COLUMN missing: write me/data:COLUMN"),
    ("me/data@v1", "COLUMN missing: write me/data@v1:COLUMN"),
    ("me/data@:text", "no revision after the @: write me/data@REVISION:text"),
    ("me/data:", "nothing between or after two colons: write me/data[:CONFIG[:SPLIT]]:COLUMN"),
    ("a/b:c:d:e:f", "too many colons: write a/b[:CONFIG[:SPLIT]]:COLUMN"),
    ("x.jsonl", "the column is missing: write x.jsonl:COLUMN"),
    ("dir/x.jsonl:", "the column is missing: write dir/x.jsonl:COLUMN"),
    ("math@v1:test.jsonl", "a local file has no revision: write math:test.jsonl"),
]


@pytest.mark.parametrize(("text", "message"), WRONG)
def test_what_names_no_questions_is_refused_with_the_right_form(text: str, message: str) -> None:
    with pytest.raises(BadInput) as error:
        QuestionSource.parse(text, "test")
    assert message in str(error.value) and text in str(error.value) and "\n" not in str(error.value)


def test_the_test_split_is_at_the_revision_of_the_train_split_unless_it_is_named() -> None:
    def revisions(benchmark: tuple[str, ...]) -> list[tuple[str, str | None]]:
        chosen = chosen_benchmarks(benchmark, ("gsm8k@v1", "math", "me/data@v3:q:a"))
        return [(source.splits[0].repo, source.splits[0].revision) for source in chosen]

    gsm8k, math = "openai/gsm8k", "EleutherAI/hendrycks_math"
    assert revisions(()) == [(gsm8k, "v1"), (math, None)]
    assert revisions(("gsm8k@v2",)) == [(math, None), (gsm8k, "v2")]
    assert revisions(("me/AIME@v4:q",)) == [(gsm8k, "v1"), (math, None), ("me/AIME", "v4")]


def test_a_column_that_is_not_there_is_named_with_those_that_are(tmp_path: Path) -> None:
    (tmp_path / "x.jsonl").write_text('{"question": "1?"}\n{"question": null}\n')
    with pytest.raises(BadInput, match=r"x.jsonl:1: no column 'problem'; known are question"):
        list(QuestionSource.parse(f"{tmp_path}/x.jsonl:problem", "test").read())
    with pytest.raises(BadInput, match=r"x.jsonl:2: question is "):
        list(QuestionSource.parse(f"gsm8k:{tmp_path}/x.jsonl", "test").read())
