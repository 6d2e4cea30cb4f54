"""The report as Markdown: the same findings, tables and figures, for a card or a repository."""

import re

from personamath.folder.markdown import code, table
from personamath.report.analysis.result import Analyses, Analysis
from personamath.report.numbers import is_number, shown

# Text without any meaning in Markdown; all other foreign text goes into a code span.
PLAIN = re.compile(r"[\w ,.:;()/%+'’–@−×-]*")


def report_markdown(name: str, found: Analyses, unfinished: str | None = None) -> str:
    """Return the whole report; it links to figures in `figures/` beside it. `unfinished` says how far the run is."""
    parts = [f"# Report on {_text(name)}"]
    if unfinished:
        parts.append(f"> {_prose(unfinished)}")
    parts += [section(analysis) for analysis in found.made]
    if found.left_out:
        parts.append("## Left out")
        parts.append("\n".join(f"- {left.title}: {_prose(left.why)}" for left in found.left_out))
    return "\n\n".join(parts) + "\n"


def section(analysis: Analysis, figures: str = "figures") -> str:
    """Return one analysis: its finding, its figure, its table and its note."""
    found = analysis.table
    numbers = [is_number(column, found) for column in range(len(found.columns))]
    rows = [[_text(cell) for cell in row] for row in shown(found)]
    text_columns = [column for column, number in enumerate(numbers) if not number]
    parts = [f"## {analysis.title}", _prose(analysis.finding)]
    if analysis.warning:
        parts.append(f"> {_prose(analysis.warning)}")
    if analysis.chart:
        parts.append(f"![{_prose(analysis.title)}]({figures}/{analysis.name}.png)")
    parts.append(table([_text(column) for column in found.columns], rows, text_columns))
    parts.append(_prose(analysis.note))
    return "\n\n".join(parts)


def _text(cell: str) -> str:
    return cell if PLAIN.fullmatch(cell) else code(cell)


def _prose(sentence: str) -> str:
    """Escape our own sentence, which may contain names from foreign text."""
    return sentence.replace("&", "&amp;").replace("<", "&lt;")
