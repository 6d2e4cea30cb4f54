"""Runs that have not ended: what their journal gives, and that a reader changes nothing and keeps nobody waiting."""

import json
import os
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from personamath.errors import BadInput, RunDirectoryError
from personamath.folder.provenance import Origins
from personamath.folder.reading import read_rows
from personamath.journal.block_files import write_answers
from personamath.journal.file_format import FILE_NAME as JOURNAL
from personamath.journal.file_format import open_for_reading
from personamath.journal.run_folder import RunFolder
from personamath.journal.salvage import Answer
from personamath.journal.store import Journal, is_held
from personamath.runs.dataset import Counted, Inputs, write_dataset
from personamath.runs.input_record import FILE_NAME as INPUTS
from personamath.runs.pipeline import Spool
from personamath.runs.unfinished import Progress, UnfinishedRun, is_unfinished, mark
from personamath.teachers.prices import Price, Prices
from personamath.teachers.rates import Rates
from tests.support.unfinished import begin, go_on, recipe_of

FEW = 20


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with a few answers."""
    folder = tmp_path_factory.mktemp("begun")
    begin(folder / "run", recipe_of(folder / "few.jsonl"), FEW)
    return folder / "run"


@pytest.fixture(scope="module")
def answered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with all answers, which ended before it wrote its dataset."""
    folder = tmp_path_factory.mktemp("answered")
    begin(folder / "run", recipe_of(folder / "few.jsonl"), None)
    return folder / "run"


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_with_all_answers_the_dataset_is_that_of_the_runs_end(answered: Path, tmp_path: Path) -> None:
    so_far = UnfinishedRun(answered).so_far(tmp_path / "reader")
    assert so_far.progress == Progress(6, 6, 6, going_on=False, budget=None) and so_far.folder
    inputs = Inputs.read(recipe_of(answered.parent / "few.jsonl"))
    with Journal(answered) as journal, Spool(tmp_path) as spool:
        go_on(inputs, journal, 0, Counted(spool, inputs.funnel))
        origins = Origins.found(inputs.sources, inputs.personas)
        ended = write_dataset(tmp_path, inputs, origins, spool.rows(), spool.answers())
    assert ended and files(so_far.folder) == files(ended)


def test_what_is_there_is_shown_and_nothing_is_asked_or_changed(begun: Path, answered: Path, tmp_path: Path) -> None:
    before = files(begun)
    so_far, whole = (UnfinishedRun(run).so_far(tmp_path / run.parent.name) for run in (begun, answered))
    assert so_far.folder and whole.folder
    assert 0 < so_far.progress.done <= so_far.progress.begun < 6
    rows, all_rows = ({row.id: row for row in read_rows(one.folder)} for one in (so_far, whole) if one.folder)
    assert rows.items() < all_rows.items(), "every row is as the whole run has it"
    assert {name: content for name, content in files(begun).items() if not name.startswith(JOURNAL + "-")} == before
    assert so_far.record["paid"]["answers"] == FEW and so_far.record["paid"]["usd"] == pytest.approx(FEW * 120e-6)
    text = str(so_far.progress)
    assert "stopped before its end" in text and f"So far {so_far.progress.done} of 6 seed problems are done" in text


def test_a_run_that_is_going_on_is_read_and_goes_on(tmp_path: Path) -> None:
    inputs = begin(tmp_path / "run", recipe_of(tmp_path / "few.jsonl"), 3)
    reader = UnfinishedRun(tmp_path / "run")
    counts = []
    with Journal(tmp_path / "run") as journal:
        marks = [mark(tmp_path / "run")]
        for number, answers in enumerate((6, 20)):
            go_on(inputs, journal, answers)
            so_far = reader.so_far(tmp_path / f"reader-{number}")
            assert so_far.progress.going_on and "is still running" in str(so_far.progress)
            counts.append(so_far.record["paid"]["answers"])
            marks.append(mark(tmp_path / "run"))
    assert counts == [6, 20] and len(set(marks)) == 3 and not is_held(tmp_path / "run")


