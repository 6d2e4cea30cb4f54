"""What was submitted in batches: a small SQLite file in the run directory, so that nothing is ever submitted twice.

It holds which request is in which batch, never an answer: answers are in the journal, or still at the provider.
"""

import sqlite3
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from personamath.errors import RunDirectoryError

FILE_NAME = "batches.sqlite"
# SQLite takes at most 32,766 parameters in a statement; look-ups are cut well below.
_LOOKED_UP_AT_ONCE = 10_000
_SCHEMA = """
create table if not exists batches (
    number integer primary key,
    name text not null,           -- ours, in the batch's metadata
    base_url text not null,       -- where it was submitted
    file_id text not null,        -- of the uploaded requests
    batch_id text,                -- null until the provider said so: then its list is searched for the name
    tokens integer not null,      -- of its prompts, estimated
    uploaded_at real not null,    -- seconds since the epoch
    ended integer not null default 0
);
create table if not exists lines (
    digest text primary key,      -- of the request, also its custom_id
    batch integer not null        -- the newest batch it is in
) without rowid;
"""


class Submitted(NamedTuple):
    """A batch that was submitted, or that was about to be."""

    number: int
    name: str
    file_id: str
    batch_id: str | None
    tokens: int
    uploaded_at: float
    ended: bool


class BatchRecord:
    """The batches of a run at one provider; every change is durable when its method returns."""

    def __init__(self, directory: Path, base_url: str) -> None:
        self.path = directory / FILE_NAME
        self._base_url = base_url
        try:
            self._connection = sqlite3.connect(self.path.absolute())
            self._connection.execute("pragma journal_mode = wal")
            self._connection.execute("pragma synchronous = full")
            self._connection.executescript(_SCHEMA)
        except sqlite3.Error as error:
            raise RunDirectoryError(f"{self.path}: cannot be used ({error})") from None

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def batches(self) -> list[Submitted]:
        """All batches at this provider, oldest first."""
        rows = self._connection.execute(
            "select number, name, file_id, batch_id, tokens, uploaded_at, ended from batches "
            "where base_url = ? order by number",
            (self._base_url,),
        ).fetchall()
        return [Submitted._make(row) for row in rows]

    def find(self, digests: Iterable[str]) -> dict[str, int]:
        """The number of the batch that each request is in, of those that are in one at this provider."""
        wanted = list(digests)
        found: dict[str, int] = {}
        for start in range(0, len(wanted), _LOOKED_UP_AT_ONCE):
            some = wanted[start : start + _LOOKED_UP_AT_ONCE]
            marks = ",".join("?" * len(some))
            found.update(
                self._connection.execute(
                    f"select digest, batch from lines join batches on batch = number "
                    f"where base_url = ? and digest in ({marks})",
                    (self._base_url, *some),
                )
            )
        return found

    def uploaded(self, name: str, file_id: str, tokens: int, digests: Iterable[str]) -> Submitted:
        """Note a batch whose requests are uploaded; written before it is created, which is what costs."""
        now = time.time()
        with self._writing():
            number = self._connection.execute(
                "insert into batches (name, base_url, file_id, tokens, uploaded_at) values (?, ?, ?, ?, ?)",
                (name, self._base_url, file_id, tokens, now),
            ).lastrowid
            assert number is not None
            self._connection.executemany(
                "insert or replace into lines values (?, ?)", ((digest, number) for digest in digests)
            )
        return Submitted(number, name, file_id, None, tokens, now, False)

    def created(self, batch: Submitted, batch_id: str) -> Submitted:
        """Note the provider's id of a batch."""
        with self._writing():
            self._connection.execute("update batches set batch_id = ? where number = ?", (batch_id, batch.number))
        return batch._replace(batch_id=batch_id)

    def ended(self, batch: Submitted) -> None:
        """Note that a batch has left the provider's queue."""
        with self._writing():
            self._connection.execute("update batches set ended = 1 where number = ?", (batch.number,))

    def forget(self, batch: Submitted) -> None:
        """Remove a batch that was never created, or of which nothing was asked."""
        with self._writing():
            self._connection.execute("delete from lines where batch = ?", (batch.number,))
            self._connection.execute("delete from batches where number = ?", (batch.number,))

    def unanswered(self, digests: Iterable[str]) -> None:
        """Note requests that their batch did not answer; they are asked again."""
        with self._writing():
            self._connection.executemany("delete from lines where digest = ?", ((digest,) for digest in digests))

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            with self._connection:
                yield
        except sqlite3.Error as error:
            raise RunDirectoryError(
                f"cannot write {self.path} ({error}): make room, then run the same command"
            ) from None
