"""Open text files of users, plain or compressed, in UTF-8 or UTF-16; an error names the line.

What a file contains decides, not its name: a browser may have unpacked a `.gz` file and kept its name.
"""

import codecs
import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from personamath.errors import BadInput
from personamath.files import TEXT, in_one_line

_CODECS = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd"}
"""Compressions by the bytes that a file in them begins with."""
MARK = "\ufeff"
"""The mark of a byte order. At the start of a file it is skipped; a file that was joined to another keeps its own."""
_BLOCK = 1 << 20


def lines_of(text: TextIO) -> Iterator[str]:
    """The lines of a text, without the byte order marks that are in the middle of files that were joined."""
    return (line.lstrip(MARK) for line in text)


@contextmanager
def opened_text(path: Path, newline: str | None = None) -> Iterator[TextIO]:
    """Open a text file for the duration of the context; `newline` is as for `open`.

    Raises `BadInput`, which names the path, for a file that cannot be read, also if the error appears only while
    reading it. A text in another encoding is refused with its line.
    """
    encoding = TEXT
    try:
        with _opened_bytes(path) as stream:
            encoding = _encoding_of(stream)
            with io.TextIOWrapper(stream, encoding=encoding, newline=newline) as text:
                yield text
    except FileNotFoundError:
        raise BadInput(f"{path}: no such file") from None
    except UnicodeDecodeError:
        raise BadInput(_why_not_text(path, encoding)) from None
    except OSError as error:
        raise BadInput(f"{path}: {error.strerror or in_one_line(error)}") from None


@contextmanager
def _opened_bytes(path: Path) -> Iterator[io.BufferedReader]:
    with path.open("rb") as file:
        codec = next((codec for mark, codec in _CODECS.items() if file.peek(len(mark)).startswith(mark)), None)
        if codec is None:
            yield file
            return
        import pyarrow

        try:
            with pyarrow.input_stream(file, compression=codec) as unpacked, io.BufferedReader(unpacked) as reader:
                yield reader
        except OSError as error:
            raise BadInput(f"{path}: cannot be unpacked ({in_one_line(error)}); copy or download it again") from None


def _encoding_of(stream: io.BufferedReader) -> str:
    head = stream.peek(2)[:2]
    if head in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        return "utf-16"
    # A table begins with ASCII: a bracket, a brace, a quote or the name of a column.
    if len(head) == 2 and bool(head[0]) != bool(head[1]):
        return "utf-16-le" if head[0] else "utf-16-be"
    return TEXT


def _why_not_text(path: Path, encoding: str) -> str:
    """Read a file once more to find the line that is not in its encoding."""
    decoder = codecs.getincrementaldecoder(encoding)()
    line, at_end = 1, False
    with _opened_bytes(path) as file:
        while not at_end:
            block = file.read(_BLOCK)
            at_end = not block
            try:
                line += decoder.decode(block, final=at_end).count("\n")
            except UnicodeDecodeError as error:
                line += error.object[: error.start].decode(encoding).count("\n")
                break
    name = "UTF-16" if encoding.startswith("utf-16") else "UTF-8"
    if at_end:
        return f"{path}:{line}: ends in the middle of a {name} character; copy it again, or save it as UTF-8"
    return f"{path}:{line}: not {name}; save the file as UTF-8"
