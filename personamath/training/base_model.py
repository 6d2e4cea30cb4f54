"""The base model of a run: its config and tokenizer, checked before any weight is loaded."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from personamath.errors import BadInput
from personamath.files import in_one_line
from personamath.training.record import BaseModel
from personamath.training.vocabulary import prepare


class Base(NamedTuple):
    """A base model, without its weights."""

    config: Any
    """transformers' PretrainedConfig"""
    tokenizer: Any
    """Its tokenizer, prepared for training."""
    record: BaseModel
    eos: str
    """The token that ends every response, settled before the examples are made."""


def load_base(name: str, revision: str | None) -> Base:
    """Load config and tokenizer of a model on the Hub or in a folder; raises BadInput, e.g. where access is missing."""
    from transformers import AutoConfig, AutoTokenizer

    try:
        config = AutoConfig.from_pretrained(name, revision=revision)
        tokenizer = AutoTokenizer.from_pretrained(name, revision=revision)
    except Exception as error:  # transformers wraps the Hub's errors in several of its own
        raise BadInput(why_not(name, revision, error)) from error
    prepare(tokenizer, config, name)
    local = Path(name).is_dir()
    commit = None if local else getattr(config, "_commit_hash", None)
    record = BaseModel(name=Path(name).resolve().name if local else name, commit=commit, local=local)
    return Base(config, tokenizer, record, tokenizer.eos_token)


@contextmanager
def loading_weights(name: str) -> Iterator[None]:
    """Load weights in the block; raises BadInput in place of the error of files that are missing or damaged."""
    from safetensors import SafetensorError

    try:
        yield
    except (SafetensorError, OSError) as error:
        where = in_one_line(error)
        raise BadInput(f"cannot load the weights of {name} ({where}); copy or download them again") from error


def why_not(name: str, revision: str | None, error: Exception) -> str:
    """Explain in one line why a base model cannot be loaded; the client's error may be the cause of several others."""
    from huggingface_hub.errors import GatedRepoError

    where = f"{name}@{revision}" if revision else name
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, GatedRepoError):
            return f"no access to {where}: accept its licence on its page on the Hub, then export HF_TOKEN"
        cause = cause.__cause__ or cause.__context__
    return f"cannot load the base model {where} ({in_one_line(error)}); check the name, the network and HF_TOKEN"