def test_looking_whether_a_run_is_going_on_keeps_none_from_starting(tmp_path: Path) -> None:
    begin(tmp_path / "run", recipe_of(tmp_path / "few.jsonl"), 1)
    stop = threading.Event()

    def look() -> None:
        while not stop.is_set():
            is_held(tmp_path / "run")

    looking = threading.Thread(target=look)
    looking.start()
    try:
        for _ in range(50):
            with Journal(tmp_path / "run"):
                assert is_held(tmp_path / "run")
    finally:
        stop.set()
        looking.join()
    with Journal(tmp_path / "run"), pytest.raises(RunDirectoryError, match="another process is working on this run"):
        Journal(tmp_path / "run")


def test_answers_in_the_files_of_blocks_count(answered: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    begin(run, recipe_of(answered.parent / "few.jsonl"), 1)
    with closing(open_for_reading(answered)) as journal:
        answers = [Answer(*values) for values in journal.execute("select * from answers")]
    write_answers(RunFolder(str(run)), "000000-a", answers)
    so_far, whole = UnfinishedRun(run).so_far(tmp_path / "blocks"), UnfinishedRun(answered).so_far(tmp_path / "whole")
    assert so_far.folder and whole.folder and files(so_far.folder) == files(whole.folder)


def test_when_a_run_has_ended(tmp_path: Path) -> None:
    run = tmp_path / "run"
    assert not is_unfinished(run)
    inputs = begin(run, recipe_of(tmp_path / "few.jsonl"), 1)
    assert is_unfinished(run)
    (run / "dataset").mkdir()
    (run / "run.json").touch()
    os.utime(run / INPUTS, (1, 1))
    with Journal(run):
        assert not is_unfinished(run), "as while `opinion` works on it"
        os.utime(run / "run.json", (0, 0))
        assert is_unfinished(run), "the same command, given again"
    assert not is_unfinished(run) and inputs


REFUSED: list[tuple[str, Callable[[Path], object], str]] = [
    (
        "other problems",
        lambda run: (run.parent / "few.jsonl").write_text('{"question": "1?", "answer": "1"}'),
        "the problems changed after the run began: restore them",
    ),
    (
        "earlier version",
        lambda run: (run / INPUTS).write_text('{"limit": null, "used": {}, "sources": {}}'),
        "an earlier version began this run and did not record its recipe; run the same",
    ),
    (
        "own method",
        lambda run: (run / INPUTS).write_text('{"recipe": {"method": "mine"}}'),
        "the method 'mine' is not one of this version",
    ),
    ("damaged", lambda run: (run / INPUTS).write_text("{"), "inputs.json: not valid JSON"),
]


@pytest.mark.parametrize(("change", "message"), [one[1:] for one in REFUSED], ids=[one[0] for one in REFUSED])
def test_what_cannot_be_shown_is_said_in_one_line(
    change: Callable[[Path], object], message: str, tmp_path: Path
) -> None:
    begin(tmp_path / "run", recipe_of(tmp_path / "few.jsonl"), 1)
    change(tmp_path / "run")
    with pytest.raises(BadInput, match=message):
        UnfinishedRun(tmp_path / "run")


def test_a_budget_is_named_because_it_decides_at_the_end(begun: Path, tmp_path: Path) -> None:
    record = json.loads((begun / INPUTS).read_text())
    run = tmp_path / "run"
    begin(run, recipe_of(begun.parent / "few.jsonl", budget="rows:5"), FEW)
    so_far = UnfinishedRun(run).so_far(tmp_path / "reader")
    assert "The budget rows:5 is applied at the end" in str(so_far.progress) and "budget" not in record["recipe"]


def test_prices_are_read_as_they_were_recorded() -> None:
    tiers = {"batch": Rates(0.5, 1.0, 0.25)}
    prices = Prices("a", Price(1.0, 2.0, 0.5, tiers, "a page", "2026-01-02", "batch"), {"b": None})
    found = Prices.of_dict(json.loads(json.dumps(prices.as_dict(["a", "b"]))))
    assert found and found.teacher == "a" and found.of("a") == prices.of("a") and found.of("b") is None
    assert Prices.of_dict({}) is None
