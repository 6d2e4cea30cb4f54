"""PersonaMath (arXiv 2410.01504): math problems augmented by a teacher model, graded, published and trained on.

import personamath

rows = personamath.augment([{"question": "...", "answer": "40"}], teacher="qwen2.5:7b", output="runs/mine",
                           base_url="http://127.0.0.1:11434/v1", method="persona", k1=3)
personamath.grade("3/4", "so it is \\boxed{0.75}").correct    # True
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from personamath.answers import equivalent as equivalent
    from personamath.answers import extract as extract
    from personamath.answers import grade as grade
    from personamath.runs.api import augment as augment
    from personamath.runs.api import augment_async as augment_async
    from personamath.runs.api import load_recipe as load_recipe

__version__ = "0.2.0"

_HOMES = {
    "augment": "personamath.runs.api",
    "augment_async": "personamath.runs.api",
    "equivalent": "personamath.answers",
    "extract": "personamath.answers",
    "grade": "personamath.answers",
    "load_recipe": "personamath.runs.api",
}
"""Where each public name is defined; it is imported when it is first used, so that `import personamath` is quick."""

__all__ = [*_HOMES, "__version__"]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'personamath' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
