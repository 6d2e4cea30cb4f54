"""The answers of a run directory, read beside the process that may be writing them: nothing there is changed."""

import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from personamath.errors import RunDirectoryError
from personamath.journal.block_files import all_answer_files, read_answers, wasted_in
from personamath.journal.file_format import BLOCKS, FILE_NAME, PAID, find_in, open_for_reading, unreadable
from personamath.journal.run_folder import RunFolder
from personamath.journal.salvage import Answer, whole_completion
from personamath.journal.store import Journal
from personamath.records import Completion, Request
from personamath.teachers.prices import Paid


class JournalReader:
    """A memory of answers that takes no new ones.

    Each look-up is a transaction of its own: a reader that kept one open would make the writer's log grow.
    """

    def __init__(self, *directories: Path) -> None:
        """Open the journals in these directories; the first that has an answer gives it.

        Raises `RunDirectoryError` for a directory without a journal.
        """
        with ExitStack() as stack:
            self._journals = [(one, stack.enter_context(closing(open_for_reading(one)))) for one in directories]
            self._finds = [find_in(journal) for _, journal in self._journals]
            self._open = stack.pop_all()
        self.path = directories[0]

    def close(self) -> None:
        """Close the journals."""
        self._open.close()

    def get(self, digest: str) -> Completion | None:
        """Return the answer to the request with this digest; None if there is none, or if it is damaged.

        The run that made a damaged answer recovers it, or asks again.
        """
        for (directory, journal), find in zip(self._journals, self._finds, strict=True):
            for found in _all(directory, journal, find, digest):
                if completion := whole_completion(found):
                    return completion
        return None

    def has(self, digest: str) -> bool:
        """Whether there is an answer to the request with this digest."""
        return any(True for _ in self._each("select 1 from answers where digest = ?", digest))

    def paid(self) -> list[Paid]:
        """Return what the answers, and the replies that were none, used, by model and purpose."""
        return [Paid(model or "", *sums) for model, *sums in self._each(PAID)]

    def has_room(self) -> bool:
        """Nothing is written, so there is always room."""
        return True

    async def put(self, request: Request, completion: Completion) -> None:
        """Refuse: a reader takes no answers."""
        raise RunDirectoryError(f"{self.path}: opened for reading, and {request.purpose!r} was answered")

    async def pay(self, paid: Paid) -> None:
        """Refuse: a reader takes no costs."""
        raise RunDirectoryError(f"{self.path}: opened for reading, and {paid.purpose!r} was paid for")

    def _each(self, query: str, *values: str) -> Iterator[sqlite3.Row]:
        for directory, journal in self._journals:
            yield from _all(directory, journal, query, *values)


def _all(directory: Path, journal: sqlite3.Connection, query: str, *values: str) -> list[sqlite3.Row]:
    """Return all results at once: a statement left open would be an open transaction."""
    try:
        return journal.execute(query, values).fetchall()
    except sqlite3.Error as error:
        raise unreadable(directory / FILE_NAME, error) from None


@contextmanager
def reading(directory: Path) -> Iterator[JournalReader]:
    """Open the answers of a run directory, those in the files of the engine for many machines included.

    The latter are first copied into a temporary journal, because they have no index.
    """
    folder = RunFolder(str(directory))
    with TemporaryDirectory(prefix="personamath-answers-") as scratch:
        others = []
        if next(all_answer_files(folder), None):
            _collect(folder, Path(scratch))
            others.append(Path(scratch))
        with closing(JournalReader(directory, *others)) as reader:
            yield reader


def _collect(folder: RunFolder, scratch: Path) -> None:
    """Copy the answers in the files of all blocks into a journal in `scratch`."""
    with Journal(scratch) as journal:
        for file in all_answer_files(folder):
            journal.adopt(Answer(*values) for values in read_answers(folder, file, Answer._fields))
        for block in folder.names(BLOCKS):
            journal.adopt((), wasted_in(folder, block))
