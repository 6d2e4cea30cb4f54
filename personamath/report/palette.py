"""Colours of the page and of its figures, light and dark: for contrast (WCAG AA) and for colour-blind readers."""

from typing import NamedTuple


class Shade(NamedTuple):
    """One colour in both themes."""

    light: str
    dark: str


COLOURS = {
    "page": Shade("#ffffff", "#14181d"),
    "panel": Shade("#f5f6f8", "#1c2229"),
    "line": Shade("#d8dde3", "#343d48"),  # only parts what is apart without it
    "edge": Shade("#76818e", "#7d8895"),  # of what can be operated
    "ink": Shade("#1b2430", "#e6eaef"),
    "soft": Shade("#566170", "#a9b3be"),
    "accent": Shade("#0a5c9e", "#74b6f2"),
    "warning": Shade("#fff3dc", "#38290f"),
    "warning-ink": Shade("#754000", "#ffd591"),
    "mark": Shade("#ffe48f", "#665200"),
    "mark-ink": Shade("#1b2430", "#fff6d6"),
    # After Okabe and Ito, shifted until each stands out 3 : 1 from the page.
    "series-1": Shade("#0072b2", "#56b4e9"),
    "series-2": Shade("#d55e00", "#e69f00"),
    "series-3": Shade("#009070", "#2fc79a"),
    "series-4": Shade("#a8478c", "#e39ac6"),
    "series-5": Shade("#4d4d4d", "#c9c9c9"),
}
SERIES = tuple(name for name in COLOURS if name.startswith("series"))
TEXT_ON = {
    "ink": ("page", "panel"),
    "soft": ("page", "panel"),
    "accent": ("page", "panel"),
    "warning-ink": ("warning",),
    "mark-ink": ("mark",),
}
"""What is written in which colour on which; each pair has a contrast of 4.5 : 1 or more."""
GRAPHICS_ON = dict.fromkeys((*SERIES, "edge"), ("page",))
"""What is drawn or framed on what, with 3 : 1 or more."""
