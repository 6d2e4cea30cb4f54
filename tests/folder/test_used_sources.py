"""What a card says about the sources of a dataset: they are named, cited and licensed as what they were."""

import re
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from personamath import load_recipe
from personamath.errors import BadInput
from personamath.folder.card import FolderFacts, dataset_card
from personamath.folder.citations import citations
from personamath.folder.licenses import check_license, decide, persona_license
from personamath.folder.provenance import Origins
from personamath.folder.used_sources import labels, made_from, misnamed, source_datasets
from tests.conftest import REPO
from tests.support.folders import RECIPE, changed, rows, write

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def on_hub(source: str, repo: str, split: str = "train", **more: Any) -> dict[str, Any]:
    return {
        "source": source,
        "hub": [{"repo": repo, "config": None, "split": split, "commit": COMMIT}],
        **more,
    }


def in_file(source: str, **more: Any) -> dict[str, Any]:
    return {"source": source, "sha256": "0" * 64, "bytes": 9, **more}


GSM8K, MATH = on_hub("gsm8k", "openai/gsm8k"), on_hub("math@main", "EleutherAI/hendrycks_math")
NUMINA = on_hub("AI-MO/NuminaMath-1.5@main:problem:answer", "AI-MO/NuminaMath-1.5", name="numinamath")
SHOP, SCHOOL = in_file("shop:mine.csv", published_as=None), in_file("school:b.jsonl", published_as=None)
NOT_GSM8K = in_file("gsm8k:mine.jsonl", published_as=None)
COPY = in_file("gsm8k:train.jsonl", published_as="gsm8k")
OF_0_1_0 = in_file("gsm8k:train.jsonl")
CARRIED = in_file("math:math-demo.jsonl", package="personamath 0.2.0")
PERSONA_HUB = on_hub("proj-persona/PersonaHub@main", "proj-persona/PersonaHub", local=False)
BUNDLED = {"source": "bundled", "local": False}
PEOPLE = {"source": "people.txt", "local": True}
NUMINA_LINK = f"[AI-MO/NuminaMath-1.5](https://huggingface.co/datasets/AI-MO/NuminaMath-1.5/tree/{COMMIT})"


class Case(NamedTuple):
    problems: list[dict[str, Any]]
    personas: dict[str, Any] | None
    made_from: str
    datasets: list[str]
    license: str
    cited: list[str]
    """Keys of the BibTeX entries after the paper's."""


NC = "cc-by-nc-sa-4.0"
CASES = {
    "the paper's": Case(
        [GSM8K, MATH],
        PERSONA_HUB,
        "training problems of GSM8K and MATH",
        ["openai/gsm8k", "EleutherAI/hendrycks_math", "proj-persona/PersonaHub"],
        NC,
        ["cobbe2021gsm8k", "hendrycks2021math", "ge2024personahub"],
    ),
    "the paper's with bundled personas": Case(
        [GSM8K, MATH],
        BUNDLED,
        "training problems of GSM8K and MATH",
        ["openai/gsm8k", "EleutherAI/hendrycks_math"],
        "apache-2.0",
        ["cobbe2021gsm8k", "hendrycks2021math"],
    ),
    "without personas": Case([GSM8K], None, "training problems of GSM8K", ["openai/gsm8k"], "mit", ["cobbe2021gsm8k"]),
    "a copy of GSM8K": Case(
        [COPY], BUNDLED, "training problems of GSM8K", ["openai/gsm8k"], "apache-2.0", ["cobbe2021gsm8k"]
    ),
    "one's own": Case([SHOP], BUNDLED, "problems of `shop` (the file `mine.csv`)", ["original"], "unknown", []),
    "called GSM8K": Case([NOT_GSM8K], BUNDLED, "problems of the file `mine.jsonl`", ["original"], "unknown", []),
    "a copy that 0.1.0 recorded": Case(
        [OF_0_1_0], BUNDLED, "problems of the file `train.jsonl`", ["original"], "unknown", []
    ),
    "three of one's own": Case(
        [SHOP, SCHOOL, NUMINA],
        PEOPLE,
        f"problems of `shop` (the file `mine.csv`), `school` (the file `b.jsonl`) and {NUMINA_LINK}",
        ["original", "AI-MO/NuminaMath-1.5"],
        "unknown",
        [],
    ),
    "a Hub dataset": Case([NUMINA], BUNDLED, f"problems of {NUMINA_LINK}", ["AI-MO/NuminaMath-1.5"], "unknown", []),
    "GSM8K's test split": Case(
        [on_hub("gsm8k", "openai/gsm8k", "test")],
        BUNDLED,
        f"problems of [openai/gsm8k](https://huggingface.co/datasets/openai/gsm8k/tree/{COMMIT})",
        ["openai/gsm8k"],
        "unknown",
        [],
    ),
    "bundled": Case([CARRIED], BUNDLED, "problems written for the PersonaMath project", ["original"], "apache-2.0", []),
    "some of each": Case(
        [GSM8K, SHOP, CARRIED],
        PERSONA_HUB,
        "training problems of GSM8K and problems of `shop` (the file `mine.csv`) and problems written for the "
        "PersonaMath project",
        ["openai/gsm8k", "original", "proj-persona/PersonaHub"],
        "unknown",
        ["cobbe2021gsm8k", "ge2024personahub"],
    ),
    "only names": Case(
        [{"source": "gsm8k"}, {"source": "math"}],
        BUNDLED,
        "training problems of GSM8K and MATH",
        ["openai/gsm8k", "EleutherAI/hendrycks_math"],
        "apache-2.0",
        ["cobbe2021gsm8k", "hendrycks2021math"],
    ),
}


