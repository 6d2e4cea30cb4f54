"""Draw the model card's picture, the scores; the colours are also those of the dataset card's."""

import io
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

# Colour-blind readers can tell this grey, blue and ochre apart. The light panel also has enough contrast on dark pages.
PANEL, INK, THROUGH, OUT, PAPER = "#fbfbfd", "#24292f", "#2f6fb3", "#c9ced6", "#e0a030"


class Bar(NamedTuple):
    """One task in the chart of scores; all values in percent."""

    label: str
    value: float
    low: float
    high: float
    base: float | None
    """The base model's score on the same task; None if it was not measured."""
    paper: float | None
    """The score of the paper's model with this base; None if the paper has none."""


def draw_scores(bars: Sequence[Bar]) -> bytes:
    """Draw a PNG of a model's scores with intervals, and the base model's and the paper's scores where known."""

    def draw(axes: Any) -> None:
        places = range(len(bars))
        values = [bar.value for bar in bars]
        spread = [[bar.value - bar.low for bar in bars], [bar.high - bar.value for bar in bars]]
        axes.barh(places, values, xerr=spread, color=THROUGH, ecolor=INK, capsize=3, height=0.55, label="this model")
        for marker, color, name, figures in (
            ("o", OUT, "base model", [bar.base for bar in bars]),
            ("D", PAPER, "the paper's model", [bar.paper for bar in bars]),
        ):
            known = [(figure, place) for place, figure in enumerate(figures) if figure is not None]
            if known:
                axes.scatter(*zip(*known, strict=True), marker=marker, color=color, edgecolor=INK, zorder=3, label=name)
        for place, bar in enumerate(bars):
            axes.text(104, place, f"{bar.value:.1f}", va="center", color=INK, fontsize=10)  # clear of the markers
        axes.set_yticks(places, [bar.label for bar in bars], color=INK, fontsize=10)
        axes.set_xlim(0, 136)  # room for the legend beside a full score
        axes.set_title("Scores in percent, with 95 % intervals", loc="left", color=INK, fontsize=12, weight="bold")

    return _picture(draw, height=1.4 + 0.42 * max(len(bars), 3), legend={"loc": "lower right"})


def _picture(draw: Callable[[Any], None], height: float, legend: Mapping[str, Any]) -> bytes:
    """Draw a PNG of horizontal bars, 9 inches wide; same bars and matplotlib, same bytes."""
    import matplotlib
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    # Use a separate figure and default settings, so that neither a display nor the user's matplotlibrc matters.
    with matplotlib.rc_context(matplotlib.rcParamsDefault):
        figure = Figure(figsize=(9, height), dpi=160, facecolor=PANEL)
        figure.set_layout_engine(ConstrainedLayoutEngine(w_pad=0.15, h_pad=0.12))
        axes = figure.add_subplot(facecolor=PANEL)
        draw(axes)
        axes.invert_yaxis()
        axes.tick_params(length=0)
        axes.set_xticks([])
        axes.spines[:].set_visible(False)
        handles, labels = axes.get_legend_handles_labels()
        axes.legend(handles[::-1], labels[::-1], frameon=False, labelcolor=INK, fontsize=10, **legend)
        picture = io.BytesIO()
        figure.savefig(picture, format="png", metadata={"Software": None})
    return picture.getvalue()
