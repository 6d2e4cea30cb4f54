"""The journal's file: its format, how it is opened, and what is done where it is damaged.

Damage is found when a file is read: SQLite notices an invalid page, and the checksum notices a changed text. The run
ends, and the next one keeps the file aside and goes on with every answer that is still whole.
"""

import hashlib
import itertools
import shutil
import sqlite3
import sys
from collections.abc import Iterable
from contextlib import closing, suppress
from pathlib import Path
from typing import cast

from personamath.errors import RunDirectoryError
from personamath.files import scratch_folder, written_whole
from personamath.journal.salvage import USUAL_PAGE_SIZE, Answer, salvage, salvage_thrown_away
from personamath.teachers.prices import Paid

FILE_NAME = "journal.sqlite"
JOURNAL_FILES = (FILE_NAME, f"{FILE_NAME}-wal")
"""The journal, and its write-ahead log, which a killed run leaves beside it."""
# Left beside a journal that was found damaged, until it is recovered.
DAMAGED_NAME = "journal.damaged"
# What was recovered, not yet in the journal's place.
_RECOVERED_NAME = "journal.recovered"
# Raised whenever an older PersonaMath would misread the file.
FORMAT_VERSION = 3
# Formats that this version reads, and upgrades to the present one when it writes. Format 2 lacks `answered_by`.
EARLIER_FORMATS = (2,)
# Where the engine for many machines keeps its answers; see personamath.journal.block_files.
BLOCKS = "blocks"
# "pmth" in ASCII: tells a journal from any other SQLite file.
APPLICATION_ID = 0x706D7468
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
    checksum integer not null,    -- of the completion: see personamath.journal.salvage
    answered_by text              -- JSON: what really answered; null if that is not known
)
"""
_UPGRADE = f"begin; alter table answers add column answered_by text; pragma user_version = {FORMAT_VERSION}; commit"
_CREATE = f"begin; {_SCHEMA}; pragma application_id = {APPLICATION_ID}; pragma user_version = {FORMAT_VERSION}; commit"
_FINDABLE = "select count(*) from answers indexed by sqlite_autoindex_answers_1 where digest not glob '*[^0-9a-f]*'"
INSERT = "insert or ignore into answers values (?,?,?,?,?,?,?,?,?,?,?)"
FIND = """
select text, finish_reason, prompt_tokens, completion_tokens, answered_by, checksum from answers where digest = ?
"""
# In a journal of format 2 that is only read.
_FIND_IN_FORMAT_2 = FIND.replace("answered_by", "null")
# The model that a request asks, and what the reply says that affects its price. Damage may have left invalid JSON; sums
# skip it.
_MODEL = "case when json_valid(request) then json_extract(request, '$.model') end"
_SAID = "case when json_valid(answered_by) then answered_by end"
_CACHED = f"json_extract({_SAID}, '$.cached_tokens')"
_REASONING = f"json_extract({_SAID}, '$.reasoning_tokens')"
# How it was sent: `batch`, a service tier, `direct`, or empty where the journal does not know.
_SENT = (
    f"case when answered_by is null then '' else coalesce(json_extract({_SAID}, '$.processing'), "
    f"json_extract({_SAID}, '$.service_tier'), 'direct') end"
)
# What was paid for and kept no answer: an empty reply, one that did not end by itself. Made where it is missing; an
# earlier version passes over it.
_THROWN_AWAY = """
create table if not exists thrown_away (
    model text not null,
    purpose text not null,
    prompt_tokens integer not null,
    completion_tokens integer not null
)
"""
INSERT_THROWN_AWAY = "insert into thrown_away values (?,?,?,?)"
# With this index the sums below read no texts: 0.03 s for 200,000 answers instead of 0.6 s. Format 2 had others.
_INDEX = f"""
drop index if exists paid;
drop index if exists paid_by_model;
create index if not exists paid_by_origin on answers
    ({_MODEL}, purpose, {_SENT}, prompt_tokens, completion_tokens, {_CACHED}, {_REASONING})
"""
PAID = f"""
select {_MODEL}, purpose, count(*), coalesce(sum(prompt_tokens), 0), coalesce(sum(completion_tokens), 0),
    sum(completion_tokens is null), coalesce(sum({_CACHED}), 0), coalesce(sum({_REASONING}), 0), {_SENT}
