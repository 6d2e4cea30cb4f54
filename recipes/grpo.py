# /// script
# requires-python = ">=3.11"
# dependencies = [
#   "personamath",
#   "torch>=2.6",
#   "transformers>=5.16",
#   "trl>=1.10",
#   "accelerate>=1.10",
#   "peft>=0.18",
# ]
#
# [tool.hf-jobs]
# flavor = "h200"
# timeout = "24h"
# secrets = ["HF_TOKEN"]
# ///
"""Train a fine-tuned model further by reinforcement learning (GRPO): the reward is the grader's verdict.

accelerate launch --config_file accelerate_configs/zero3.yaml recipes/grpo.py --config recipes/grpo-qwen2.5-7b.yaml

accelerate launch --config_file accelerate_configs/cpu.yaml recipes/grpo.py --config recipes/grpo-tiny.yaml

uv run recipes/grpo.py --config grpo-qwen2.5-7b  # one GPU; uv installs what the header above names

After any interruption, the same command resumes from the last complete checkpoint. See docs/training.md.
"""

import warnings
from pathlib import Path
from typing import Any

from personamath.errors import BadInput
from personamath.training.base_model import loading_weights
from personamath.training.batching import derive_batch, describe
from personamath.training.chat_template import set_chat_template
from personamath.training.checkpoints import claim
from personamath.training.curve import REWARD as REWARD_CURVE
from personamath.training.curve import write_curve
from personamath.training.ending import Ending
from personamath.training.environment import git_commit, hardware, machine, repository, versions
from personamath.training.processes import (
    check_machine,
    find_checkpoint,
    from_first,
    in_turn,
    is_finished,
    say,
    status_of,
)
from personamath.training.record import Batch, Reinforcement, RowCounts, TrainingData, TrainingRecord
from personamath.training.saved_files import checksums, damage
from personamath_hub.models.card import model_card

REWARD = "personamath.rewards.correct"


def main() -> None:
    """Run a recipe, from its problems to a model folder that can be scored and pushed."""
    # --- recipe
    # The new name does not exist in transformers 5.20, which vLLM needs.
    warnings.filterwarnings("ignore", "`gradient_checkpointing` is deprecated", FutureWarning)
    from personamath.training.grpo.arguments import read_arguments
    from personamath.training.grpo.problems import load_problems, make_problems, problems_digest
    from personamath.training.grpo.start import load_start
    from personamath.training.saving import save_model

    arguments = read_arguments()
    ours, options, model = arguments.ours, arguments.trainer, arguments.model
    check_machine(options, model)
    output = Path(options.output_dir)
    if is_finished(output, arguments.recipe):
        return
    batch = derive_batch(options.effective_batch_size, options.per_device_train_batch_size, options.world_size)
    say(f"{describe(batch)}: {options.num_generations} completions of {options.problems_per_step} problems")

    # --- problems and fine-tuned model: both are checked before any weight is loaded
    with in_turn(options):
        rows, data = load_problems(ours.dataset_name, ours.dataset_config, ours.dataset_revision, ours.allow_simulated)
    with in_turn(options):
        start = load_start(model)
        set_chat_template(start.base.tokenizer, start.record.prompt.format)
    if start.record.simulated and not ours.allow_simulated:
        raise BadInput(f"{start.folder}: was fine-tuned on simulated rows; to try it anyway: --allow_simulated true")
    if found := from_first(lambda: damage(start.folder, start.record.files), options):
        raise BadInput(f"{found}, by its training.json: copy the model again")
    problems, counts = make_problems(rows, start.base.tokenizer, ours.max_prompt_length)
    say(f"{counts.used:,} of {counts.read:,} problems; dropped: {counts.dropped or 'none'}")
    with in_turn(options):
        facts = {"data": data.commit or data.name, "tokens": counts.tokens, "fine_tuned": start.digest}
        claim(output, arguments.recipe | facts | {"examples": problems_digest(problems)} | machine(options))

    # --- keep the problems that the model sometimes solves
    enough(len(problems), options, counts)
    with loading_weights(model.model_name_or_path):
        trainer = make_trainer(arguments, start, problems)
    pass_rate, counts = filter_problems(trainer, ours, problems, counts)
    enough(counts.used, options, counts)

    # --- train, resuming from the last complete checkpoint
    checkpoint = find_checkpoint(output, options)
    trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)

    # --- write the model folder
    save_model(trainer, model, start.base.tokenizer)
    if trainer.accelerator.is_main_process:
        trainer.state.save_to_json(str(output / "trainer_state.json"))
        write_curve(trainer.state.log_history, output, REWARD_CURVE)
        record(trainer, arguments, start, data, counts, batch, pass_rate).write(output)
        (output / "README.md").write_text(model_card(output), encoding="utf-8")  # a draft: nothing is scored yet
    trainer.accelerator.wait_for_everyone()
    say(f"The model is in {output}")
    trainer.accelerator.end_training()


