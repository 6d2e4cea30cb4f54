"""The effective batch: a recipe states it once, and every step sees the same examples on any machine."""

from collections.abc import Iterator
from dataclasses import dataclass

from personamath.errors import BadInput
from personamath.training.record import Batch


def derive_batch(effective_batch_size: int, per_device: int, processes: int) -> Batch:
    """Derive the accumulation steps from the effective batch; raises BadInput if it does not divide."""
    at_once = per_device * processes
    if effective_batch_size < 1 or effective_batch_size % at_once:
        fitting = [size for size in range(1, per_device + 1) if effective_batch_size % (size * processes) == 0]
        remedy = (
            f"per_device_train_batch_size {fitting[-1]} divides it"
            if fitting
            else "no per_device_train_batch_size divides it: use another number of processes"
        )
        raise BadInput(
            f"effective_batch_size {effective_batch_size} is not a multiple of per_device_train_batch_size {per_device}"
            f" x {processes} processes = {at_once}; {remedy}"
        )
    return Batch(
        effective_batch_size=effective_batch_size,
        per_device_train_batch_size=per_device,
        gradient_accumulation_steps=effective_batch_size // at_once,
        processes=processes,
    )


def describe(batch: Batch) -> str:
    """Describe a batch, e.g. `Effective batch 16 = 1 per device x 4 accumulation steps x 4 processes`."""
    return (
        f"Effective batch {batch.effective_batch_size} = {batch.per_device_train_batch_size} per device"
        f" x {batch.gradient_accumulation_steps} accumulation steps x {batch.processes} processes"
    )


@dataclass
class EpochOrder:
    """The order of an epoch's examples, as a sampler: shuffled by seed and epoch, whole effective batches only.

    Step s of an epoch sees entries [s * B, (s + 1) * B) for the effective batch B, whatever the number of processes and
    accumulation steps. Up to B - 1 examples remain and are skipped in this epoch; the next epoch skips others.
    """

    examples: int
    effective_batch_size: int
    seed: int
    epoch: int = 0

    def __post_init__(self) -> None:
        """Refuse data that does not fill a step."""
        if self.examples < self.effective_batch_size:
            raise BadInput(
                f"{self.examples} examples do not fill one step of effective_batch_size {self.effective_batch_size}"
            )

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch; the data loader calls this before each."""
        self.epoch = epoch

    def __len__(self) -> int:
        """Return the number of examples in an epoch."""
        return self.examples // self.effective_batch_size * self.effective_batch_size

    def __iter__(self) -> Iterator[int]:
        """Yield the indices of the examples."""
        import numpy  # here, because most importers of this module need no numpy

        order = numpy.random.default_rng([self.seed, self.epoch]).permutation(self.examples)
        return iter(order[: len(self)].tolist())
