"""Answers of other runs: what another run directory has paid for need not be asked again."""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path
from sqlite3 import Connection
from typing import Self

from personamath.errors import BadInput
from personamath.journal.block_files import all_answer_files
from personamath.journal.file_format import FILE_NAME, find_in, open_for_reading, unreadable
from personamath.journal.run_folder import RunFolder
from personamath.journal.salvage import whole_completion
from personamath.records import AnsweredBy, Completion
from personamath.teachers.rates import REUSED


class OtherRuns:
    """The journals of other runs, read where they are; `with` opens and closes them. Their runs may be going on."""

    def __init__(self, directories: Sequence[Path], own: Path) -> None:
        """Raises `BadInput` for a directory whose answers cannot be read here, and for the run's `own`."""
        self._directories = directories
        for directory in directories:
            if directory.resolve() == own.resolve():
                raise BadInput(f"--reuse {directory}: is this run's own directory; name another one, or leave it out")
            if not (directory / FILE_NAME).is_file() and any(all_answer_files(RunFolder(str(directory)))):
                raise BadInput(
                    f"--reuse {directory}: its answers are in the files of the ray engine; run its recipe there once "
                    "with --engine local, which asks nothing again and collects them"
                )

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            opened = [stack.enter_context(closing(open_for_reading(one))) for one in self._directories]
            self._journals = [(one, find_in(one)) for one in opened]
            self._open = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def get(self, digest: str) -> Completion | None:
        """The first run's answer to the request with this digest, marked as reused; None if no run has one.

        An answer that is not what was written counts as none: it is asked again, and its own run recovers it.
        """
        for directory, (journal, find) in zip(self._directories, self._journals, strict=True):
            if completion := _completion(directory, journal, find, digest):
                by = completion.answered_by or AnsweredBy()
                return replace(completion, answered_by=by._replace(processing=REUSED))
        return None

    def each(self) -> Iterator[tuple[Path, Callable[[str], bool]]]:
        """Each directory, and whether it has the answer to the request with a digest."""
        for directory, (journal, find) in zip(self._directories, self._journals, strict=True):

            def has(digest: str, of: Path = directory, journal: Connection = journal, find: str = find) -> bool:
                return _completion(of, journal, find, digest) is not None

            yield directory, has


def _completion(directory: Path, journal: Connection, find: str, digest: str) -> Completion | None:
    try:
        found = journal.execute(find, (digest,)).fetchall()
    except sqlite3.Error as error:
        raise unreadable(directory / FILE_NAME, error) from None
    return whole_completion(found[0]) if found else None
