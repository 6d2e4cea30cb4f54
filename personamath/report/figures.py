"""Draw the charts of analyses: inline SVG in the page's colours, and separate PNG and SVG files."""

import io
import re
import textwrap
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from personamath.report.analysis.result import Chart, Series
from personamath.report.palette import COLOURS, SERIES

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Inches, so that 9-point text has the size of the page's small text: in its column, which is 960 pixels wide, and on a
# phone, which is 360 pixels wide.
WIDTH, NARROW_WIDTH = 10.0, 3.9
HEIGHT = 3.2
BAR_HEIGHT = 0.17  # inches per horizontal bar
PNG_DPI = 200
# Characters that fit into an inch: of names side by side under the bars, which are horizontal if the names do not fit,
# and of a legend on one line.
CHARACTERS_PER_INCH = 10
# Fewer upright bars would be as wide as doors.
UPRIGHT_BARS = 5
LABEL_WIDTH, NARROW_LABEL_WIDTH = 34, 16  # characters, after which a label wraps
DASHES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)))
SETTINGS: dict[Any, Any] = {
    "svg.fonttype": "none",  # text stays text
    "text.parse_math": False,  # foreign text may contain dollars
    "font.size": 9,
    "axes.edgecolor": COLOURS["edge"].light,
    "axes.labelcolor": COLOURS["soft"].light,
    "text.color": COLOURS["ink"].light,
    "xtick.color": COLOURS["soft"].light,
    "ytick.color": COLOURS["soft"].light,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
    "grid.color": COLOURS["line"].light,
    "grid.linewidth": 0.7,
    "axes.axisbelow": True,
}


class Picture(NamedTuple):
    """The pictures of one chart."""

    svg: bytes
    """A separate file, in light colours."""
    png: bytes
    inline: str
    """The bare SVG element for the page, in the page's colours."""
    narrow: str
    """The same for a phone."""


def draw(chart: Chart, name: str) -> Picture:
    """Draw the chart; same chart, name and matplotlib, same bytes."""
    import matplotlib

    # Use default settings and separate figures, so that neither a display nor the user's matplotlibrc matters.
    with matplotlib.rc_context(matplotlib.rcParamsDefault | SETTINGS):
        svg, png = _drawn(chart, name, WIDTH, "svg", "png")
        (narrow,) = _drawn(chart, f"{name}, narrow", NARROW_WIDTH, "svg")
    return Picture(svg, png, _inline(svg.decode()), _inline(narrow.decode()))


def _drawn(chart: Chart, salt: str, width: float, *formats: Literal["svg", "png"]) -> list[bytes]:
    """Draw the chart in these formats, of a width in inches."""
    import matplotlib
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    matplotlib.rcParams["svg.hashsalt"] = salt
    horizontal = _is_horizontal(chart, width)
    height = _height(chart) if horizontal else min(HEIGHT, 0.7 * width)
    figure = Figure(figsize=(width, height))
    axes = figure.add_subplot()
    label_width = LABEL_WIDTH if width == WIDTH else NARROW_LABEL_WIDTH
    _draw_lines(axes, chart) if chart.kind == "lines" else _draw_bars(axes, chart, horizontal, label_width)
    if len(chart.series) > 1:
        fits = sum(len(series.name) + 5 for series in chart.series) <= CHARACTERS_PER_INCH * width
        columns = len(chart.series) if fits else 2 if width == WIDTH else 1
        figure.legend(loc="outside upper left", ncols=columns, handlelength=1.8, columnspacing=1.4)
    # As the figure's own engine, it would compute the layout for each format, which takes longer than drawing.
    ConstrainedLayoutEngine().execute(figure)
    return [_saved(figure, one) for one in formats]


def _saved(figure: "Figure", format: Literal["svg", "png"]) -> bytes:
    file = io.BytesIO()
    if format == "svg":
        figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    else:
        figure.savefig(file, format="png", dpi=PNG_DPI, metadata={"Software": None})
    return file.getvalue()


def _names(chart: Chart) -> list[str]:
    """Return the categories of all series in order."""
    return list(dict.fromkeys(_name(x) for series in chart.series for x in series.x))


def _name(x: float | str) -> str:
    return x if isinstance(x, str) else f"{x:g}"


def _is_horizontal(chart: Chart, width: float) -> bool:
    if chart.kind == "lines":
        return False
    names = _names(chart)
    # Every name gets as much room as the longest one.
    characters = len(names) * (2 + max(map(len, names), default=0))
    return characters > CHARACTERS_PER_INCH * width or len(names) * len(chart.series) < UPRIGHT_BARS


