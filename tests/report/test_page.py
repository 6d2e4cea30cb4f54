"""The report's page in a real browser: what a reader does, what an attacker tries, and how it looks to whom."""

import json
import re
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from personamath.errors import BadInput
from personamath.folder.marks import Marks
from personamath.records import Problem
from personamath.report.analysis.cases import case_studies
from personamath.report.analysis.composition import composition
from personamath.report.analysis.not_kept import Lost, NotKept
from personamath.report.analysis.persona_groups import HEADINGS
from personamath.report.analysis.result import Analyses, Analysis, Cell, Chart, Series, Table
from personamath.report.analysis.rows import RunData
from personamath.report.palette import COLOURS, GRAPHICS_ON, TEXT_ON
from personamath.report.write import write_found
from tests.support.chromium import PATIENCE, Page
from tests.support.reports import HOSTILE, HOSTILE_PERSONA, PERSONA, report_data, row

# What is written, and how much of it is mathematics: formulas, and of them displayed ones.
WRITTEN = [
    ("She pays $5 for milk and $10 for bread.", 0, 0),
    ("From $3-$4 a box ($2 each) to $7.", 0, 0),
    ("She spends $9*4=$<<9*4=36>>36 on milk, then $6.", 0, 0),
    ("Let $x$ cost $5 and $y$ cost $6.", 2, 0),
    (r"A pen is \$5 and a book is \$10.", 0, 0),
    (r"It is \(a+b\), so \[c = d\] holds, and $$e$$ too.", 3, 2),
    (r"\begin{align*} a &= b \\ c &= d \end{align*}", 1, 1),
    (r"The answer is \boxed{12}.", 1, 0),
    (r"**Step 1:** take $x^2$", 1, 0),
    ("### Step $n$\nThen.", 1, 0),
    ('[asy] draw((0,0)--(1,1)); label("$A$", (0,0)); [/asy]', 0, 0),
    (r"It costs $\$5$ and $20\%$.", 2, 0),
    ("$ not mathematics $", 0, 0),
    ("an end without a beginning $", 0, 0),
    (r"It is $\boxed{\text{Wednesday}}$.", 1, 0),
    ("```python\n# not a heading\nprint($x$)\n```", 0, 0),
    (r"\[ never closed", 0, 0),
]
LAST = f"math-train-01{len(WRITTEN) - 1:03}"
ANALYSES = Analyses(
    (
        Analysis(
            "levels",
            "Levels",
            "Wrong ones are harder.",
            Table(
                ("answer", "mean level", "kept %"), (("right", 3.0, 0.5), ("wrong", 4.25, None), (HOSTILE, 1.0, 1.0))
            ),
            Chart(
                "bars",
                "answer",
                "mean level",
                (Series(HOSTILE, ("right", "wrong"), (3.0, 4.25), (2.0, 4.0), (4.0, 5.0)),),
            ),
            f"Table 1 of the paper, beside {HOSTILE}",
            warning=f"Few rows: {HOSTILE}",
        ),
        Analysis(
            "examples",
            "Examples",
            "One of each.",
            Table(
                ("step", "row", "text"),
                (("solved", "math-train-00001", "Long enough for others' text: $x^2$ is what it says. " * 2),),
            ),
            None,
            "",
        ),
    ),
    (),
)


def lost(id: str, kind: str, reason: str, text: str, problem: str | None = None, level: int = 3) -> NotKept:
    seed = Problem(id.partition("/")[0], "math", "What is $2 + 3$?", "5", level, "Algebra")
    persona = PERSONA.description if "/p" in id else None
    prompt = f"Rewrite it.\nPersona: {persona}\nProblem: {seed.question}"
    digest = f"{len(text):08x}" + "0" * 24
    return NotKept(id, seed, kind, reason, problem, "5", persona, prompt, text, "teacher-1", digest)


