"""The journal: every answer that was ever paid for, in one SQLite file, keyed by what was asked.

A run killed at any point asks again for no more than what was in flight, because a request counts as in flight until
its answer is on disk. Failures are not written, so the same command asks for them again. Nothing is loaded at the
start; anyone can open the file: `sqlite3 journal.sqlite 'select purpose, count(*) from answers group by 1'`.

A damaged file is met when it is read: SQLite notices a page that is none, the checksum a text that changed. The run
ends, and the next one keeps the file aside and goes on with every answer that is still whole.
"""

import asyncio
import fcntl
import hashlib
import itertools
import os
import queue
import shutil
import sqlite3
import sys
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import IO, NamedTuple, Self, cast

from personamath.errors import RunDirectoryError
from personamath.prices import Paid
from personamath.records import Completion, Request
from personamath.salvage import USUAL_PAGE_SIZE, Answer, checksum, salvage

FILE_NAME = "journal.sqlite"
LOCK_NAME = "journal.lock"
# Left beside a journal that was found damaged, until it is recovered.
DAMAGED_NAME = "journal.damaged"
# What was recovered: unfinished, and whole but not yet in the journal's place.
_RECOVERING_NAME, _RECOVERED_NAME = "journal.recovering", "journal.recovered"
# Raised whenever an older PersonaMath would misread the file.
FORMAT_VERSION = 2
# Where the engine for many machines keeps its answers; see personamath.ray_engine.
BLOCKS = "blocks"
# "pmth" in ASCII: tells a journal from any other SQLite file.
APPLICATION_ID = 0x706D7468
# Answers that arrive within this time share one transaction: few enough to lose nothing worth naming (an answer is
# durable well within 50 ms), many enough that the disk is not the limit.
GATHER_S = 0.001
# Callers that go on in one turn of the event loop, each asking something new perhaps: in between, answers that have
# arrived are read and written, so that few of them can be lost.
RESUMED_AT_ONCE = 4
# Asking stops while there is still room for every answer in flight (1,000 of 16 kB, and the file's own growth).
DISK_RESERVE_BYTES = 64 * 2**20
# To look is a system call, which costs as much as a look-up of an answer; in this time a tenth of the reserve goes.
LOOK_FOR_ROOM_EVERY_S = 0.1
_SCHEMA = """
create table answers (
    digest text primary key,      -- of the request: see Request.digest
    purpose text not null,        -- of the first request that asked it, for counting
    request text not null,        -- the JSON that was sent
    sample integer not null,
    text text not null,           -- the completion, untouched
    finish_reason text not null,
    prompt_tokens integer,
    completion_tokens integer,
    answered_at real not null,    -- seconds since the epoch
    checksum integer not null     -- of the completion: see personamath.salvage
)
"""
_CREATE = f"begin; {_SCHEMA}; pragma application_id = {APPLICATION_ID}; pragma user_version = {FORMAT_VERSION}; commit"
_FINDABLE = "select count(*) from answers indexed by sqlite_autoindex_answers_1 where digest not glob '*[^0-9a-f]*'"
_INSERT = "insert or ignore into answers values (?,?,?,?,?,?,?,?,?,?)"

# Sums over the whole file need not read the texts. Any version may write to a journal with or without it.
_INDEX = "create index if not exists paid on answers (purpose, prompt_tokens, completion_tokens)"
_PAID = """
select purpose, count(*), coalesce(sum(prompt_tokens), 0), coalesce(sum(completion_tokens), 0),
    sum(completion_tokens is null)
from answers group by purpose
"""

# Few sizes, so that the statements stay prepared.
_ROWS_AT_ONCE = (64, 16, 4, 1)


class _Entry(NamedTuple):
    answer: Answer
    written: asyncio.Future[None]


class _Unreadable(RunDirectoryError):
    """What stands in the journal's place is no journal, or one whose first page is damaged."""


