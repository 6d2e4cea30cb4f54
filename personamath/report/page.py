"""The report as one HTML page: it loads nothing from the network and runs only its own two scripts."""

import base64
import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from importlib.resources import files as resources
from typing import Any

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup, escape

from personamath import __version__
from personamath.folder.teachers import in_words
from personamath.report.analysis.cases import NAME as CASES
from personamath.report.analysis.cases import cases
from personamath.report.analysis.result import Analyses, Analysis
from personamath.report.analysis.rows import RunData
from personamath.report.browser import Packed
from personamath.report.figures import Picture
from personamath.report.numbers import for_people
from personamath.report.palette import COLOURS
from personamath.report.verdict import Verdict
from personamath.report.wording import ended, sentence

ASSETS = resources("personamath.report") / "assets"
SCRIPTS = (
    *("text.js", "rows.js", "list.js", "ancestry.js"),
    *("choices.js", "marks.js", "saving.js", "actions.js", "browser.js", "page.js"),
)
LIVE_SCRIPT = "live.js"
# A cell longer than the first length is foreign text that may contain mathematics. A column with a cell longer than the
# second length is made wide.
NAME_LENGTH, SHORT_NAME = 60, 16
# Longer tables are collapsed under their figure.
TABLE_ROWS = 12


def page(
    data: RunData,
    top: Verdict,
    found: Analyses,
    pictures: Mapping[str, Picture],
    packed: Packed,
    *,
    live: bool = False,
) -> str:
    """Render the whole page; `pictures` are those of the charts, by the name of their analysis.

    Foreign text is escaped by the template or packed. The page's content security policy (CSP) allows its two scripts,
    by their hashes, and no connection; a `live` page may ask the server that it is from for its state.
    """
    styles = Markup(_katex_styles() + colours() + stylesheet())
    scripts = [Markup(_katex()), Markup(_own_script((*SCRIPTS, LIVE_SCRIPT) if live else SCRIPTS))]
    environment = Environment(undefined=StrictUndefined, autoescape=True, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {"thousands": "{:,}".format, "prose": prose, "sentence": sentence, "ended": ended}
    ids = {row.id for row in data.rows}
    template = (resources("personamath.report") / "templates" / "page.html.jinja").read_text(encoding="utf-8")
    return environment.from_string(template).render(
        name=data.name,
        version=__version__,
        policy=_policy(styles, scripts, live=live),
        styles=styles,
        scripts=scripts,
        rows=len(data.rows),
        teacher=in_words(data.provenance["recipe"]),
        method=data.outline.title,
        simulated=data.provenance["simulated"],
        unfinished=data.unfinished,
        verdict=top,
        before_after=found.named(CASES),
        cases=cases(data) if found.named(CASES) else [],
        missing=data.why_missing("wrong"),
        sections=[
            _section(analysis, pictures.get(analysis.name), ids) for analysis in found.made if analysis.name != CASES
        ],
        left_out=found.left_out,
        packed=packed,
    )


def _section(analysis: Analysis, picture: Picture | None, ids: set[str]) -> dict[str, Any]:
    table = for_people(analysis.table)
    return {
        "analysis": analysis,
        "drawing": Markup(picture.inline) if picture else None,
        "narrow": Markup(picture.narrow) if picture else None,
        "folded": picture is not None and len(table.rows) > TABLE_ROWS,
        "columns": [
            (heading, "number" if number else "wide" if _is_wide([row[at] for row in table.rows]) else "")
            for at, (heading, number) in enumerate(zip(table.columns, table.numbers, strict=True))
        ],
        "rows": [
            [{"text": cell, "row": cell in ids, "long": len(cell) > NAME_LENGTH} for cell in row] for row in table.rows
        ],
    }


def _is_wide(texts: list[str]) -> bool:
    return any(len(text) > SHORT_NAME for text in texts)


def prose(sentence: str) -> Markup:
    """Escape our own sentence and turn its backticks into code."""
    return Markup(re.sub("`([^`]+)`", r"<code>\1</code>", str(escape(sentence))))


def colours() -> str:
    """Return the palette as CSS variables, each with its light and its dark shade."""
    return (
        ":root{" + "".join(f"--{name}:light-dark({light},{dark});" for name, (light, dark) in COLOURS.items()) + "}\n"
    )


def stylesheet() -> str:
    """Return the style sheet of every page; it uses the colours' variables."""
    return _asset("page.css")


def _asset(name: str) -> str:
    return (ASSETS / name).read_text(encoding="utf-8")


def _katex() -> str:
    """Return KaTeX's script with its licence."""
    return f"/*! KaTeX\n{_asset('katex/LICENSE')}*/\n" + _asset("katex/katex.min.js")


def _katex_styles() -> str:
    """Return KaTeX's style sheet with embedded fonts; every browser that can show the page reads woff2."""

    def inside(source: re.Match[str]) -> str:
        font = base64.b64encode((ASSETS / "katex" / source[1]).read_bytes()).decode()
        return f'src:url(data:font/woff2;base64,{font}) format("woff2")'

    return re.sub(r"src:url\((fonts/[\w-]+\.woff2)\)[^;}]*", inside, _asset("katex/katex.min.css")) + "\n"


def _own_script(names: Sequence[str]) -> str:
    return '(() => {\n"use strict";\n' + "".join(map(_asset, names)) + "})();\n"


def _policy(styles: str, scripts: Sequence[str], *, live: bool) -> str:
    """Return the page's content security policy: its own scripts, style and packed data, and nothing else."""
    # Figures set their colours in style attributes, which cannot run or load anything under this policy.
    return "; ".join(
        [
            "default-src 'none'",
            f"script-src {_hashes(scripts)}",
            f"style-src-elem {_hashes([styles])}",
            "style-src-attr 'unsafe-inline'",
            "font-src data:",
            "connect-src data: 'self'" if live else "connect-src data:",
            "base-uri 'none'",
            "form-action 'none'",
        ]
    )


def _hashes(texts: Iterable[str]) -> str:
    digests = (base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in texts)
    return " ".join(f"'sha256-{digest}'" for digest in digests)