from answers group by 1, 2, 9
union all
select model, purpose, 0, sum(prompt_tokens), sum(completion_tokens), 0, 0, 0, '' from thrown_away group by 1, 2
"""
"""The columns of `personamath.teachers.prices.Paid`."""


class _Unreadable(RunDirectoryError):
    """The file at the journal's path is not a journal, or its first page is damaged."""


def unreadable(path: Path, error: sqlite3.Error) -> RunDirectoryError:
    """What a failed read of the journal at `path` means; damage is marked, so that the next run recovers."""
    if not is_damage(error):
        return RunDirectoryError(f"{path}: cannot be read ({error}); check its disk, then run the same command")
    with suppress(OSError):  # a reader may not be allowed to
        path.with_name(DAMAGED_NAME).touch()
    return RunDirectoryError(
        f"{path}: damaged ({error}); the same `personamath augment` keeps it aside, recovers every answer that is "
        "still whole, and asks for the rest"
    )


def is_damage(error: sqlite3.Error) -> bool:
    """Whether the file itself is what failed, not its disk."""
    code = getattr(error, "sqlite_errorcode", None)
    if code is None:  # not SQLite but Python failed, at a text that is no longer UTF-8
        return isinstance(error, sqlite3.OperationalError)
    return code & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def open_or_recover(directory: Path) -> sqlite3.Connection:
    """A connection that may write to a run's journal, recovered first where it is damaged."""
    path = directory / FILE_NAME
    if any((directory / name).exists() for name in (DAMAGED_NAME, _RECOVERED_NAME)):
        _recover(directory)
    try:
        return _with_whole_index(open_for_writing(path), path)
    except _Unreadable:
        if not next(salvage(path), None):
            raise
        _recover(directory)
        return open_for_writing(path)


def _with_whole_index(connection: sqlite3.Connection, path: Path) -> sqlite3.Connection:
    """The connection, if every answer can be found; one that could not would be asked, and paid for, again.

    Rows are never deleted, so their numbers have no gaps. Half a second for a million answers.
    """
    try:
        last = connection.execute("select max(rowid) from answers").fetchall()[0][0] or 0
        found = connection.execute(_FINDABLE).fetchall()[0][0]
    except sqlite3.Error as error:
        connection.close()
        raise (_Unreadable if is_damage(error) else RunDirectoryError)(f"{path}: cannot be read ({error})") from None
    if found != last:
        connection.close()
        raise _Unreadable(f"{path}: {found:,} of {last:,} answers in its index")
    return connection


def _recover(directory: Path) -> None:
    """Keep the journal aside and put what is whole of it in its place; killed at any point, the next call goes on."""
    path, recovered = (directory / name for name in (FILE_NAME, _RECOVERED_NAME))
    try:
        if not recovered.exists():
            print(f"{path} is damaged: recovering its answers ...", file=sys.stderr)
            with written_whole(recovered) as recovering:
                recovering.unlink(missing_ok=True)  # left by a recovery that was killed
                count = _write(recovering, salvage(path), salvage_thrown_away(path))
            print(f"{count:,} answers recovered", file=sys.stderr)
        (directory / DAMAGED_NAME).unlink(missing_ok=True)
        aside = _free_name(directory)
        # The log first: without its database it would be taken for that of the recovered one.
        for suffix in ("-shm", "-wal", ""):
            with suppress(FileNotFoundError):
                Path(f"{path}{suffix}").rename(f"{aside}{suffix}")
        recovered.replace(path)
    except (OSError, sqlite3.Error) as error:
        raise RunDirectoryError(
            f"{path}: damaged, and cannot be recovered ({error}); make room on its disk, then run the same command"
        ) from None
    print(f"the damaged journal is kept as {aside}", file=sys.stderr)


def _free_name(directory: Path) -> Path:
    names = (directory / f"journal.damaged-{number}.sqlite" for number in itertools.count(1))
    return next(name for name in names if not name.exists())


def insert(connection: sqlite3.Connection, answers: Iterable[Answer], thrown_away: Iterable[Paid]) -> None:
    """Add answers that are not there yet, and what useless replies cost."""
    with connection:
        connection.executemany(INSERT, answers)
        used = ((one.model, one.purpose, one.prompt_tokens, one.completion_tokens) for one in thrown_away)
        connection.executemany(INSERT_THROWN_AWAY, used)


