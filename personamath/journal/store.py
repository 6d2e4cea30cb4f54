"""The journal: every answer that was ever paid for, in one SQLite file, keyed by what was asked.

A run killed at any point asks again for no more than what was in flight, because a request counts as in flight until
its answer is on disk. Failures are not written, so the same command asks for them again. Nothing is loaded at the
start; anyone can open the file: `sqlite3 journal.sqlite 'select purpose, count(*) from answers group by 1'`.
"""

import asyncio
import itertools
import queue
import shutil
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import IO, NamedTuple, Self, cast

from personamath.errors import RunDirectoryError
from personamath.journal.file_format import (
    BLOCKS,
    FILE_NAME,
    FIND,
    INSERT,
    INSERT_THROWN_AWAY,
    PAID,
    insert,
    is_damage,
    open_for_writing,
    open_or_recover,
    unreadable,
)
from personamath.journal.salvage import Answer, whole_completion
from personamath.records import Completion, Request
from personamath.teachers.prices import Paid

LOCK_NAME = "journal.lock"
# A process that only looks whether a run goes on holds the lock for microseconds; in this time it lets go for certain.
LOCK_TRIES = 5
LOCK_AGAIN_AFTER_S = 0.02
# Answers that arrive within this time share one transaction: few enough to lose nothing worth naming (an answer is
# durable well within 50 ms), many enough that the disk is not the limit.
GATHER_S = 0.001
# Callers that go on in one turn of the event loop, each asking something new perhaps: in between, answers that have
# arrived are read and written, so that few of them can be lost.
RESUMED_AT_ONCE = 8
# Asking stops while there is still room for every answer in flight (1,000 of 16 kB, and the file's own growth).
DISK_RESERVE_BYTES = 64 * 2**20
# To look is a system call, which costs as much as a look-up of an answer; in this time a tenth of the reserve goes.
LOOK_FOR_ROOM_EVERY_S = 0.1
# 2 MB of memory.
KNOWN_BITS = 24
# Few sizes, so that the statements stay prepared.
_ROWS_AT_ONCE = (64, 16, 4, 1)


class _Entry(NamedTuple):
    what: Answer | Paid
    """An answer, or what was paid for without getting one."""
    written: asyncio.Future[None]


class DiskRoom:
    """Whether a disk still holds the reserve that the answers in flight may need; it is looked at now and then."""

    def __init__(self, free_bytes: Callable[[], int | None], every_s: float) -> None:
        """`free_bytes` gives None if there is no disk to fill."""
        self._free_bytes = free_bytes
        self._every_s = every_s
        self._is_left, self._looked_at = True, float("-inf")

    def is_left(self) -> bool:
        """As it was at the last look."""
        if time.monotonic() - self._looked_at > self._every_s:
            free = self._free_bytes()
            self._is_left = free is None or free > DISK_RESERVE_BYTES
            self._looked_at = time.monotonic()
        return self._is_left


