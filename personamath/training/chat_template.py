"""The chat template of a fine-tuned model: one user message, rendered as the prompt that it was trained with.

A base model's tokenizer may bring a template whose format the fine-tuned model never saw (Qwen2.5 brings ChatML), or
none (LLaMA). With this template, tools that send chat messages give the model the tokens of training and evaluation.
"""

import json
import sys
from pathlib import Path
from typing import Any

from personamath.errors import BadInput
from personamath.files import in_one_line
from personamath.training.prompts import ALPACA
from personamath.training.record import TrainingRecord
from personamath.training.vocabulary import adds_bos

FILE_NAME = "chat_template.jinja"
"""Where transformers saves it; the file takes precedence over a template in the tokenizer's config."""
INSTRUCTION = "{instruction}"
"""The place of the problem in a prompt."""
# A problem to compare prompts with. The prompt's own words surround it, so any would do.
PROBE = "What is 1 + 1?"
# What the template writes between BOS and prompt: a space where the tokenizer puts one before the first word of a text,
# but not after a BOS that is written out (Metaspace with `prepend_scheme: first`, as LLaMA-2's).
AFTER_BOS = ("", " ")
# What begins a response, by prompt format: what `examples` puts there.
RESPONSE = {"clean": '" " ~ messages[1].content | trim', "paper": "messages[1].content"}

# Plain Jinja, which engines other than Python's run too. No loop over a message's content: by such a loop, vLLM decides
# that a template takes lists of parts.
_TEMPLATE = """\
{%- if messages[0].role != "user" -%}
    {{- raise_exception("This model takes one user message and no system message: send the problem alone.") -}}
{%- elif messages | length > 2 or (messages | length == 2 and messages[1].role != "assistant") -%}
    {{- raise_exception("This model answers one problem and continues no conversation: send one user message.") -}}
{%- elif messages | length == 2 and add_generation_prompt -%}
    {{- raise_exception("This model writes one answer: after it, there is nothing to generate.") -}}
{%- elif messages[0].content is not string or messages[-1].content is not string -%}
    {{- raise_exception("This model takes text only: the content of a message must be a string.") -}}
{%- endif -%}
{{- <before> ~ messages[0].content ~ <after> -}}
{%- if messages | length == 2 -%}
    {%- generation -%}{{- <response> ~ eos_token -}}{%- endgeneration -%}
{%- endif -%}
"""


def set_chat_template(tokenizer: Any, prompt_format: str, prompt: str = ALPACA) -> None:
    """Give a tokenizer the template of a model trained with `prompt`, in place of its base's.

    Raises BadInput if no template gives the tokens that the tokenizer makes of the prompt.
    """
    for space in AFTER_BOS if adds_bos(tokenizer) else AFTER_BOS[:1]:
        before, _, after = prompt.partition(INSTRUCTION)
        start = f"bos_token ~ {json.dumps(space + before)}" if adds_bos(tokenizer) else json.dumps(before)
        parts = {"<before>": start, "<after>": json.dumps(after), "<response>": RESPONSE[prompt_format]}
        template = _TEMPLATE
        for name, expression in parts.items():
            template = template.replace(name, expression)
        tokenizer.chat_template = template
        if chat_fault(tokenizer, prompt) is None:
            return
    raise BadInput(
        "no chat template gives the prompt's tokens: this tokenizer splits a text in another way after a BOS that is "
        "written out; use the tokenizer that belongs to the model"
    )


def write_chat_template(folder: Path) -> None:
    """Write the template into a model folder that was trained before models had one, and into its adapter's."""
    from transformers import AutoTokenizer

    trained = TrainingRecord.read(folder).prompt
    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    set_chat_template(tokenizer, trained.format, trained.training)
    for place in (folder, folder / "adapter"):
        if place.is_dir():
            (place / FILE_NAME).write_text(tokenizer.chat_template, encoding="utf-8")


def chat_fault(tokenizer: Any, prompt: str) -> str | None:
    """Say how a tokenizer's chat template differs from the prompt of training; None if they agree.

    Compares tokens, which are what the model gets, and checks that a system message is refused.
    """
    if tokenizer.chat_template is None:
        return "there is none"
    user = {"role": "user", "content": PROBE}
    try:
        text = tokenizer.apply_chat_template([user], tokenize=False, add_generation_prompt=True)
    except Exception as error:  # whatever the template raises, a chat would get it too
        return f"it fails on one user message ({in_one_line(error)})"
    if tokenizer(text, add_special_tokens=False)["input_ids"] != _trained_tokens(tokenizer, prompt):
        return f"it renders {in_one_line(repr(text))} instead of the trained prompt"
    try:
        tokenizer.apply_chat_template([{"role": "system", "content": "Be brief."}, user], tokenize=False)
    except Exception:  # jinja2's TemplateError, or what an engine makes of it
        return None
    return "it takes a system message, which the model was not trained with"


def _trained_tokens(tokenizer: Any, prompt: str) -> list[int]:
    """Return the tokens of the prompt, with the BOS that the tokenizer adds and without an EOS that it may add."""
    ids: list[int] = tokenizer(prompt.replace(INSTRUCTION, PROBE))["input_ids"]
    return ids[:-1] if ids[-1] == tokenizer.eos_token_id else ids


if __name__ == "__main__":
    write_chat_template(Path(sys.argv[1]))
