"""Cards, computed: every number comes from the recipe, the funnel or the files."""

from importlib.resources import files as resources
from typing import Any

import yaml
from jinja2 import Environment, StrictUndefined

from personamath.funnel import Funnel, composition, narrative
from personamath.personas import BUNDLED
from personamath.recipe import Recipe
from personamath_hub.layout import COLUMNS, CONFIGS, StepFile, card_configs, dataset_info

# Where the personas' licence is known, it decides: rewrites contain them.
PERSONA_LICENSES = {BUNDLED: "apache-2.0", "proj-persona/PersonaHub": "cc-by-nc-sa-4.0"}


def dataset_card(recipe: Recipe, funnel: Funnel, files: list[StepFile]) -> str:
    """README.md of a dataset folder: YAML that `datasets` loads by, and what a reader has to know."""
    rows = {file.step: file.rows for file in files}
    return _render(
        "dataset.md.jinja",
        metadata=_yaml(_metadata(recipe, files)),
        recipe=recipe,
        configs={name: sum(rows.get(step, 0) for step in steps) for name, steps in CONFIGS.items()},
        columns=COLUMNS,
        examples=[file.example for file in files],
        composition=composition(funnel),
        narrative=narrative(funnel),
    )


def _metadata(recipe: Recipe, files: list[StepFile]) -> dict[str, Any]:
    tags = ["math", "reasoning", "persona", "synthetic"] + (["simulated"] if recipe.simulated else [])
    return {
        "pretty_name": "PersonaMathQA" + (" (simulated)" if recipe.simulated else ""),
        "language": ["en"],
        "license": PERSONA_LICENSES.get(recipe.personas.partition(":")[0], "other"),
        "task_categories": ["text-generation", "question-answering"],
        "tags": tags,
        "configs": card_configs(files),
        "dataset_info": dataset_info(files),
    }


def _yaml(metadata: dict[str, Any]) -> str:
    return yaml.safe_dump(metadata, sort_keys=False, allow_unicode=True).strip()


def _render(template: str, **facts: object) -> str:
    """Fill a template; a fact that is missing is an error, never an empty place on the card."""
    environment = Environment(
        undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True, autoescape=False
    )
    source = (resources("model_cards") / template).read_text(encoding="utf-8")
    return environment.from_string(source).render(**facts)
