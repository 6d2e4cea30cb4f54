"""Journals that are only read, beside the run that may be writing them or of another run; and results of programs."""

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from personamath.errors import BadInput, RunDirectoryError
from personamath.journal.block_files import adopt_answers, write_answers, write_wasted
from personamath.journal.file_format import DAMAGED_NAME, FILE_NAME
from personamath.journal.other_runs import OtherRuns
from personamath.journal.reader import JournalReader, reading
from personamath.journal.results import FILE_NAME as RESULTS
from personamath.journal.results import ResultJournal, recorded_results
from personamath.journal.run_folder import RunFolder
from personamath.journal.salvage import USUAL_PAGE_SIZE, Answer
from personamath.journal.store import LOCK_NAME, Journal, is_held
from personamath.programs.sandbox import Result
from personamath.records import AnsweredBy, Completion, Request
from personamath.teachers.prices import Paid


def request(number: int) -> Request:
    return Request(f"What is {number}?", "teacher-1", 0.7, 2048, purpose="solve")


def answer(number: int) -> Completion:
    return Completion(f"It is {number}.", "stop", 10, 5, AnsweredBy(model="teacher-1b", service_tier="flex"))


WASTED = Paid("teacher-1", "solve", 0, 7, 3, 0)
BLOCK = "000000-a"


def journal(directory: Path, *numbers: int) -> Path:
    """A run directory that has these answers, and one useless reply."""
    with Journal(directory) as journal:
        journal.adopt((Answer.of(request(n), answer(n)) for n in numbers), [WASTED])
    return directory


def blocks(directory: Path, *numbers: int) -> RunFolder:
    """The same in a file of the engine for many machines."""
    folder = RunFolder(str(directory))
    write_answers(folder, BLOCK, [Answer.of(request(n), answer(n)) for n in numbers])
    write_wasted(folder, BLOCK, [WASTED, WASTED])
    return folder


def change(directory: Path, number: int) -> None:
    """Change the text of an answer, as a disk may."""
    with closing(sqlite3.connect(directory / FILE_NAME)) as connection, connection:
        connection.execute("update answers set text = 'It is 7.' where digest = ?", (request(number).digest,))


def spoil(directory: Path) -> None:
    """Make all but the first page unreadable."""
    path = directory / FILE_NAME
    content = path.read_bytes()
    path.write_bytes(content[:USUAL_PAGE_SIZE] + b"\xff" * (len(content) - USUAL_PAGE_SIZE))


def test_answers_are_read_beside_the_files_of_blocks_and_nothing_is_changed(tmp_path: Path) -> None:
    run = journal(tmp_path / "run", 1, 2)
    blocks(run, 2, 3)
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    with reading(run) as reader:
        assert [reader.get(request(n).digest) for n in range(1, 5)] == [answer(1), answer(2), answer(3), None]
        assert [reader.has(request(n).digest) for n in range(1, 5)] == [True, True, True, False]
        assert reader.has_room() and reader.path == run
        assert sorted(reader.paid()) == [
            WASTED,
            WASTED._replace(prompt_tokens=14, completion_tokens=6),
            *[Paid("teacher-1", "solve", 2, 20, 10, 0, sent="flex")] * 2,
        ]
    assert before == {path: path.read_bytes() for path in before}


def test_a_reader_takes_neither_answers_nor_costs(tmp_path: Path) -> None:
    with closing(JournalReader(journal(tmp_path))) as reader:
        with pytest.raises(RunDirectoryError, match="opened for reading, and 'solve' was answered"):
            asyncio.run(reader.put(request(1), answer(1)))
        with pytest.raises(RunDirectoryError, match="opened for reading, and 'solve' was paid for"):
            asyncio.run(reader.pay(WASTED))


def test_the_first_journal_that_has_a_whole_answer_gives_it(tmp_path: Path) -> None:
    first, second = journal(tmp_path / "first", 1, 2), journal(tmp_path / "second", 2, 3)
    change(first, 2)
    change(second, 3)
    with closing(JournalReader(first, second)) as reader:
        assert [reader.get(request(n).digest) for n in (1, 2, 3)] == [answer(1), answer(2), None]
    with OtherRuns([first, second], tmp_path / "own") as others:
        reused = AnsweredBy(model="teacher-1b", service_tier="flex", processing="reused")
        found = [others.get(request(n).digest) for n in (1, 2, 3, 4)]
        assert [one and (one.text, one.answered_by) for one in found] == [
            ("It is 1.", reused),
            ("It is 2.", reused),
            None,
            None,
        ]
        known = [(where.name, [has(request(n).digest) for n in (1, 2, 3)]) for where, has in others.each()]
        assert known == [("first", [True, False, False]), ("second", [False, True, False])]


