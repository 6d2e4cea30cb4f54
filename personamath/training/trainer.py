"""TRL's SFTTrainer with this project's promises: exact batches, either loss normalisation, whole checkpoints."""

import time
from pathlib import Path
from typing import Any

from transformers import PreTrainedModel
from transformers.trainer_utils import rotate_checkpoints
from trl import SFTTrainer

from personamath.training.arguments import LossNormalization
from personamath.training.batching import EpochOrder
from personamath.training.checkpoints import seal

SECONDS = "wall_seconds"
"""Key of the trainer's log: seconds of training so far, over all sittings of a resumed run."""


class ExactTrainer(SFTTrainer):
    """Trains on ready examples (`input_ids`, `labels`), which it never changes."""

    def __init__(
        self, *, effective_batch_size: int, loss_normalization: LossNormalization, train_dataset: Any, **options: Any
    ) -> None:
        """Take SFTTrainer's options, and what the recipe says of batches and loss."""
        self._order = EpochOrder(len(train_dataset), effective_batch_size, options["args"].seed)
        super().__init__(train_dataset=train_dataset, **options)
        if loss_normalization == "paper":
            # The released trainer's transformers averaged each micro-batch over its tokens, then the micro-batches.
            self.model_accepts_loss_kwargs = False
        self._started = time.monotonic()

    def _get_train_sampler(self, train_dataset: Any = None) -> EpochOrder:
        return self._order

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """Add the wall time to what is logged; it goes into the checkpoints with the rest."""
        now = time.monotonic()
        before = next((entry[SECONDS] for entry in reversed(self.state.log_history) if SECONDS in entry), 0.0)
        logs[SECONDS] = round(before + now - self._started, 3)
        self._started = now
        super().log(logs, start_time)

    def _save_checkpoint(self, model: PreTrainedModel, trial: Any) -> None:
        # Older checkpoints go only once this one is whole on every process.
        limit, self.args.save_total_limit = self.args.save_total_limit, None
        try:
            super()._save_checkpoint(model, trial)
        finally:
            self.args.save_total_limit = limit
        self.accelerator.wait_for_everyone()
        if self.args.should_save:
            seal(Path(self.args.output_dir) / f"checkpoint-{self.state.global_step}")
            rotate_checkpoints(self.args.output_dir, save_total_limit=limit, use_mtime=True)
        self.accelerator.wait_for_everyone()

    def create_model_card(self, *_: Any, **__: Any) -> None:
        """Write none: TRL's would describe another data set; ours is computed from the record."""
