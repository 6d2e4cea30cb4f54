"""Facts about the model, from lm-eval's `--model_args`: its identity, and how many tokens a completion may have.

Where `max_gen_toks` leaves no room for the prompt, lm-eval's hf backend fails and local-completions sends an empty
prompt, so the limit is reduced here to fit the context. No backend reports why a completion ended, only its text
without EOS and stop text, so its tokens are counted again.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from personamath.errors import BadInput
from personamath.evaluation.scores import ScoredModel
from personamath.training.record import FILE_NAME, TrainingRecord
from personamath.training.saved_files import damage

Count = Callable[[str], int]

STEPS = 8
"""The limit is a multiple of the context divided by this, so that most prompts have the same one and share a batch."""
SLACK = 0.02
"""A completion this close to the limit counts as cut: its text may give other tokens than were generated."""
API_CONTEXT = 2048
"""lm-eval's default `max_length` of local-completions."""


@dataclass(frozen=True, slots=True)
class Room:
    """A model's context, and how to count tokens."""

    context: int | None
    """Tokens of prompt and completion together; None if it is not known."""
    count: Count | None
    """Counts the tokens of a text, without special tokens; None if there is no tokenizer."""

    def limit(self, prompt: str, asked: int) -> int:
        """Return how many tokens the completion of a prompt may have: `asked`, or what is left of the context."""
        if self.context is None or self.count is None:
            return asked
        step = max(1, self.context // STEPS)
        left = self.context - self.count(prompt) - 1  # one for BOS
        return min(asked, max(step, left // step * step))

    def stopped(self, completion: str, limit: int) -> bool | None:
        """Whether a completion ended before its limit, by EOS or the stop text; None if that is not known."""
        return None if self.count is None else self.count(completion) < limit * (1 - SLACK)


def room_of(arguments: Mapping[str, Any]) -> Room:
    """Find the model's context and tokenizer from lm-eval's `--model_args`."""
    tokenizer = tokenizer_of(arguments)

    def count(text: str) -> int:
        return len(tokenizer(text, add_special_tokens=False).input_ids)

    return Room(context_of(arguments, tokenizer), count if tokenizer is not None else None)


def model_of(arguments: Mapping[str, Any]) -> ScoredModel:
    """Identify the model that is scored; a local folder by its name and the digest of its training record.

    Raises BadInput where a file of the folder is not what the training saved.
    """
    given = str(arguments.get("peft") or arguments.get("pretrained") or arguments.get("model") or "unknown")
    folder = Path(given)
    if not folder.is_dir():
        return ScoredModel(given, arguments.get("revision"), None, local=False)
    record = folder / FILE_NAME
    digest = hashlib.sha256(record.read_bytes()).hexdigest() if record.is_file() else None
    if record.is_file() and (found := _damage(folder, digest)):
        raise BadInput(f"{found}, by its {FILE_NAME}: copy the model again")
    return ScoredModel(folder.resolve().name, None, digest, local=True)


@cache
def _damage(folder: Path, record: str | None) -> str | None:
    """What is wrong with a model's files; it is looked for once, though every task asks, until the record changes."""
    return damage(folder, TrainingRecord.read(folder).files)


def is_api(arguments: Mapping[str, Any]) -> bool:
    """Whether the model is behind an API."""
    return "base_url" in arguments


def tokenizer_of(arguments: Mapping[str, Any]) -> Any:
    """Load the tokenizer that lm-eval uses; None if it uses none, or it cannot be loaded."""
    name = arguments.get("tokenizer") or arguments.get("pretrained") or arguments.get("model")
    if not isinstance(name, str) or arguments.get("tokenizer_backend") in ("none", "None"):
        return None
    from transformers import AutoTokenizer

    try:
        return AutoTokenizer.from_pretrained(name, **revision_of(arguments))
    except (OSError, ValueError):  # an API's model need not be a repository
        return None


def context_of(arguments: Mapping[str, Any], tokenizer: Any) -> int | None:
    """Find the context as lm-eval's backends do."""
    said = arguments.get("max_length") or arguments.get("max_model_len")
    if is_api(arguments):
        return int(said or API_CONTEXT) - 1  # lm-eval keeps one token back
    if said:
        return int(said)
    name = arguments.get("pretrained")
    if not isinstance(name, str):
        return None
    from lm_eval.models.utils import resolve_max_length
    from transformers import AutoConfig

    return int(resolve_max_length(AutoConfig.from_pretrained(name, **revision_of(arguments)), tokenizer))


def revision_of(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments that choose the files to load."""
    return {name: arguments[name] for name in ("revision", "subfolder", "trust_remote_code") if arguments.get(name)}
