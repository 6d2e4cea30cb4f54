"""Journals of format 2, which has no column `answered_by`: read, gone on with, recovered, and billed as before."""

import asyncio
import hashlib
import sqlite3
from contextlib import closing
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from personamath.commands.cli import main
from personamath.folder.provenance import journal_digest
from personamath.journal.answered_by import from_json
from personamath.journal.block_files import adopt_answers, paid_in
from personamath.journal.file_format import (
    DAMAGED_NAME,
    FILE_NAME,
    FORMAT_VERSION,
    answer_sha256,
    open_for_reading,
)
from personamath.journal.other_runs import OtherRuns
from personamath.journal.reader import JournalReader
from personamath.journal.run_folder import RunFolder
from personamath.journal.salvage import Answer, salvage
from personamath.journal.store import Journal
from personamath.records import AnsweredBy, Completion, Request
from personamath.teachers.prices import Bill, Paid, Price, Prices
from personamath.teachers.rates import Rates

MODEL = "teacher-1"
SCHEMA_2 = """
create table answers (
    digest text primary key, purpose text not null, request text not null, sample integer not null, text text not null,
    finish_reason text not null, prompt_tokens integer, completion_tokens integer, answered_at real not null,
    checksum integer not null
);
create index paid_by_model on answers
    (case when json_valid(request) then json_extract(request, '$.model') end,
     purpose, prompt_tokens, completion_tokens);
pragma application_id = 1886221416;
pragma user_version = 2;
pragma journal_mode = wal;
"""
ORIGIN = AnsweredBy("teacher-1-2026-01-01", "Groq", "flex", None, "fp_1", 64, 100, "Thinking…")


def request(number: int) -> Request:
    return Request(f"What is {number}?", MODEL, 0.7, 2048, purpose="solve")


def old(directory: Path, numbers: range = range(20)) -> Path:
    """A journal as the version before wrote it, down to its SQL."""
    directory.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(directory / FILE_NAME)) as connection:
        connection.executescript(SCHEMA_2)
        with connection:
            answers = [Answer.of(request(n), Completion(f"It is {n}.", "stop", 100, 50)) for n in numbers]
            connection.executemany(f"insert into answers values ({','.join('?' * 10)})", [one[:-1] for one in answers])
    (directory / "journal.lock").touch()
    return directory


def put(journal: Journal, number: int) -> None:
    asyncio.run(journal.put(request(number), Completion("New.", "stop", 100, 50, ORIGIN)))


def digest_of(directory: Path) -> dict[str, object]:
    with closing(sqlite3.connect(directory / FILE_NAME)) as connection:
        rows = connection.execute("select digest, finish_reason, text from answers").fetchall()
    return journal_digest((digest, answer_sha256(digest, reason, text)) for digest, reason, text in rows)


def test_an_old_journal_is_gone_on_with_and_its_digest_stays(tmp_path: Path) -> None:
    before = digest_of(old(tmp_path / "run"))
    with Journal(tmp_path / "run") as journal:
        assert journal.get(request(3).digest) == Completion("It is 3.", "stop", 100, 50)
        assert journal.paid() == [Paid(MODEL, "solve", 20, 2_000, 1_000, 0)]
        assert digest_of(tmp_path / "run") == before
        put(journal, 20)
    with Journal(tmp_path / "run") as journal:
        assert journal.get(request(20).digest) == Completion("New.", "stop", 100, 50, ORIGIN)
        assert sorted(journal.paid()) == [
            Paid(MODEL, "solve", 1, 100, 50, 0, 64, 100, "flex"),
            Paid(MODEL, "solve", 20, 2_000, 1_000, 0),
        ]