def provenance(problems: list[dict[str, Any]], personas: dict[str, Any] | None = BUNDLED) -> dict[str, Any]:
    """What these functions read of a provenance.json; every source has rows."""
    names = [entry.get("name") or re.split("[:@]", entry["source"])[0] for entry in problems]
    return {
        "problems": problems,
        "personas": personas,
        "recipe": {"teacher": "teacher-1"},
        "funnel": {"rows": {"stage1_inference": dict.fromkeys(names, 1)}},
    }


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_sources_are_named_cited_and_licensed_as_what_they_were(case: Case) -> None:
    facts = provenance(case.problems, case.personas)
    assert made_from(facts) == case.made_from
    assert source_datasets(facts) == case.datasets
    assert decide(facts).license == case.license
    keys = [entry.partition("{")[2].partition(",")[0] for entry in citations(facts)]
    assert keys == ["luo2024personamath", *case.cited]


def test_a_source_without_rows_is_no_source_of_the_data() -> None:
    facts = provenance([GSM8K, SHOP])
    facts["funnel"]["rows"] = {"stage1_inference": {"gsm8k": 3}, "stage1_rewrite": {"shop": 0}}
    assert made_from(facts) == "training problems of GSM8K" and source_datasets(facts) == ["openai/gsm8k"]


def test_rows_are_called_gsm8k_only_if_all_of_them_are() -> None:
    assert labels(provenance([GSM8K, SHOP])) == {"gsm8k": "GSM8K", "shop": "shop"}
    assert labels(provenance([GSM8K, NOT_GSM8K])) == {"gsm8k": "gsm8k"}
    assert labels(provenance([in_file("exam:x.csv", published_as="math")])) == {"exam": "exam (MATH)"}
    assert misnamed(provenance([GSM8K, NOT_GSM8K])) == [
        "In this dataset the source `gsm8k` is only a name for problems of the file `mine.jsonl`: they are not known "
        "to be GSM8K's."
    ]
    assert misnamed(provenance([CARRIED])) == [
        "In this dataset the source `math` is only a name for problems written for the PersonaMath project: none of "
        "them is from MATH."
    ]


LICENSES = [
    ({"source": "bundled", "local": False}, "apache-2.0"),
    ({"source": "proj-persona/PersonaHub", "local": False}, NC),
    ({"source": "Proj-Persona/personahub:persona", "local": False}, NC),
    (PERSONA_HUB, NC),
    ({"source": "somebody/personas", "local": False}, "unknown"),
    ({"source": "personas.jsonl", "local": True}, "unknown"),
    ({"source": "bundled", "local": True}, "unknown"),  # a file that is only called so
]


@pytest.mark.parametrize(("personas", "license"), LICENSES)
def test_the_licence_of_personas_is_that_of_their_source(personas: dict[str, Any], license: str) -> None:
    assert persona_license(personas) == license


# problems, personas, --license, the licence to publish under
STATED = [
    ([GSM8K], BUNDLED, None, "apache-2.0"),
    ([GSM8K], BUNDLED, "Apache-2.0", "apache-2.0"),
    ([GSM8K], PERSONA_HUB, None, NC),
    ([GSM8K], None, None, "mit"),
    ([GSM8K], None, "CC-BY-4.0", "cc-by-4.0"),
    ([CARRIED, GSM8K], None, None, "apache-2.0"),
    ([GSM8K], PEOPLE, "mit", "mit"),
    ([SHOP], BUNDLED, "mit", "mit"),
    ([SHOP], None, "cc0-1.0", "cc0-1.0"),
    ([SHOP], PERSONA_HUB, NC, NC),
]


