"""The seed problems that a run directory knows, so that a run says before it asks what it would ask anew, and why.

An id is the name of a problem's file and the number of its row. It decides which personas are drawn, which numbers
are hidden and which problems a budget takes, so a renamed file, or a row that is removed, changes the requests of every
problem whose id moves. A question's text is part of every request, so another line end in it is another question.
"""

import hashlib
import sqlite3
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from personamath.errors import RunDirectoryError
from personamath.records import Problem

FILE_NAME = "seed_ids.sqlite"
# Of SHA-256: two of a million questions share it with a chance of one in 10^26.
DIGEST_BYTES = 16
# Marks of a byte order that an editor or a joined file leaves inside a text.
_INVISIBLE = dict.fromkeys(map(ord, "\ufeff\u200b"))
_TABLES = """
create table if not exists ids (question blob, id text, primary key (question, id)) without rowid;
create table if not exists texts (plain blob, question blob, first text, primary key (plain, question, first))
    without rowid;
"""
_ADD_ID = "insert or ignore into ids values (?, ?)"
_ADD_TEXT = "insert or ignore into texts values (?, ?, ?)"
_FIND_IDS = "select id from ids where question = ?"
_FIND_TEXTS = "select first from texts where plain = ? and question != ?"


@dataclass(frozen=True, slots=True)
class Run:
    """A run directory: this run's own, or one whose answers it reuses."""

    directory: Path
    has: Callable[[str], bool]
    """Whether it has the answer to the request with this digest."""
    is_new: bool = False
    """Whether it has no answer at all, so that there is nothing to look up."""


@dataclass(slots=True)
class _Found:
    begun: int = 0
    """Seed problems to whose first request some run has the answer."""
    moved: list[tuple[str, str]] = field(default_factory=list)
    """Of them, the ids that differ from earlier ones, each with an earlier one."""
    respaced: list[str] = field(default_factory=list)
    """Ids of problems that were begun with other white space in them."""


def warn_of_moved(runs: Sequence[Run], seeds: Iterable[tuple[Problem, str | None]], *, draws: bool) -> list[str]:
    """Record these seed problems in the first of the runs; return warnings of what would be asked anew, in lines.

    Each seed problem comes with the digest of its first request. `draws` says whether requests depend on ids. An id
    that has moved is recorded only by `settle`: a run that is stopped because of the warning gives it again.

    Raises `RunDirectoryError` if the disk refuses.
    """
    found = _Found()
    asked = [run for run in runs if not run.is_new]
    with ExitStack() as stack:
        own = stack.enter_context(_known(runs[0].directory))
        known = [(runs[0], own), *((run, stack.enter_context(_read_only(run.directory))) for run in runs[1:])]
        for seed, first in seeds:
            plain, question = _digest(_plain(seed.question)), _digest(seed.question)
            moved = False
            if first and any(run.has(first) for run in asked):
                found.begun += 1
                before = next((ids for _, one in known if (ids := _column(one, _FIND_IDS, question))), [])
                if moved := draws and bool(before) and seed.id not in before:
                    found.moved.append((seed.id, before[-1]))
            elif asked and any(
                run.has(other) for run, one in known for other in _column(one, _FIND_TEXTS, plain, question)
            ):
                found.respaced.append(seed.id)
            if draws and not moved:
                own.execute(_ADD_ID, (question, seed.id))
            if first:
                own.execute(_ADD_TEXT, (plain, question, first))
    return list(_warnings(found, "this run" if len(runs) == 1 else "this run, or a run that it reuses,"))


def settle(directory: Path, seeds: Iterable[Problem]) -> None:
    """Record the ids of seed problems that a run has asked about, moved or not."""
    with _known(directory) as own:
        own.executemany(_ADD_ID, ((_digest(seed.question), seed.id) for seed in seeds))


def _warnings(found: _Found, who: str) -> Iterator[str]:
    if found.moved:
        now, before = found.moved[0]
        yield (
            f"{len(found.moved):,} of {found.begun:,} problems that {who} has asked about have another id now ({now} "
            f"was {before}): other personas, or other numbers to hide, are drawn for them, or a budget takes others, "
            "and their requests are asked, and paid for, anew; to keep the answers, stop, give the problems file its "
            "earlier name and rows, and add new rows at its end"
        )
    if found.respaced:
        yield (
            f"{len(found.respaced):,} problems that {who} has asked about have other white space or line ends now "
            f"({found.respaced[0]}), which makes them other questions: all their requests are asked, and paid for, "
            "anew; to keep the answers, stop, and give the problems file the white space that it had"
        )


@contextmanager
def _known(directory: Path) -> Iterator[sqlite3.Connection]:
    """A run directory's seed problems, to read and to write; what is written is kept if the block ends well."""
    path = directory / FILE_NAME
    try:
        with closing(sqlite3.connect(path.absolute())) as known, known:
            known.executescript(_TABLES)
            yield known
    except sqlite3.Error as error:
        raise RunDirectoryError(f"cannot write {path} ({error}); make room, then run the same command") from None


@contextmanager
def _read_only(directory: Path) -> Iterator[sqlite3.Connection]:
    """Another run directory's; empty where it has none, or one that cannot be read: then nothing is known of it."""
    with closing(sqlite3.connect(":memory:")) as known:
        known.executescript(_TABLES)
        try:
            uri = (directory / FILE_NAME).absolute().as_uri() + "?mode=ro"
            with closing(sqlite3.connect(uri, uri=True)) as there:
                there.backup(known)
                known.executescript(_TABLES)  # an earlier version wrote no texts
        except sqlite3.Error:
            known.executescript(_TABLES)
        yield known


def _column(known: sqlite3.Connection, query: str, *values: bytes) -> list[str]:
    return [row[0] for row in known.execute(query, values)]


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()[:DIGEST_BYTES]


def _plain(question: str) -> str:
    """A question as its readers see it: a file that is saved anew may change what they do not see."""
    visible = unicodedata.normalize("NFC", question).translate(_INVISIBLE)
    return " ".join(visible.split())
