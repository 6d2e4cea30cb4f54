"""`personamath demo`: the recorded answers of a real model give the same dataset everywhere, and nobody is asked."""

import gzip
import io
import json
import sqlite3
from contextlib import closing, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import NamedTuple

import pytest

from personamath.commands import demo_data, demo_model
from personamath.commands.cli import main
from personamath.commands.demo import beside
from personamath.commands.demo_data import RECORDED, RECORDED_MODEL
from personamath.folder.checks import check_folder
from personamath.journal.file_format import FILE_NAME
from tests.commands.test_augment import dataset_bytes

pytestmark = pytest.mark.slow

MOST_BYTES = 1_500_000
MOST_LINES = 60
MOST_COLUMNS = 120


class Replayed(NamedTuple):
    """What `demo --data-only` has made and printed."""

    run: Path
    output: str
    errors: str


@pytest.fixture(scope="module")
def replayed(tmp_path_factory: pytest.TempPathFactory) -> Replayed:
    run = tmp_path_factory.mktemp("demo") / "run"
    with redirect_stdout(io.StringIO()) as output, redirect_stderr(io.StringIO()) as errors:
        assert main(["demo", "--data-only", "--output", str(run)]) == 0
    return Replayed(run, output.getvalue(), errors.getvalue())


def test_the_recorded_answers_fit_this_version_and_nobody_is_asked(replayed: Replayed) -> None:
    assert "warning" not in replayed.errors and "note" not in replayed.errors
    assert "\n0 answers asked, " in replayed.output
    assert RECORDED_MODEL in replayed.output and "Next\n" in replayed.output
    lines = replayed.output.replace(str(replayed.run.parent), "").splitlines()
    assert len(lines) <= MOST_LINES and max(map(len, lines)) <= MOST_COLUMNS
    run = json.loads((replayed.run / "run.json").read_text())
    assert run["complete"] and not run["simulated"]
    assert all(run["rows"][step] for step in ("stage1_inference", "stage1_rewrite", "stage2_reflection"))


def test_the_same_answers_give_the_same_dataset_in_any_directory(replayed: Replayed, tmp_path: Path) -> None:
    demo_data.replay(tmp_path / "another")
    assert dataset_bytes(tmp_path / "another") == dataset_bytes(replayed.run)


def test_a_second_demo_in_the_same_directory_changes_nothing(
    replayed: Replayed, capsys: pytest.CaptureFixture[str]
) -> None:
    before = dataset_bytes(replayed.run)
    assert main(["demo", "--data-only", "--output", str(replayed.run)]) == 0
    assert "\n0 answers asked, " in capsys.readouterr().out
    assert dataset_bytes(replayed.run) == before


def test_the_dataset_could_be_published_and_its_card_names_the_model(replayed: Replayed) -> None:
    check_folder(replayed.run / "published")
    card = (replayed.run / "published" / "README.md").read_text(encoding="utf-8")
    assert RECORDED_MODEL in card and "license: apache-2.0" in card and "imulated" not in card
    assert (replayed.run / "report" / "index.html").is_file()


def test_a_request_without_a_recorded_answer_ends_the_demo_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "run").mkdir()
    journal = tmp_path / "run" / FILE_NAME
    journal.write_bytes(gzip.decompress(RECORDED.read_bytes()))
    with closing(sqlite3.connect(journal)) as connection, connection:
        connection.execute("delete from answers where rowid = (select max(rowid) from answers)")
    assert main(["demo", "--data-only", "--output", str(tmp_path / "run")]) == 1
    line = capsys.readouterr().err.splitlines()[-1]
    assert "requests without a recorded answer: 1." in line and "--simulated" in line and "--output" in line


def test_a_damaged_journal_ends_the_demo_and_other_commands_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / FILE_NAME).write_text("not a journal, but long enough to be taken for one\n" * 100)
    for command, remedy in ((["demo", "--data-only", "--output"], "use another --output"), (["journal"], "")):
        assert main([*command, str(tmp_path)]) == 1
        line = capsys.readouterr().err.splitlines()[-1]
        assert f"{FILE_NAME}: " in line and line.endswith(remedy), line


def test_the_recorded_journal_is_small_and_says_nothing_of_a_machine() -> None:
    content = RECORDED.read_bytes()
    assert len(content) < MOST_BYTES
    assert content[4:8] == bytes(4)  # the time in gzip's header, so that the same journal gives the same bytes
    journal = gzip.decompress(content)
    assert not any(secret in journal for secret in (b"/tmp/", b"/home/", b"/root/", b"127.0.0.1", b"localhost"))


def test_the_tiny_model_is_scored_on_sums_that_it_did_not_learn() -> None:
    train, held_out = demo_model.split_sums()
    assert len(held_out) == demo_model.HELD_OUT and not set(train) & set(held_out)
    assert len({*train, *held_out}) == len(train) + len(held_out) == len(demo_model.DIGITS) ** 3
    assert (demo_model.question((2, 3, 4)), demo_model.solution((2, 3, 4))) == (
        *("What is 2 + 3 + 4?", "2 + 3 = 5 and 5 + 4 = 9."),
    )


def test_the_scores_before_and_after_are_one_below_the_other() -> None:
    none, most = (
        demo_model.Marks(dict.fromkeys(demo_model.METRICS, right), "") for right in (0, demo_model.HELD_OUT - 1)
    )
    heading, before, after = demo_model.table(none, most)
    assert f"0 of {demo_model.HELD_OUT} (0 to " in before and after.endswith(" %)")
    for name in demo_model.METRICS:
        place = heading.index(name)
        assert before[place:].startswith("0 of ") and after[place:].startswith(f"{demo_model.HELD_OUT - 1} of ")


@pytest.mark.parametrize("width", [40, 80, 120])
def test_two_texts_are_beside_each_other_where_there_is_room(width: int) -> None:
    lines = list(beside("A short original. " * 9, "A rewrite,\nin two lines. " * 9, width))
    assert max(map(len, lines)) <= width
    assert (lines[0].split() == ["original", "|", "rewrite"]) == (width == 120)
