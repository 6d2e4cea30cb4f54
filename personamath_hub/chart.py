"""The funnel as a picture: what became of the requests of each kind."""

import io
from collections.abc import Mapping

from personamath.funnel import PURPOSES
from personamath.records import Purpose
from personamath.stages import KEPT, USABLE

# Grey and blue that stand out from one another also for colour-blind readers; the light panel keeps its contrast on
# dark pages too.
PANEL, INK, THROUGH, OUT = "#fbfbfd", "#24292f", "#2f6fb3", "#c9ced6"
PASSED = (KEPT, USABLE)
LABELS: dict[Purpose, str] = {
    "stage1_inference": "Stage 1: solve the seed problem",
    "stage1_rewrite: rewrite": "Stage 1: rewrite it for a persona",
    "stage1_rewrite: solve": "Stage 1: solve the rewrite",
    "stage2_reflection": "Stage 2: reflect on the wrong solution",
    "stage2_rewrite: rewrite": "Stage 2: rewrite it for a persona",
    "stage2_rewrite: reflect": "Stage 2: solve the rewrite by reflection",
}


def passed(outcomes: Mapping[str, int]) -> int:
    """How many requests of one purpose led to something: a row, or a question that can be asked."""
    return sum(outcomes.get(outcome, 0) for outcome in PASSED)


def draw_funnel(requests: Mapping[str, Mapping[str, int]]) -> bytes:
    """A PNG of the requests by purpose and outcome; the same bytes for the same counts and matplotlib."""
    import matplotlib
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    # A figure of its own, under the default settings: neither a display nor the user's matplotlibrc has a say.
    with matplotlib.rc_context(matplotlib.rcParamsDefault):
        figure = Figure(figsize=(9, 3.6), dpi=160, facecolor=PANEL)
        figure.set_layout_engine(ConstrainedLayoutEngine(w_pad=0.15, h_pad=0.12))
        axes = figure.add_subplot(facecolor=PANEL)
        through = [passed(requests[purpose]) for purpose in PURPOSES]
        asked = [sum(requests[purpose].values()) for purpose in PURPOSES]
        places = range(len(PURPOSES))
        axes.barh(places, asked, color=OUT, height=0.62, label="dropped")
        axes.barh(places, through, color=THROUGH, height=0.62, label="kept, or a usable rewrite")
        for place, kept, all_asked in zip(places, through, asked, strict=True):
            text = f"  {kept:,} of {all_asked:,}" + (f" ({kept / all_asked:.0%})" if all_asked else "")
            axes.text(all_asked, place, text, va="center", color=INK, fontsize=10)
        axes.set_yticks(places, [LABELS[purpose] for purpose in PURPOSES], color=INK, fontsize=10)
        axes.set_xlim(0, max(*asked, 1) * 1.36)  # room for the longest bar's text
        axes.invert_yaxis()
        axes.tick_params(length=0)
        axes.set_xticks([])
        axes.spines[:].set_visible(False)
        axes.set_title("Requests to the teacher, and what passed", loc="left", color=INK, fontsize=12, weight="bold")
        handles, labels = axes.get_legend_handles_labels()
        axes.legend(handles[::-1], labels[::-1], frameon=False, labelcolor=INK, loc="lower right", fontsize=10)
        picture = io.BytesIO()
        figure.savefig(picture, format="png", metadata={"Software": None})
    return picture.getvalue()