def _height(chart: Chart) -> float:
    bars = len(_names(chart)) * (len(chart.series) + 1)
    return 0.9 + BAR_HEIGHT * bars


def _draw_lines(axes: "Axes", chart: Chart) -> None:
    for at, series in enumerate(chart.series):
        colour, dash = _look(at)
        axes.plot(series.x, series.y, color=colour, linestyle=dash, linewidth=1.8, label=series.name)
        if series.low is not None and series.high is not None:
            axes.fill_between(series.x, series.low, series.high, color=colour, alpha=0.15, linewidth=0)
    axes.set_xlabel(chart.x_label)
    axes.xaxis.set_major_formatter(_number)
    _measure(axes, chart.y_label, upright=True)


def _draw_bars(axes: "Axes", chart: Chart, horizontal: bool, label_width: int) -> None:
    names = _names(chart)
    width = 0.8 / len(chart.series)
    for at, series in enumerate(chart.series):
        places = [names.index(_name(x)) - 0.4 + width * (at + 0.5) for x in series.x]
        draw = axes.barh if horizontal else axes.bar
        draw(places, series.y, width * 0.92, color=_look(at)[0], label=series.name)
        if (ends := _ends(series)) is not None:
            axes.errorbar(
                series.y if horizontal else places,
                places if horizontal else series.y,
                xerr=ends if horizontal else None,
                yerr=None if horizontal else ends,
                fmt="none",
                ecolor=COLOURS["ink"].light,
                elinewidth=1.1,
                capsize=2,
            )
    labels = [textwrap.fill(name, label_width) for name in names]
    if horizontal:
        axes.set_yticks(range(len(names)), labels)
        axes.invert_yaxis()
        axes.tick_params(axis="y", length=0)
    else:
        axes.set_xticks(range(len(names)), labels)
        axes.tick_params(axis="x", length=0)
        axes.set_xlabel(chart.x_label)
    _measure(axes, chart.y_label, upright=not horizontal)
    _from_zero(axes, chart, horizontal)


def _from_zero(axes: "Axes", chart: Chart, horizontal: bool) -> None:
    """Start the axis of the bars at 0, also if all bars have length 0."""
    values = [value for series in chart.series for value in (*series.y, *(series.high or ()))]
    if min((value for series in chart.series for value in series.y), default=0.0) >= 0:
        limit = axes.set_xlim if horizontal else axes.set_ylim
        limit(0, None if max(values, default=0.0) > 0 else 1)


def _ends(series: Series) -> list[list[float]] | None:
    """Return the lengths of the error bars below and above each value."""
    if series.low is None or series.high is None:
        return None
    below = [max(0.0, y - low) for y, low in zip(series.y, series.low, strict=True)]
    return [below, [max(0.0, high - y) for y, high in zip(series.y, series.high, strict=True)]]


def _measure(axes: "Axes", label: str, upright: bool) -> None:
    """Set the label, grid and number format of the value axis."""
    axis = axes.yaxis if upright else axes.xaxis
    axis.set_label_text(label)
    axis.grid(True)
    if label.endswith("%"):
        axis.set_major_formatter(lambda value, _: f"{100 * value:g}")
    else:
        axis.set_major_formatter(_number)


def _number(value: float, _: object) -> str:
    """Format a number on an axis with ten digits, so that a step of 0.1 shows no binary rounding error."""
    return f"{value:,.10g}"


def _look(at: int) -> tuple[str, Any]:
    """Return the colour and dashes of a series, so that series differ in more than colour."""
    return COLOURS[SERIES[at % len(SERIES)]].light, DASHES[at % len(DASHES)]


def _inline(svg: str) -> str:
    """Return the bare SVG element, scaled by the page and in its font and colours, without own style sheet or ids."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<defs>\s*<style.*?</style>\s*</defs>", "", svg, flags=re.DOTALL)
    svg = re.sub(r' id="[\w.]+_\d+"', "", svg)  # remove ids that nothing refers to
    svg = re.sub(r'(<svg [^>]*?)width="[^"]*" height="[^"]*"', r'\1aria-hidden="true"', svg, count=1)
    svg = re.sub(r"font-family: [^;\"]*", "font-family: inherit", svg)
    variables = {COLOURS[name].light: f"var(--{name})" for name in ("page", "line", "edge", "ink", "soft", *SERIES)}
    return re.sub("#[0-9a-f]{6}", lambda colour: variables.get(colour[0], colour[0]), svg)
