"""TRL's SFTTrainer with exact batches, two ways to normalize the loss, and checkpoints that are complete."""

from typing import Any

from trl import SFTTrainer

from personamath.errors import BadInput
from personamath.training.arguments import LossNormalization
from personamath.training.batching import EpochOrder
from personamath.training.resumable import Resumable


class ExactTrainer(Resumable, SFTTrainer):
    """Trains on finished examples (`input_ids`, `labels`), which it does not change."""

    def __init__(
        self, *, effective_batch_size: int, loss_normalization: LossNormalization, train_dataset: Any, **options: Any
    ) -> None:
        """Take SFTTrainer's options, and the recipe's keys for batch and loss."""
        self._order = EpochOrder(len(train_dataset), effective_batch_size, options["args"].seed)
        super().__init__(train_dataset=train_dataset, **options)
        if loss_normalization == "paper":
            # The released trainer's transformers averaged each micro-batch over its tokens, then the micro-batches.
            self.model_accepts_loss_kwargs = False

    def _get_train_sampler(self, train_dataset: Any = None) -> EpochOrder:
        return self._order

    def get_train_dataloader(self) -> Any:
        """Return the data loader; raises BadInput if its batches would not add up to the recipe's."""
        loader = super().get_train_dataloader()
        step, wanted = loader.total_batch_size * self.args.gradient_accumulation_steps, self._order.effective_batch_size
        if step != wanted:
            raise BadInput(
                f"a step would take {step} examples instead of effective_batch_size {wanted}: "
                "start the run with `accelerate launch` and one of accelerate_configs/"
            )
        return loader
