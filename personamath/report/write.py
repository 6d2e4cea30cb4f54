"""Write the report folder: the page, the figures with their numbers, and the Markdown version."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from personamath.errors import RunDirectoryError
from personamath.evaluation.scores import ScoredRun
from personamath.report.analysis.cases import NAME as CASES
from personamath.report.analysis.catalogue import analyses
from personamath.report.analysis.comparison import Comparison
from personamath.report.analysis.result import Analyses, LeftOut, Table
from personamath.report.analysis.rows import RunData
from personamath.report.browser import pack
from personamath.report.figures import Picture, draw
from personamath.report.funnel import funnel
from personamath.report.markdown import report_markdown
from personamath.report.page import page
from personamath.report.verdict import verdict

PAGE, MARKDOWN, FIGURES = "index.html", "report.md", "figures"


def write_report(
    data: RunData,
    output: Path,
    compare: Sequence[Comparison] = (),
    scores: Sequence[ScoredRun] = (),
    without_stage_two: ScoredRun | None = None,
    *,
    live: bool = False,
) -> Path:
    """Analyse the data with `catalogue.analyses` and write everything into `output`; return the page's path."""
    return write_found(data, analyses(data, compare, scores, without_stage_two), output, live=live)


def write_found(data: RunData, found: Analyses, output: Path, *, live: bool = False) -> Path:
    """Write the funnel and then the given analyses into `output`; return the page's path.

    A `live` page loads itself again when its server, `personamath.report.live`, has a newer one.
    Files of an earlier report are replaced. The bytes depend only on the data, the analyses and the package versions.
    Raises `RunDirectoryError` if the disk refuses.
    """
    found = _in_order(data, found)
    pictures = {a.name: draw(a.chart, a.name) for a in found.made if a.chart}
    top = verdict(data)
    html = page(data, top, found, pictures, pack(data), live=live)
    try:
        figures = output / FIGURES
        figures.mkdir(parents=True, exist_ok=True)
        for analysis in found.made:
            (figures / f"{analysis.name}.csv").write_text(_csv(analysis.table), encoding="utf-8", newline="")
        for name, picture in pictures.items():
            _write_picture(figures, name, picture)
        (output / MARKDOWN).write_text(report_markdown(data.name, found, top, data.unfinished), encoding="utf-8")
        (output / PAGE).write_text(html, encoding="utf-8")
    except OSError as error:
        raise RunDirectoryError(f"cannot write {output} ({error.strerror or error}); choose another --output") from None
    return output / PAGE


def _in_order(data: RunData, found: Analyses) -> Analyses:
    """Put the case studies first and the funnel second, and leave out charts that would show nothing."""
    counted = funnel(data)
    before_and_after = [one for one in found.made if one.name == CASES]
    others = [one for one in found.made if one.name != CASES]
    left_out = (counted, *found.left_out) if isinstance(counted, LeftOut) else found.left_out
    first = before_and_after if isinstance(counted, LeftOut) else [*before_and_after, counted]
    return Analyses(tuple(one.drawable for one in (*first, *others)), left_out)


def _write_picture(figures: Path, name: str, picture: Picture) -> None:
    (figures / f"{name}.svg").write_bytes(picture.svg)
    (figures / f"{name}.png").write_bytes(picture.png)


def _csv(table: Table) -> str:
    """Return the table as CSV: unrounded, with shares from 0 to 1."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(table.columns)
    writer.writerows(table.rows)
    return text.getvalue()
