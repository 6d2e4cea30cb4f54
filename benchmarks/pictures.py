"""Draw the pictures of README.md and docs/ from the demo's data: real answers of a real model.

python -m benchmarks.pictures     # makes the demo's data, draws docs/*.png; needs chromium and the extra `docs`
"""

import html
import tempfile
from pathlib import Path

from markdown import markdown

from personamath.commands import demo
from personamath.commands.demo_data import RECORDED_MODEL, replay
from personamath.folder.layout import dataset_folder
from personamath.folder.reading import read_rows
from personamath.report.analysis.rows import read_run
from personamath.report.write import write_report
from personamath_hub.datasets import write_version
from tests.support.chromium import Page, chromium

DOCS = Path(__file__).parent.parent / "docs"
WIDTH, HEIGHT = 1280, 900
FIRST_LOOK_HEIGHT = 600
CARD_STYLE = """
body { max-width: 860px; margin: 32px auto; font: 16px/1.5 sans-serif; color: #1f2328 }
h1, h2 { border-bottom: 1px solid #d1d9e0; padding-bottom: 6px }
code, pre { background: #f3f4f6; border-radius: 6px; font-size: 85% } code { padding: 2px 5px }
pre { padding: 14px; overflow: hidden } pre code { padding: 0 } a { color: #0969da }
table { border-collapse: collapse } td, th { border: 1px solid #d1d9e0; padding: 5px 12px } img { max-width: 100% }
"""
FIRST_LOOK_STYLE = """
body { margin: 0; padding: 28px; display: flex; gap: 28px; background: #f6f8fa }
body { font: 17px/1.5 sans-serif; color: #1f2328 }
section { flex: 0 0 440px; display: flex; flex-direction: column; gap: 20px }
article { background: white; border: 1px solid #d1d9e0; border-radius: 10px; padding: 14px 20px }
h2 { margin: 0 0 6px; font-size: 15px; color: #59636e } p { margin: 0 } small { color: #59636e; font-size: 14px }
figure { flex: 1; align-self: start; margin: 0; overflow: hidden; border: 1px solid #d1d9e0; border-radius: 10px }
img { width: 100%; display: block }
"""


def document(style: str, body: str, base: Path) -> str:
    """Return an HTML page whose relative addresses start at `base`."""
    return f'<!doctype html><meta charset="utf-8"><base href="{base.as_uri()}/"><style>{style}</style>{body}'


def draw_report(page: Page, run: Path, scratch: Path) -> None:
    """Draw a run's report: light, dark, on a telephone, and a row with its ancestry."""
    url = write_report(read_run(dataset_folder(run), "the demo's data", run), scratch / "report").as_uri()
    page.open(url)
    page.screenshot(DOCS / "report-overview.png")
    page.prefer(color_scheme="dark", reduced_motion="reduce")
    page.open(f"{url}#case-studies")
    page.until("scrollY > 500")
    page.screenshot(DOCS / "report-dark.png")
    page.prefer(color_scheme="light", reduced_motion="reduce")
    page.open(f"{url}#rows?step=stage2_rewrite")
    page.until("document.querySelector('[role=option] .snippet')")
    page.evaluate("document.querySelector('[role=option]').click()")
    page.until("document.querySelector('.ancestry')")
    page.screenshot(DOCS / "report-rows.png")
    page.size(390, 844, mobile=True)
    page.open(url)
    page.screenshot(DOCS / "report-phone.png")


def draw_card(page: Page, run: Path, scratch: Path) -> None:
    """Draw the beginning of the card that `personamath publish` would upload."""
    published = scratch / "published"
    write_version(dataset_folder(run), published, demo.DATA_NAME, demo.VERSION)
    _, _, text = (published / "README.md").read_text(encoding="utf-8").split("---\n", 2)
    body = markdown(text, extensions=["markdown.extensions.fenced_code", "markdown.extensions.tables"])
    show(page, scratch, document(CARD_STYLE, body, published), HEIGHT)
    page.screenshot(DOCS / "card.png")


def draw_first_look(page: Page, run: Path, scratch: Path) -> None:
    """Draw a rewrite beside its original, and the report."""
    rewrite = next(row for row in read_rows(dataset_folder(run)) if row.step == "stage1_rewrite" and not row.flag)
    texts = (
        ("A problem", rewrite.seed_problem),
        ("Its rewrite", rewrite.problem),
    )
    articles = "".join(f"<article><h2>{title}</h2><p>{html.escape(text)}</p></article>" for title, text in texts)
    persona = f"<small>for the persona: {html.escape(str(rewrite.columns['persona']))}</small>"
    model = f"<small>Written by {html.escape(RECORDED_MODEL)} in the demo</small>"
    body = f'<section>{articles}{persona}{model}</section><figure><img src="report-overview.png"></figure>'
    show(page, scratch, document(FIRST_LOOK_STYLE, body, DOCS), FIRST_LOOK_HEIGHT)
    page.screenshot(DOCS / "first-look.png")


def show(page: Page, scratch: Path, text: str, height: int) -> None:
    """Open a document in a window of that height, and wait for its pictures."""
    file = scratch / "document.html"
    file.write_text(text, encoding="utf-8")
    page.size(WIDTH, height)
    page.open(file.as_uri())
    page.until("[...document.images].every((image) => image.complete && image.naturalWidth)")


def main() -> None:
    """Draw all pictures."""
    with tempfile.TemporaryDirectory() as folder, chromium(Path(folder) / "profile") as page:
        scratch = Path(folder)
        run = scratch / "demo"
        replay(run)
        draw_report(page, run, scratch)
        draw_first_look(page, run, scratch)
        draw_card(page, run, scratch)


if __name__ == "__main__":
    main()
