"""The journal: every answer that was ever paid for, in one SQLite file, keyed by what was asked.

A run killed at any point asks again for no more than what was in flight, because a request counts as in flight until
its answer is on disk. Failures are not written, so the same command asks for them again. Nothing is loaded at the
start; anyone can open the file: `sqlite3 journal.sqlite 'select purpose, count(*) from answers group by 1'`.
"""

import asyncio
import fcntl
import queue
import shutil
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO, NamedTuple, Self, cast

from personamath.errors import RunDirectoryError
from personamath.prices import Paid
from personamath.records import Completion, Request

FILE_NAME = "journal.sqlite"
LOCK_NAME = "journal.lock"
# Raised whenever an older PersonaMath would misread the file.
FORMAT_VERSION = 1
# "pmth" in ASCII: tells a journal from any other SQLite file.
APPLICATION_ID = 0x706D7468
# Answers that arrive within this time share one transaction: few enough to lose nothing worth naming (an answer is
# durable well within 50 ms), many enough that the disk is not the limit.
GATHER_S = 0.005
# Asking stops while there is still room for every answer in flight (1,000 of 16 kB, and the file's own growth).
DISK_RESERVE_BYTES = 64 * 2**20
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
    answered_at real not null     -- seconds since the epoch
)
"""

# Sums over the whole file need not read the texts. Any version may write to a journal with or without it.
_INDEX = "create index if not exists paid on answers (purpose, prompt_tokens, completion_tokens)"
_PAID = """
select purpose, count(*), coalesce(sum(prompt_tokens), 0), coalesce(sum(completion_tokens), 0),
    sum(completion_tokens is null)
from answers group by purpose
"""


class _Entry(NamedTuple):
    values: tuple[str, str, str, int, str, str, int | None, int | None, float]
    written: asyncio.Future[None]


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
            self._reader, writer = _open(self.path), _open(self.path)
        except RunDirectoryError:
            self._lock.close()
            raise
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
                "select text, finish_reason, prompt_tokens, completion_tokens from answers where digest = ?", (digest,)
            ).fetchall()
        except sqlite3.Error as error:
            raise RunDirectoryError(
                f"{self.path}: cannot be read ({error}); recover it with sqlite3's .recover"
            ) from None
        return Completion(*found[0]) if found else None

    def paid(self) -> list[Paid]:
        """What its answers came to, by purpose."""
        try:
            return [Paid(*row) for row in self._reader.execute(_PAID).fetchall()]
        except sqlite3.Error as error:
            raise unreadable(self.path, error) from None

    def has_room(self) -> bool:
        """Whether the disk still holds the reserve that the answers in flight may need."""
        return self._free_bytes(self.path.parent) > DISK_RESERVE_BYTES

    async def put(self, request: Request, digest: str, completion: Completion) -> None:
        """Write one answer, durable on return, power cut or not; `RunDirectoryError` where the disk refuses."""
        written = asyncio.get_running_loop().create_future()
        values = (
            digest,
            request.purpose,
            request.body().decode(),
            request.sample,
            completion.text,
            completion.finish_reason,
            completion.prompt_tokens,
            completion.completion_tokens,
            time.time(),
        )
        self._waiting.put(_Entry(values, written))
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
            _commit(connection, [entry for entry in batch if entry is not None])
        connection.close()


def _commit(connection: sqlite3.Connection, batch: list[_Entry]) -> None:
    if not batch:
        return
    failure: RunDirectoryError | None = None
    try:
        with connection:
            connection.executemany(
                "insert or ignore into answers values (?,?,?,?,?,?,?,?,?)", [entry.values for entry in batch]
            )
    except Exception as error:  # whatever it is, no caller may wait for ever
        failure = RunDirectoryError(
            f"cannot write the journal ({error}): see to its disk and make room, then run the same command"
        )

    def resolve() -> None:
        for entry in batch:
            if entry.written.cancelled():
                continue
            if failure:
                entry.written.set_exception(failure)
            else:
                entry.written.set_result(None)

    with suppress(RuntimeError):  # the loop was closed: the answers are on disk, and nobody waits for the news
        batch[0].written.get_loop().call_soon_threadsafe(resolve)


def _prepare(directory: Path) -> None:
    """Make the run directory, or see that it is one: nothing is ever written into somebody else's folder."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
        foreign = any(directory.iterdir()) and not any((directory / name).exists() for name in (FILE_NAME, LOCK_NAME))
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
    return _checked(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True), path)


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
            connection.execute("pragma journal_mode = wal")
            connection.executescript(
                f"begin; {_SCHEMA}; pragma application_id = {APPLICATION_ID}; "
                f"pragma user_version = {FORMAT_VERSION}; commit"
            )
        identity, format_version = (_pragma(connection, name) for name in ("application_id", "user_version"))
        if identity != APPLICATION_ID:
            raise RunDirectoryError(f"{path}: not a PersonaMath journal; move it aside or give another --output")
        if format_version != FORMAT_VERSION:
            raise RunDirectoryError(
                f"{path}: written in journal format {format_version}, this PersonaMath reads format {FORMAT_VERSION}; "
                "use the version that wrote it, or give another --output"
            )
    except sqlite3.Error as error:
        connection.close()
        raise RunDirectoryError(
            f"{path}: cannot be used as a journal ({error}); see to its disk, move it aside or give another --output"
        ) from None
    except RunDirectoryError:
        connection.close()
        raise
    return connection


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    return cast(int, connection.execute(f"pragma {name}").fetchall()[0][0])