class Journal:
    """Answers on disk. One process writes to a run directory; others may read while it does.

    `get` is a look-up by key on the caller's thread (tens of microseconds); `put` returns once the answer is durable,
    written by the journal's own thread with one `fsync` for all answers that arrived together.
    """

    def __init__(self, directory: Path, *, free_bytes: Callable[[Path], int] | None = None) -> None:
        self.path = directory / FILE_NAME
        self._free_bytes = free_bytes or (lambda path: shutil.disk_usage(path).free)
        _prepare(directory)
        self._lock = _lock(directory)
        try:
            self._reader, writer = _open_or_recover(directory), _open(self.path)
        except RunDirectoryError:
            self._lock.close()
            raise
        self._room, self._looked_at = True, float("-inf")
        self._waiting: queue.SimpleQueue[_Entry | None] = queue.SimpleQueue()
        self._writer = threading.Thread(target=self._write, args=(writer,), name="journal", daemon=True)
        self._writer.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._waiting.put(None)
        self._writer.join()
        self._reader.close()
        self._lock.close()

    def __len__(self) -> int:
        return cast(int, self._reader.execute("select count(*) from answers").fetchall()[0][0])

    def get(self, digest: str) -> Completion | None:
        """The answer to the request with this digest, or None."""
        try:
            # fetchall, not fetchone: a statement left open would pin the write-ahead log.
            found = self._reader.execute(
                "select text, finish_reason, prompt_tokens, completion_tokens, checksum from answers where digest = ?",
                (digest,),
            ).fetchall()
        except sqlite3.Error as error:
            raise unreadable(self.path, error) from None
        if not found:
            return None
        *columns, expected = found[0]
        completion = Completion(*columns)
        if checksum(completion) != expected:
            raise unreadable(self.path, sqlite3.OperationalError("an answer is not what was written"))
        return completion

    def has(self, digest: str) -> bool:
        """Whether there is an answer to the request with this digest."""
        try:
            return bool(self._reader.execute("select 1 from answers where digest = ?", (digest,)).fetchall())
        except sqlite3.Error as error:
            raise unreadable(self.path, error) from None

    def paid(self) -> list[Paid]:
        """What its answers came to, by purpose."""
        try:
            return [Paid(*row) for row in self._reader.execute(_PAID).fetchall()]
        except sqlite3.Error as error:
            raise unreadable(self.path, error) from None

    def has_room(self) -> bool:
        """Whether the disk still holds the reserve that the answers in flight may need."""
        if time.monotonic() - self._looked_at > LOOK_FOR_ROOM_EVERY_S:
            self._looked_at = time.monotonic()
            self._room = self._free_bytes(self.path.parent) > DISK_RESERVE_BYTES
        return self._room

    def adopt(self, answers: Iterable[Answer]) -> None:
        """Take over answers that another engine wrote; durable on return."""
        try:
            with closing(_open(self.path)) as connection, connection:
                connection.executemany(_INSERT, answers)
        except sqlite3.Error as error:
            raise (unreadable(self.path, error) if _is_damage(error) else _unwritable(error)) from None

    async def put(self, request: Request, completion: Completion) -> None:
        """Write one answer, durable on return, power cut or not; `RunDirectoryError` where the disk refuses."""
        written = asyncio.get_running_loop().create_future()
        self._waiting.put(_Entry(Answer.of(request, completion), written))
        await written

    def _write(self, connection: sqlite3.Connection) -> None:
        going_on = True
        while going_on:
            batch = [self._waiting.get()]
            time.sleep(GATHER_S)
            with suppress(queue.Empty):
                while True:
                    batch.append(self._waiting.get_nowait())
            going_on = None not in batch
            _commit(self.path, connection, [entry for entry in batch if entry is not None])
        connection.close()


def _commit(path: Path, connection: sqlite3.Connection, batch: list[_Entry]) -> None:
    if not batch:
        return
    failure: RunDirectoryError | None = None
    try:
        with connection:
            _insert(connection, [entry.answer for entry in batch])
    except sqlite3.DatabaseError as error:
        failure = unreadable(path, error) if _is_damage(error) else _unwritable(error)
    except Exception as error:  # whatever it is, no caller may wait for ever
        failure = _unwritable(error)

    def resolve(start: int = 0) -> None:
        for entry in batch[start : start + RESUMED_AT_ONCE]:
            if entry.written.cancelled():
                continue
            if failure:
                entry.written.set_exception(failure)
            else:
                entry.written.set_result(None)
        if start + RESUMED_AT_ONCE < len(batch):
            loop.call_soon(resolve, start + RESUMED_AT_ONCE)

    loop = batch[0].written.get_loop()
    with suppress(RuntimeError):  # the loop was closed: the answers are on disk, and nobody waits for the news
        loop.call_soon_threadsafe(resolve)


