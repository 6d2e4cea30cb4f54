"""Prepare a model to be published: its folder, checked, with a computed card, its scores and its licence's files."""

import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from huggingface_hub import HfApi

from personamath.errors import BadInput
from personamath.files import scratch_folder
from personamath.folder.chart import draw_scores
from personamath.folder.layout import CARD
from personamath.folder.leaks import Secrets
from personamath.folder.teacher_terms import terms_of
from personamath.folder.teachers import models
from personamath.training.record import FILE_NAME, TrainingRecord
from personamath_hub.models.base_licenses import AGREEMENTS, NOTICE, BaseLicense, card_metadata
from personamath_hub.models.card import CHART, model_card
from personamath_hub.models.checks import check_model, check_saved
from personamath_hub.models.files import AdapterConfig, ModelFiles
from personamath_hub.models.paper import PAPER_MODELS
from personamath_hub.models.published_scores import SCORES, bars, eval_result_files, scores_json
from personamath_hub.models.samples import SAMPLES, own_problems, samples_repo, write_samples
from personamath_hub.models.scores import Scores, read_scores
from personamath_hub.models.training_data import DataFacts
from personamath_hub.versions.revisions import checked_repo_id, checked_version, predecessor, read_files, refs
from personamath_hub.versions.tree import HashFile, hash_file, remembering


class PreparedModel(NamedTuple):
    """A model ready to be published."""

    folder: Path
    checked: list[str]
    """Checks that passed, in lines for the user."""
    noticed: list[str]
    """What the user should know before anything is uploaded, in lines."""
    hash_file: HashFile
    """For publishing: it knows the weights that were hashed already, many gigabytes."""
    samples: Path | None = None
    """The dataset folder of the scored completions; None if they are not published."""


@contextmanager
def prepared_model(
    source: Path,
    repo_id: str,
    version: str,
    *,
    results: Sequence[Path],
    adapter: bool = False,
    data: Path | None = None,
    allow_simulated: bool = False,
    with_samples: bool = False,
    api: HfApi | None = None,
    hash_file: HashFile = hash_file,
) -> Iterator[PreparedModel]:
    """Give a model folder as it would be published: with its card, its scores, and its licence's files.

    The weights are linked, not copied. With `adapter`, only the LoRA adapter inside the folder is published, as a
    repository of its own; its scores are those of the merged model. Without `results` the card says that there are no
    scores. `data` is the dataset folder of a model that was trained on a local one. `with_samples`
    also prepares the dataset of the scored completions, to which card and results then link. The same folder, results
    and version always give the same bytes, whatever is published later. Raises `BadInput`, and `PublishError` if the
    Hub cannot be read.
    """
    checked_repo_id(repo_id)
    checked_version(version)
    if with_samples and not results:
        raise BadInput("--with-samples publishes the completions behind scores: give --scores")
    checked = check_model(source, adapter=adapter, allow_simulated=allow_simulated)
    hash_once = remembering(hash_file)
    check_saved(source, ModelFiles.of_adapter(source) if adapter else ModelFiles.of(source), hash_once)
    record = TrainingRecord.read(source)
    license = BaseLicense.on_hub(record.base_model, api)
    license.check_name(repo_id)
    facts = _data_facts(record, data, api)
    scores = read_scores(results, source, record.base_model, api, hash_once) if results else None
    predecessor(repo_id, version, repo_type="model", api=api)  # versions only grow
    with scratch_folder("push") as scratch:
        folder = scratch / "model"
        folder.mkdir()
        samples = samples_repo(repo_id) if with_samples else None
        write_version(source, folder, repo_id, version, scores, facts, license, adapter=adapter, samples=samples)
        if samples and scores:
            predecessor(samples, version, repo_type="dataset", api=api)
            checked.append(write_samples(scratch / SAMPLES, scores, repo_id, version, Secrets(source)))
        if scores:
            scored = ", ".join(f"{run.task} ({run.n:,} problems)" for run in scores.model.tasks)
            checked.append(f"scores of this model, ready for its card: {scored}")
        left = () if adapter else ModelFiles.of(source).left
        noticed = [f"not published of {source}: {', '.join(left)}"] if left else []
        noticed += [*_notices(folder, repo_id, version, record, api), *teachers_notices(repo_id, facts)]
        if scores and samples:
            noticed += own_problems(scores, samples)
        yield PreparedModel(folder, checked, noticed, hash_once, scratch / SAMPLES if samples else None)