@pytest.mark.parametrize(("problems", "personas", "declared", "license"), STATED)
def test_a_licence_follows_from_the_parts_or_is_stated(
    problems: list[dict[str, Any]], personas: dict[str, Any] | None, declared: str | None, license: str
) -> None:
    assert check_license(declared, decide(provenance(problems, personas))) == license


REFUSED = [
    ([GSM8K], BUNDLED, "mit", "--license mit contradicts the personas' licence, apache-2.0"),
    ([GSM8K], PERSONA_HUB, "mit", "--license mit contradicts the personas' licence, cc-by-nc-sa-4.0"),
    ([SHOP], PERSONA_HUB, "mit", "--license mit contradicts the personas' licence, cc-by-nc-sa-4.0"),
    (
        [SHOP, GSM8K],
        BUNDLED,
        None,
        "the licence of the problems shop (the file mine.csv) is unknown: state the dataset's licence with --license, "
        "e.g. cc-by-4.0",
    ),
    (
        [NOT_GSM8K, NUMINA],
        PEOPLE,
        None,
        "the licence of the problems gsm8k (the file mine.jsonl) and of the problems numinamath "
        "(AI-MO/NuminaMath-1.5 on the Hub, see its card) and of the personas people.txt (a file) is unknown",
    ),
    ([SHOP], PERSONA_HUB, None, "with --license, e.g. cc-by-nc-sa-4.0"),
]


@pytest.mark.parametrize(("problems", "personas", "declared", "message"), REFUSED)
def test_a_licence_that_is_missing_or_contradicts_a_part_is_refused(
    problems: list[dict[str, Any]], personas: dict[str, Any] | None, declared: str | None, message: str
) -> None:
    with pytest.raises(BadInput, match=re.escape(message)):
        check_license(declared, decide(provenance(problems, personas)))


@pytest.mark.parametrize(("recipe", "license"), [("permissive", "apache-2.0"), ("paper-v1", NC)])
def test_the_shipped_recipes_have_the_licence_that_they_state(recipe: str, license: str) -> None:
    origins = Origins.named(load_recipe(REPO / "recipes" / f"augment-{recipe}.yaml"))
    assert decide(provenance([*map(dict, origins.problems)], dict(origins.personas or {}))).license == license


SIZES = {"stage1_inference": 3, "stage1_rewrite": 3, "stage2_reflection": 1, "stage2_rewrite": 2}


def card_of(case: Case, tmp_path: Path, license: str | None = None) -> str:
    """The card of a folder whose rows are spread over the sources of a case."""
    names = [entry.get("name") or re.split("[:@]", entry["source"])[0] for entry in case.problems]
    made = []
    for number, row in enumerate(rows(SIZES)):
        name = names[number % len(names)]
        seed = f"{name}-{row.seed_id.partition('-')[2]}"
        id = row.id.replace(row.seed_id, seed)
        made.append(changed(row, source=name, seed_id=seed, id=id, level=None, subject=None))
    folder = write(tmp_path / "dataset", made, RECIPE, Origins(case.problems, case.personas))
    return dataset_card(FolderFacts.read(folder), "me/data", "v1.0.0", license=license)


@pytest.mark.parametrize("name", ["one's own", "called GSM8K", "three of one's own", "a Hub dataset", "bundled"])
def test_a_card_of_other_problems_claims_nothing_of_gsm8k_math_and_the_paper(name: str, tmp_path: Path) -> None:
    case = CASES[name]
    card = card_of(case, tmp_path, None if case.license != "unknown" else "cc-by-4.0")
    said = card.split("## Columns")[1].split("### Teacher")[0]
    for sentence in misnamed(provenance(case.problems)):
        assert sentence in card
        said = said.replace(sentence, "")
    assert f"made from {case.made_from}\n" in card and "# data v1.0.0" in card
    assert not re.search("GSM8K|MATH|the paper", said) and "cobbe2021" not in card and "249" not in card
    metadata = yaml.safe_load(card.split("---\n")[1])
    assert metadata["source_datasets"] == case.datasets and metadata["pretty_name"] == "data"
    if case.license == "unknown":
        assert "under **cc-by-4.0**, as its publisher states. PersonaMath does not know the licence of the" in card
        assert "language" not in metadata and "in English" not in card


def test_a_card_of_the_papers_problems_says_so(tmp_path: Path) -> None:
    card = card_of(CASES["the paper's"], tmp_path)
    assert "made from training problems of GSM8K and MATH\n" in card and "GSM8K, the paper" in card
    assert "**cc-by-nc-sa-4.0**. The licence of the personas decides" in card and "in English" in card
    assert "independent, open reimplementation" in card and "https://github.com/IchigyouRurii/PersonaMath" in card
