"""`python -m personamath.evaluation.tasks.lm_eval_command`: the command lm_eval, with our tasks instead of its own.

lm_eval begins by reading the YAML files of its own 14,000 tasks, about ten seconds of CPU for every model. The options
are lm_eval's; `--include_path` adds tasks.
"""

from pathlib import Path
from typing import Any

from personamath.evaluation.tasks import FOLDER


def main() -> None:
    """Run lm_eval's command on the arguments of this process."""
    import lm_eval.tasks
    from lm_eval.__main__ import cli_evaluate

    class OurTasks(lm_eval.tasks.TaskManager):
        """Knows the tasks in our folder and in `--include_path`."""

        def __init__(self, include_path: str | Path | None = None, **more: Any) -> None:
            added = [] if include_path is None else [include_path]
            super().__init__(include_path=[FOLDER, *added], include_defaults=False, **more)

    lm_eval.tasks.TaskManager = OurTasks  # the command has no option for it
    cli_evaluate()


if __name__ == "__main__":
    main()
