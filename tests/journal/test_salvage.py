"""A journal that a disk damaged: never a wrong answer, and all that is whole is kept."""

import asyncio
import random
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from personamath.errors import RunDirectoryError
from personamath.journal.file_format import DAMAGED_NAME, FILE_NAME, FORMAT_VERSION, open_for_reading
from personamath.journal.salvage import USUAL_PAGE_SIZE, Answer, salvage, salvage_thrown_away
from personamath.journal.store import Journal
from personamath.records import Completion, Request
from personamath.teachers.prices import Bill, Paid
from tests.support import programs

ANSWERS = 120
# SQLite's types of page: inner and leaf.
INDEX_PAGES = (2, 10)
Damage = Callable[[bytes], bytes]


def request(number: int) -> Request:
    return Request(f"What is {number}? " + "Please. " * (number % 7 * 40), "teacher-1", 0.7, 2048, sample=number % 3)


def answer(number: int) -> Completion:
    # From a few bytes to a chain of overflow pages.
    return Completion(f"It is “{number}”. " * (1 + 5 ** (number % 5)), "stop", number, None)


def write(directory: Path, numbers: range = range(ANSWERS)) -> None:
    with Journal(directory) as journal:
        put(journal, *numbers)


def put(journal: Journal, *numbers: int) -> None:
    async def run() -> None:
        await asyncio.gather(*(journal.put(request(n), answer(n)) for n in numbers))

    asyncio.run(run())


def read(directory: Path) -> dict[int, Completion]:
    """What the journal knows of the answers; raises where it meets damage."""
    with Journal(directory) as journal:
        found = {number: journal.get(request(number).digest) for number in range(ANSWERS)}
    return {number: completion for number, completion in found.items() if completion}


def damage(path: Path, number: int, change: Damage) -> None:
    """Change a page, counted from 0."""
    with path.open("r+b") as file:
        file.seek(number * USUAL_PAGE_SIZE)
        page = file.read(USUAL_PAGE_SIZE)
        file.seek(number * USUAL_PAGE_SIZE)
        file.write(change(page))


def _zeros(page: bytes) -> bytes:
    return bytes(len(page))


def _noise(page: bytes) -> bytes:
    return random.Random(page[-1]).randbytes(len(page))


def _first_sector(page: bytes) -> bytes:
    return bytes(512) + page[512:]


def _last_sector(page: bytes) -> bytes:
    return page[:-512] + b"x" * 512


def _fewer_rows(page: bytes) -> bytes:
    return page[:3] + b"\x00\x01" + page[5:]


def _a_letter(page: bytes) -> bytes:
    return page[:-100] + bytes([page[-100] ^ 1]) + page[-99:]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    directory = tmp_path_factory.mktemp("whole")
    write(directory)
    return (directory / FILE_NAME).read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize("change", [_zeros, _noise, _first_sector, _last_sector, _fewer_rows, _a_letter])
