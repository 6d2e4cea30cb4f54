"""Make training examples of rows: token ids, and labels on the response only.

There are two formats, which docs/training.md compares by example.

`clean`, the default: the Alpaca prompt, one space, the response, the tokenizer's own EOS. The space keeps every token
on one side of the border between prompt and response, so a prompt has the same tokens in training and in evaluation. A
row that does not fit is dropped, because cutting its end would cut its answer.

`paper`: byte for byte what the released trainer uses (Stanford Alpaca's preprocessing): prompt, response and the text
of EOS are tokenized as one string and cut at `max_length`, and as many labels are masked as the prompt alone has
tokens. Where the vocabulary merges the prompt's colon with the response's first letters, that token is masked too.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from personamath.errors import BadInput
from personamath.files import is_visible
from personamath.training.prompts import alpaca

PromptFormat = Literal["clean", "paper"]
DropReason = Literal[
    "longer than max_length",
    "no response within max_length",
    "special token in the text",
    "empty",
    "no text",
    "NUL in the text",
]

# What a broken export leaves in a text.
NUL = "\0"
# The label that torch's cross entropy skips.
IGNORED = -100


@dataclass(frozen=True, slots=True)
class Example:
    """One row as the trainer takes it."""

    input_ids: list[int]
    """BOS where the tokenizer adds one, prompt, response, EOS."""
    labels: list[int]
    """As many as `input_ids`: IGNORED on the prompt, the ids themselves on the response and EOS."""
    truncated: bool
    """Whether the end was cut, including EOS (format `paper` only)."""


def make_examples(
    problems: Sequence[Any], responses: Sequence[Any], tokenizer: Any, prompt_format: PromptFormat, max_length: int
) -> list[Example | DropReason]:
    """Make an example of each row, in order; a row that is dropped gives the reason instead.

    A row whose problem or response is null, a number or a list is no text: it is dropped, as an empty one is.
    `tokenizer` is a tokenizer of transformers that passed `vocabulary.prepare`; it tokenizes the rows together, in
    parallel. Raises BadInput if its vocabulary merges tokens over the border in spite of the space.
    """
    rows = list(zip(problems, responses, strict=True))
    dropped = [_unusable(problem, response) for problem, response in rows]
    usable = [row for row, reason in zip(rows, dropped, strict=True) if reason is None]
    made = iter(_make_usable(usable, tokenizer, prompt_format, max_length))
    return [next(made) if reason is None else reason for reason in dropped]


def _unusable(problem: Any, response: Any) -> DropReason | None:
    if not isinstance(problem, str) or not isinstance(response, str):
        return "no text"
    if not is_visible(problem) or not is_visible(response):
        return "empty"
    return "NUL in the text" if NUL in problem + response else None


def _make_usable(
    rows: Sequence[tuple[str, str]], tokenizer: Any, prompt_format: PromptFormat, max_length: int
) -> list[Example | DropReason]:
    prompts = [alpaca(problem) for problem, _ in rows]
    if prompt_format == "paper":
        texts = [prompt + response for prompt, (_, response) in zip(prompts, rows, strict=True)]
    else:
        texts = [f"{prompt} {response.strip()}" for prompt, (_, response) in zip(prompts, rows, strict=True)]
    prompt_ids, text_ids = tokenize(prompts, tokenizer), tokenize(texts, tokenizer)
    specials = special_ids(tokenizer)
    made: list[Example | DropReason] = []
    for prompt, ids in zip(prompt_ids, text_ids, strict=True):
        if has_special(ids, specials, tokenizer):
            made.append("special token in the text")
        else:
            made.append(_example(prompt, [*ids, tokenizer.eos_token_id], prompt_format, max_length))
    return made


def special_ids(tokenizer: Any) -> set[int]:
    """Return the ids that must not be in a text: spelled out in a problem, e.g. `</s>`, they would cut it."""
    return set(tokenizer.all_special_ids) - {tokenizer.unk_token_id}


def has_special(ids: Sequence[int], specials: set[int], tokenizer: Any) -> bool:
    """Whether one of them is in a tokenized text, after its BOS."""
    return not specials.isdisjoint(ids[1:] if ids[0] == tokenizer.bos_token_id else ids)


def tokenize(texts: Sequence[str], tokenizer: Any) -> list[list[int]]:
    """Return the ids of texts, with the BOS that the tokenizer adds and without an EOS that it may add."""
    # `verbose=False`: no warning that a text exceeds the model's context; such rows are counted.
    ids: list[list[int]] = tokenizer(list(texts), verbose=False)["input_ids"] if texts else []
    adds_eos = tokenizer("a")["input_ids"][-1] == tokenizer.eos_token_id
    return [text[:-1] for text in ids] if adds_eos else ids


def _example(
    prompt: Sequence[int], ids: list[int], prompt_format: PromptFormat, max_length: int
) -> Example | DropReason:
    border = len(prompt)
    if prompt_format == "clean":
        if ids[:border] != list(prompt):
            raise BadInput("this tokenizer merges the prompt's end with the space after it: use prompt_format: paper")
        if len(ids) > max_length:
            return "longer than max_length"
    if border >= max_length:
        return "no response within max_length"
    labels = [IGNORED] * border + ids[border:]
    return Example(ids[:max_length], labels[:max_length], truncated=len(ids) > max_length)