def _write(path: Path, answers: Iterable[Answer], thrown_away: Iterable[Paid]) -> int:
    """Make a journal of these answers and costs, and return the number of answers."""
    with closing(sqlite3.connect(path.absolute())) as connection:
        # Begun anew if anything happens, so without a log of its own.
        connection.execute("pragma journal_mode = off")
        connection.executescript(f"{_CREATE}; {_THROWN_AWAY}")
        insert(connection, answers, thrown_away)
        connection.execute("pragma journal_mode = wal")
        return cast(int, connection.execute("select count(*) from answers").fetchone()[0])


def answer_sha256(digest: str, finish_reason: str, text: str) -> bytes:
    """Return the part of one answer in the digest of a run's answers."""
    return hashlib.sha256(f"{digest}\n{finish_reason}\n{text}".encode()).digest()


def open_for_reading(directory: Path) -> sqlite3.Connection:
    """A read-only connection to the journal of a run, which may be going on."""
    path = directory / FILE_NAME
    if not path.is_file():
        raise RunDirectoryError(f"{directory}: no {FILE_NAME} in it, so it is not a run")
    try:
        return _open_read_only(path, "mode=ro")
    except _Unreadable as error:
        raise RunDirectoryError(f"{error}; to recover a damaged journal, run the command that made it again") from None


def find_in(journal: sqlite3.Connection) -> str:
    """The statement that finds an answer by its digest in a journal that is only read, so in its own format."""
    return FIND if _pragma(journal, "user_version") == FORMAT_VERSION else _FIND_IN_FORMAT_2


def _open_read_only(path: Path, how: str) -> sqlite3.Connection:
    try:
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?{how}", uri=True)
        connection.execute("select 1 from sqlite_master").fetchall()  # only now SQLite opens its files
    except sqlite3.Error as error:
        if error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_CANTOPEN and how == "mode=ro":
            return _open_on_read_only_storage(path)
        raise _unusable(path, error) from None
    return _checked(connection, path)


def _open_on_read_only_storage(path: Path) -> sqlite3.Connection:
    """A connection where SQLite cannot make the file that readers share with a writer: there is no writer, either."""
    log = path.with_name(f"{path.name}-wal")
    if not log.exists():
        return _open_read_only(path, "immutable=1")
    # A run was killed, then copied there: the log is worked in elsewhere. Open files stay readable after their removal.
    with scratch_folder("journal") as scratch:
        copy = scratch / path.name
        for file in (path, log):
            shutil.copyfile(file, copy.with_name(file.name))
        with closing(sqlite3.connect(copy)) as connection:
            connection.execute("pragma journal_mode = delete")
        return _open_read_only(copy, "immutable=1")


def open_for_writing(path: Path) -> sqlite3.Connection:
    """A connection that may write to the journal, which is made where there is none."""
    try:
        # Absolute: SQLite may read `file:x` as a URL.
        opened = sqlite3.connect(path.absolute(), timeout=30, check_same_thread=False)
    except sqlite3.Error as error:
        raise _unusable(path, error) from None
    connection = _checked(opened, path, writable=True)
    try:
        connection.execute("pragma synchronous = full")
        connection.executescript(f"{_INDEX}; {_THROWN_AWAY}")
    except sqlite3.Error as error:
        connection.close()
        raise _unusable(path, error) from None
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
        if format_version not in (*EARLIER_FORMATS, FORMAT_VERSION):
            raise RunDirectoryError(
                f"{path}: written in journal format {format_version}, but this PersonaMath reads format "
                f"{FORMAT_VERSION}; use the version that wrote it, or give another --output"
            )
        if writable and format_version in EARLIER_FORMATS:
            connection.executescript(_UPGRADE)
    except sqlite3.Error as error:
        connection.close()
        raise _unusable(path, error) from None
    except RunDirectoryError:
        connection.close()
        raise
    return connection


def _unusable(path: Path, error: sqlite3.Error) -> RunDirectoryError:
    kind = _Unreadable if is_damage(error) else RunDirectoryError
    return kind(
        f"{path}: cannot be used as a journal ({error}); check its disk, move it aside or give another --output"
    )


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    return cast(int, connection.execute(f"pragma {name}").fetchall()[0][0])