def test_whatever_page_is_damaged_no_answer_is_wrong_and_few_are_lost(
    tmp_path: Path, whole: bytes, change: Damage, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / FILE_NAME
    recoveries = 0
    # Of the table's leaves and overflow pages some will do; the header, the roots and the whole index are among them.
    numbers = range(len(whole) // USUAL_PAGE_SIZE)
    index = [number for number in numbers if whole[number * USUAL_PAGE_SIZE] in INDEX_PAGES]
    for number in sorted({*numbers[:4], *index, *numbers[4::8]}):
        path.write_bytes(whole)
        damage(path, number, change)
        damaged = path.read_bytes()
        try:
            found = read(tmp_path)
        except RunDirectoryError as error:
            assert "keeps it aside" in str(error)
            found = read(tmp_path)
        # At most what lay on the page: of the shortest 12 lie on one. In the index lies nothing of its own, but a key
        # that is another key now cannot be told from one.
        on_the_page = 12 if number not in index else 1 if change is _a_letter else 0
        assert len(found) >= ANSWERS - on_the_page
        assert all(completion == answer(number) for number, completion in found.items())
        if aside := list(tmp_path.glob("journal.damaged-*.sqlite")):
            recoveries += 1
            said = capsys.readouterr().err
            assert f"{path} is damaged" in said and f"kept as {aside[0]}" in said
            assert f"\n{len(found)} answers recovered" in said
            assert aside[0].read_bytes() == damaged
            aside[0].unlink()
        write(tmp_path)  # the rest is asked again
        assert read(tmp_path) == {number: answer(number) for number in range(ANSWERS)}
        assert not (tmp_path / DAMAGED_NAME).exists()
    assert recoveries > 5


def test_a_file_that_lost_its_end_keeps_its_beginning(tmp_path: Path, whole: bytes) -> None:
    (tmp_path / FILE_NAME).write_bytes(whole[: len(whole) // 2 + 1000])
    assert ANSWERS / 4 < len(read(tmp_path)) < ANSWERS


def test_what_was_thrown_away_is_recovered_too(tmp_path: Path) -> None:
    wasted = [Paid("teacher-1", "stage1_inference", 0, 100 + n, n, 0) for n in range(300)]

    async def pay(journal: Journal) -> None:
        await asyncio.gather(*(journal.pay(one) for one in wasted))

    with Journal(tmp_path) as journal:
        put(journal, *range(40))
        asyncio.run(pay(journal))
        paid = Bill.so_far(None, journal.paid())
    assert paid.answers == 40 and paid.tokens > sum(200 + n for n in range(100))
    (tmp_path / DAMAGED_NAME).touch()
    for _ in range(2):
        with Journal(tmp_path) as journal:
            assert Bill.so_far(None, journal.paid()) == paid
    assert sorted(salvage_thrown_away(tmp_path / "journal.damaged-1.sqlite")) == wasted


KILLED = """
import sys
from pathlib import Path
from personamath.journal.store import Journal
from tests.journal.test_salvage import put

journal = Journal(Path(sys.argv[1]))
put(journal, *range(100))
print("written", flush=True)
sys.stdin.read()
"""


def test_answers_that_are_only_in_the_log_are_recovered_too(tmp_path: Path) -> None:
    with programs.start(KILLED, tmp_path, stdin=programs.PIPE, stdout=programs.PIPE) as process:
        assert process.stdout
        process.stdout.readline()
        process.kill()
    log = tmp_path / f"{FILE_NAME}-wal"
    assert log.stat().st_size > 100_000
    assert {row.digest for row in salvage(tmp_path / FILE_NAME)} == {request(n).digest for n in range(100)}
    (tmp_path / DAMAGED_NAME).touch()
    assert set(read(tmp_path)) == set(range(100))
    assert not log.exists() and (tmp_path / "journal.damaged-1.sqlite-wal").exists()


def test_what_is_damaged_is_met_by_those_who_only_read(tmp_path: Path, whole: bytes) -> None:
    path = tmp_path / FILE_NAME
    path.write_bytes(whole)
    damage(path, 1, _zeros)
    damage(path, 2, _zeros)
    done = programs.run(programs.CLI, "journal", tmp_path)
    assert done.returncode == 1
    assert "damaged" in done.stderr and "Traceback" not in done.stderr
    damage(path, 0, _zeros)
    with pytest.raises(RunDirectoryError, match="to recover a damaged journal"):
        open_for_reading(tmp_path)


def test_a_later_format_is_not_taken_for_damage(tmp_path: Path) -> None:
    write(tmp_path)
    with closing(sqlite3.connect(tmp_path / FILE_NAME)) as connection:
        connection.execute(f"pragma user_version = {FORMAT_VERSION + 1}")
    with pytest.raises(RunDirectoryError, match="written in journal format"):
        Journal(tmp_path)
    assert not list(tmp_path.glob("journal.damaged*"))


def test_a_recovery_that_was_killed_is_gone_on_with(tmp_path: Path, whole: bytes) -> None:
    """Each state that a kill can leave behind, made by hand."""
    everything = {number: answer(number) for number in range(ANSWERS)}
    for journal, recovering, recovered in ((whole, b"half", None), (b"damaged", None, whole), (None, None, whole)):
        for name, content in (
            (FILE_NAME, journal),
            ("journal.recovered.partial", recovering),
            ("journal.recovered", recovered),
        ):
            if content:
                (tmp_path / name).write_bytes(content)
            else:
                (tmp_path / name).unlink(missing_ok=True)
        (tmp_path / "journal.lock").touch()
        if recovering:
            (tmp_path / DAMAGED_NAME).touch()
        assert read(tmp_path) == everything
        assert not list(tmp_path.glob("journal.recover*"))


def test_a_disk_too_full_to_recover_is_told_and_leaves_everything(tmp_path: Path, whole: bytes) -> None:
    (tmp_path / FILE_NAME).write_bytes(whole)
    (tmp_path / DAMAGED_NAME).touch()
    script = (
        "import resource, sys, pathlib; from personamath.journal.store import Journal\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))\n"
        "Journal(pathlib.Path(sys.argv[1]))"
    )
    done = programs.run(script, tmp_path)
    assert "cannot be recovered" in done.stderr and "make room" in done.stderr
    assert (tmp_path / FILE_NAME).read_bytes() == whole
    assert len(read(tmp_path)) == ANSWERS


def test_a_row_is_one_of_the_journals_table(tmp_path: Path) -> None:
    write(tmp_path, range(1))
    with closing(open_for_reading(tmp_path)) as connection:
        cursor = connection.execute("select * from answers")
        assert tuple(column[0] for column in cursor.description) == Answer._fields
        assert [Answer(*row) for row in cursor] == list(salvage(tmp_path / FILE_NAME))


@pytest.mark.parametrize("number", [2**7 - 1, 2**7, 2**56 - 1, 2**56, 2**63 - 1])
def test_a_row_of_any_number_is_found(tmp_path: Path, number: int) -> None:
    write(tmp_path, range(1))
    with closing(sqlite3.connect(tmp_path / FILE_NAME)) as connection, connection:
        connection.execute("update answers set rowid = ?", (number,))
        connection.execute("insert into thrown_away (rowid, model, purpose, prompt_tokens, completion_tokens) "
                           "values (?, 'teacher-1', 'solve', 8388608, 255)", (number,))  # fmt: skip
    assert [row.text for row in salvage(tmp_path / FILE_NAME)] == [answer(0).text]
    assert salvage_thrown_away(tmp_path / FILE_NAME) == [Paid("teacher-1", "solve", 0, 8388608, 255, 0)]
