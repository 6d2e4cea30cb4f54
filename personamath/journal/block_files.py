"""Answers beside the journal: the files that the engine for many machines writes, a few for each block.

RUN/blocks/000012-5f0c77a1b2d3/answers-*.parquet   every answer, untouched: the journal's columns, and a hash
RUN/blocks/000012-5f0c77a1b2d3/wasted-*.parquet    what useless replies cost, by model and purpose
RUN/blocks/000012-5f0c77a1b2d3/rows.parquet        the rows of a finished block; see personamath.runs.ray.blocks
"""

import json
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from io import BytesIO
from itertools import repeat
from typing import Any, get_type_hints

import pyarrow as pa
import pyarrow.parquet as pq

from personamath.errors import RunDirectoryError
from personamath.journal.file_format import BLOCKS, answer_sha256
from personamath.journal.run_folder import RunFolder
from personamath.journal.salvage import Answer, as_completion
from personamath.journal.store import Journal
from personamath.teachers.prices import Bill, Paid

ROWS = "rows.parquet"
ANSWERS = "answers-"
WASTED = "wasted-"

_TYPES = {
    str: pa.string(),
    str | None: pa.string(),
    int: pa.int64(),
    int | None: pa.int64(),
    float: pa.float64(),
}
# And the SHA-256 of the answer (docs/data.md), so that the digest of a run needs no texts.
ANSWER_SCHEMA = pa.schema(
    [*((name, _TYPES[hint]) for name, hint in get_type_hints(Answer).items()), ("sha256", pa.binary(32))]
)
_WASTED_SCHEMA = pa.schema([(name, _TYPES[hint]) for name, hint in get_type_hints(Paid).items()])
_PAID = ("digest", "request", "purpose", "prompt_tokens", "completion_tokens", "answered_by")


def write_answers(folder: RunFolder, block: str, answers: Sequence[Answer]) -> None:
    """Write one more file of answers into a block's folder, under a name that no other file ever has."""
    name = f"{BLOCKS}/{block}/{ANSWERS}{uuid.uuid4().hex}.parquet"
    hashes = [answer_sha256(answer.digest, answer.finish_reason, answer.text) for answer in answers]
    folder.write(name, as_parquet(pa.table([*map(list, zip(*answers, strict=True)), hashes], schema=ANSWER_SCHEMA)))


def write_wasted(folder: RunFolder, block: str, paid: Iterable[Paid]) -> None:
    """Write what useless replies cost, as one more file in a block's folder."""
    summed = Bill.so_far(None, paid).paid()
    table = pa.table([*map(list, zip(*summed, strict=True))], schema=_WASTED_SCHEMA)
    folder.write(f"{BLOCKS}/{block}/{WASTED}{uuid.uuid4().hex}.parquet", as_parquet(table))


def wasted_in(folder: RunFolder, block: str) -> Iterator[Paid]:
    """What the useless replies of a block cost."""
    for file in _files(folder, block, WASTED):
        yield from (Paid(*values) for values in read_answers(folder, file, Paid._fields))


def answer_files(folder: RunFolder, block: str) -> list[str]:
    """A block's files of answers; an answer may be in several, and then the first counts."""
    return _files(folder, block, ANSWERS)


def _files(folder: RunFolder, block: str, prefix: str) -> list[str]:
    names = folder.names(f"{BLOCKS}/{block}")
    return [f"{BLOCKS}/{block}/{name}" for name in names if name.startswith(prefix) and name.endswith(".parquet")]


def all_answer_files(folder: RunFolder) -> Iterator[str]:
    """The files of answers of all blocks."""
    for block in folder.names(BLOCKS):
        yield from answer_files(folder, block)


def read_answers(folder: RunFolder, file: str, columns: Sequence[str]) -> Iterator[tuple[Any, ...]]:
    """The rows of one file, as tuples of these columns; a column that an earlier version did not write is None."""
    table = open_parquet(folder, file).read(columns=list(columns))
    known = set(table.column_names)
    yield from zip(
        *(table[name].to_pylist() if name in known else repeat(None, table.num_rows) for name in columns), strict=True
    )


def paid_in(folder: RunFolder, block: str) -> Iterator[Paid]:
    """What each answer in a block's folder used, and what was thrown away."""
    yield from wasted_in(folder, block)
    counted = set[str]()
    for file in answer_files(folder, block):
        for digest, request, purpose, *counts in read_answers(folder, file, _PAID):
            if digest not in counted:
                counted.add(digest)
                yield Paid.of(model_of(request), purpose, as_completion("", "stop", *counts))


def model_of(request: str) -> str:
    """The model that a request asks, from the JSON that was sent."""
    return str(json.loads(request)["model"])


def adopt_answers(journal: Journal, folder: RunFolder, names: Iterable[str] | None = None) -> None:
    """Move the answers and wasted tokens of these blocks, or of all, into the journal, so that each is in one place.

    In an object store the files stay: there the journal is a scratch copy.
    """
    for name in folder.names(BLOCKS) if names is None else names:
        if folder.path:  # before the answers: it counts them
            folder.remove(f"{BLOCKS}/{name}/{ROWS}")
        for file in answer_files(folder, name):
            with suppress(FileNotFoundError):  # an actor of a killed driver has just moved it into another file
                journal.adopt(Answer(*values) for values in read_answers(folder, file, Answer._fields))
            if folder.path:
                folder.remove(file)
        if wasted := list(wasted_in(folder, name)):
            journal.adopt((), wasted)
        for file in _files(folder, name, WASTED) if folder.path else ():
            folder.remove(file)
        if folder.path:
            with suppress(OSError):  # not empty: such an actor still writes, and the next run adopts that
                (folder.path / BLOCKS / name).rmdir()


def open_parquet(folder: RunFolder, file: str) -> pq.ParquetFile:
    """A parquet file of a run directory; `FileNotFoundError` if there is no such file."""
    content = folder.read(file)
    try:
        return pq.ParquetFile(BytesIO(content))
    except pa.ArrowInvalid as error:
        raise RunDirectoryError(
            f"{folder.name}: {file} is damaged ({error}); remove it and run the same command"
        ) from None


def as_parquet(table: pa.Table) -> bytes:
    """The bytes of a parquet file with these rows."""
    buffer = BytesIO()
    pq.write_table(table, buffer, compression="zstd")
    return buffer.getvalue()
