"""lm-eval tasks: YAML files, and the functions they name. `lm_eval --include_path "$(personamath tasks)"` finds them.

No module here but `harness`, which is lm-eval's own, imports lm-eval; none imports torch.
"""

from pathlib import Path

FOLDER = Path(__file__).parent
"""Where the YAML files lie."""
