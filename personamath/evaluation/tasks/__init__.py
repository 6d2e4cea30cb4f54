"""lm-eval tasks: YAML files and their functions, found by `lm_eval --include_path "$(personamath tasks)"`.

Importing them needs neither torch nor lm-eval, except for `harness`, which lm-eval loads.
"""

from pathlib import Path

FOLDER = Path(__file__).parent
"""The folder of the YAML files."""
