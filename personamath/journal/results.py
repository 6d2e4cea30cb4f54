"""The results of programs, in a SQLite file of a run directory, keyed by the program's digest.

A run that goes on does not run its programs again, so a program at its limit of time has one result for good.
"""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Self

from personamath.errors import RunDirectoryError
from personamath.programs.sandbox import Result

FILE_NAME = "programs.sqlite"
_FIND = "select outcome, line from results where digest = ?"


class ResultJournal:
    """The results of the programs of a run directory, which the caller holds for itself."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / FILE_NAME

    def __enter__(self) -> Self:
        try:
            self._file = sqlite3.connect(self._path.absolute(), isolation_level=None)
            self._file.execute("pragma journal_mode = wal")
            # A result that a power cut loses is found again by running the program.
            self._file.execute("pragma synchronous = normal")
            self._file.execute("create table if not exists results (digest primary key, outcome, line) without rowid")
        except sqlite3.Error as error:
            raise _unusable(self._path, error) from None
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def get(self, digest: str) -> Result | None:
        """The result of the program with this digest, or None."""
        try:
            found = self._file.execute(_FIND, (digest,)).fetchone()
        except sqlite3.Error as error:
            raise _unusable(self._path, error) from None
        return Result(*found) if found else None

    def put(self, digest: str, result: Result) -> None:
        """Keep a result; an earlier one stays."""
        try:
            self._file.execute("insert or ignore into results values (?, ?, ?)", (digest, *result))
        except sqlite3.Error as error:
            raise _unusable(self._path, error) from None


@contextmanager
def recorded_results(directory: Path) -> Iterator[Callable[[str], Result | None]]:
    """Look up results by digest beside a run that may be going on; a directory without results has none."""
    path = directory / FILE_NAME
    if not path.is_file():
        yield lambda _: None
        return
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as results:

            def get(digest: str) -> Result | None:
                found = results.execute(_FIND, (digest,)).fetchall()
                return Result(*found[0]) if found else None

            yield get
    except sqlite3.Error as error:
        raise _unusable(path, error) from None


def _unusable(path: Path, error: sqlite3.Error) -> RunDirectoryError:
    return RunDirectoryError(
        f"{path}: cannot be used ({error}): make room, or remove it, then run the same command; "
        "the programs will run again"
    )
