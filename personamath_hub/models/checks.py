"""Check a model before it is published, reading it as its users will."""

from collections.abc import Iterator
from importlib.util import find_spec
from math import prod
from pathlib import Path
from typing import Any, NamedTuple

from personamath.errors import BadInput
from personamath.files import in_one_line, read_json
from personamath.folder.leaks import Leak, Secrets
from personamath.training import chat_template
from personamath.training.record import FILE_NAME, TrainingRecord
from personamath.training.refused_keys import refuse_misrecorded
from personamath.training.vocabulary import adds_bos
from personamath_hub.models.files import (
    ADAPTER,
    ADAPTER_CONFIG,
    GENERATION,
    INDEX,
    SAVE_AGAIN,
    TOKENIZER,
    AdapterConfig,
    ModelFiles,
    WeightIndex,
)
from personamath_hub.versions.tree import HashFile

READERS = ("safetensors", "transformers")
HEADER_LENGTH_BYTES = 8
"""A safetensors file begins with the length of its header, a number of this many bytes."""


class Weights(NamedTuple):
    """The size of a model's weights."""

    tensors: int
    parameters: int
    bytes: int


def check_model(folder: Path, *, adapter: bool = False, allow_simulated: bool = False) -> list[str]:
    """Check a model folder, or its adapter alone; returns the checks that passed, in lines for the user.

    Raises `BadInput`, which names the file, at the first check that fails. Of the weights only the headers are read:
    their bytes are read when they are hashed.
    """
    if not all(map(find_spec, READERS)):
        raise BadInput("checking a model needs transformers: pip install 'personamath[eval]'")
    files = ModelFiles.of_adapter(folder) if adapter else ModelFiles.of(folder)
    record = TrainingRecord.read(folder)
    if record.simulated and not allow_simulated:
        raise BadInput(f"{folder}: trained on simulated data; publish it anyway with --allow-simulated")
    weights = check_weights(folder, files)
    refuse_misrecorded(record.recipe, record.kind, str(folder / FILE_NAME))
    place = folder / ADAPTER if adapter else folder
    tokenizer = _tokenizer(place)
    check_eos(place, record, tokenizer)
    check_bos(place, record, tokenizer)
    check_chat(folder, record, tokenizer)
    if adapter:
        check_base(folder, record)
    else:
        check_generation(folder, record, tokenizer)
    size = check_leaks(folder, files)
    return [
        f"{weights.tensors:,} tensors, {weights.parameters:,} parameters, {weights.bytes:,} bytes of weights",
        f"{'tokenizer' if adapter else 'tokenizer, generation config'} and training record agree on "
        f"{record.prompt.eos!r} as EOS",
        "the chat template gives one user message the tokens of the trained prompt",
        f"no key and no path of this machine in {size:,} bytes besides the weights",
    ]


def check_weights(folder: Path, files: ModelFiles) -> Weights:
    """Check that the files of weights are complete, and contain the tensors that their index lists."""
    shapes: dict[str, tuple[str, list[int]]] = {}
    for name in files.weights:
        for tensor, shape in _tensors(folder / name):
            if tensor in shapes:
                raise BadInput(f"{folder / name}: its tensor {tensor} is also in {shapes[tensor][0]}; {SAVE_AGAIN}")
            shapes[tensor] = name, shape
    if INDEX in files.others:
        indexed = WeightIndex.read(folder).weight_map
        if wrong := sorted({*indexed.items()} ^ {(tensor, name) for tensor, (name, _) in shapes.items()}):
            raise BadInput(
                f"{folder / INDEX}: does not match the files, e.g. {wrong[0][0]} in {wrong[0][1]}; {SAVE_AGAIN}"
            )
    if not shapes:
        raise BadInput(f"{folder / files.weights[0]}: has no tensors; {SAVE_AGAIN}")
    parameters = sum(prod(shape) for _, shape in shapes.values())
    return Weights(len(shapes), parameters, sum((folder / name).stat().st_size for name in files.weights))


