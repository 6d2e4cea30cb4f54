"""Read the rows of JSON Lines, which may be of any size, and of JSON, which is read whole."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from personamath.errors import BadInput
from personamath.files import in_one_line
from personamath.sources.rows import TableRow
from personamath.sources.texts import lines_of, opened_text


def read_jsonl(path: Path) -> Iterator[TableRow]:
    """Read one object of columns a line; empty lines are skipped."""
    with opened_text(path) as text:
        for number, line in enumerate(lines_of(text), start=1):
            if line.strip():
                yield _row(f"{path}:{number}", line)


def read_json(path: Path) -> Iterator[TableRow]:
    """Read a list of objects, alone or as the one list of objects in an object; columns as lists; or JSON Lines."""
    with opened_text(path) as text:
        lines = (line for line in lines_of(text) if line.strip())
        first, more = next(lines, ""), next(lines, "")
    if more and _is_whole(first):
        yield from read_jsonl(path)
        return
    if not first:
        return
    for number, values in enumerate(_rows_in(path, _content(path))):
        if not isinstance(values, dict):
            raise BadInput(f"{path}: row {number}: expected an object of columns, found {type(values).__name__}")
        yield TableRow(f"{path}: row {number}", values)


def _row(place: str, line: str) -> TableRow:
    try:
        values = json.loads(line)
    except json.JSONDecodeError as error:  # its own text counts lines from this one
        raise BadInput(f"{place}: not a complete line of JSON ({error.msg}); correct or remove it") from None
    except (ValueError, RecursionError) as error:  # a number of too many digits, or too many brackets
        raise BadInput(f"{place}: not a line of JSON that can be read ({in_one_line(error)}); correct it") from None
    if not isinstance(values, dict):
        hint = "; name a file that holds one JSON list .json" if isinstance(values, list) else ""
        raise BadInput(f"{place}: expected an object of columns, found {type(values).__name__}{hint}")
    return TableRow(place, values)


def _is_whole(line: str) -> bool:
    """Whether a line is an object by itself, as all lines of JSON Lines are."""
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


def _content(path: Path) -> Any:
    with opened_text(path) as text:
        try:
            return json.loads("".join(lines_of(text)))
        except json.JSONDecodeError as error:
            raise BadInput(f"{path}:{error.lineno}: not valid JSON ({error.msg})") from None
        except UnicodeDecodeError:  # also a ValueError; `opened_text` finds its line
            raise
        except (ValueError, RecursionError) as error:
            raise BadInput(f"{path}: not JSON that can be read ({in_one_line(error)})") from None


def _rows_in(path: Path, content: Any) -> list[Any]:
    if isinstance(content, list):
        return content
    if not isinstance(content, dict):
        raise BadInput(f"{path}: expected a list of objects, found {type(content).__name__}")
    tables = {name: value for name, value in content.items() if isinstance(value, list) and _has_object(value)}
    if len(tables) > 1:
        raise BadInput(
            f"{path}: has several lists of objects, under {', '.join(tables)}; put the one to read into its own file"
        )
    if tables:
        return next(iter(tables.values()))
    if content and all(isinstance(value, list) for value in content.values()):
        return _from_columns(path, content)
    return [content]


def _has_object(values: list[Any]) -> bool:
    return any(isinstance(value, dict) for value in values[:1])


def _from_columns(path: Path, columns: Mapping[str, list[Any]]) -> list[dict[str, Any]]:
    lengths = {name: len(values) for name, values in columns.items()}
    if len(set(lengths.values())) > 1:
        raise BadInput(
            f"{path}: its columns differ in length: {', '.join(f'{name} {count:,}' for name, count in lengths.items())}"
        )
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