# The first is of a seed problem with rows, the others are of one without any.
LOST = (
    lost("math-train-00001/p0007", "stage1_rewrite: rewrite", "refused", "I cannot do that."),
    lost("math-train-00003", "stage1_inference", "wrong answer", "It is 6: \\boxed{6}.", "What is $2 + 3$?"),
    lost("math-train-00003", "stage2_reflection", "wrong answer", f"Now 7. {HOSTILE}", "What is $2 + 3$?"),
)
COUNTS = {("stage1_rewrite: rewrite", "refused"): 1, ("stage1_inference", "wrong answer"): 9,
          ("stage2_reflection", "wrong answer"): 1}  # fmt: skip


@pytest.fixture(scope="module")
def data() -> RunData:
    """With an attacker's row in it."""
    hostile = row("stage2_rewrite", "math-train-00666", HOSTILE, HOSTILE, HOSTILE_PERSONA)
    hostile = replace(hostile, seed_problem=HOSTILE, subject=HOSTILE, answer=HOSTILE, teacher=HOSTILE, source=HOSTILE)
    hostile = replace(hostile, id=f"{hostile.id} {HOSTILE}", columns={**hostile.columns, "review": HOSTILE})
    written = [row("stage1_inference", f"math-train-01{n:03}", text, text) for n, (text, _, _) in enumerate(WRITTEN)]
    written.append(row("stage1_inference", "math-train-00999", "Long", "$x$ " * 15_000))
    data = report_data(hostile, *written, name=f"runs/v1 {HOSTILE}")
    return replace(data, wrong={**(data.wrong or {}), "math-train-00666": HOSTILE}, lost=Lost(LOST, COUNTS))


