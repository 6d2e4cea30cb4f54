"""The comparison as one HTML page: it loads nothing from the network and runs no script."""

from importlib.resources import files as resources
from pathlib import Path

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from personamath import __version__
from personamath.errors import RunDirectoryError
from personamath.report.analysis.result import Chart, Series
from personamath.report.figures import draw
from personamath.report.page import colours, prose, stylesheet
from personamath.report.side_by_side.comparison import SideBySide
from personamath.report.side_by_side.measures import MEASURES
from personamath.report.side_by_side.wording import METHODS_OF_INTERVALS, sentences, table

PAGE, NUMBERS = "index.html", "compare.json"
CHARTED = ("keep_rate", "rows_per_seed", "tokens_per_row", "unique_questions")
"""The measures that have a chart of their own; the table has all."""


def page(found: SideBySide) -> str:
    """Render the page; names of runs are escaped."""
    environment = Environment(undefined=StrictUndefined, autoescape=True, trim_blocks=True, lstrip_blocks=True)
    environment.filters["prose"] = prose
    template = (resources("personamath.report") / "templates" / "compare.html.jinja").read_text(encoding="utf-8")
    charts = {measure.label: _chart(found, measure.name) for measure in MEASURES if measure.name in CHARTED}
    return environment.from_string(template).render(
        version=__version__,
        styles=Markup(colours() + stylesheet()),
        names=[run.name for run in found.runs],
        caveats=found.caveats,
        table=table(found),
        sentences=list(sentences(found)),
        charts={label: Markup(draw(chart, label).inline) for label, chart in charts.items() if chart},
        measures=[measure for measure in MEASURES if any(measure.name in of for of in found.intervals.values())],
        note=METHODS_OF_INTERVALS,
    )


def write_page(found: SideBySide, output: Path, numbers: str) -> Path:
    """Write the page and its numbers into `output`; return the page's path. Raises `RunDirectoryError`."""
    try:
        output.mkdir(parents=True, exist_ok=True)
        (output / NUMBERS).write_text(numbers + "\n", encoding="utf-8")
        (output / PAGE).write_text(page(found), encoding="utf-8")
    except OSError as error:
        raise RunDirectoryError(f"cannot write {output} ({error.strerror or error}); choose another --output") from None
    return output / PAGE


def _chart(found: SideBySide, name: str) -> Chart | None:
    measure = next(measure for measure in MEASURES if measure.name == name)
    values = {run: of[name] for run, of in found.intervals.items() if name in of}
    if not values:
        return None
    value, low, high = zip(*values.values(), strict=True)
    label = f"{measure.label} %" if measure.share else measure.label
    return Chart("bars", "run", label, (Series(measure.label, tuple(values), value, low, high),))