def test_an_answer_of_unknown_origin_is_marked_as_reused_all_the_same(tmp_path: Path) -> None:
    with Journal(tmp_path / "old") as old:
        asyncio.run(old.put(request(1), Completion("2", "stop")))
    with OtherRuns([tmp_path / "old"], tmp_path) as others:
        found = others.get(request(1).digest)
    assert found == Completion("2", "stop", answered_by=AnsweredBy(processing="reused"))


def test_other_runs_must_have_a_journal_and_be_others(tmp_path: Path) -> None:
    own = journal(tmp_path / "own", 1)
    blocks(tmp_path / "blocks", 1)
    for directory, message in (
        (tmp_path / "x" / ".." / "own", "this run's own directory; name another one, or leave it out"),
        (tmp_path / "blocks", "its answers are in the files of the ray engine; .* --engine local"),
    ):
        with pytest.raises(BadInput, match=message):
            OtherRuns([directory], own)
    with pytest.raises(RunDirectoryError, match=f"no {FILE_NAME} in it"), OtherRuns([tmp_path / "missing"], own):
        pass


READS: list[Callable[[JournalReader], object]] = [
    lambda reader: reader.get(request(1).digest),
    lambda reader: reader.has(request(1).digest),
    lambda reader: reader.paid(),
]


@pytest.mark.parametrize("read", READS)
def test_damage_that_a_reader_meets_is_marked_for_the_run(
    tmp_path: Path, read: Callable[[JournalReader], object]
) -> None:
    spoil(journal(tmp_path, *range(100)))
    with (
        closing(JournalReader(tmp_path)) as reader,
        pytest.raises(RunDirectoryError, match=r"damaged \(.*\); the same `personamath augment` keeps it aside"),
    ):
        read(reader)
    assert (tmp_path / DAMAGED_NAME).exists()


def test_damage_in_another_run_is_marked_there(tmp_path: Path) -> None:
    spoil(journal(tmp_path / "other", *range(100)))
    with (
        OtherRuns([tmp_path / "other"], tmp_path) as others,
        pytest.raises(RunDirectoryError, match=r"other/.*damaged"),
    ):
        others.get(request(1).digest)
    assert (tmp_path / "other" / DAMAGED_NAME).exists()


LOST: list[tuple[Callable[[Journal], object], str]] = [
    (lambda opened: opened.get(request(1).digest), "cannot be read .*; check its disk"),
    (lambda opened: opened.has(request(1).digest), "cannot be read .*; check its disk"),
    (lambda opened: opened.paid(), "cannot be read .*; check its disk"),
    (lambda opened: opened.adopt([Answer.of(request(2), answer(2))]), "a database without tables; move it aside"),
    (lambda opened: asyncio.run(opened.put(request(2), answer(2))), "cannot write the journal .* make room"),
    (lambda opened: asyncio.run(opened.pay(WASTED)), "cannot write the journal .* make room"),
]


@pytest.mark.parametrize(("use", "message"), LOST)
def test_a_failure_that_is_no_damage_ends_in_one_line_and_recovers_nothing(
    tmp_path: Path, use: Callable[[Journal], object], message: str
) -> None:
    with Journal(journal(tmp_path, 1)) as opened:
        with closing(sqlite3.connect(tmp_path / FILE_NAME)) as other:
            other.executescript("drop table answers; drop table thrown_away")
        with pytest.raises(RunDirectoryError, match=message):
            use(opened)
    assert not (tmp_path / DAMAGED_NAME).exists()


def test_a_text_that_is_no_longer_text_is_damage(tmp_path: Path) -> None:
    with Journal(journal(tmp_path, 1)) as opened:
        with closing(sqlite3.connect(tmp_path / FILE_NAME)) as other, other:
            other.execute("update answers set text = cast(x'ff' as text)")
        with pytest.raises(RunDirectoryError, match="damaged"):
            opened.get(request(1).digest)
    assert (tmp_path / DAMAGED_NAME).exists()


def test_a_changed_answer_is_no_answer_of_the_run_itself(tmp_path: Path) -> None:
    change(journal(tmp_path, 1), 1)
    with Journal(tmp_path) as opened, pytest.raises(RunDirectoryError, match="an answer is not what was written"):
        opened.get(request(1).digest)
    assert (tmp_path / DAMAGED_NAME).exists()


