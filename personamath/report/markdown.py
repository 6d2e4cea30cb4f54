"""The report as Markdown: the same findings, tables and figures, for a card or a repository."""

import re

from personamath.folder.markdown import code, table
from personamath.report.analysis.result import Analyses, Analysis
from personamath.report.numbers import for_people
from personamath.report.verdict import Verdict
from personamath.report.wording import ended, sentence

# Text without any meaning in Markdown; all other foreign text goes into a code span.
PLAIN = re.compile(r"[\w ,.:;()/%+'’–@−×-]*")


def report_markdown(name: str, found: Analyses, top: Verdict, unfinished: str | None = None) -> str:
    """Return the whole report; it links to figures in `figures/` beside it. `unfinished` says how far the run is."""
    parts = [f"# Report on {_text(name)}"]
    if unfinished:
        parts.append(f"> {_prose(unfinished)}")
    parts += [_verdict(top), *(section(analysis) for analysis in found.made)]
    if found.left_out:
        parts.append("## Left out")
        parts.append(
            "\n".join(f"- **{ended(left.title)}** {_prose(ended(sentence(left.why)))}" for left in found.left_out)
        )
    return "\n\n".join(parts) + "\n"


def _verdict(top: Verdict) -> str:
    """Return the numbers and sentences of the verdict."""
    numbers = [[sentence(figure.label), figure.value, figure.detail] for figure in (*top.figures, *top.steps)]
    first = [f"{place}. {_prose(sentence(one.text))}" for place, one in enumerate(top.attention, 1)]
    parts = ["## Verdict", _prose(top.sentence), table(["", "", ""], numbers, (0, 1, 2))]
    return "\n\n".join([*parts, *(["What needs attention first:", "\n".join(first)] if first else [])])


def section(analysis: Analysis, figures: str = "figures") -> str:
    """Return one analysis: its finding, its figure, its table and its note."""
    found = for_people(analysis.table)
    rows = [[_text(cell) for cell in row] for row in found.rows]
    text_columns = [column for column, number in enumerate(found.numbers) if not number]
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
