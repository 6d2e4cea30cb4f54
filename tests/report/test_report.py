"""The report folder: what stands in it, for whom, and that its numbers are those of the analyses."""

import base64
import csv
import gzip
import itertools
import json
import math
import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from personamath.commands.cli import main
from personamath.commands.report import looked_up
from personamath.errors import RunDirectoryError
from personamath.report.analysis.result import Analyses, Analysis, Cell, Chart, Series, Table
from personamath.report.browser import pack
from personamath.report.figures import draw
from personamath.report.markdown import section
from personamath.report.numbers import is_number, shown
from personamath.report.palette import COLOURS, SERIES
from personamath.report.write import write_found
from tests.support.reports import HOSTILE, PERSONA, report_data, row

BARS = Chart("bars", "answer", "kept %", (Series("ours", ("right", "wrong"), (0.5, 0.25), (0.25, 0.0), (1.0, 0.5)),))
LINES = Chart("lines", "words", "density", (Series("a", (1.0, 2.0), (0.1, 0.9)), Series("b", (1.0, 2.0), (0.5, 0.5))))
TABLE = Table(("answer", "rows", "kept %"), (("right", 1_234, 0.5), ("wrong", 5, None)))
ANALYSIS = Analysis("levels", "Levels", "Right ones are kept.", TABLE, BARS, "By `us`.", warning="Few rows.")


def unpacked(packed: str) -> Any:
    return json.loads(gzip.decompress(base64.b64decode(packed)))


@pytest.mark.parametrize(
    ("heading", "cells", "texts"),
    [
        ("rows", [1_234, 5, None], ["1,234", "5", "–"]),
        ("kept %", [0.5, 1, 0.12345, None], ["50.0", "100.0", "12.3", "–"]),
        ("mean", [3.14159, 12.5], ["3.1", "12.5"]),
        ("mean", [0.0123, 0.5], ["0.012", "0.500"]),
        ("words", [12_345.678, 1.0], ["12,346", "1"]),
        ("ratio", [math.nan, 2.0], ["–", "2.00"]),
        ("ratio", [0.0], ["0"]),
        ("name", ["a", "b"], ["a", "b"]),
    ],
)
def test_columns_are_shown_with_as_many_places_as_they_need(heading: str, cells: list[Cell], texts: list[str]) -> None:
    assert [line[0] for line in shown(Table((heading,), tuple((cell,) for cell in cells)))] == texts