def test_an_old_journal_is_read_without_being_changed(tmp_path: Path) -> None:
    run = old(tmp_path / "run")
    content = (run / FILE_NAME).read_bytes()
    with closing(open_for_reading(run)) as connection:
        assert connection.execute("select count(*) from answers").fetchone() == (20,)
    assert main(["journal", str(run), "--export", str(tmp_path / "all.parquet")]) == 0
    assert hashlib.sha256((run / FILE_NAME).read_bytes()).digest() == hashlib.sha256(content).digest()
    assert pq.read_table(tmp_path / "all.parquet").num_rows == 20


def test_answers_of_an_old_journal_are_reused_where_they_are(tmp_path: Path) -> None:
    run = old(tmp_path / "old")
    with OtherRuns([run], tmp_path / "own") as others:
        found = others.get(request(3).digest)
    assert found == Completion("It is 3.", "stop", 100, 50, AnsweredBy(processing="reused"))
    with closing(JournalReader(run)) as reader:
        assert reader.get(request(3).digest) == Completion("It is 3.", "stop", 100, 50)


def test_a_damaged_old_journal_is_recovered_into_the_present_format(tmp_path: Path) -> None:
    run = old(tmp_path / "run")
    (run / DAMAGED_NAME).touch()
    with Journal(run) as journal:
        assert journal.get(request(7).digest) == Completion("It is 7.", "stop", 100, 50)
        put(journal, 20)
    with closing(sqlite3.connect(run / FILE_NAME)) as connection:
        assert connection.execute("pragma user_version").fetchone() == (FORMAT_VERSION,)
    found = {answer.digest: answer.answered_by for answer in salvage(run / FILE_NAME)}
    assert len(found) == 21 and found[request(3).digest] is None
    assert from_json(str(found[request(20).digest])) == ORIGIN


def test_an_answer_whose_origin_was_changed_on_disk_is_not_taken_for_whole(tmp_path: Path) -> None:
    with Journal(tmp_path) as journal:
        put(journal, 1)
    with closing(sqlite3.connect(tmp_path / FILE_NAME)) as connection, connection:
        connection.execute("update answers set answered_by = replace(answered_by, '64', '65')")
    assert not list(salvage(tmp_path / FILE_NAME))


def test_the_export_has_what_answered(tmp_path: Path) -> None:
    with Journal(tmp_path / "run") as journal:
        put(journal, 1)
    assert main(["journal", str(tmp_path / "run"), "--export", str(tmp_path / "all.parquet")]) == 0
    (row,) = pq.read_table(tmp_path / "all.parquet").to_pylist()
    assert from_json(row["answered_by"]) == ORIGIN


def test_files_of_blocks_of_earlier_versions_are_adopted(tmp_path: Path) -> None:
    answers = [Answer.of(request(n), Completion("2", "stop", 100, 50)) for n in range(3)]
    folder = tmp_path / "run" / "blocks" / "000000-a"
    folder.mkdir(parents=True)
    pq.write_table(
        pa.Table.from_pylist([one._asdict() for one in answers]).drop(["answered_by"]), folder / "answers-1.parquet"
    )
    run = RunFolder(str(tmp_path / "run"))
    assert list(paid_in(run, "000000-a")) == [Paid(MODEL, "solve", 1, 100, 50, 0)] * 3
    with Journal(tmp_path / "run") as journal:
        adopt_answers(journal, run)
        assert journal.get(request(2).digest) == Completion("2", "stop", 100, 50)


def test_the_bill_of_an_old_journal_is_as_before(tmp_path: Path) -> None:
    """20 answers of 100 and 50 tokens at 1 and 10 USD a million, or at half of that where the command uses batches."""
    price = Price(1.0, 10.0, 0.1, {"batch": Rates(0.5, 5.0, 0.05), "flex": Rates(0.4, 4.0)})
    with Journal(old(tmp_path / "run")) as journal:
        for sent, usd in {"direct": 0.012, "batch": 0.006, "flex": 0.0048}.items():
            assert Bill.so_far(Prices(MODEL, price.sent_as(sent)), journal.paid()).usd == usd
