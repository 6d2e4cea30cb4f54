"""The dataset card: computed from the folder, valid on the Hub, and safe from the texts it shows."""

import json
import re
import struct
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import yaml
from huggingface_hub import DatasetCard, DatasetCardData
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import UndefinedError

from personamath.errors import BadInput
from personamath.folder.card import FolderFacts, dataset_card
from personamath.folder.chart import INK, OUT, PANEL, THROUGH
from personamath.folder.counts import Lengths
from personamath.folder.funnel_chart import draw_funnel
from personamath.folder.markdown import code, fenced, table
from personamath.folder.overlap import TestProblems
from personamath.folder.provenance import Origins
from personamath.methods import PersonaMath
from personamath.recipe import Recipe
from personamath.records import Row
from tests.support.folders import LAYOUT, RECIPE, SIZES, TRAINERS, UNCHECKED_CONFIGS, changed, row, rows, write

KINDS = tuple(kind.name for kind in LAYOUT.outline.kinds)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("data") / "dataset", rows())


@pytest.fixture
def facts(folder: Path) -> FolderFacts:
    return FolderFacts.read(folder)


def metadata(card: str) -> dict[str, Any]:
    return dict(yaml.safe_load(card.split("---\n")[1]))


# What the Hub documents for each key (huggingface_hub's DatasetCardData, datasets' resources, the Hub's licence list).
ALLOWED = {
    "license": {"apache-2.0", "cc-by-nc-sa-4.0", "mit", "other", "unknown"},
    "language": {"en"},
    "task_categories": {"text-generation", "question-answering"},
    "size_categories": {"n<1K", "1K<n<10K", "10K<n<100K", "100K<n<1M", "1M<n<10M", "10M<n<100M", "100M<n<1B"},
    "annotations_creators": {
        "found",
        "crowdsourced",
        "expert-generated",
        "machine-generated",
        "no-annotation",
        "other",
    },
    "source_datasets": {"openai/gsm8k", "EleutherAI/hendrycks_math"},
}
TYPED = {"pretty_name", "tags", "configs", "dataset_info"}


def test_the_yaml_holds_every_key_of_the_hub_with_a_documented_value(folder: Path) -> None:
    text = (folder / "README.md").read_text()
    data = metadata(text)
    assert set(data) == set(ALLOWED) | TYPED
    for key, allowed in ALLOWED.items():
        values = data[key] if isinstance(data[key], list) else [data[key]]
        assert values and set(values) <= allowed, key
    assert yaml.safe_load(DatasetCardData(**data).to_yaml()) == yaml.safe_load(DatasetCard(text).data.to_yaml()) == data
    assert [config["config_name"] for config in data["configs"] if config.get("default")] == ["default"]
    assert [config["config_name"] for config in data["configs"]] == [*UNCHECKED_CONFIGS, *TRAINERS]
    assert not {str(value) for value in data.values()} & {"None", "[]", ""}


SIZE_TABLE = [
    (0, "n<1K"),
    (999, "n<1K"),
    (1_000, "1K<n<10K"),
    (70_300, "10K<n<100K"),
    (128_900, "100K<n<1M"),
    (9_999_999, "1M<n<10M"),
]


@pytest.mark.parametrize(("count", "category"), SIZE_TABLE)
def test_the_size_category_follows_from_the_rows(facts: FolderFacts, count: int, category: str) -> None:
    for file, share in zip(facts.files.steps, (count, 0, 0, 0), strict=True):
        file.rows = share
    assert metadata(dataset_card(facts))["size_categories"] == [category]


def test_a_folder_renders_its_own_card_again(folder: Path, facts: FolderFacts) -> None:
    assert dataset_card(facts) == (folder / "README.md").read_text()


def test_an_unpublished_card_loads_from_a_path_and_a_published_one_by_its_version(facts: FolderFacts) -> None:
    local = dataset_card(facts)
    assert "not published" in local and "revision" not in local.split("## Columns")[0]
    card = dataset_card(facts, "me/PersonaMathQA", "v1.2.0", "### v1.2.0\n\n12 rows added.")
    assert 'print(load_dataset("me/PersonaMathQA", "default", revision="v1.2.0", split="train")[0])' in section(
        card, "Quick start"
    )
    counts = {config: sum(SIZES[step] for step in steps) for config, steps in UNCHECKED_CONFIGS.items()}
    counts |= {"sft": sum(SIZES.values()), "rl": len({row.problem for row in rows()})}
    for config, count in counts.items():
        assert cells(section(card, "Quick start"), f"`{config}`")[0] == f"{count:,}"
    assert "# PersonaMathQA v1.2.0" in card and "path/to" not in card and "not published" not in card
    assert card.index("## Changelog\n\n### v1.2.0\n\n12 rows added.") < card.index("## Citation")
    assert metadata(card) == metadata(local)
    assert "First version." in dataset_card(facts, "me/PersonaMathQA", "v1.0.0")


