"""TRL's SFTTrainer with exact batches, two ways to normalize the loss, and checkpoints that are complete."""

import time
from pathlib import Path
from typing import Any

from transformers import PreTrainedModel, TrainerCallback, TrainerControl, TrainerState
from transformers.trainer_utils import rotate_checkpoints
from trl import SFTTrainer

from personamath.errors import BadInput
from personamath.training.arguments import LossNormalization
from personamath.training.batching import EpochOrder
from personamath.training.checkpoints import seal, unseal

SECONDS = "wall_seconds"
"""Key of the trainer's log: seconds of training so far, summed over the parts of a resumed run."""


class _LogLastStep(TrainerCallback):
    def on_step_end(self, args: Any, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        if state.global_step >= state.max_steps:
            control.should_log = True


class ExactTrainer(SFTTrainer):
    """Trains on finished examples (`input_ids`, `labels`), which it does not change."""

    def __init__(
        self, *, effective_batch_size: int, loss_normalization: LossNormalization, train_dataset: Any, **options: Any
    ) -> None:
        """Take SFTTrainer's options, and the recipe's keys for batch and loss."""
        self._order = EpochOrder(len(train_dataset), effective_batch_size, options["args"].seed)
        # So the curve has both ends and the record its final loss, whatever `logging_steps`.
        options["args"].logging_first_step = True
        super().__init__(train_dataset=train_dataset, **options)
        self.add_callback(_LogLastStep())
        if loss_normalization == "paper":
            # The released trainer's transformers averaged each micro-batch over its tokens, then the micro-batches.
            self.model_accepts_loss_kwargs = False
        self._started = time.monotonic()

    def _get_train_sampler(self, train_dataset: Any = None) -> EpochOrder:
        return self._order

    def get_train_dataloader(self) -> Any:
        """Return the data loader; raises BadInput where its batches would not add up to the recipe's."""
        loader = super().get_train_dataloader()
        step, wanted = loader.total_batch_size * self.args.gradient_accumulation_steps, self._order.effective_batch_size
        if step != wanted:
            raise BadInput(
                f"a step would take {step} examples instead of effective_batch_size {wanted}: "
                "start the run with `accelerate launch` and one of accelerate_configs/"
            )
        return loader

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