def test_a_run_is_held_while_its_journal_is_open(tmp_path: Path) -> None:
    assert not is_held(tmp_path)
    with Journal(tmp_path):
        assert is_held(tmp_path)
    assert (tmp_path / LOCK_NAME).exists() and not is_held(tmp_path)


def test_blocks_move_into_the_journal_with_what_was_wasted_and_leave_no_file(tmp_path: Path) -> None:
    folder = blocks(tmp_path, 1, 2)
    folder.write(f"blocks/{BLOCK}/rows.parquet", b"rows")
    blocks(tmp_path, 2, 3)
    with Journal(tmp_path) as opened:
        adopt_answers(opened, folder)
        assert len(opened) == 3 and opened.get(request(3).digest) == answer(3)
        waste = next(paid for paid in opened.paid() if not paid.answers)
    assert waste == Paid("teacher-1", "solve", 0, 28, 12, 0)
    assert folder.names("blocks") == []


def test_blocks_are_adopted_one_by_one_and_a_folder_stays_while_something_is_in_it(tmp_path: Path) -> None:
    folder = blocks(tmp_path, 1)
    folder.write(f"blocks/{BLOCK}/written-by-an-actor-that-was-given-up", b"")
    write_answers(folder, "000001-b", [Answer.of(request(2), answer(2))])
    with Journal(tmp_path) as opened:
        adopt_answers(opened, folder, [BLOCK])
        assert [opened.has(request(n).digest) for n in (1, 2)] == [True, False]
    assert folder.names("blocks") == [BLOCK, "000001-b"] and len(folder.names(f"blocks/{BLOCK}")) == 1


def test_blocks_in_a_store_stay_there_as_the_journal_is_a_copy(tmp_path: Path) -> None:
    folder = RunFolder(f"memory:/{tmp_path}/run")
    write_answers(folder, BLOCK, [Answer.of(request(1), answer(1))])
    write_wasted(folder, BLOCK, [WASTED])
    folder.write(f"blocks/{BLOCK}/rows.parquet", b"rows")
    before = folder.names(f"blocks/{BLOCK}")
    with Journal(tmp_path / "scratch") as opened:
        adopt_answers(opened, folder, [BLOCK])
        assert len(opened) == 1
    assert folder.names(f"blocks/{BLOCK}") == before and len(before) == 3


def test_a_damaged_file_of_a_block_is_named(tmp_path: Path) -> None:
    folder = RunFolder(str(tmp_path))
    folder.write(f"blocks/{BLOCK}/answers-1.parquet", b"half a file")
    with (
        Journal(tmp_path) as opened,
        pytest.raises(RunDirectoryError, match=r"blocks/000000-a/answers-1.parquet is damaged .* remove it"),
    ):
        adopt_answers(opened, folder)


def test_the_first_result_of_a_program_stays_and_is_read_beside_the_run(tmp_path: Path) -> None:
    with recorded_results(tmp_path) as find:
        assert find("a") is None
    with ResultJournal(tmp_path) as results:
        assert results.get("a") is None
        results.put("a", Result("ended", "42"))
        results.put("a", Result("ran too long"))
        results.put("b", Result("raised an error"))
        assert [results.get(digest) for digest in "abc"] == [Result("ended", "42"), Result("raised an error"), None]
        with recorded_results(tmp_path) as find:
            assert [find(digest) for digest in "abc"] == [Result("ended", "42"), Result("raised an error"), None]
    with ResultJournal(tmp_path) as results:
        assert results.get("a") == Result("ended", "42")


def test_results_that_cannot_be_read_may_be_removed(tmp_path: Path) -> None:
    (tmp_path / RESULTS).write_bytes(b"no database at all, for longer than its header" * 100)
    message = "cannot be used .* remove it, then run the same command; the programs will run again"
    with pytest.raises(RunDirectoryError, match=message), ResultJournal(tmp_path):
        pass
    with pytest.raises(RunDirectoryError, match=message), recorded_results(tmp_path) as find:
        find("a")


@pytest.mark.parametrize("use", [lambda one: one.get("a"), lambda one: one.put("a", Result("ended", "1"))])
def test_results_that_become_unreadable_end_the_run_in_one_line(
    tmp_path: Path, use: Callable[[ResultJournal], object]
) -> None:
    with ResultJournal(tmp_path) as results:
        with closing(sqlite3.connect(tmp_path / RESULTS)) as other:
            other.execute("drop table results")
        with pytest.raises(RunDirectoryError, match="cannot be used"):
            use(results)