def section(card: str, title: str) -> str:
    return card.split(f"## {title}\n")[1].split("\n## ")[0]


def cells(text: str, first: str) -> list[str]:
    """The cells of the table row that begins with this one."""
    (line,) = (line for line in text.splitlines() if re.match(rf"\| *{re.escape(first)} *\|", line))
    return [cell.strip() for cell in line.strip("|").split("|")][1:]


def test_the_composition_stands_beside_the_papers(folder: Path) -> None:
    text = section((folder / "README.md").read_text(), "How it was made")
    counts = Counter((row.source, row.step) for row in rows())
    for source, name in (("gsm8k", "GSM8K"), ("math", "MATH")):
        ours = [counts[source, step] for step in SIZES]
        assert cells(text, f"{name}, this version") == [f"{count:,}" for count in [*ours, sum(ours)]]
    assert cells(text, "all, this version") == [f"{count:,}" for count in [*SIZES.values(), sum(SIZES.values())]]
    assert cells(text, "MATH, the paper") == ["5.4K", "23.8K", "0.2K", "1.9K", "31.8K"]


def test_the_statistics_are_those_of_the_rows(folder: Path) -> None:
    text = section((folder / "README.md").read_text(), "Statistics")
    for step in SIZES:
        for column in ("problem", "response"):
            words = sorted(len(getattr(row, column).split()) for row in rows() if row.step == step)
            assert cells(text, f"`{column}` of {PersonaMath.outline.step(step).label}") == summary(words)
    for level in range(1, 6):
        stages = Counter(row.columns["stage"] for row in rows() if row.level == level)
        assert cells(text, f"Level {level}") == [f"{stages[1]:,}", f"{stages[2]:,}"]
    stages = Counter(row.columns["stage"] for row in rows() if row.subject)
    assert cells(text, "`Algebra`") == [f"{stages[1]:,}", f"{stages[2]:,}"]