def write_version(
    source: Path,
    folder: Path,
    repo_id: str,
    version: str,
    scores: Scores | None,
    data: DataFacts,
    license: BaseLicense,
    *,
    adapter: bool = False,
    copy: bool = False,
    samples: str | None = None,
) -> None:
    """Write everything that is published into an empty folder; the model's own files are linked unless `copy`.

    Card and results link to the dataset repository `samples` where there is one.
    """
    files = ModelFiles.of_adapter(source) if adapter else ModelFiles.of(source)
    for path in (source / name for name in (*files.weights, *files.others)):
        if copy:
            shutil.copyfile(path, folder / path.name)
        else:
            (folder / path.name).symlink_to(path.resolve())
    _write_license(folder, license)
    own, base = scores or (None, None)
    card = model_card(
        source,
        own,
        base_scores=base,
        repo_id=repo_id,
        version=version,
        data=data,
        license=license,
        rank=AdapterConfig.read(source).r if adapter else None,
        samples=samples,
    )
    (folder / CARD).write_text(card, encoding="utf-8")
    if own:
        _write_scores(folder, repo_id, version, Scores(own, base), samples)


def _data_facts(record: TrainingRecord, data: Path | None, api: HfApi | None) -> DataFacts:
    if not record.data.local:
        if data:
            raise BadInput(
                f"--data {data}: the model was trained on {record.data.name}, which is read from the Hub; leave it out"
            )
        return DataFacts.on_hub(record.data, api)
    facts = DataFacts.in_folder(data) if data else DataFacts()
    held, read = facts.rows.get(record.data.config), record.rows.read
    if held is not None and held != read:
        raise BadInput(f"--data {data}: has {held:,} rows, but the model was trained on {read:,}; give that dataset")
    return facts


def _write_license(folder: Path, license: BaseLicense) -> None:
    """Write the files that meet the base model's licence; those in the model's folder take precedence."""
    for name, content in license.files.items():
        if not (folder / name).exists():
            (folder / name).write_bytes(content)
    terms = license.terms
    if terms and not any((folder / name).is_file() for name in AGREEMENTS):
        raise BadInput(
            f"the base model's {terms.name} requires its text to be included, and its repository has none: "
            f"put it into the model's folder as {AGREEMENTS[0]} ({terms.url})"
        )
    if terms and terms.notice:
        path = folder / NOTICE
        said = path.read_text(encoding="utf-8") if path.exists() else ""
        if terms.notice not in said:
            path.unlink(missing_ok=True)  # it may be a link to the file in the model's folder
            path.write_text(f"{said.strip()}\n{terms.notice}\n".lstrip(), encoding="utf-8")


def _write_scores(folder: Path, repo_id: str, version: str, scores: Scores, samples: str | None) -> None:
    record = TrainingRecord.read(folder)
    paper = PAPER_MODELS.get(record.base_model.name)
    texts = {SCORES: scores_json(*scores)} | eval_result_files(scores.model, repo_id, version, samples)
    contents = {name: text.encode() for name, text in texts.items()}
    contents[CHART] = draw_scores(bars(*scores, paper))
    for name, content in contents.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(content)


def teachers_notices(repo_id: str, data: DataFacts) -> Iterator[str]:
    """Names that the terms of the data's teachers ask for."""
    for model in models(data.provenance["recipe"]) if data.provenance else ():
        terms = terms_of(model)
        wanted = terms and terms.name_begins_with
        if terms and wanted and not repo_id.rpartition("/")[2].startswith(wanted):
            yield (
                f"{model} wrote training data of this model: the {terms.name} asks that the model's name begin with "
                f"{wanted} ({terms.url})"
            )


def _base_model(files: Mapping[str, bytes]) -> str | None:
    """Return the base model that a repository's record or card names."""
    record, card = files.get(FILE_NAME), files.get(CARD)
    try:
        found = json.loads(record)["base_model"]["name"] if record else card_metadata(card or b"").get("base_model")
    except (ValueError, LookupError, TypeError):
        return None
    return found if isinstance(found, str) else None


def _notices(folder: Path, repo_id: str, version: str, record: TrainingRecord, api: HfApi | None) -> Iterator[str]:
    """Yield what is not an error, but may not be what the user meant."""
    if record.data.local:
        yield f"trained on the local folder {record.data.name}, which nobody else can load; publish the data first"
    main, tags = refs(repo_id, repo_type="model", api=api)
    if main is None or version in tags:
        return
    if tags:
        yield f"{repo_id} has other versions: {', '.join(sorted(tags))}; they are left unchanged"
    there = read_files(repo_id, main, (CARD, FILE_NAME), repo_type="model", api=api)
    of = next((tag for tag, commit in tags.items() if commit == main), None)
    if of and there.get(CARD, b"") != (folder / CARD).read_bytes() and CARD in there:
        yield f"the card on main is that of {of}; this version's card will replace it"
    base = _base_model(there)
    if base and base != record.base_model.name:
        yield f"the model on main is made from {base}, this one from {record.base_model.name}"
