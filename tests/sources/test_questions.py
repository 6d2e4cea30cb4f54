"""Questions of other datasets: how they are named, which test splits are compared with, and what is read of them."""

import hashlib
import json
from pathlib import Path

import pytest

from personamath.errors import BadInput
from personamath.sources.named import Sources, as_recorded
from personamath.sources.problems import GSM8K_REPO
from personamath.sources.questions import QuestionSource, chosen_benchmarks, digested

COMMIT = "0123456789" * 4


def test_a_file_and_a_dataset_are_named_with_their_column(tmp_path: Path) -> None:
    rows = tmp_path / "rows.jsonl"
    rows.write_text('{"query": "What is 1 + 1?"}\n')
    local = QuestionSource.parse(f"{rows}:query", "test")
    assert (local.name, local.column, local.path, local.published) == ("rows.jsonl", "query", rows, "rows.jsonl:query")
    assert (local.label, list(local.read())) == ("rows.jsonl:query", ["What is 1 + 1?"])
    hub = QuestionSource.parse("meta-math/MetaMathQA@v1:query", "train")
    assert (hub.name, hub.column, hub.path, hub.label) == (
        "meta-math/MetaMathQA",
        "query",
        None,
        "meta-math/MetaMathQA:query",
    )
    assert hub.splits[0].revision == "v1" and hub.at(COMMIT) == f"meta-math/MetaMathQA@{COMMIT}:query"
    known = QuestionSource.parse("gsm8k@v1", "test")
    assert (known.name, known.column, known.splits[0].split, known.splits[0].revision) == (
        "gsm8k",
        "question",
        "test",
        "v1",
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("rows.jsonl", r"'rows\.jsonl': the column is missing: write rows\.jsonl:COLUMN"),
        ("rows.jsonl:", r"the column is missing: write rows\.jsonl:COLUMN"),
        ("rows", "'rows': write gsm8k or math, math:PATH, FILE:COLUMN, or for the Hub OWNER/NAME:COLUMN"),
        ("", "'': write gsm8k or math"),
    ],
)
def test_a_name_without_a_column_is_refused_with_what_to_write(text: str, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        QuestionSource.parse(text, "test")


def test_what_is_no_text_is_refused_and_what_no_file_can_hold_equals_nothing(tmp_path: Path) -> None:
    rows = tmp_path / "rows.jsonl"
    rows.write_text(json.dumps({"q": "one"}) + "\n" + '{"q": "\\ud800"}\n' + json.dumps({"q": 5}) + "\n")
    questions = QuestionSource.parse(f"{rows}:q", "test").read()
    assert next(questions) == "one"
    with pytest.raises(BadInput, match=r"rows\.jsonl:3: q is 5; it must be text"):
        next(questions)


CHOSEN = [
    # The test splits of what is read from the Hub, at its revision, and each named one once
    ((), ("gsm8k", "math@v2"), ["gsm8k", "math@v2"]),
    (("math@v1",), ("gsm8k", "math"), ["gsm8k", "math@v1"]),
    (("gsm8k", "gsm8k"), ("gsm8k",), ["gsm8k"]),
    # None of problems in files, which have no split on the Hub
    ((), ("gsm8k:train.jsonl", "mine:rows.jsonl"), []),
    (("a/b:q",), ("math:train.jsonl",), ["a/b:q"]),
]


@pytest.mark.parametrize(("named", "problems", "chosen"), CHOSEN)
def test_rows_are_compared_with_the_test_splits_of_their_sources(
    named: tuple[str, ...], problems: tuple[str, ...], chosen: list[str]
) -> None:
    assert [source.published for source in chosen_benchmarks(named, problems)] == chosen


def test_a_digest_depends_on_the_questions_and_their_bounds() -> None:
    def of(*questions: str) -> str:
        digest = hashlib.sha256()
        assert list(digested(questions, digest)) == list(questions)
        return digest.hexdigest()

    assert of("a", "b") == of("a", "b") and len({of("a", "b"), of("ab"), of("b", "a"), of("a\nb"), of()}) == 5


def test_a_source_is_read_again_at_the_commits_of_its_provenance() -> None:
    [source] = Sources.parse(["gsm8k"], None, []).problems
    [split] = source.splits
    entry = {"repo": GSM8K_REPO, "config": split.config, "split": split.split, "commit": COMMIT}
    assert [one.commit for one in as_recorded(source, {"hub": [entry]}).splits] == [COMMIT]
    for other in ({}, {"hub": None}, {"hub": [entry | {"config": "another"}]}):
        assert [one.commit for one in as_recorded(source, other).splits] == [None]


def test_the_sources_of_a_run_are_its_problems_personas_and_test_problems(tmp_path: Path) -> None:
    problems = tmp_path / "p.jsonl"
    problems.write_text('{"question": "1 + 1?", "answer": "2"}\n')
    sources = Sources.parse([f"mine:{problems}:question:answer"], "bundled", [f"{problems}:question"])
    assert [source.published for source in sources] == ["mine:p.jsonl:question:answer", "bundled", "p.jsonl:question"]
    assert sources.resolved() == (sources, [])
    assert [source.published for source in Sources.parse(["gsm8k"], None, [])] == ["gsm8k", "gsm8k"]