def enough(problems: int, options: Any, counts: RowCounts) -> None:
    """Raise BadInput if the problems do not fill a step."""
    if problems < options.problems_per_step:
        raise BadInput(
            f"{problems:,} of {counts.read:,} problems are left (dropped: {counts.dropped or 'none'}), and a step "
            f"takes {options.problems_per_step}: use more problems or a smaller effective_batch_size, or widen "
            "min_pass_rate and max_pass_rate"
        )


def make_trainer(arguments: Any, start: Any, problems: Any) -> Any:
    """Make the trainer; this loads the weights, and vLLM where it generates."""
    from trl import get_peft_config, get_quantization_config

    from personamath.training.grpo.problems import as_dataset
    from personamath.training.grpo.trainer import RewardTrainer
    from personamath.training.vocabulary import set_tokens

    options, model = arguments.trainer, arguments.model
    options.model_init_kwargs = {
        **(options.model_init_kwargs or {}),
        "dtype": model.dtype,
        "attn_implementation": model.attn_implementation,
    }
    options.ddp_find_unused_parameters = False
    trainer = RewardTrainer(
        model=model.model_name_or_path,
        args=options,
        train_dataset=as_dataset(problems),
        processing_class=start.base.tokenizer,
        quantization_config=get_quantization_config(model),
        peft_config=get_peft_config(model),
    )
    set_tokens(trainer.accelerator.unwrap_model(trainer.model), start.base.tokenizer)
    return trainer


def filter_problems(trainer: Any, ours: Any, problems: Any, counts: RowCounts) -> tuple[float | None, RowCounts]:
    """Measure pass rates, once, and leave the trainer the problems within the recipe's range."""
    from accelerate.utils import set_seed

    from personamath.training.grpo.pass_rates import FILE_NAME as PASS_RATES
    from personamath.training.grpo.pass_rates import keep, measure
    from personamath.training.grpo.problems import as_dataset

    if not ours.pass_rate_samples:
        return None, counts
    samples, options = ours.pass_rate_samples, trainer.args
    path, writes = Path(options.output_dir) / PASS_RATES, trainer.accelerator.is_main_process
    solved = measure(problems, samples, options.seed, trainer.count_solved, path, writes)
    kept = keep(problems, solved, samples, ours.min_pass_rate, ours.max_pass_rate, counts)
    left = f"{kept.counts.used:,} problems are left; dropped: {kept.counts.dropped or 'none'}"
    say(f"{kept.pass_rate:.0%} of completions are correct; {left}")
    trainer.train_dataset = as_dataset(kept.problems)
    # Measuring drew random numbers, unless it was done before.
    set_seed(options.seed, device_specific=True)
    return kept.pass_rate, kept.counts


def record(
    trainer: Any,
    arguments: Any,
    start: Any,
    data: TrainingData,
    counts: RowCounts,
    batch: Batch,
    pass_rate: float | None,
) -> TrainingRecord:
    """Describe the run."""
    from personamath.training.resumable import seconds

    logged = [entry for entry in trainer.state.log_history if "reward" in entry]
    return TrainingRecord(
        kind="grpo",
        base_model=start.record.base_model,
        data=data,
        prompt=start.record.prompt,
        rows=counts,
        batch=batch,
        recipe=arguments.recipe,
        steps=trainer.state.global_step,
        epochs=round(trainer.state.epoch, 4),
        final_loss=logged[-1]["loss"],
        wall_seconds=seconds(trainer.state.log_history),
        hardware=hardware(trainer.accelerator, arguments.trainer),
        versions=versions(),
        git_commit=git_commit(),
        repository=repository(),
        tags=list(trainer.accelerator.unwrap_model(trainer.model).model_tags or []),
        files=checksums(Path(trainer.args.output_dir)),
        reinforcement=Reinforcement(
            started_from=start.base.record,
            fine_tuned_on=start.record.data,
            reward=REWARD,
            pass_rate=pass_rate,
            first_reward=logged[0]["reward"],
            final_reward=logged[-1]["reward"],
        ),
    )


if __name__ == "__main__":
    ending = Ending()
    ending.with_status(status_of(main, "grpo"))