def test_numbers_stand_in_columns_without_words() -> None:
    table = Table(("a", "b", "c", "d"), ((1, "1", None, 1), (0.5, 2, None, None)))
    assert [is_number(column, table) for column in range(4)] == [True, False, False, True]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a report with one analysis."""
    return write_found(report_data(), Analyses((ANALYSIS,), ()), tmp_path_factory.mktemp("report")).parent


def test_the_folder_holds_page_figures_numbers_and_markdown(written: Path) -> None:
    files = {str(path.relative_to(written)) for path in written.rglob("*") if path.is_file()}
    figures = {f"figures/{name}.{ending}" for name in ("funnel", "levels") for ending in ("svg", "png", "csv")}
    assert files == {"index.html", "report.md", *figures}
    with (written / "figures/levels.csv").open(newline="") as lines:
        assert list(csv.reader(lines)) == [["answer", "rows", "kept %"], ["right", "1234", "0.5"], ["wrong", "5", ""]]
    html = (written / "index.html").read_text()
    assert not re.findall(r"(?:src|href)=\"(?:https?:)?//", html), "nothing is loaded from anywhere"
    linked = set(re.findall(r'href="(figures/[^"]+)"', html))
    assert linked == figures


def test_the_same_data_gives_the_same_bytes(written: Path, tmp_path: Path) -> None:
    write_found(report_data(), Analyses((ANALYSIS,), ()), tmp_path)
    files = [path for path in written.rglob("*") if path.is_file()]
    assert files
    for path in files:
        assert path.read_bytes() == (tmp_path / path.relative_to(written)).read_bytes(), path


def test_the_funnel_comes_first_and_adds_up(written: Path) -> None:
    text = (written / "report.md").read_text()
    assert text.index("## The funnel") < text.index("## Levels")
    assert "42 seed problems became 44 rows with 42 requests to the teacher, of which 98% passed." in text
    with (written / "figures/funnel.csv").open(newline="") as lines:
        solve = next(line for line in csv.DictReader(lines) if line["asked"] != "0")
    assert (solve["asked"], solve["passed"], solve["dropped"]) == ("42", "41", "1 wrong answer")


def test_a_report_replaces_the_one_before(written: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(written, tmp_path / "report")
    page = write_found(report_data(name="runs/v2"), Analyses((), ()), folder)
    assert page == folder / "index.html" and "<h1>runs/v2</h1>" in page.read_text()


def test_a_report_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("of somebody else")
    with pytest.raises(RunDirectoryError, match=r"cannot write .*file \(.*\); choose another --output"):
        write_found(report_data(), Analyses((), ()), tmp_path / "file")


def test_every_row_is_packed_with_its_family() -> None:
    data = report_data()
    packed = pack(data)
    index = unpacked(packed.index)
    families = [family for chunk in packed.chunks for family in unpacked(chunk)]
    rows = [member for family in families for member in family["rows"]]
    assert [member["id"] for member in rows] == index["ids"] and set(index["ids"]) == {kept.id for kept in data.rows}
    assert (packed.rows, packed.left_out) == (44, 0)
    wrong = {family["rows"][0]["id"]: family["wrong"] for family in families if family["wrong"]}
    assert wrong == {"math-train-00002": "It is $5$, plainly."}
    steps = next(facet for facet in index["facets"] if facet["name"] == "step")
    assert [(value["label"], value["rows"]) for value in steps["values"]] == [
        ("Stage 1: inference", 41),
        ("Stage 1: rewrite", 1),
        ("Stage 2: reflection", 1),
        ("Stage 2: rewrite", 1),
    ]
    assert [steps["values"][code]["value"] for code in steps["codes"]] == [member["step"] for member in rows]


def test_flags_and_overlaps_are_filters() -> None:
    strayed = row("stage1_rewrite", "gsm8k-train-00001", "A", "B", PERSONA)
    rows = [replace(strayed, flag="missing 12; new 15", overlap="masked"), replace(strayed, id="x", flag="new 3")]
    facets = {facet["name"]: facet["values"] for facet in unpacked(pack(report_data(*rows)).index)["facets"]}
    assert {value["label"]: value["rows"] for value in facets["flag"]} == {"missing, new": 1, "new": 1, "none": 44}
    assert {value["label"]: value["rows"] for value in facets["overlap"]} == {"masked": 1, "none": 45}


def test_chunks_hold_whole_families_and_the_index_knows_where_they_start() -> None:
    families = [row("stage1_inference", f"math-train-{n:05}", "Q", "A") for n in range(100, 1_300)]
    packed = pack(report_data(*families))
    sizes = [sum(len(family["rows"]) for family in unpacked(chunk)) for chunk in packed.chunks]
    assert len(sizes) > 1 and unpacked(packed.index)["starts"] == [0, *itertools.accumulate(sizes)][:-1]


def test_more_rows_than_a_page_holds_are_left_out_by_whole_families() -> None:
    data = report_data()
    packed = pack(data, most=30)
    assert packed.rows <= 30 and packed.rows + packed.left_out == len(data.rows)
    ids = set(unpacked(packed.index)["ids"])
    seeds = {kept.seed_id for kept in data.rows if kept.id in ids}
    assert {kept.id for kept in data.rows if kept.seed_id in seeds} == ids


@pytest.mark.parametrize("chart", [BARS, LINES], ids=["bars", "lines"])
def test_figures_are_drawn_alike_every_time(chart: Chart) -> None:
    first = draw(chart, "a")
    assert draw(chart, "a") == first
    assert first.png.startswith(b"\x89PNG") and first.svg.startswith(b"<?xml")
    assert first.inline.startswith("<svg") and "<style" not in first.inline and "var(--series-1)" in first.inline
    # What one figure refers to is in no other.
    assert not set(re.findall(r'\bid="([^"]+)"', first.inline)) & set(
        re.findall(r'\bid="([^"]+)"', draw(chart, "b").inline)
    )


def test_figures_show_what_others_wrote_as_it_is() -> None:
    name = "$x$ <b> & \\frac{1}{2} ]]>"
    drawn = draw(Chart("bars", name, name, (Series("one", (name,), (1.0,)),)), "a").inline
    assert "$x$ &lt;b&gt; &amp; \\frac{1}{2}" in drawn and "<b>" not in drawn


@pytest.mark.parametrize("count", [1, 3, 40])
@pytest.mark.parametrize("name", ["a", "a long name of an occupation, e.g. of clerks"])
def test_bars_of_any_number_and_name_are_drawn(count: int, name: str) -> None:
    names = tuple(f"{name} {number}" for number in range(count))
    draw(Chart("bars", "x", "y %", (Series("zero", names, (0.0,) * count),)), "a")


def test_markdown_says_the_same_and_keeps_others_text_in_its_place() -> None:
    text = section(replace(ANALYSIS, table=Table(("text", "n"), ((HOSTILE, 1), ("plain", 2)))))
    assert text.splitlines()[:5] == ["## Levels", "", "Right ones are kept.", "", "> Few rows."]
    assert "![Levels](figures/levels.png)" in text and text.endswith("By `us`.")
    table = [line for line in text.splitlines() if line.startswith("|")]
    assert len(table) == 4 and all(line.count("|") == 3 for line in table), "nothing opens a cell or a line of its own"
    assert re.search(r"\| (`+) .*<img.* \1 +\|", table[2]), "markup stands in a code span"


def test_rows_are_looked_up_in_the_benchmarks_that_are_named(tmp_path: Path) -> None:
    benchmark = tmp_path / "test.jsonl"
    benchmark.write_text(json.dumps({"question": "Ann  has 3 apples."}) + "\n")
    data = looked_up(report_data(), [f"{benchmark}:question"])
    overlaps = {found.id: found.overlap for found in data.rows if found.overlap}
    assert overlaps == {f"gsm8k-train-{n:05}": "equal" if n == 3 else "masked" for n in range(40)}
    assert data.provenance["benchmarks"] == [{"source": "test.jsonl:question"}]


def test_colours_are_told_apart_by_colour_blind_readers() -> None:
    for blindness, (theme, _) in itertools.product(BLINDNESS.values(), enumerate(("light", "dark"))):
        seen = {name: _lab(COLOURS[name][theme], blindness) for name in SERIES}
        for one, other in itertools.combinations(SERIES, 2):
            assert math.dist(seen[one], seen[other]) > 20, (one, other, theme)


def test_the_command_writes_a_report_of_a_run(
    demo_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status = main(["report", str(demo_run), "--output", str(tmp_path / "report")])
    assert status == 0
    printed = capsys.readouterr().out.splitlines()
    assert printed == [(tmp_path / "report" / "index.html").as_uri()]
    html = (tmp_path / "report" / "index.html").read_text()
    titles = re.findall(r'<h2 id="[^"]+">([^<]+)</h2>', html)
    assert titles[:3] == ["Verdict", "Before and after", "The funnel"] and "Composition" in titles
    assert "This data is simulated" in html
    pictures = list((tmp_path / "report" / "figures").glob("*.svg"))
    assert len(pictures) == html.count("<figure role") >= 5


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere"], "nowhere: no such folder"),
        (["."], "no such file; give a run directory"),
        (["nowhere", "--without-stage-two", "x"], "is compared with the first --scores: give both"),
    ],
)
def test_what_is_no_data_set_is_told_in_one_line(
    arguments: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["report", *arguments]) == 1
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1


# How readers without one kind of cones see linear RGB (Machado, Oliveira and Fernandes 2009, severity 1).
BLINDNESS = {
    "none": ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)),
    "protanopia": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deuteranopia": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.01182, 0.04294, 0.968881)),
    "tritanopia": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.3039)),
}
TO_XYZ = ((0.4124, 0.3576, 0.1805), (0.2126, 0.7152, 0.0722), (0.0193, 0.1192, 0.9505))
WHITE = (0.9505, 1.0, 1.089)


def _lab(colour: str, blindness: tuple[tuple[float, ...], ...]) -> tuple[float, float, float]:
    """CIE L*a*b* of what a reader sees; 2.3 is the least difference that one notices."""
    shares = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in shares]
    seen = [min(1.0, max(0.0, value)) for value in _times(blindness, linear)]
    x, y, z = (
        value ** (1 / 3) if value > 0.008856 else 7.787 * value + 16 / 116
        for value in (value / white for value, white in zip(_times(TO_XYZ, seen), WHITE, strict=True))
    )
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def _times(matrix: tuple[tuple[float, ...], ...], vector: list[float]) -> list[float]:
    return [sum(a * b for a, b in zip(line, vector, strict=True)) for line in matrix]