class Known:
    """Which answers a journal may have, for a look without a query: one bit for the first `KNOWN_BITS` of a digest.

    A bit may be set by another digest: among a million answers one look in sixteen is in vain.
    """

    def __init__(self) -> None:
        self._bits = bytearray(2**KNOWN_BITS // 8)

    def add(self, digest: str) -> None:
        """Note that there is an answer to the request with this digest."""
        place = int(digest[: KNOWN_BITS // 4], 16)
        self._bits[place >> 3] |= 1 << (place & 7)

    def may_have(self, digest: str) -> bool:
        """Whether there may be one; False is certain."""
        place = int(digest[: KNOWN_BITS // 4], 16)
        return bool(self._bits[place >> 3] >> (place & 7) & 1)


class Journal:
    """Answers on disk. One process writes to a run directory; others may read while it does.

    `get` is a look-up by key on the caller's thread (tens of microseconds); `put` returns once the answer is durable,
    written by the journal's own thread with one `fsync` for all answers that arrived together.
    """

    def __init__(self, directory: Path, *, free_bytes: Callable[[Path], int] | None = None) -> None:
        self.path = directory / FILE_NAME
        look = free_bytes or (lambda path: shutil.disk_usage(path).free)
        self._room = DiskRoom(lambda: look(directory), LOOK_FOR_ROOM_EVERY_S)
        _prepare(directory)
        self._lock = lock(directory)
        try:
            self._reader, writer = open_or_recover(directory), open_for_writing(self.path)
        except RunDirectoryError:
            self._lock.close()
            raise
        self._known = Known() if self.is_empty else None
        """None if there were answers before: then every look is a query."""
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

    @property
    def is_empty(self) -> bool:
        """Whether it has no answer."""
        return not self._reader.execute("select 1 from answers limit 1").fetchall()

    def get(self, digest: str) -> Completion | None:
        """The answer to the request with this digest, or None."""
        if self._known and not self._known.may_have(digest):
            return None
        try:
            # fetchall, not fetchone: a statement left open would pin the write-ahead log.
            found = self._reader.execute(FIND, (digest,)).fetchall()
        except sqlite3.Error as error:
            raise unreadable(self.path, error) from None
        if not found:
            return None
        completion = whole_completion(found[0])
        if completion is None:
            raise unreadable(self.path, sqlite3.OperationalError("an answer is not what was written"))
        return completion

    def has(self, digest: str) -> bool:
        """Whether there is an answer to the request with this digest."""
        if self._known and not self._known.may_have(digest):
            return False
        try:
            return bool(self._reader.execute("select 1 from answers where digest = ?", (digest,)).fetchall())
        except sqlite3.Error as error:
            raise unreadable(self.path, error) from None

    def paid(self) -> list[Paid]:
        """What its answers, and the replies that were none, used, by model and purpose."""
        try:
            return [Paid(model or "", *sums) for model, *sums in self._reader.execute(PAID).fetchall()]
        except sqlite3.Error as error:
            raise unreadable(self.path, error) from None

    def has_room(self) -> bool:
        """Whether the disk still holds the reserve that the answers in flight may need."""
        return self._room.is_left()

    def adopt(self, answers: Iterable[Answer], thrown_away: Iterable[Paid] = ()) -> None:
        """Take over what another engine wrote: answers, and what useless replies cost. It is durable on return."""
        self._known = None
        try:
            with closing(open_for_writing(self.path)) as connection:
                insert(connection, answers, thrown_away)
        except sqlite3.Error as error:
            raise (unreadable(self.path, error) if is_damage(error) else _unwritable(error)) from None

    async def put(self, request: Request, completion: Completion) -> None:
        """Write one answer, durable on return, power cut or not; `RunDirectoryError` if the disk refuses."""
        if self._known:
            self._known.add(request.digest)
        await self._durable(Answer.of(request, completion))

    async def pay(self, paid: Paid) -> None:
        """Write what a reply cost that was no answer; durable on return."""
        await self._durable(paid)

    async def _durable(self, what: Answer | Paid) -> None:
        written = asyncio.get_running_loop().create_future()
        self._waiting.put(_Entry(what, written))
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
            _insert(connection, [entry.what for entry in batch if isinstance(entry.what, Answer)])
            paid = [entry.what for entry in batch if isinstance(entry.what, Paid)]
            used = [(one.model, one.purpose, one.prompt_tokens, one.completion_tokens) for one in paid]
            connection.executemany(INSERT_THROWN_AWAY, used)
    except sqlite3.DatabaseError as error:
        failure = unreadable(path, error) if is_damage(error) else _unwritable(error)
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
            connection.execute(INSERT + ",(?,?,?,?,?,?,?,?,?,?,?)" * (size - 1), tuple(values))
            start += size


def _unwritable(error: Exception) -> RunDirectoryError:
    return RunDirectoryError(
        f"cannot write the journal ({error}): check its disk and make room, then run the same command"
    )


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


def lock(directory: Path) -> IO[str]:
    """Hold the run directory for this process; the system lets go of it however the process ends."""
    try:
        import fcntl
    except ImportError:
        raise RunDirectoryError(
            f"{directory}: this system cannot lock a run directory (no fcntl); run on Linux, macOS or WSL"
        ) from None
    # A file of its own: closing a second handle of the database would drop SQLite's own locks.
    handle = (directory / LOCK_NAME).open("w")
    for left in reversed(range(LOCK_TRIES)):
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return handle
        except OSError:
            if left:
                time.sleep(LOCK_AGAIN_AFTER_S)
    handle.close()
    raise RunDirectoryError(f"{directory}: another process is working on this run; wait for it, or stop it")


def is_held(directory: Path) -> bool:
    """Whether a process on this machine, or of a shared file system that locks, is working on a run directory."""
    try:
        import fcntl

        with (directory / LOCK_NAME).open() as handle:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)  # let go of by closing
    except BlockingIOError:
        return True
    except (ImportError, OSError):  # no such file, or a file system without locks
        return False
    return False
