"""Compute a model card from training.json, the scores, and what is known about the dataset and the base model."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from personamath.errors import BadInput
from personamath.evaluation.scores import ScoredRun
from personamath.files import from_json, read_json
from personamath.folder.citations import PAPER, citations
from personamath.folder.licenses import UNKNOWN
from personamath.folder.markdown import code, python_text
from personamath.folder.provenance import MATH_OVERLAP, layout_of
from personamath.folder.rendering import render
from personamath.folder.teacher_terms import terms_of
from personamath.folder.teachers import has_roles, key_of, model_of, models
from personamath.folder.used_sources import made_from, published_names
from personamath.training.curve import LOSS_CURVE, LOSSES
from personamath.training.record import FILE_NAME, BaseModel, TrainingData, TrainingRecord
from personamath_hub.models.base_licenses import BaseLicense
from personamath_hub.models.files import CONFIG, SAVE_AGAIN
from personamath_hub.models.paper import PAPER_MODELS
from personamath_hub.models.published_scores import (
    SCORES,
    gains,
    metrics_table,
    model_index,
    parts_table,
    results_table,
    settings_table,
)
from personamath_hub.models.training_data import DataFacts

CHART = "assets/scores.png"
AUTHORS_DATA = "jingluo/personamathqa"
"""The dataset that the paper's authors published, in lower case because names on the Hub ignore case."""
WITHOUT_OVERLAP = ("clean", "sft", "rl")
"""Dataset configs that leave out rows which overlap with test problems."""
# Licences of data that require nothing of a model beyond what its base model's licence requires.
PERMISSIVE = frozenset({"apache-2.0", "mit", "cc0-1.0", "cc-by-4.0", "cc-by-3.0", "odc-by", "bsd-3-clause"})
# At most this many new tokens, the paper's limit, and at most half of the context: the prompt needs the rest.
LONGEST_COMPLETION = 4_096
# Backends of lm-eval that load a folder themselves; the card names the first where the scores used another.
BACKENDS = ("vllm", "hf")
# The problem of the quick start, written for this card.
EXAMPLE = "A bakery fills 12 boxes with 8 rolls each and gives 5 rolls away. How many rolls does it have left?"
RECIPE_FILE = "recipe.yaml"
"""Where the card's commands read the settings that it prints."""
# By the strategy in the training record.
ACCELERATE_CONFIGS = {
    "one process": "single_gpu",
    "data parallel": "ddp",
    "DeepSpeed ZeRO-2": "zero2",
    "DeepSpeed ZeRO-3": "zero3",
    "DeepSpeed ZeRO-3 with offload": "zero3_offload",
    "FSDP2": "fsdp2",
}


@dataclass(frozen=True, slots=True)
class _Config:
    """What is read of config.json."""

    max_position_embeddings: int
    """The model's context, in tokens."""


