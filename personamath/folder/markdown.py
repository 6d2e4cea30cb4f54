"""Text of others on a card: shown as it is, and unable to break out of its place."""

import re
from collections.abc import Sequence

LINE_CHARACTERS = 100
"""Of code: what a card's page shows without scrolling."""


def fenced(text: str, language: str = "text") -> str:
    """A code block, in a fence longer than any run of backticks in the text."""
    fence = _backticks(text, at_least=3)
    return f"{fence}{language}\n{text}\n{fence}"


def code(text: object, in_table: bool = True) -> str:
    """A code span on one line, which may stand in a table cell unless it is told that it does not."""
    line = " ".join(str(text).split())
    if in_table:
        line = line.replace("|", "¦")  # no escape of the bar is read alike by all renderers
    fence = _backticks(line, at_least=1)
    return f"{fence} {line} {fence}" if len(fence) > 1 else f"{fence}{line}{fence}"


def python_text(text: str) -> str:
    """A Python expression of a text; a long one goes over several lines, where the text's own end."""
    if len(text) <= LINE_CHARACTERS:
        return repr(text)
    return "(\n" + "\n".join(f"    {line!r}" for line in text.splitlines(keepends=True)) + "\n)"


def table(header: Sequence[str], rows: Sequence[Sequence[str]], text_columns: Sequence[int] = (0,)) -> str:
    """A table, padded so that it reads as text too; columns hold numbers unless named."""
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