def check_saved(folder: Path, files: ModelFiles, hash_file: HashFile) -> None:
    """Check that the published files that a model is loaded from have the bytes that the training saved."""
    saved = TrainingRecord.read(folder).files
    for name in (*files.weights, *files.others):
        if name in saved and hash_file(folder / name).sha256 != saved[name]:
            raise BadInput(
                f"{folder / name}: not the bytes that the training saved, by the checksums in {FILE_NAME}; copy the "
                f"folder again, or remove {FILE_NAME} and run the recipe again, which saves the last checkpoint"
            )


def check_eos(folder: Path, record: TrainingRecord, tokenizer: Any) -> None:
    """Check that the tokenizer's EOS is the token that ended every response in training."""
    if tokenizer.eos_token != (eos := record.prompt.eos):
        raise BadInput(f"{folder / TOKENIZER}: its EOS is {tokenizer.eos_token!r}, the model was trained with {eos!r}")


def check_generation(folder: Path, record: TrainingRecord, tokenizer: Any) -> None:
    """Check that generation stops at the trained EOS."""
    stops = read_json(folder / GENERATION, SAVE_AGAIN).get("eos_token_id")
    if (stops if isinstance(stops, list) else [stops]) != [tokenizer.eos_token_id]:
        raise BadInput(
            f"{folder / GENERATION}: eos_token_id is {stops}; it must be {tokenizer.eos_token_id}, "
            f"{record.prompt.eos!r}, which ends every response"
        )


def check_base(folder: Path, record: TrainingRecord) -> None:
    """Check that an adapter names the base model that it was trained on, and that others can load it."""
    path, base = folder / ADAPTER / ADAPTER_CONFIG, record.base_model
    if base.local:
        raise BadInput(
            f"{path}: adapts the local model {base.name}, which nobody else can load; push without --adapter"
        )
    if (named := AdapterConfig.read(folder).base_model_name_or_path) != base.name:
        raise BadInput(f"{path}: names the base model {named}; the training record names {base.name}")


def check_bos(folder: Path, record: TrainingRecord, tokenizer: Any) -> None:
    """Check that the tokenizer puts a BOS before the prompt if it did so in training."""
    if adds_bos(tokenizer) != record.prompt.bos:
        raise BadInput(
            f"{folder / TOKENIZER}: adds {'no' if record.prompt.bos else 'a'} BOS, and the model was trained "
            f"{'with' if record.prompt.bos else 'without'} one; take the tokenizer that the fine-tuning saved"
        )


def check_chat(folder: Path, record: TrainingRecord, tokenizer: Any) -> None:
    """Check that a chat gives the model the prompt that it was trained with, in the same tokens."""
    if fault := chat_template.chat_fault(tokenizer, record.prompt.training):
        raise BadInput(
            f"{folder / chat_template.FILE_NAME}: not the template of this model: {fault}; write the right one with: "
            f"python -m {chat_template.__name__} {folder}"
        )


def check_leaks(folder: Path, files: ModelFiles) -> int:
    """Check that no published file contains a key or a path of this machine; returns how many bytes were read."""
    secrets, size = Secrets(folder), 0
    for name in files.others:
        _refuse(folder / name, secrets.in_file(folder / name))
        size += (folder / name).stat().st_size
    for name in files.weights:
        header = _header(folder / name)
        _refuse(folder / name, secrets.in_bytes(header))
        size += len(header)
    return size


def _refuse(path: Path, leak: Leak | None) -> None:
    if leak:
        raise BadInput(f"{path}: contains {leak.what} at byte {leak.place}; remove it before publishing")


def _header(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(int.from_bytes(file.read(HEADER_LENGTH_BYTES), "little"))


def _tensors(path: Path) -> Iterator[tuple[str, list[int]]]:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            for name in file.keys():  # noqa: SIM118, it is no dict
                yield name, file.get_slice(name).get_shape()
    except (SafetensorError, OSError) as error:
        raise BadInput(f"{path}: not a readable safetensors file ({in_one_line(error)}); {SAVE_AGAIN}") from None


def _tokenizer(folder: Path) -> Any:
    from transformers import AutoTokenizer

    try:
        return AutoTokenizer.from_pretrained(folder, local_files_only=True)
    except Exception as error:  # whatever it is, the model's users would get it too
        raise BadInput(f"{folder}: its tokenizer cannot be loaded ({in_one_line(error)}); save it again") from error
