"""lm-eval tasks: YAML files, and the functions they name. `lm_eval --include_path "$(personamath tasks)"` finds them.

Importing them takes neither torch nor lm-eval; `harness` alone, which lm-eval loads, imports lm-eval.
"""

from pathlib import Path

FOLDER = Path(__file__).parent
"""Where the YAML files lie."""
