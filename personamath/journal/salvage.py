"""Answers out of a damaged journal: what its pages still hold, read without SQLite.

SQLite stops at a damaged page, and behind a damaged index or inner page nothing is reached at all. But every answer
proves itself: its digest is that of its request, its checksum that of its completion. So all pages are scanned for
rows, and those whose checksum is right are taken wherever they are. The counts of useless replies have no checksum,
but are small: anything that reads as such a row is taken. Format: https://www.sqlite.org/fileformat2.html.
"""

import os
import struct
import time
import zlib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any, NamedTuple

from personamath.journal.answered_by import as_json, from_json
from personamath.records import Completion, FinishReason, Request, request_digest
from personamath.teachers.prices import Paid

# SQLite's own since 2016, for files whose header is lost.
USUAL_PAGE_SIZE = 4096
_FILE_MAGIC = b"SQLite format 3\x00"
# Page 1 begins with the header of the file.
_FILE_HEADER = 100
_LOG_HEADER, _FRAME_HEADER = 32, 24
_TABLE_LEAF = 13
# Bytes of an integer by its serial type.
_INTEGERS = {1: 1, 2: 2, 3: 3, 4: 4, 5: 6, 6: 8}

# Of digest, purpose, request, sample, text and finish reason, by which a row is proven.
_FIRST_TYPES = [str, str, str, int, str, str]
# Of model, purpose, and tokens of prompts and completions.
_THROWN_AWAY_TYPES = [str, str, int, int]
# No reply has more; a number that damage changed is most often far beyond.
_MOST_TOKENS = 10_000_000


class Answer(NamedTuple):
    """A row of the journal, in the order of its columns."""

    digest: str
    """Of the request."""
    purpose: str
    """Of the first request that asked it, for counting."""
    request: str
    """The JSON that was sent."""
    sample: int
    text: str
    """The completion, untouched."""
    finish_reason: str
    prompt_tokens: int | None
    completion_tokens: int | None
    answered_at: float
    """Seconds since the epoch."""
    checksum: int
    """Of the completion."""
    answered_by: str | None = None
    """What really answered, as JSON; None if that is not known. Journals before format 3 have no such column."""

    @classmethod
    def of(cls, request: Request, completion: Completion) -> "Answer":
        """The row of an answer that came just now."""
        answered_by = as_json(completion.answered_by) if completion.answered_by else None
        return cls(
            request.digest,
            request.purpose,
            request.body().decode(),
            request.sample,
            completion.text,
            completion.finish_reason,
            completion.prompt_tokens,
            completion.completion_tokens,
            time.time(),
            checksum(
                completion.text,
                completion.finish_reason,
                completion.prompt_tokens,
                completion.completion_tokens,
                answered_by,
            ),
            answered_by,
        )


def checksum(
    text: str,
    finish_reason: str,
    prompt_tokens: int | None,
    completion_tokens: int | None,
    answered_by: str | None,
) -> int:
    """CRC-32 of a completion: tells a text that a damaged disk changed from the one that was answered."""
    parts = [finish_reason, prompt_tokens, completion_tokens, text]
    if answered_by is not None:  # so that the checksums of earlier formats stay right
        parts.append(answered_by)
    return zlib.crc32("\n".join(map(str, parts)).encode())


def as_completion(
    text: str,
    finish_reason: FinishReason,
    prompt_tokens: int | None,
    completion_tokens: int | None,
    answered_by: str | None,
) -> Completion:
    """The completion in these columns of a row."""
    origin = None if answered_by is None else from_json(answered_by)
    return Completion(text, finish_reason, prompt_tokens, completion_tokens, origin)


def whole_completion(columns: Sequence[Any]) -> Completion | None:
    """The completion in the columns of `file_format.FIND`; None if it is not what was written."""
    *values, expected = columns
    return as_completion(*values) if checksum(*values) == expected else None


def salvage(path: Path) -> Iterator[Answer]:
    """Every answer that proves itself, of the database at `path` and its write-ahead log; some come twice.

    Skips what cannot be read. Raises `OSError` if there is no file to open.
    """
    for _, columns in _rows(path):
        if [type(column) for column in columns[:6]] == _FIRST_TYPES and len(columns) in _COLUMNS:
            answer = Answer(*columns)
            if _proven(answer):
                yield answer


def salvage_thrown_away(path: Path) -> list[Paid]:
    """What useless replies cost, as far as it can be read; like `salvage`."""
    found: dict[int, Paid] = {}
    for number, columns in _rows(path):
        if [type(column) for column in columns] == _THROWN_AWAY_TYPES:
            model, purpose, prompt, written = columns
            if min(prompt, written) >= 0 and max(prompt, written) <= _MOST_TOKENS:
                # By number, because a page and its newer version in the log have the same rows.
                found[number] = Paid(model, purpose, 0, prompt, written, 0)
    return list(found.values())