def _insert(connection: sqlite3.Connection, answers: Sequence[Answer]) -> None:
    """Write rows by a few statements: at each one this thread waits for the interpreter, which the event loop holds."""
    start = 0
    for size in _ROWS_AT_ONCE:
        while len(answers) - start >= size:
            values = itertools.chain.from_iterable(answers[start : start + size])
            connection.execute(_INSERT + ",(?,?,?,?,?,?,?,?,?,?)" * (size - 1), tuple(values))
            start += size


def _unwritable(error: Exception) -> RunDirectoryError:
    return RunDirectoryError(
        f"cannot write the journal ({error}): see to its disk and make room, then run the same command"
    )


def unreadable(path: Path, error: sqlite3.Error) -> RunDirectoryError:
    """What a failed read of the journal at `path` means; damage is marked, so that the next run recovers."""
    if not _is_damage(error):
        return RunDirectoryError(f"{path}: cannot be read ({error}); see to its disk, then run the same command")
    with suppress(OSError):  # a reader may not be allowed to
        path.with_name(DAMAGED_NAME).touch()
    return RunDirectoryError(
        f"{path}: damaged ({error}); the same `personamath augment` keeps it aside, recovers every answer that is "
        "still whole, and asks for the rest"
    )


def _is_damage(error: sqlite3.Error) -> bool:
    code = getattr(error, "sqlite_errorcode", None)
    if code is None:  # not SQLite but Python failed, at a text that is no longer UTF-8
        return isinstance(error, sqlite3.OperationalError)
    return code & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def _open_or_recover(directory: Path) -> sqlite3.Connection:
    path = directory / FILE_NAME
    if any((directory / name).exists() for name in (DAMAGED_NAME, _RECOVERED_NAME)):
        _recover(directory)
    try:
        return _with_whole_index(_open(path), path)
    except _Unreadable:
        if not next(salvage(path), None):
            raise
        _recover(directory)
        return _open(path)


def _with_whole_index(connection: sqlite3.Connection, path: Path) -> sqlite3.Connection:
    """The connection, if every answer can be found; one that could not would be asked, and paid for, again.

    Rows are never deleted, so their numbers have no gaps. Half a second for a million answers.
    """
    try:
        last = connection.execute("select max(rowid) from answers").fetchall()[0][0] or 0
        found = connection.execute(_FINDABLE).fetchall()[0][0]
    except sqlite3.Error as error:
        connection.close()
        raise (_Unreadable if _is_damage(error) else RunDirectoryError)(f"{path}: cannot be read ({error})") from None
    if found != last:
        connection.close()
        raise _Unreadable(f"{path}: {found:,} of {last:,} answers in its index")
    return connection


def _recover(directory: Path) -> None:
    """Keep the journal aside and put what is whole of it in its place; killed at any point, the next call goes on."""
    path, recovering, recovered = (directory / name for name in (FILE_NAME, _RECOVERING_NAME, _RECOVERED_NAME))
    try:
        if not recovered.exists():
            print(f"{path} is damaged: recovering its answers ...", file=sys.stderr)
            recovering.unlink(missing_ok=True)
            print(f"{_write_answers(recovering, salvage(path)):,} answers recovered", file=sys.stderr)
            recovering.replace(recovered)
        (directory / DAMAGED_NAME).unlink(missing_ok=True)
        aside = _free_name(directory)
        # The log first: without its database it would be taken for that of the recovered one.
        for suffix in ("-shm", "-wal", ""):
            with suppress(FileNotFoundError):
                Path(f"{path}{suffix}").rename(f"{aside}{suffix}")
        recovered.replace(path)
    except (OSError, sqlite3.Error) as error:
        recovering.unlink(missing_ok=True)
        raise RunDirectoryError(
            f"{path}: damaged, and cannot be recovered ({error}); make room on its disk, then run the same command"
        ) from None
    print(f"the damaged journal is kept as {aside}", file=sys.stderr)