def model_card(
    folder: Path,
    scores: ScoredRun | None = None,
    *,
    base_scores: ScoredRun | None = None,
    repo_id: str | None = None,
    version: str | None = None,
    data: DataFacts | None = None,
    license: BaseLicense | None = None,
    rank: int | None = None,
    samples: str | None = None,
) -> str:
    """Return README.md of a model folder: YAML for the Hub, then what a reader must know.

    The folder has training.json and config.json, and loss.png where there is a curve. Without `scores` the card's first
    line says that there are none; without `repo_id` and `version` it is the card of an unpublished folder. `data` and
    `license` default to what is known without asking the Hub. `rank` is that of a LoRA adapter that is published
    alone, `samples` the dataset repository that has the scored completions. Raises `BadInput` if a file that the
    card is computed from is missing or wrong, and for scores that must not be published.
    """
    for run in (scores, base_scores):
        if faults := run.all_faults() if run else []:
            raise BadInput(f"{folder}: these scores cannot go on a card: {'; '.join(faults)}")
    record = TrainingRecord.read(folder)
    data, license = data or DataFacts(), license or BaseLicense.named(record.base_model)
    data.check(record.data)
    name = repo_id.rpartition("/")[2] if repo_id else f"{record.base_model.name.rpartition('/')[2]}-PersonaMath"
    paper = PAPER_MODELS.get(record.base_model.name)
    provenance = data.provenance
    return render(
        "model.md.jinja",
        {"python": python_text, "shell_json": _shell_json},
        metadata=_yaml(_metadata(record, scores, data, license, name, repo_id, version, adapter=rank is not None)),
        rank=rank,
        record=record,
        name=name,
        repo_id=repo_id,
        version=version,
        base_link=_base_link(record.base_model),
        data_link=_data_link(record.data),
        reinforcement=record.reinforcement,
        start_link=record.reinforcement and _base_link(record.reinforcement.started_from),
        fine_tuning_link=record.reinforcement and _data_link(record.reinforcement.fine_tuned_on),
        wall_time=_duration(record.wall_seconds),
        scored=scores is not None,
        scores=scores,
        results=scores and results_table(scores, base_scores, paper, record.prompt),
        gains=gains(scores, base_scores) if scores and base_scores else [],
        metrics=scores and metrics_table(scores),
        parts=scores and parts_table(scores),
        settings=scores and settings_table(scores),
        scores_file=SCORES,
        samples=samples,
        chart=CHART,
        paper=paper,
        example=EXAMPLE,
        max_new_tokens=_completion_tokens(folder),
        provenance=provenance,
        teachers=_teachers(provenance["recipe"]) if provenance else [],
        completions={model: terms_of(model) for model in models(provenance["recipe"])} if provenance else {},
        data_license=data.license,
        made_from=provenance and made_from(provenance),
        outline=provenance and layout_of(provenance).outline,
        published=set(published_names(provenance).values()) if provenance else set(),
        is_authors_data=_is_authors(record),
        citations=citations(provenance) if provenance else [PAPER],
        rows=data.rows,
        contamination=MATH_OVERLAP,
        overlapping=next((used for used in _trained_on(record) if used.config not in WITHOUT_OVERLAP), None),
        recipe=_recipe_yaml(record, paper.recipe if paper and record.kind == "sft" else {}),
        recipe_file=RECIPE_FILE,
        command=_training_command(record),
        backend=scores.backend if scores and scores.backend in BACKENDS else BACKENDS[0],
        tasks=",".join(run.task for run in scores.tasks) if scores else "personamath",
        loss_curve=LOSS_CURVE if (folder / LOSS_CURVE).is_file() else None,
        losses=LOSSES,
        training_file=FILE_NAME,
        license=license,
        terms=license.terms,
        unknown=UNKNOWN,
    )


def _teachers(recipe: Mapping[str, Any]) -> list[tuple[str, str, Any]]:
    """Name the teachers of the data, each with its role, its model and its temperature."""
    roles = recipe["teacher"] if has_roles(recipe) else {"": recipe["teacher"]}
    return [
        (f"teacher: {role}" if role else "teacher", model_of(recipe, role), key_of(recipe, role, "temperature"))
        for role in roles
    ]


def published_license(base: str, data: str) -> tuple[str, str | None]:
    """Return the Hub's identifier of the model's licence, and a name where the identifier is `other`.

    Whether a dataset's licence applies to a model trained on it is not settled, so the card states both licences.
    """
    if base == UNKNOWN or data in PERMISSIVE or data == base:
        return base, None
    return "other", f"{base}-and-{data}-data"


def _metadata(
    record: TrainingRecord,
    scores: ScoredRun | None,
    data: DataFacts,
    license: BaseLicense,
    name: str,
    repo_id: str | None,
    version: str | None,
    *,
    adapter: bool,
) -> dict[str, Any]:
    identifier, license_name = published_license(license.identifier, data.license)
    link = f"https://huggingface.co/{repo_id}/blob/{version}/README.md" if repo_id and license_name else None
    base = _published_base(record)
    metadata = {
        "model_name": name,
        "license": identifier,
        "license_name": license_name,
        "license_link": link,
        "language": ["en"],
        "library_name": "peft" if adapter else "transformers",
        "pipeline_tag": "text-generation",
        "base_model": base,
        "base_model_relation": base and ("adapter" if adapter else "finetune"),
        "datasets": _datasets(record) or None,
        "tags": [
            *("math", "reasoning"),
            *(["persona"] if _is_authors(record) or (data.provenance and data.provenance["personas"]) else []),
            *record.tags,
            *(["simulated"] if record.simulated else []),
        ],
        "model-index": model_index(scores, name) if scores else None,
    }
    return {key: value for key, value in metadata.items() if value is not None}


