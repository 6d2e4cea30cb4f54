"""What every trainer of ours adds to transformers' Trainer: checkpoints that are complete, and a log that goes on."""

import time
from pathlib import Path
from typing import Any

from transformers import PreTrainedModel, Trainer, TrainerCallback, TrainerControl, TrainerState
from transformers.trainer_utils import rotate_checkpoints

from personamath.training.checkpoints import seal, unseal

SECONDS = "wall_seconds"
"""Key of the trainer's log: seconds of training so far, summed over the parts of a resumed run."""


def seconds(log_history: list[dict[str, Any]]) -> float:
    """Return the seconds of training by a trainer's log."""
    return max((entry.get(SECONDS, 0.0) for entry in log_history), default=0.0)


class _LogLastStep(TrainerCallback):
    def on_step_end(self, args: Any, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        if state.global_step >= state.max_steps:
            control.should_log = True


class Resumable(Trainer):
    """Goes before one of TRL's trainers among the bases of a class."""

    def __init__(self, **options: Any) -> None:
        """Take the trainer's options."""
        # So the curve has both ends and the record its final values, whatever `logging_steps`.
        options["args"].logging_first_step = True
        super().__init__(**options)
        self.add_callback(_LogLastStep())
        self._started = time.monotonic()

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """Add the wall time to the log entry; checkpoints save the log."""
        now = time.monotonic()
        before = next((entry[SECONDS] for entry in reversed(self.state.log_history) if SECONDS in entry), 0.0)
        logs[SECONDS] = round(before + now - self._started, 3)
        self._started = now
        super().log(logs, start_time)

    def _run_epoch(self, *arguments: Any, **named: Any) -> None:
        # transformers would train one step too many where the last checkpoint is the last step.
        if self.state.global_step >= self.state.max_steps:
            self.control.should_training_stop = True
            return
        super()._run_epoch(*arguments, **named)

    def _save_checkpoint(self, model: PreTrainedModel, trial: Any) -> None:
        # Older checkpoints are deleted only once this one is complete on every process.
        limit, self.args.save_total_limit = self.args.save_total_limit, None
        checkpoint = Path(self.args.output_dir) / f"checkpoint-{self.state.global_step}"
        if self.args.should_save:
            unseal(checkpoint)  # an incomplete one is written again
        try:
            super()._save_checkpoint(model, trial)
        finally:
            self.args.save_total_limit = limit
        self.accelerator.wait_for_everyone()
        if self.args.should_save:
            seal(checkpoint)
            rotate_checkpoints(self.args.output_dir, save_total_limit=limit, use_mtime=True)
        self.accelerator.wait_for_everyone()

    def create_model_card(self, *_: Any, **__: Any) -> None:
        """Write no card: TRL's would describe another dataset, and ours is computed from the record."""