def _rows(path: Path) -> Iterator[tuple[int, list[Any]]]:
    """Everything that reads as a row on a leaf of any table, with its number."""
    log = Path(f"{path}-wal")
    with ExitStack() as files:
        pages = _Pages(*(files.enter_context(file.open("rb")) for file in (path, log) if file.exists()))
        for number, page in pages.all():
            yield from _rows_on(number, page, pages)


def _proven(answer: Answer) -> bool:
    found = checksum(
        answer.text, answer.finish_reason, answer.prompt_tokens, answer.completion_tokens, answer.answered_by
    )
    return request_digest(answer.request.encode(), answer.sample) == answer.digest and found == answer.checksum


_COLUMNS = (len(Answer._fields) - 1, len(Answer._fields))
"""The columns of a row; rows from before format 3 lack the last."""


class _Pages:
    """The pages of a database, and their newer versions in its log."""

    def __init__(self, database: IO[bytes], log: IO[bytes] | None = None) -> None:
        self._database, self._log = database, log
        header = _read(database, 0, _FILE_HEADER)
        size = int.from_bytes(header[16:18]) if header.startswith(_FILE_MAGIC) else USUAL_PAGE_SIZE
        self.size = 65536 if size == 1 else size
        self.count = os.fstat(database.fileno()).st_size // self.size
        self._in_log = dict(self._frames())
        self.bytes = (self.count + len(self._in_log)) * self.size

    def _frames(self) -> Iterator[tuple[int, int]]:
        """Page numbers and where in the log they lie, oldest first."""
        if self._log:
            salts = _read(self._log, 16, 8)
            frame_size = _FRAME_HEADER + self.size
            for place in range(_LOG_HEADER, os.fstat(self._log.fileno()).st_size, frame_size):
                header = _read(self._log, place, _FRAME_HEADER)
                if header[8:16] == salts:  # else left over from before the log was last begun anew
                    yield int.from_bytes(header[:4]), place + _FRAME_HEADER

    def read(self, number: int) -> bytes:
        """The newest version of a page."""
        if self._log and number in self._in_log:
            return _read(self._log, self._in_log[number], self.size)
        return _read(self._database, (number - 1) * self.size, self.size)

    def all(self) -> Iterator[tuple[int, bytes]]:
        """Every page of the database, then every page of the log."""
        for number in range(1, self.count + 1):
            yield number, _read(self._database, (number - 1) * self.size, self.size)
        for number in self._in_log:
            yield number, self.read(number)


def _read(file: IO[bytes], place: int, size: int) -> bytes:
    try:
        return os.pread(file.fileno(), size, place)
    except OSError:  # a bad sector
        return b""


def _rows_on(number: int, page: bytes, pages: _Pages) -> Iterator[tuple[int, list[Any]]]:
    """Everything that reads as a row on a page, if it is a leaf of a table."""
    start = _FILE_HEADER if number == 1 else 0
    if page[start : start + 1] != bytes([_TABLE_LEAF]):
        return
    for cell in range(int.from_bytes(page[start + 3 : start + 5])):
        pointer = start + 8 + 2 * cell
        try:
            row, payload = _payload(page, int.from_bytes(page[pointer : pointer + 2]), pages)
            columns = list(_record(payload))
        except (ValueError, LookupError, struct.error):  # damaged
            continue
        yield row, columns


def _payload(page: bytes, place: int, pages: _Pages) -> tuple[int, bytes]:
    """The number of a row, and its bytes, the last of which may be on a chain of overflow pages."""
    size, place = _varint(page, place)
    row, place = _varint(page, place)
    if size > pages.bytes:
        raise ValueError("longer than the file")
    most, least = pages.size - 35, (pages.size - 12) * 32 // 255 - 23
    here = size
    if size > most:
        here = least + (size - least) % (pages.size - 4)
        here = here if here <= most else least
    pieces, left = [page[place : place + here]], size - here
    following = int.from_bytes(page[place + here : place + here + 4])
    while left > 0:
        overflow = pages.read(following)
        if not overflow:
            raise ValueError("its end is missing")
        following = int.from_bytes(overflow[:4])
        pieces.append(overflow[4 : 4 + left])
        left -= pages.size - 4
    return row, b"".join(pieces)


def _record(payload: bytes) -> Iterator[Any]:
    """The columns of a row."""
    header_size, place = _varint(payload, 0)
    value = header_size
    while place < header_size:
        kind, place = _varint(payload, place)
        if kind >= 12:
            size = (kind - 12) // 2
            raw = payload[value : value + size]
            yield raw.decode() if kind % 2 else raw
        elif kind == 7:
            size = 8
            yield float(struct.unpack(">d", payload[value : value + 8])[0])
        elif kind in _INTEGERS:
            size = _INTEGERS[kind]
            yield int.from_bytes(payload[value : value + size], signed=True)
        else:
            size = 0
            yield {0: None, 8: 0, 9: 1}[kind]
        value += size


def _varint(data: bytes, place: int) -> tuple[int, int]:
    """SQLite's integer of one to nine bytes, and where it ends."""
    value = 0
    for index in range(8):
        byte = data[place + index]
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, place + index + 1
    return value << 8 | data[place + 8], place + 9