def summary(words: list[int]) -> list[str]:
    last = len(words) - 1
    picked = [
        words[0],
        words[-(-len(words) // 20) - 1],
        words[last // 2],
        words[-(-len(words) * 19 // 20) - 1],
        words[-1],
    ]
    return [f"{number:,}" for number in picked] + [f"{sum(words) / len(words):,.1f}"]


@given(st.lists(st.integers(0, 50), min_size=1))
def test_lengths_are_exact(words: list[int]) -> None:
    found = Lengths.of(Counter(words))
    assert [str(number) for number in (found.least, found.low, found.median, found.high, found.most)] == summary(
        sorted(words)
    )[:5]
    assert found.mean == pytest.approx(sum(words) / len(words))


def test_the_card_says_what_was_asked_and_dropped(facts: FolderFacts) -> None:
    requests = {kind: {"kept": 1} for kind in KINDS} | {
        "stage1_inference": {"kept": 12_100, "wrong answer": 2_700, "truncated": 150, "no final answer": 23}
    }
    provenance = json.loads(json.dumps(dict(facts.provenance)))
    provenance["funnel"]["requests"] = requests
    provenance["funnel"]["problems"]["skipped"] = {"no reference answer": ["math-train-00001", "math-train-00002"]}
    card = dataset_card(replace(facts, provenance=provenance))
    assert cells(card, "Stage 1: inference") == [
        "solve the seed problem",
        "14,973",
        "12,100",
        "2,700 wrong answer, 150 truncated, 23 no final answer",
    ]
    assert "; 2 skipped: no reference answer." in card


def test_a_missing_fact_stops_the_card(facts: FolderFacts) -> None:
    for fact in ("journal", "prompts", "packages"):
        with pytest.raises(UndefinedError, match=fact):
            dataset_card(replace(facts, provenance={k: v for k, v in facts.provenance.items() if k != fact}))


def test_math_rows_come_with_the_contamination_statement(folder: Path, tmp_path: Path) -> None:
    text = section((folder / "README.md").read_text(), "Contamination")
    assert (
        "have not been compared with any test problems" in text and "249 of the 7,500" in text and "517 share" in text
    )
    only_gsm8k = write(tmp_path / "dataset", [row("stage1_inference", 0)])
    text = section((only_gsm8k / "README.md").read_text(), "Contamination")
    assert "have not been compared with any test problems" in text and "249" not in text


def test_the_card_counts_overlaps_and_flags(tmp_path: Path) -> None:
    few = rows({"stage1_inference": 5, "stage1_rewrite": 5})
    some = [replace(row, problem=f"{row.problem} Add 77.") if row.id.endswith("3/p0001") else row for row in few]
    origins = replace(
        Origins.named(RECIPE), benchmarks=[{"source": "math"}], test_problems=TestProblems([few[0].seed_problem])
    )
    text = (write(tmp_path / "dataset", some, origins=origins) / "README.md").read_text()
    fidelity, contamination = section(text, "Fidelity"), section(text, "Contamination")
    assert "in 1 of 5 rewrites something is missing" in fidelity
    # All seed problems here are equal but for numbers.
    assert cells(contamination, "`equal`") == ["1", "1"]
    assert cells(contamination, "`masked`") == ["4", "4"]
    assert cells(contamination, "none") == ["0", "0"]
    assert "`math`" in contamination and "not been compared" not in contamination
    assert "| `strict` | 9 |" in text and "| `clean` |" not in text


def test_problems_that_the_package_carries_are_not_called_gsm8k_and_math(facts: FolderFacts) -> None:
    carried = {"source": "math:math-demo.jsonl", "package": "personamath 0.1.0", "bytes": 1, "sha256": "0"}
    card = dataset_card(replace(facts, provenance={**facts.provenance, "problems": [carried]}))
    assert metadata(card)["source_datasets"] == ["original"]
    assert "written for the PersonaMath project" in card and "249" not in section(card, "Contamination")
    card = dataset_card(replace(facts, provenance={**facts.provenance, "problems": [carried, {"source": "gsm8k"}]}))
    assert metadata(card)["source_datasets"] == ["openai/gsm8k"]


# Prompts, statistics and packages; the rows of each step, too.
FOLDED = ("The prompts", "Lengths", "The packages")
HOSTILE = "Solve.\n\n```\n````\n# Not a heading\n</details>\n---\n| a | b |\n{{ 7 * 7 }} {% raw %}\n~~~"


def test_texts_of_others_cannot_leave_their_place(tmp_path: Path) -> None:
    subject = "Al`ge`bra | x\n# Not a heading"
    hostile = replace(row("stage1_inference", 1), problem=HOSTILE, subject=subject)
    recipe = replace(RECIPE, teacher="a`b|c\n# Not a heading", problems=("math", "gsm8k:x/`a`.jsonl"))
    card = (write(tmp_path / "dataset", [hostile], recipe) / "README.md").read_text()
    outside = re.sub(r"^(`{3,})[a-z]*\n.*?^\1$|^<table>.*?^</table>$", "", card, flags=re.MULTILINE | re.DOTALL)
    assert "Not a heading" in outside and not re.search(r"^ {0,3}# Not", outside, re.MULTILINE)
    assert "7 * 7" in card and "7 * 7" not in outside
    assert outside.count("<details>") == outside.count("</details>") == 1 + len(FOLDED)
    assert all(f"<summary>{title}" in outside for title in FOLDED)
    # A cell that held a bar would be two.
    for line in outside.splitlines():
        if "Al`ge`bra" in line:
            assert line.count("|") == 4


class _Cells(HTMLParser):
    """The texts of a table's cells, as a browser shows them."""

    def __init__(self) -> None:
        super().__init__()
        self.cells: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag in ("td", "th"):
            self.cells.append("")
        elif tag == "br":
            self.cells[-1] += "\n"

    def handle_data(self, data: str) -> None:
        if self.cells:
            self.cells[-1] += data


def test_a_rewrite_stands_beside_its_original_on_top(tmp_path: Path) -> None:
    hostile = f"{HOSTILE}\n\n</td></table><script>1</script> &lt; $x$"
    one = changed(row("stage1_rewrite", 1), problem=hostile, persona="A cook </th> | a\nb", response="Two.\n\nThree.")
    card = (write(tmp_path / "dataset", [row("stage1_inference", 1), one]) / "README.md").read_text()
    top = card.split("## Quick start")[0]
    (block,) = re.findall(r"<table>\n.*?\n</table>\n\n", top, re.DOTALL)
    # A blank line would end the block, and the rest would be read as Markdown.
    assert "\n\n" not in block.strip()
    parser = _Cells()
    parser.feed(block)
    assert [cell.strip() for cell in parser.cells] == [
        *("A seed problem", "Rewritten for: A cook </th> | a\nb"),
        *(one.seed_problem, hostile),
        "The solution to train onTwo.\n\nThree.",
    ]


def test_a_method_that_rewords_nothing_shows_a_problem_and_its_solution(tmp_path: Path) -> None:
    one = row("stage1_inference", 1)
    top = (write(tmp_path / "dataset", [one]) / "README.md").read_text().split("## Quick start")[0]
    parser = _Cells()
    parser.feed(top[top.index("<table>") :])
    assert [cell.strip() for cell in parser.cells] == ["A problem", "Its solution", one.problem, one.response]


@given(st.text(alphabet="`~ab\n "))
def test_a_fence_is_longer_than_any_within(text: str) -> None:
    first, *inside, last = fenced(text).split("\n")
    fence = first.removesuffix("text")
    assert last == fence == "`" * len(fence) and len(fence) >= 3
    assert not any(fence in line for line in inside) and "\n".join(inside) == text


@given(st.text(alphabet="`|ab\n "))
def test_a_code_span_is_one_line_without_bars(text: str) -> None:
    span = code(text)
    assert "\n" not in span and "|" not in span
    fence = re.match("`+", span)
    assert fence and span.endswith(fence[0]) and f" {fence[0]}" not in span[:-1].replace(f" {fence[0]}", "", 1)


def test_a_table_is_padded_and_aligned() -> None:
    assert table(["of", "rows"], [["all", "1,234"], ["a", "5"]]).splitlines() == [
        "| of  |  rows |",
        "| --- | ----: |",
        "| all | 1,234 |",
        "| a   |     5 |",
    ]


def test_the_card_states_the_licence_of_every_source(tmp_path: Path, facts: FolderFacts) -> None:
    hub = Recipe(
        problems=("gsm8k", "math"), teacher="gpt-4o-mini", method=PersonaMath(personas="proj-persona/PersonaHub")
    )
    text = section(
        (write(tmp_path / "dataset", rows({"stage1_inference": 2}), hub) / "README.md").read_text(), "Licences"
    )
    assert "under **cc-by-nc-sa-4.0**" in text
    assert cells(text, "problems `gsm8k`") == ["mit"]
    assert cells(text, "completions by `gpt-4o-mini`")[0].startswith("[OpenAI's terms](https://openai.com/policies)")
    assert cells(text, "personas `proj-persona/PersonaHub`") == ["cc-by-nc-sa-4.0"]
    with pytest.raises(BadInput, match="contradicts"):
        dataset_card(FolderFacts.read(tmp_path / "dataset"), license="mit")
    mine = write(
        tmp_path / "mine", rows({"stage1_inference": 2}), replace(hub, method=PersonaMath(personas="mine.jsonl"))
    )
    assert "not know the licence of the personas `mine.jsonl`, and nobody" in (mine / "README.md").read_text()
    assert metadata(dataset_card(FolderFacts.read(mine), license="cc0-1.0"))["license"] == "cc0-1.0"


REQUESTS: dict[str, dict[str, int]] = {
    kind: {"kept": 40 + number, "wrong answer": 9} for number, kind in enumerate(KINDS)
}


def chunks(png: bytes) -> list[str]:
    """Names of a PNG's chunks."""
    names, place = [], 8
    while place < len(png):
        (length,) = struct.unpack(">I", png[place : place + 4])
        names.append(png[place + 4 : place + 8].decode())
        place += length + 12
    return names


def test_the_chart_is_a_function_of_the_counts() -> None:
    png = draw_funnel(REQUESTS, LAYOUT.outline)
    assert png[:8] == b"\x89PNG\r\n\x1a\n" and png == draw_funnel(REQUESTS, LAYOUT.outline)
    assert set(chunks(png)) == {"IHDR", "pHYs", "IDAT", "IEND"}  # no clock and no program's name
    assert png != draw_funnel(REQUESTS | {"stage2_reflection": {"kept": 1}}, LAYOUT.outline)
    assert draw_funnel({kind: {} for kind in KINDS}, LAYOUT.outline)  # nothing was asked


def luminance(color: str) -> float:
    parts = [int(color[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_the_chart_brings_its_own_background_so_it_reads_on_light_and_dark_pages() -> None:
    assert contrast(INK, PANEL) > 7  # WCAG's AAA
    assert contrast(THROUGH, PANEL) > 3 and contrast(THROUGH, OUT) > 3  # WCAG's for graphics


def test_a_row_of_each_step_is_shown_whole(folder: Path) -> None:
    text = section((folder / "README.md").read_text(), "Columns")
    shown = [block.splitlines() for block in re.findall(r"```text\n(.*?)\n```", text, re.DOTALL)]
    assert len(shown) == len(SIZES)
    firsts: list[Row] = [next(row for row in rows() if row.step == step) for step in SIZES]
    for lines, first in zip(shown, firsts, strict=True):
        assert f"id: {first.id}" in lines and f"request: {first.request}" in lines
        assert (f"persona: {first.columns['persona'] or 'null'}") in lines
