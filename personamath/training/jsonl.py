"""Rows of a JSON Lines file that are no text: what no tokenizer can take becomes null, to be dropped and counted.

`datasets` refuses a whole file for a NUL or one half of a surrogate pair, and reads bytes as UTF-8 that are not.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from personamath.files import is_unicode

_SURROGATE = b"\\ud"
"""How JSON begins to escape half of a surrogate pair, in lower case."""


@contextmanager
def sound(path: Path) -> Iterator[Path]:
    """Give the file, or where a line is no text, a copy in which the columns concerned are null."""
    with path.open("rb") as file:
        if all(map(_is_text, file)):
            yield path
            return
    with TemporaryDirectory(prefix="personamath-rows-") as scratch:
        copy = Path(scratch) / path.name
        with path.open("rb") as file, copy.open("wb") as out:
            out.writelines(line if _is_text(line) else _mended(line) for line in file)
        yield copy


def _is_text(line: bytes) -> bool:
    if b"\0" in line:
        return False
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    if _SURROGATE not in line.lower():
        return True
    with suppress(ValueError, RecursionError):
        return is_unicode(json.dumps(json.loads(line), ensure_ascii=False))
    return True  # not JSON, which `datasets` refuses with its place


def _mended(line: bytes) -> bytes:
    try:
        row = json.loads(line.decode(errors="surrogateescape"), strict=False)
    except (ValueError, RecursionError):
        return line
    return json.dumps(_without_no_text(row)).encode() + b"\n"


def _without_no_text(row: Any) -> Any:
    if not isinstance(row, dict):
        return row
    return {name: value if _fits(value) else None for name, value in row.items() if is_unicode(name)}


def _fits(value: Any) -> bool:
    return is_unicode(json.dumps(value, ensure_ascii=False))
