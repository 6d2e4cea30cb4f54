"""TRL's GRPOTrainer with the prompts of fine-tuning, an order that resumes, and checkpoints that are complete."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from accelerate.utils import gather_object, set_seed
from trl import GRPOTrainer

from personamath.errors import BadInput
from personamath.rewards import correct
from personamath.training.batching import EpochOrder
from personamath.training.examples import tokenize
from personamath.training.grpo.problems import Problem
from personamath.training.resumable import Resumable

REWARD, REWARD_SPREAD = "reward", "reward_std"
"""Keys of the trainer's log: the mean reward of a step's completions, and how much it differs within a problem."""


@dataclass
class ProblemOrder:
    """The order of an epoch's problems, as a sampler: `EpochOrder` over problems, each repeated as TRL expects it."""

    order: EpochOrder
    generations: int
    """Completions of a problem."""
    batches: int
    """How often TRL draws the problems of a step: once for each batch that accumulates to it."""

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch; the data loader calls this before each."""
        self.order.set_epoch(epoch)

    def __len__(self) -> int:
        """Return the number of entries in an epoch."""
        return len(self.order) * self.generations * self.batches

    def __iter__(self) -> Iterator[int]:
        """Yield the indices of the problems."""
        problems, size = list(self.order), self.order.effective_batch_size
        for start in range(0, len(problems), size):
            for _ in range(self.batches):
                for problem in problems[start : start + size]:
                    yield from [problem] * self.generations


class RewardTrainer(Resumable, GRPOTrainer):
    """Trains on problems (`prompt`, `solution`); the reward is whether the grader finds the completion correct."""

    def __init__(self, **options: Any) -> None:
        """Take GRPOTrainer's options besides the reward."""
        super().__init__(reward_funcs=[correct], **options)

    def _get_train_sampler(self, dataset: Any = None) -> ProblemOrder:
        problems = self.train_dataset if dataset is None else dataset
        # TRL's own order of the second epoch depends on having drawn the first, which a resumed run has not.
        order = EpochOrder(len(problems), self.args.problems_per_step, self.args.seed)
        return ProblemOrder(order, self.num_generations, self.args.steps_per_generation)

    def _tokenize_prompts(self, prompts: list[str]) -> tuple[list[list[int]], None, dict[str, Any]]:
        return tokenize(prompts, self.processing_class), None, {}  # as fine-tuning does

    def count_solved(self, problems: Sequence[Problem], samples: int, rng_seed: int) -> list[int]:
        """Sample completions of problems before the training starts; return how many of each are correct.

        All processes call it with the same problems, and share the work.
        """
        processes = self.accelerator.num_processes
        if not self.use_vllm and (self.is_deepspeed_enabled or self.is_fsdp_enabled):
            raise BadInput(
                "pass rates cannot be measured with sharded weights and without vLLM: set use_vllm: true, measure "
                "with ddp or single_gpu, or set pass_rate_samples: 0"
            )
        set_seed(rng_seed, device_specific=True)
        each = -(-len(problems) // processes)
        padded = [*problems, *[problems[-1]] * (each * processes - len(problems))]
        mine = padded[self.accelerator.process_index * each :][:each]
        repeated = [problem for problem in mine for _ in range(samples)]
        rewards = correct(self._sample([problem.prompt for problem in repeated]), [each.solution for each in repeated])
        solved = [sum(map(bool, rewards[place : place + samples])) for place in range(0, len(rewards), samples)]
        counts: list[int] = gather_object(solved)
        return counts[: len(problems)]

    def _sample(self, prompts: list[str]) -> list[str]:
        ids = tokenize(prompts, self.processing_class)
        if self.use_vllm:
            # The engine has loaded the weights that training starts from.
            _, completions, _, _ = self.vllm_generation.generate(ids, images=None, num_generations=1)
        else:
            completions, size = [], self.args.per_device_train_batch_size * self.args.steps_per_generation
            for start in range(0, len(ids), size):
                part, _ = self._generate_single_turn(ids[start : start + size], None, {}, 1)
                completions += part
        texts: list[str] = self.processing_class.batch_decode(completions, skip_special_tokens=True)
        return texts
