"""Draw the dataset card's picture: the outcomes of the requests by kind.

Pillow draws it, which takes 0.1 s of CPU; matplotlib takes ten times as long to start, and 50 MB.
"""

import io
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from personamath.folder.chart import INK, OUT, PANEL, THROUGH
from personamath.methods.method import Outline
from personamath.methods.work import PASSED

if TYPE_CHECKING:
    from PIL.ImageDraw import ImageDraw
    from PIL.ImageFont import FreeTypeFont

# All in pixels. A card shows a picture about 800 pixels wide, twice that on a dense screen.
WIDTH, MARGIN, GAP = 1_440, 24, 14
LINE, BAR = 75, 46
"""Height of a bar with the space around it, and of the bar."""
HEAD, FOOT = 61, 64
"""Height of the title, and of the legend."""
TEXT, TITLE = 22, 27
"""Sizes of the fonts."""
DPI = 160


class Fonts(NamedTuple):
    """DejaVu Sans, which matplotlib carries: it has the letters of nearly all languages."""

    text: "FreeTypeFont"
    title: "FreeTypeFont"


def passed(outcomes: Mapping[str, int]) -> int:
    """Count the requests of one purpose whose answer was kept or usable as a rewrite."""
    return sum(outcomes.get(outcome, 0) for outcome in PASSED)


def draw_funnel(requests: Mapping[str, Mapping[str, int]], outline: Outline) -> bytes:
    """Draw a PNG of the requests by purpose and outcome; same counts, Pillow and matplotlib, same bytes."""
    from PIL import Image, ImageDraw

    fonts = _fonts()
    asked = [sum(requests[kind.name].values()) for kind in outline.kinds]
    through = [passed(requests[kind.name]) for kind in outline.kinds]
    beside = [
        f"{kept:,} of {all_asked:,}" + (f" ({kept / all_asked:.0%})" if all_asked else "")
        for kept, all_asked in zip(through, asked, strict=True)
    ]
    left = MARGIN + max([fonts.text.getlength(outline.label(kind)) for kind in outline.kinds], default=0) + GAP / 2
    # The longest bar's text reaches the margin.
    room = WIDTH - MARGIN - GAP - left - max(map(fonts.text.getlength, beside), default=0)
    scale = max(room, 0) / max([*asked, 1])

    image = Image.new("RGB", (WIDTH, HEAD + LINE * len(asked) + FOOT), PANEL)
    draw = ImageDraw.Draw(image)
    draw.text((left, HEAD / 2), "Requests to the teacher, and what passed", INK, fonts.title, anchor="lm")
    for place, kind in enumerate(outline.kinds):
        middle = HEAD + LINE * place + LINE / 2
        end = left + asked[place] * scale
        draw.text((left - GAP / 2, middle), outline.label(kind), INK, fonts.text, anchor="rm")
        _bar(draw, left, end, middle, BAR, OUT)
        _bar(draw, left, left + through[place] * scale, middle, BAR, THROUGH)
        draw.text((end + GAP, middle), beside[place], INK, fonts.text, anchor="lm")
    _legend(draw, left, image.height - FOOT / 2, fonts.text)
    picture = io.BytesIO()
    image.save(picture, format="png", dpi=(DPI, DPI))
    return picture.getvalue()


def _legend(draw: "ImageDraw", left: float, middle: float, font: "FreeTypeFont") -> None:
    for color, says in ((THROUGH, "kept, or a usable rewrite"), (OUT, "dropped")):
        _bar(draw, left, left + 3 * GAP, middle, GAP, color)
        draw.text((left + 4 * GAP, middle), says, INK, font, anchor="lm")
        left += 7 * GAP + font.getlength(says)


def _bar(draw: "ImageDraw", start: float, end: float, middle: float, height: int, color: str) -> None:
    if end > start:
        draw.rectangle((round(start), round(middle - height / 2), round(end), round(middle + height / 2)), color)


def _fonts() -> Fonts:
    """The fonts in matplotlib's folder; finding it imports nothing of matplotlib."""
    from PIL import ImageFont

    spec = find_spec("matplotlib")
    assert spec and spec.origin, "matplotlib is a dependency"
    folder = Path(spec.origin).parent / "mpl-data" / "fonts" / "ttf"
    # The basic layout, because another library, which may be missing, does the other one.
    basic = ImageFont.Layout.BASIC
    text, title = (
        ImageFont.truetype(folder / name, size, layout_engine=basic)
        for name, size in (("DejaVuSans.ttf", TEXT), ("DejaVuSans-Bold.ttf", TITLE))
    )
    return Fonts(text, title)
