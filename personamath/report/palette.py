"""Light and dark colours of the page and its figures, chosen for contrast (WCAG AA) and for colour-blind readers."""

from typing import NamedTuple


class Shade(NamedTuple):
    """One colour in both themes."""

    light: str
    dark: str


COLOURS = {
    "page": Shade("#ffffff", "#14181d"),
    "panel": Shade("#f5f6f8", "#1c2229"),
    "line": Shade("#d8dde3", "#343d48"),  # decorative separators, which need no contrast
    "edge": Shade("#76818e", "#7d8895"),  # borders of controls
    "ink": Shade("#1b2430", "#e6eaef"),
    "soft": Shade("#566170", "#a9b3be"),
    "accent": Shade("#0a5c9e", "#74b6f2"),
    "warning": Shade("#fff3dc", "#38290f"),
    "warning-ink": Shade("#754000", "#ffd591"),
    "mark": Shade("#ffe48f", "#665200"),
    "mark-ink": Shade("#1b2430", "#fff6d6"),
    # Close to Okabe and Ito's colours, moved apart for each kind of colour blindness, with a contrast of 3 : 1 or more.
    "series-1": Shade("#0752b8", "#4296fa"),
    "series-2": Shade("#dd6c04", "#eba000"),
    "series-3": Shade("#04a065", "#3ce37f"),
    "series-4": Shade("#b35698", "#c59fd6"),
    "series-5": Shade("#3c2f38", "#c4e8dc"),
}
SERIES = tuple(name for name in COLOURS if name.startswith("series"))
TEXT_ON = {
    "ink": ("page", "panel"),
    "soft": ("page", "panel"),
    "accent": ("page", "panel"),
    "warning-ink": ("warning",),
    "mark-ink": ("mark",),
}
"""Text colours and the backgrounds they are used on; each pair has a contrast of 4.5 : 1 or more."""
GRAPHICS_ON = dict.fromkeys((*SERIES, "edge"), ("page",))
"""Colours of graphics and borders, and their backgrounds; each pair has a contrast of 3 : 1 or more."""
