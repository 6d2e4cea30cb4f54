"""Put foreign text on a card: it is shown unchanged and cannot break the page's Markdown."""

import re
from collections.abc import Sequence
from html import escape

LINE_CHARACTERS = 100
"""Longest line of code that a card's page shows without scrolling."""


def fenced(text: str, language: str = "text") -> str:
    """Return a code block whose fence is longer than any run of backticks in the text."""
    fence = _backticks(text, at_least=3)
    return f"{fence}{language}\n{text}\n{fence}"


def code(text: object, in_table: bool = True) -> str:
    """Return a code span on one line; with `in_table` it is safe in a table cell."""
    line = " ".join(str(text).split())
    if in_table:
        line = line.replace("|", "¦")  # renderers disagree on how to escape the bar
    fence = _backticks(line, at_least=1)
    return f"{fence} {line} {fence}" if len(fence) > 1 else f"{fence}{line}{fence}"


def plain(text: object) -> str:
    """Return one line of HTML that shows a text as it stands, line ends included; it is safe in an HTML block."""
    return "<br>".join(escape(line) for line in str(text).splitlines())


def python_text(text: str) -> str:
    """Return a Python expression for a text; a long text is split at its own line ends."""
    if len(text) <= LINE_CHARACTERS:
        return repr(text)
    return "(\n" + "\n".join(f"    {line!r}" for line in text.splitlines(keepends=True)) + "\n)"


def table(header: Sequence[str], rows: Sequence[Sequence[str]], text_columns: Sequence[int] = (0,)) -> str:
    """Return a table, padded to read well as text; columns hold numbers unless `text_columns` lists them."""
    widths = [max(3, *(len(row[column]) for row in (header, *rows))) for column in range(len(header))]

    def line(cells: Sequence[str]) -> str:
        padded = (
            cell.ljust(width) if column in text_columns else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(cells, widths, strict=True))
        )
        return f"| {' | '.join(padded)} |"

    rule = ["-" * width if column in text_columns else "-" * (width - 1) + ":" for column, width in enumerate(widths)]
    return "\n".join(map(line, (header, rule, *rows)))


def _backticks(text: str, at_least: int) -> str:
    return "`" * max(at_least, *(len(run) + 1 for run in re.findall("`+", text)), 0)