def _yaml(metadata: Mapping[str, Any]) -> str:
    return yaml.safe_dump(dict(metadata), sort_keys=False, allow_unicode=True).strip()


def _completion_tokens(folder: Path) -> int:
    """Return half of the model's context, at most LONGEST_COMPLETION; the other half is left for the prompt."""
    path = folder / CONFIG
    context = from_json(_Config, read_json(path, SAVE_AGAIN), str(path), SAVE_AGAIN).max_position_embeddings
    return min(LONGEST_COMPLETION, context // 2)


def _is_authors(record: TrainingRecord) -> bool:
    """Whether the training data is the dataset that the paper's authors published."""
    return not record.data.local and record.data.name.lower() == AUTHORS_DATA


def _published_base(record: TrainingRecord) -> str | None:
    """Return the model on the Hub that this one was made from: the last on the way that is there."""
    start = record.reinforcement and record.reinforcement.started_from
    return next((model.name for model in (start, record.base_model) if model and not model.local), None)


def _trained_on(record: TrainingRecord) -> list[TrainingData]:
    """Return the datasets that the model was trained on, the last one first."""
    return [record.data, *([record.reinforcement.fine_tuned_on] if record.reinforcement else [])]


def _datasets(record: TrainingRecord) -> list[str]:
    """Return those of them that are on the Hub, by name."""
    return list(dict.fromkeys(data.name for data in _trained_on(record) if not data.local))


def _base_link(base: BaseModel) -> str:
    return f"{code(base.name)}, a local model" if base.local else f"[{base.name}](https://huggingface.co/{base.name})"


def _data_link(data: TrainingData) -> str:
    """Return the dataset as repo@version, linked to that version."""
    if data.local:
        return f"the local folder {code(data.name)}"
    revision = data.revision or data.commit or "main"
    return f"[{data.name}@{revision}](https://huggingface.co/datasets/{data.name}/tree/{revision})"


def _duration(seconds: float) -> str:
    """Format a duration, e.g. `9.5 hours`."""
    for unit, length in (("hours", 3600), ("minutes", 60)):
        if seconds >= length:
            return f"{seconds / length:.1f} {unit}"
    return f"{seconds:.0f} seconds"


def _recipe_yaml(record: TrainingRecord, of_paper: Mapping[str, object]) -> str:
    """Return the recipe as YAML, with the paper's value behind each setting where it has another."""
    return "\n".join(
        _yaml_line({key: value})
        + (f"  # the paper's: {_text(of_paper[key])}" if key in of_paper and of_paper[key] != value else "")
        for key, value in record.recipe.items()
    )


def _yaml_line(setting: Mapping[str, object]) -> str:
    line = yaml.safe_dump(dict(setting), default_flow_style=True, allow_unicode=True, width=math.inf)
    return line.strip().removeprefix("{").removesuffix("}")


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _shell_json(value: object) -> str:
    """Return JSON that is safe between single quotes of a shell."""
    return json.dumps(value, ensure_ascii=False).replace("'", "\\u0027")


def _training_command(record: TrainingRecord) -> str:
    """Return the command that trains this model again with the settings of its recipe."""
    config = ACCELERATE_CONFIGS.get(str(record.hardware.get("strategy")))
    if record.hardware.get("accelerator") == "cpu":
        launch = "--cpu "
    else:
        launch = f"--config_file accelerate_configs/{config}.yaml " if config else ""
    return (
        f"accelerate launch {launch}--num_processes {record.batch.processes} \\\n"
        f"    recipes/{record.kind}.py --config {RECIPE_FILE} --output_dir runs/model"
    )
