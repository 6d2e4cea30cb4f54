"""The folders beside the packages that are needed at run time: the wheel carries them inside `personamath`."""

from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path

from personamath.errors import BadInput
from personamath.files import plain_path


def shipped(name: str) -> Path:
    """Return a folder of the repository: `model_cards`, `recipes` or `accelerate_configs`.

    An installed package has it inside; a checkout, installed as editable or not, has it beside the package.
    """
    package = Path(__file__).parent
    inside = package / name
    return inside if inside.is_dir() else package.parent / name


def find_recipe(given: str, *kinds: str) -> Path:
    """Return a recipe's YAML file, from its path or its name, e.g. `sft-qwen2.5-7b`; raises BadInput without one.

    `kinds` are the beginnings of the names: `augment`, `sft`, `grpo`.
    """
    return _find_yaml(given, "recipe", [path for kind in kinds for path in shipped("recipes").glob(f"{kind}-*.yaml")])


def find_accelerate_config(given: str) -> Path:
    """Return a config of accelerate, from its path or its name, e.g. `zero2`; raises BadInput without one."""
    return _find_yaml(given, "accelerate config", shipped("accelerate_configs").glob("*.yaml"))


def _find_yaml(given: str, what: str, files: Iterable[Path]) -> Path:
    path = Path(plain_path(given))
    if path.is_file():
        return path
    known = {file.stem: file for file in sorted(files, key=lambda file: file.stem)}
    if given in known:
        return known[given]
    if path.suffix not in (".yaml", ".yml") and len(path.parts) == 1:
        near = get_close_matches(given, known, n=1)
        hint = f"did you mean {near[0]}? There are" if near else "there are"
        raise BadInput(f"no {what} {given!r}: {hint} {', '.join(known)}; or give a YAML file")
    remedy = f"; PersonaMath carries it as {path.stem}" if path.stem in known else ""
    raise BadInput(f"{path}: No such file or directory{remedy}")