@pytest.fixture(scope="module")
def address(data: RunData, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Of the report's page."""
    return write_found(data, ANALYSES, tmp_path_factory.mktemp("report")).as_uri()


@pytest.fixture
def page(browser: Page) -> Iterator[Page]:
    """A tab for one test, with nothing red in its console after it."""
    yield browser
    assert browser.problems == []


def open_rows(page: Page, address: str, state: str = "") -> None:
    page.open(f"{address}#rows?{state}")
    page.until("document.querySelector('[data-part=count]').dataset.done")


def count(page: Page) -> str:
    return str(page.until("document.querySelector('[data-part=count][data-done=true]')?.textContent"))


def shown_ids(page: Page) -> list[str]:
    return list(page.evaluate("[...document.querySelectorAll('.meta')].map((meta) => meta.firstChild.textContent)"))


def ask(page: Page, query: str) -> str:
    """Search as a person does; gives the count."""
    page.evaluate("document.querySelector('[data-part=query]').select()")
    page.type(query)
    page.press("Enter")
    return count(page)


def downloaded(page: Page, part: str, name: str) -> Path:
    """Press a button that saves a file; gives the file."""
    path = page.downloads / name
    path.unlink(missing_ok=True)
    page.evaluate(f"document.querySelector('[data-part={part}]').click()")
    end = time.monotonic() + PATIENCE
    while not path.exists():
        assert time.monotonic() < end, f"{name} was never saved"
        time.sleep(0.02)
    return path


def exported(page: Page) -> list[dict[str, Any]]:
    """Save the rows of the list; gives them."""
    count(page)
    lines = downloaded(page, "export", "rows.jsonl").read_text(encoding="utf-8").split("\n")
    return [json.loads(line) for line in lines if line]


def choose(page: Page, facet: str, value: str) -> None:
    page.evaluate(
        f"""(() => {{
          const select = document.querySelector("select[name={facet}]");
          select.value = [...select.options].find((option) => option.text.startsWith("{value}")).value;
          select.dispatchEvent(new Event("change"));
        }})()"""
    )


def test_the_page_opens_with_its_findings_and_loads_nothing(page: Page, address: str) -> None:
    page.open(address)
    assert page.evaluate("[...document.querySelectorAll('h2')].slice(0, 4).map((h) => h.textContent)") == [
        "Verdict",
        "The funnel",
        "Levels",
        "Examples",
    ]
    assert page.evaluate("document.querySelectorAll('figure .broad svg').length") == 2
    assert (
        page.evaluate(
            "performance.getEntriesByType('resource').map((r) => r.name).filter((n) => !n.startsWith('data:'))"
        )
        == []
    )


def test_figures_take_the_pages_colours(page: Page, address: str) -> None:
    page.open(address)
    fills = "[...document.querySelectorAll('figure path')].map((path) => getComputedStyle(path).fill)"
    assert rgb(COLOURS["series-1"].light) in page.evaluate(fills)
    page.prefer(color_scheme="dark")
    assert rgb(COLOURS["series-1"].dark) in page.evaluate(fills)


def test_a_row_named_in_a_table_opens(page: Page, address: str) -> None:
    page.open(address)
    assert page.evaluate("document.querySelectorAll('#examples .text .katex').length") == 2
    page.evaluate("document.querySelector('td a').click()")
    page.until("document.querySelector('article h2')?.textContent === 'math-train-00001'")


def test_search_finds_words_in_the_row_and_in_what_it_came_from(page: Page, address: str) -> None:
    open_rows(page, address)
    total = count(page)
    page.evaluate("document.querySelector('[data-part=query]').focus()")
    assert ask(page, "QUICHE").startswith("1 of ")
    assert shown_ids(page) == ["math-train-00002/p0000"]
    assert page.evaluate("document.querySelector('.snippet mark').textContent") == "quiche"
    assert ask(page, "plainly").startswith("2 of "), "the wrong solution is part of both rows' ancestry"
    assert ask(page, "lyon cook").startswith("2 of ") and ask(page, '"lyon cook"').startswith("0 of ")
    assert page.evaluate("!document.querySelector('[data-part=empty]').hidden")
    assert ask(page, r"\frac{1}{2}").startswith("1 of ")
    page.evaluate("document.querySelector('[data-part=clear]').click()")
    assert count(page) == total


def test_filters_narrow_the_list_and_stand_in_the_address(page: Page, address: str) -> None:
    open_rows(page, address)
    choose(page, "step", "Stage 2: rewrite")
    assert count(page).startswith("2 of ")
    choose(page, "level", "5")
    assert count(page).startswith("1 of ") and shown_ids(page) == ["math-train-00002/p0000"]
    link = page.evaluate("location.href")
    page.open(link)
    assert count(page).startswith("1 of ")
    choose(page, "level", "all")
    choose(page, "group", "Services")
    assert count(page).startswith("1 of ")


def test_what_was_not_kept_is_found_by_its_reason_with_what_it_came_from(page: Page, address: str) -> None:
    open_rows(page, address)
    rows = count(page)
    labels = page.evaluate("[...document.querySelector('select[name=outcome]').options].map((option) => option.text)")
    assert labels[1:-1] == ["not kept (3 of 11)", "wrong answer (2 of 10)", "refused (1)"]
    choose(page, "outcome", "not kept")
    assert count(page) == "3 answers"
    choose(page, "outcome", "refused")
    assert count(page) == "1 answer" and shown_ids(page) == ["math-train-00001/p0007~00000011"]
    page.evaluate("document.querySelector('[role=option]').click()")
    page.until("document.querySelector('.ancestry')")
    parts = page.evaluate("[...document.querySelectorAll('.ancestry h3')].map((h) => h.firstChild.textContent)")
    assert parts == ["Seed problem", "Persona", "Prompt", "The teacher’s answer", "Not kept", "Reference answer"]
    assert page.evaluate("document.querySelector('.ancestry pre').textContent") == LOST[0].prompt
    assert page.evaluate("document.querySelector('.reason').textContent") == "refused"
    assert page.evaluate("document.querySelectorAll('.actions [name=good]').length") == 0, "it is no row"
    siblings = page.evaluate("[...document.querySelectorAll('.family button')].map((button) => button.textContent)")
    assert siblings == ["Stage 1: inference", "p0000", "p0007: refused"]
    steps = "[...document.querySelectorAll('select[name=step] option')].map(({ text, disabled }) => [text, disabled])"
    assert ["Stage 1: rewrite (1)", False] in page.evaluate(steps) and ["Stage 2: rewrite (0)", True] in page.evaluate(
        steps
    )
    choose(page, "outcome", "kept and")
    assert int(count(page).split()[0]) == int(rows.split()[0]) + 3
    assert ask(page, '"2 + 3"').startswith("3 of "), "the prompt is searched too"
    page.evaluate("document.querySelector('[data-part=clear]').click()")
    assert count(page) == rows


def test_the_list_can_be_ordered_by_length_and_by_level(page: Page, address: str, data: RunData) -> None:
    lengths = sorted(len(row.response) for row in data.rows)
    open_rows(page, address, "sort=shortest")
    first, *_ = exported(page)
    assert len(first["response"]) == lengths[0]
    choose(page, "sort", "longest")
    first, *_, last = exported(page)
    assert [len(first["response"]), len(last["response"])] == [lengths[-1], lengths[0]]
    choose(page, "sort", "highest")
    levels = [row["level"] for row in exported(page)]
    known = [level for level in levels if level is not None]
    assert known == sorted(known, reverse=True) and levels[: len(known)] == known
    assert page.evaluate("location.hash").endswith("sort=highest")
    ask(page, "lyon")
    assert [row["level"] for row in exported(page)] == [5, 1]


def test_a_copied_row_and_exported_rows_are_the_datasets(page: Page, address: str, data: RunData) -> None:
    columns = list(data.layout.columns)
    expected = {row.id: {name: row.column(name) for name in columns} for row in data.rows}
    open_rows(page, address)
    assert {row["id"]: row for row in exported(page)} == expected
    open_rows(page, address, "row=math-train-00002/p0000")
    page.until("document.querySelector('[name=copy]')")
    page.evaluate("navigator.clipboard.writeText = async (text) => { window.copied = text; }")
    page.evaluate("document.querySelector('[name=copy]').click()")
    assert json.loads(page.until("window.copied")) == expected["math-train-00002/p0000"]
    # Without the newer function, as on a page from a server without HTTPS.
    page.evaluate("navigator.clipboard.writeText = () => Promise.reject()")
    page.evaluate("addEventListener('copy', () => { window.copied = document.activeElement.value + ' '; })")
    page.evaluate("document.querySelector('[name=copy]').focus()")
    page.press("Enter")  # as a person does it: a page may not copy by itself
    assert json.loads(page.until("window.copied.endsWith(' ') && window.copied"))["id"] == "math-train-00002/p0000"
    choose(page, "outcome", "not kept")
    assert [(row["kept"], row["kind"], row["reason"]) for row in exported(page)] == [
        (False, one.kind, one.reason) for one in LOST
    ]


def test_marks_last_and_are_saved_as_the_commands_read_them(page: Page, address: str, data: RunData) -> None:
    open_rows(page, address)
    page.evaluate("document.querySelector('[data-part=list]').focus()")
    for key in ("Home", "g", "ArrowDown", "b", "ArrowDown", "g", "g"):
        page.press(key)
        page.evaluate("new Promise((done) => setTimeout(done, 60))")
    assert page.evaluate("document.querySelector('[data-part=said]').textContent") == "No longer marked."
    open_rows(page, address, "mark=good")
    assert shown_ids(page) == [data.rows[0].id]
    page.until("document.querySelector('.meta .good')")
    choose(page, "mark", "bad")
    assert shown_ids(page) == [data.rows[1].id]
    path = downloaded(page, "save", "marks.jsonl")
    kept, marked = Marks.read(path).only_good(data.rows)
    assert kept == [data.rows[0]] and marked["left_out"]["marked bad"] == 1
    remade = (replace(data.rows[0], response="Another."), *data.rows[1:])
    with pytest.raises(BadInput, match="made for another dataset"):
        Marks.read(path).only_good(remade)
    again = write_found(replace(data, rows=remade), ANALYSES, path.parent / "remade").as_uri()
    open_rows(page, again, "mark=good")
    assert count(page).startswith("0 of "), "a row that was made again has no mark"
    open_rows(page, again, "mark=bad")
    assert shown_ids(page) == [data.rows[1].id]
    page.evaluate("localStorage.clear()")


def test_the_list_holds_only_what_is_in_sight(page: Page, address: str) -> None:
    open_rows(page, address)
    assert page.evaluate("document.querySelectorAll('[role=option]').length") < 30
    page.evaluate("document.querySelector('[data-part=list]').scrollTop = 1e9")
    page.until(f"[...document.querySelectorAll('.meta')].some((meta) => meta.firstChild.textContent === '{LAST}')")
    page.until("document.querySelector('[role=option]:last-child .snippet').textContent.startsWith('\\\\[ never')")


def test_a_row_shows_its_whole_ancestry(page: Page, address: str) -> None:
    open_rows(page, address, "row=math-train-00002/p0000")
    page.until("document.querySelector('.ancestry')")
    parts = page.evaluate("[...document.querySelectorAll('.ancestry h3')].map((h) => h.firstChild.textContent)")
    assert parts == ["Seed problem", "Wrong solution", "Review", "Persona", "Rewrite", "Correction", "Reference answer"]
    assert page.evaluate("document.querySelectorAll('.ancestry .katex').length") == 6
    assert page.evaluate("document.querySelectorAll('.ancestry .katex-error').length") == 0
    page.evaluate("document.querySelector('.family button').click()")
    page.until("document.querySelector('article h2').textContent === 'math-train-00002'")
    parts = page.evaluate("[...document.querySelectorAll('.ancestry h3')].map((h) => h.firstChild.textContent)")
    assert parts == ["Seed problem", "Wrong solution", "Review", "Correction", "Reference answer"]


def test_mathematics_is_told_from_money(page: Page, address: str) -> None:
    open_rows(page, address)
    solution = "[...document.querySelectorAll('.ancestry li')][1].querySelector('.text')"
    for number, (text, formulas, displayed) in enumerate(WRITTEN):
        id = f"math-train-01{number:03}"
        page.evaluate(f"location.hash = '#rows?row={id}'")
        page.until(f"document.querySelector('article h2')?.textContent === '{id}' && {solution}")
        assert page.evaluate(f"{solution}.querySelectorAll('.katex').length") == formulas, text
        assert page.evaluate(f"{solution}.querySelectorAll('.katex-display').length") == displayed, text
        assert page.evaluate(f"{solution}.querySelectorAll('.katex-error').length") == 0, text
        if not formulas and not text.startswith("```"):
            assert page.evaluate(f"{solution}.textContent") == text.replace(r"\$", "$")


def test_words_in_a_formula_stay_in_one_line(page: Page, address: str) -> None:
    number = next(number for number, (text, _, _) in enumerate(WRITTEN) if "Wednesday" in text)
    open_rows(page, address, f"row=math-train-01{number:03}")
    page.until("document.querySelector('.ancestry .katex .text')")
    assert page.evaluate("document.querySelector('.ancestry .katex .text').getClientRects().length") == 1
    assert page.evaluate("document.querySelector('.ancestry .katex .text').offsetHeight") < 30


def test_a_box_of_text_scrolls_sideways_only_and_cuts_nothing(page: Page, address: str) -> None:
    open_rows(page, address, "row=math-train-00002/p0000")
    page.until("document.querySelector('.ancestry .katex')")
    boxes = "[...document.querySelectorAll('.ancestry li > .text')]"
    assert page.evaluate(f"{boxes}.filter((box) => box.scrollHeight > box.clientHeight).length") == 0


def test_browsers_without_the_newest_functions_show_the_rows(page: Page, address: str) -> None:
    added = page.send("Page.addScriptToEvaluateOnNewDocument", source="delete Uint8Array.fromBase64")
    open_rows(page, address, "row=math-train-00001")
    page.until("document.querySelector('.ancestry .katex')")
    page.send("Page.removeScriptToEvaluateOnNewDocument", identifier=added["identifier"])


def test_everything_is_reached_by_keyboard(page: Page, address: str) -> None:
    open_rows(page, address)
    name = "({dataset, name, id, className}) => dataset.part || dataset.view || name || id || className"
    order = []
    for _ in range(15):
        page.press("Tab")
        order.append(page.evaluate(f"({name})(document.activeElement)"))
    assert order == [
        *("skip", "report", "rows", "theme", "query", "export", "save", "outcome"),
        *("step", "source", "level", "group", "mark", "sort", "list"),
    ]
    page.press("ArrowDown")
    page.until("document.querySelector('article h2')?.textContent === 'gsm8k-train-00000'")
    page.press("End")
    page.until("document.querySelector('article h2')?.textContent === '" + LAST + "'")
    assert (
        page.evaluate(
            "document.getElementById(document.activeElement.getAttribute('aria-activedescendant')).getAttribute('aria-selected')"
        )
        == "true"
    )
    page.press("Home")
    page.press("PageDown")
    page.press("ArrowUp")
    page.press("Enter")
    page.until("document.activeElement.dataset.part === 'detail'")
    page.press("Escape")
    page.until("document.activeElement.dataset.part === 'list'")
    page.press("/")
    page.until("document.activeElement.dataset.part === 'query'")
    assert page.evaluate("document.activeElement.value") == ""
    page.open(address)
    page.press("Tab")
    page.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


def test_a_telephone_has_no_horizontal_scroll_and_shows_one_thing_at_a_time(page: Page, address: str) -> None:
    page.size(360, 740, mobile=True)
    overflow = "document.documentElement.scrollWidth - 360"
    page.open(address)
    assert page.evaluate(overflow) <= 0
    open_rows(page, address)
    assert page.evaluate(overflow) <= 0
    page.evaluate("document.querySelectorAll('[role=option]')[2].click()")
    page.until("document.querySelector('.ancestry')?.checkVisibility()")
    assert page.evaluate(overflow) <= 0
    assert not page.evaluate("document.querySelector('[data-part=list]').checkVisibility()")
    page.evaluate("document.querySelector('[data-part=back]').click()")
    page.until("document.querySelector('[data-part=list]').checkVisibility()")
    page.evaluate("document.querySelectorAll('[role=option]')[3].click()")
    page.until("document.querySelector('.ancestry')?.checkVisibility()")
    page.evaluate("history.back()")
    page.until("document.querySelector('[data-part=list]').checkVisibility()")


# Boxes whose content is larger than they are, so that a browser gives them a scrollbar.
SCROLLED = """[...document.querySelectorAll('#report *')].filter((box) => {
  const style = getComputedStyle(box);
  const wide = /auto|scroll/.test(style.overflowX) && box.scrollWidth > box.clientWidth;
  const high = /auto|scroll/.test(style.overflowY) && box.scrollHeight > box.clientHeight;
  return box.checkVisibility() && (wide || high);
}).map((box) => box.className)"""


@pytest.fixture(scope="module")
def findings(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of a page with the findings that take most room."""
    data = report_data()
    found = Analyses((case_studies(data), composition(data), wide_table()), ())
    return write_found(data, found, tmp_path_factory.mktemp("findings")).as_uri()


@pytest.mark.parametrize(("width", "height", "mobile"), [(1280, 900, False), (390, 844, True)])
def test_no_box_of_the_findings_has_a_scrollbar(
    page: Page, findings: str, width: int, height: int, mobile: bool
) -> None:
    page.size(width, height, mobile=mobile)
    page.open(findings)
    page.evaluate("document.querySelectorAll('details').forEach((one) => (one.open = true))")
    assert page.evaluate(SCROLLED) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width  # `innerWidth` grows with what is too wide
    drawn = page.evaluate("[...document.querySelectorAll('figure svg')].filter((svg) => svg.checkVisibility()).length")
    assert drawn == page.evaluate("document.querySelectorAll('figure').length"), "one drawing for each width"


def wide_table() -> Analysis:
    """A table of as many columns as that of the personas."""
    measures = [name for heading in HEADINGS for name in (heading, "low %", "high %")]
    columns = ("occupation", "asked for", "kept %", *measures)
    rows: tuple[tuple[Cell, ...], ...] = (
        ("Skilled Agricultural, Forestry and Fishery Workers", 1_234, *(0.1234,) * (1 + len(measures))),
    )
    return Analysis("wide", "Wide", "It is wide.", Table(columns, rows), None, "By us.")


def test_each_step_is_shown_before_and_after_with_its_mathematics(page: Page, tmp_path: Path) -> None:
    data = report_data()
    page.open(write_found(data, Analyses((case_studies(data),), ()), tmp_path).as_uri())
    cases = "[...document.querySelectorAll('.case h3')].map((heading) => heading.firstChild.textContent.trim())"
    assert page.evaluate(cases) == [step.label for step in (*data.outline.steps[1:], data.outline.steps[0])]
    titles = "[...one.querySelectorAll('.sides h4')].map((heading) => heading.textContent)"
    parts = f"[...document.querySelectorAll('.case')].map((one) => {titles})"
    assert page.evaluate(parts) == [
        ["Seed problem", "Rewritten problem"],
        ["Seed problem", "Wrong solution of the seed problem", "Review", "Corrected explanation"],
        ["Seed problem", "Rewritten problem"],
        ["Seed problem", "Response"],
    ]
    assert page.evaluate("document.querySelectorAll('.case .katex').length") > 8
    page.evaluate("document.querySelector('.case a').click()")
    page.until("document.querySelector('article h2')?.textContent.startsWith('math-train-')")


def test_programs_in_a_text_are_shown_as_they_are(page: Page, address: str) -> None:
    number = next(number for number, (text, _, _) in enumerate(WRITTEN) if text.startswith("```"))
    open_rows(page, address, f"row=math-train-01{number:03}")
    page.until("document.querySelector('.ancestry pre')")
    assert page.evaluate("document.querySelector('.ancestry pre').textContent") == "# not a heading\nprint($x$)"


def test_on_paper_the_page_is_light_and_without_its_controls(page: Page, address: str) -> None:
    page.prefer(color_scheme="dark", reduced_motion="reduce")
    page.open(address)
    page.send("Emulation.setEmulatedMedia", media="print", features=[])
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == rgb(COLOURS["page"].light)
    assert not page.evaluate("document.querySelector('header').checkVisibility()")
    page.send("Emulation.setEmulatedMedia", media="", features=[])


def test_an_attackers_row_does_nothing(page: Page, address: str) -> None:
    page.open(address)
    tags = "[...document.querySelectorAll(`script:not([type]), img, style, iframe, [onerror], [onload], [href^=java]`)]"
    tags += ".map((element) => element.tagName)"
    assert page.evaluate(tags) == ["STYLE", "SCRIPT", "SCRIPT"]
    assert HOSTILE[:40] in page.evaluate("document.querySelector('h1').textContent")
    open_rows(page, address, "q=window.hit")
    page.until("document.querySelector('.snippet mark')")
    page.evaluate("document.querySelector('[role=option]').click()")
    page.until("document.querySelectorAll('.ancestry li').length === 7")
    assert page.evaluate(tags) == ["STYLE", "SCRIPT", "SCRIPT"]
    assert page.evaluate("window.hit ?? null") is None
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    assert (
        page.evaluate("Math.max(...[...document.querySelectorAll('.ancestry .text')].map((t) => t.offsetHeight))")
        < 3000
    )
    assert page.evaluate("document.querySelectorAll('.skip').length") == 1, "KaTeX gives out no classes"
    drawn = page.evaluate("[...document.querySelectorAll('.ancestry .katex-html')].map((html) => html.innerText)")
    assert len(drawn) > 6 and not any("stolen" in html for html in drawn), "what one formula defines ends with it"


def test_a_text_of_absurd_length_is_shown_as_it_is(page: Page, address: str) -> None:
    open_rows(page, address, "row=math-train-00999")
    page.until("document.querySelector('.ancestry')")
    solution = "[...document.querySelectorAll('.ancestry .text')][1]"
    assert page.evaluate(f"[{solution}.textContent.length, {solution}.querySelectorAll('.katex').length]") == [
        60_000,
        0,
    ]


def test_what_would_get_in_is_refused_by_the_pages_policy(page: Page, address: str) -> None:
    page.open(address)
    page.evaluate(
        "document.body.append(Object.assign(document.createElement('script'), {textContent: 'window.hit = 1'}))"
    )
    page.evaluate("document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=\"window.hit = 2\">')")
    page.evaluate("document.body.insertAdjacentHTML('beforeend', '<style>body{display:none}</style>')")
    assert page.evaluate("fetch('https://example.org/').then(() => 'out', () => 'refused')") == "refused"
    assert page.evaluate("[window.hit ?? null, getComputedStyle(document.body).display]") == [None, "block"]
    page.evaluate("new Promise((done) => setTimeout(done, 50))")
    assert len(page.problems) >= 4 and all("Content Security Policy" in problem for problem in page.problems), (
        page.problems
    )
    page.problems.clear()


def test_the_theme_follows_the_reader_and_can_be_changed(page: Page, address: str) -> None:
    background = "getComputedStyle(document.body).backgroundColor"
    page.open(address)
    assert page.evaluate(background) == rgb(COLOURS["page"].light)
    page.prefer(color_scheme="dark", reduced_motion="reduce")
    assert page.evaluate(background) == rgb(COLOURS["page"].dark)
    page.until("document.getElementById('theme').getAttribute('aria-pressed') === 'true'")
    assert page.evaluate("getComputedStyle(document.documentElement).scrollBehavior") == "auto"
    page.evaluate("document.getElementById('theme').click()")
    assert page.evaluate(background) == rgb(COLOURS["page"].light)


def test_the_page_has_the_palettes_colours_and_contrast(address: str) -> None:
    html = Path(address.removeprefix("file://")).read_text(encoding="utf-8")
    found = {
        name: (light, dark) for name, light, dark in re.findall(r"--([\w-]+):light-dark\((#\w{6}),(#\w{6})\)", html)
    }
    assert found.keys() == COLOURS.keys()
    for pairs, least in ((TEXT_ON, 4.5), (GRAPHICS_ON, 3.0)):
        for front, backs in pairs.items():
            for back in backs:
                for theme in (0, 1):
                    assert contrast(found[front][theme], found[back][theme]) >= least, (front, back, theme)


def channels(colour: str) -> list[int]:
    return [int(colour[at : at + 2], 16) for at in (1, 3, 5)]


def rgb(colour: str) -> str:
    return f"rgb({', '.join(map(str, channels(colour)))})"


def linear(colour: str) -> list[float]:
    shares = [channel / 255 for channel in channels(colour)]
    return [share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in shares]


def contrast(one: str, other: str) -> float:
    """WCAG 2's contrast ratio."""
    light, dark = sorted(
        (sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear(x), strict=True)) for x in (one, other)),
        reverse=True,
    )
    return (light + 0.05) / (dark + 0.05)
