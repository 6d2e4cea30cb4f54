"""Prompts that a recipe has in place of the method's own: read from files, or from the texts that run.json holds."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import Any

from personamath.errors import BadInput
from personamath.files import TEXT, in_one_line, is_unicode, local_path, nearest
from personamath.methods.prompts import Prompt

EXAMPLE = "prompts: {rewriting: mine.txt}"
EXAMPLE_TEXT = "{text: 'Rewrite: {problem}'}"
# As Jinja and Python's `format` write braces; filled in, one pair would stay around the value.
_DOUBLED = "{{%s}}"


def read_prompts(given: Any, own: Mapping[str, Prompt], place: str) -> dict[str, Prompt]:
    """The prompts that differ from the method's `own`, by name.

    `given` has by name the path of a file, or a mapping: its `text`, and the name of the `file` that it came from.
    Raises `BadInput`, which names `place`, for an unknown name, a file that cannot be read, and a text that cannot
    replace the prompt.
    """
    if not isinstance(given, Mapping):
        shown = in_one_line(repr(given), 80)
        raise BadInput(f"{place}: prompts is {shown}; it must be names of prompts with their files, e.g. `{EXAMPLE}`")
    found = {}
    for name, value in given.items():
        if name not in own:
            known = nearest(str(name), own) if own else "the method has none"
            raise BadInput(f"{place}: prompts: unknown prompt {name!r}; {known}")
        if value is None:  # a key without a value keeps the method's own
            continue
        prompt = _prompt(value, own[name], f"{place}: prompts.{name}")
        if prompt.template != own[name].template:
            found[name] = prompt
    return found


def as_keys(prompts: Mapping[str, Prompt]) -> dict[str, dict[str, str]]:
    """The keys from which `read_prompts` makes these prompts without their files."""
    return {
        name: ({"file": prompt.origin} if prompt.origin else {}) | {"text": prompt.template}
        for name, prompt in prompts.items()
    }


def as_file(prompt: Prompt) -> str:
    """The text of a file that replaces a prompt by itself: it ends in the newline that a reader takes off."""
    return f"{prompt.template}\n"


def _prompt(value: Any, own: Prompt, place: str) -> Prompt:
    """The prompt in place of the method's `own`, checked."""
    if isinstance(value, (str, PathLike)):
        path = local_path(str(value))
        place = f"{place}: {in_one_line(path)}"
        file, text = path.name, _read(path, place)
    elif isinstance(value, Mapping) and isinstance(value.get("text"), str) and value.keys() <= {"file", "text"}:
        file, text = Path(str(value.get("file") or "")).name, value["text"]
    else:
        shown = in_one_line(repr(value), 80)
        raise BadInput(f"{place} is {shown}; it must be the path of a file, or a mapping with the key `text`")
    prompt = replace(own, template=text, origin=file)
    for fault in _faults(prompt, own):
        raise BadInput(f"{place}: {fault}")
    return prompt


def _read(path: Path, place: str) -> str:
    """The text of a file, without the newline that editors put at its end."""
    try:
        return path.read_text(encoding=TEXT).removesuffix("\n")
    except UnicodeDecodeError:
        raise BadInput(f"{place}: is not UTF-8 text: save it as UTF-8") from None
    except (OSError, ValueError) as error:  # a text in place of a path may be too long for one, or hold a null byte
        why = in_one_line(getattr(error, "strerror", None) or error)
        raise BadInput(f"{place}: {why}; give a path from the working directory, or `{EXAMPLE_TEXT}`") from None


def _faults(prompt: Prompt, own: Prompt) -> Iterator[str]:
    """Why a prompt cannot replace the method's own."""
    if not is_unicode(prompt.template):
        yield "holds half of a surrogate pair, which no request can hold: write it in UTF-8"
    if not prompt.template.strip():
        yield "is empty: write the prompt into it, or leave the key out to use the method's own"
    wanted = own.placeholders
    known = " and ".join(f"{{{name}}}" for name in wanted) or "none"
    for name in wanted:
        if _DOUBLED % name in prompt.template:
            yield f"has {_DOUBLED % name}: write {{{name}}}, with single braces"
    for name in prompt.placeholders:
        if name not in wanted:
            yield (
                f"{{{name}}} is not a placeholder of this prompt, which has {known}; for braces that are sent as they "
                f"are, write {{ {name} }}"
            )
    for name in wanted:
        if name not in prompt.filled:
            yield f"has no placeholder {{{name}}}: write it where the {name} belongs"
