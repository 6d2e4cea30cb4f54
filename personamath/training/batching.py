"""The effective batch: stated once, the same examples in every step whatever the machine."""

from collections.abc import Iterator
from dataclasses import dataclass

from personamath.errors import BadInput
from personamath.training.record import Batch


def derive_batch(effective_batch_size: int, per_device: int, processes: int) -> Batch:
    """The accumulation steps that make the effective batch; BadInput where none do."""
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
    """E.g. `Effective batch 16 = 1 per device x 4 accumulation steps x 4 processes`."""
    return (
        f"Effective batch {batch.effective_batch_size} = {batch.per_device_train_batch_size} per device"
        f" x {batch.gradient_accumulation_steps} accumulation steps x {batch.processes} processes"
    )


@dataclass
class EpochOrder:
    """The order of an epoch's examples, as a sampler: shuffled by seed and epoch, whole effective batches only.

    Step s of an epoch sees entries [s * B, (s + 1) * B) for the effective batch B: processes and accumulation share
    these out among themselves, none of them changes the set. The up to B - 1 examples left over sit the epoch out,
    others in each.
    """

    examples: int
    effective_batch_size: int
    seed: int
    epoch: int = 0

    def __post_init__(self) -> None:
        """Refuse data that makes no step."""
        if self.examples < self.effective_batch_size:
            raise BadInput(
                f"{self.examples} examples do not fill one step of effective_batch_size {self.effective_batch_size}"
            )

    def set_epoch(self, epoch: int) -> None:
        """Called by the data loader before each epoch."""
        self.epoch = epoch

    def __len__(self) -> int:
        """Examples of an epoch."""
        return self.examples // self.effective_batch_size * self.effective_batch_size

    def __iter__(self) -> Iterator[int]:
        """Their indices."""
        import numpy  # not at import: the record and its readers need none

        order = numpy.random.default_rng([self.seed, self.epoch]).permutation(self.examples)
        return iter(order[: len(self)].tolist())