def _free_name(directory: Path) -> Path:
    names = (directory / f"journal.damaged-{number}.sqlite" for number in itertools.count(1))
    return next(name for name in names if not name.exists())


def _write_answers(path: Path, answers: Iterable[Answer]) -> int:
    """Make a journal of these answers, durable on return; gives their number."""
    with closing(sqlite3.connect(path)) as connection:
        # Begun anew if anything happens, so without a log of its own.
        connection.execute("pragma journal_mode = off")
        connection.executescript(_CREATE)
        with connection:
            connection.executemany(_INSERT, answers)
        connection.execute("pragma journal_mode = wal")
        count = connection.execute("select count(*) from answers").fetchone()[0]
    with path.open("rb") as file:
        os.fsync(file.fileno())
    return cast(int, count)


def answer_sha256(digest: str, finish_reason: str, text: str) -> bytes:
    """What stands for one answer in the digest of a run's answers."""
    return hashlib.sha256(f"{digest}\n{finish_reason}\n{text}".encode()).digest()


def _prepare(directory: Path) -> None:
    """Make the run directory, or see that it is one: nothing is ever written into somebody else's folder."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
        names = (FILE_NAME, LOCK_NAME, BLOCKS)
        foreign = any(directory.iterdir()) and not any((directory / name).exists() for name in names)
    except OSError as error:
        raise RunDirectoryError(f"{directory}: cannot be used as a run directory ({error.strerror})") from None
    if foreign:
        raise RunDirectoryError(
            f"{directory}: holds files but no {FILE_NAME}, so it is not a run; give another --output"
        )


def _lock(directory: Path) -> IO[str]:
    """Hold the run directory for this process; the system lets go of it however the process ends."""
    # A file of its own: closing a second handle of the database would drop SQLite's own locks.
    handle = (directory / LOCK_NAME).open("w")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        handle.close()
        raise RunDirectoryError(
            f"{directory}: another process is working on this run; wait for it, or stop it"
        ) from None
    return handle


def open_for_reading(directory: Path) -> sqlite3.Connection:
    """A read-only connection to the journal of a run, which may be going on."""
    path = directory / FILE_NAME
    if not path.is_file():
        raise RunDirectoryError(f"{directory}: no {FILE_NAME} in it, so it is not a run")
    try:
        return _checked(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True), path)
    except _Unreadable as error:
        raise RunDirectoryError(f"{error}; a damaged journal is recovered by the run that made it") from None


def _open(path: Path) -> sqlite3.Connection:
    """A connection that may write to the journal, which is made where there is none."""
    connection = _checked(sqlite3.connect(path, timeout=30, check_same_thread=False), path, writable=True)
    connection.execute("pragma synchronous = full")
    connection.execute(_INDEX)
    return connection


def _checked(connection: sqlite3.Connection, path: Path, writable: bool = False) -> sqlite3.Connection:
    """The connection, if what it opened is a journal that this version can read."""
    try:
        # An empty database, not a missing file: a run may have been killed between the two.
        if writable and not connection.execute("select 1 from sqlite_master").fetchall():
            if path.stat().st_size > USUAL_PAGE_SIZE:
                raise _Unreadable(f"{path}: a database without tables; move it aside or give another --output")
            connection.execute("pragma journal_mode = wal")
            connection.executescript(_CREATE)
        identity, format_version = (_pragma(connection, name) for name in ("application_id", "user_version"))
        if identity != APPLICATION_ID:
            raise _Unreadable(f"{path}: not a PersonaMath journal; move it aside or give another --output")
        if format_version != FORMAT_VERSION:
            raise RunDirectoryError(
                f"{path}: written in journal format {format_version}, this PersonaMath reads format {FORMAT_VERSION}; "
                "use the version that wrote it, or give another --output"
            )
    except sqlite3.Error as error:
        connection.close()
        kind = _Unreadable if _is_damage(error) else RunDirectoryError
        raise kind(
            f"{path}: cannot be used as a journal ({error}); see to its disk, move it aside or give another --output"
        ) from None
    except RunDirectoryError:
        connection.close()
        raise
    return connection


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    return cast(int, connection.execute(f"pragma {name}").fetchall()[0][0])
