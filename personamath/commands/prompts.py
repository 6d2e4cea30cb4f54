"""`personamath prompts`: print a method's prompts, or write them to files to edit."""

import argparse
from collections.abc import Mapping
from pathlib import Path

import yaml

from personamath.errors import BadInput
from personamath.files import local_path, written_whole
from personamath.methods import METHODS
from personamath.methods.prompts import Prompt
from personamath.methods.replaced_prompts import as_file

DESCRIPTION = """\
Print the prompts of a method. A recipe can replace each prompt with the text of a file:

  personamath prompts persona --write prompts      # then edit prompts/rewriting.txt
  personamath augment --config recipe.yaml --prompts '{rewriting: prompts/rewriting.txt}' --output runs/mine

A file must hold the same placeholders, and the reply must still be readable: see docs/method.md. Other braces, such as
\\boxed{}, are sent as they are.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    first = next(iter(METHODS))
    parser.add_argument("method", nargs="?", choices=METHODS, default=first, help=f"the method (default {first})")
    parser.add_argument(
        "--write", type=local_path, metavar="DIR", help="write each prompt to DIR/NAME.txt, and print the recipe's keys"
    )


def run(options: argparse.Namespace) -> int:
    """Print or write the prompts; return the exit status."""
    prompts = METHODS[options.method]().prompts
    if options.write is None:
        print("\n\n".join(_shown(name, prompt) for name, prompt in prompts.items()))
        return 0
    paths = _write(options.write, prompts)
    keys = yaml.safe_dump({"prompts": paths}, sort_keys=False, allow_unicode=True)
    print(f"Edit these files, and name those that you change in the recipe:\n\n{keys}", end="")
    return 0


def _shown(name: str, prompt: Prompt) -> str:
    facts = {
        "asks to": prompt.says,
        "filled in": ", ".join(f"{{{one}}}" for one in prompt.placeholders),
        "reply": prompt.reply,
        "from": prompt.origin,
    }
    lines = [f"  {what:<10} {says}" for what, says in facts.items() if says]
    text = "\n".join(f"    {line}" for line in prompt.template.split("\n"))
    return "\n".join([name, *lines, "", text])


def _write(folder: Path, prompts: Mapping[str, Prompt]) -> dict[str, str]:
    """Write each prompt to a file; return the paths by name. Raises `BadInput` instead of replacing another text."""
    paths = {name: folder / f"{name}.txt" for name in prompts}
    texts = {name: as_file(prompt).encode() for name, prompt in prompts.items()}
    for name, path in paths.items():
        if path.exists() and path.read_bytes() != texts[name]:
            raise BadInput(f"{path}: exists and has another text: give another folder, or remove the file")
    folder.mkdir(parents=True, exist_ok=True)
    for name, path in paths.items():
        with written_whole(path) as partial:
            partial.write_bytes(texts[name])
    return {name: str(path) for name, path in paths.items()}
