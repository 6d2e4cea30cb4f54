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
# timeout = "12h"
# secrets = ["HF_TOKEN"]
# ///
"""Fine-tune a base model on PersonaMathQA: a run is one YAML, any key of which can be overridden.

accelerate launch --config_file accelerate_configs/zero2.yaml recipes/sft.py --config recipes/sft-llama-2-7b.yaml

accelerate launch --config_file accelerate_configs/single_gpu.yaml recipes/sft.py \\
    --config recipes/sft-qwen2.5-7b.yaml --dataset_revision v1.1.0 --output_dir runs/qwen

uv run recipes/sft.py --config sft-qwen2.5-7b-lora  # one GPU; uv installs what the header above names

After any interruption, the same command resumes from the last complete checkpoint. See docs/training.md.
"""

import warnings
from pathlib import Path
from typing import Any

from personamath.training import prompts, tiny
from personamath.training.arguments import Arguments, read_arguments
from personamath.training.base_model import Base, load_base, loading_weights
from personamath.training.batching import derive_batch, describe
from personamath.training.chat_template import set_chat_template
from personamath.training.checkpoints import claim
from personamath.training.curve import write_curve
from personamath.training.data import examples_digest, load_rows, make_dataset
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
from personamath.training.record import Batch, Prompt, RowCounts, TrainingData, TrainingRecord
from personamath.training.saved_files import checksums, identity
from personamath.training.saving import save_model
from personamath.training.vocabulary import adds_bos, set_tokens
from personamath_hub.models.card import model_card


def main() -> None:
    """Run a recipe, from its data to a model folder that can be scored and pushed."""
    # --- recipe: parsed before anything heavy is loaded
    # The new name does not exist in transformers 5.20, which vLLM needs.
    warnings.filterwarnings("ignore", "`gradient_checkpointing` is deprecated", FutureWarning)
    arguments = read_arguments()
    ours, options, model = arguments.ours, arguments.trainer, arguments.model
    check_machine(options, model)
    output = Path(options.output_dir)
    if is_finished(output, arguments.recipe):
        return
    batch = derive_batch(ours.effective_batch_size, options.per_device_train_batch_size, options.world_size)
    options.gradient_accumulation_steps = batch.gradient_accumulation_steps
    say(describe(batch))

    # --- data and base model: both are checked before any weight is loaded
    with in_turn(options):
        rows, data = load_rows(ours.dataset_name, ours.dataset_config, ours.dataset_revision, ours.allow_simulated)
    with in_turn(options):
        base = find_base(model, rows, output, options)
        set_chat_template(base.tokenizer, ours.prompt_format)
    with in_turn(options):
        examples, counts = make_dataset(rows, base.tokenizer, ours.prompt_format, options.max_length)
    say(
        f"{counts.used:,} of {counts.read:,} rows, {counts.tokens:,} tokens an epoch;"
        f" dropped: {counts.dropped or 'none'}; truncated: {counts.truncated:,}"
    )

    # --- train, resuming from the last complete checkpoint
    weights = from_first(lambda: identity(Path(model.model_name_or_path)), options) if base.record.local else None
    with in_turn(options):
        read = {"data": data.commit or data.name, "tokens": counts.tokens, "examples": examples_digest(examples)}
        loaded = {"base": base.record.commit, "weights": weights}
        claim(output, arguments.recipe | read | loaded | machine(options))
    checkpoint = find_checkpoint(output, options)
    with loading_weights(model.model_name_or_path):
        trainer = make_trainer(arguments, base, examples)
    trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)

    # --- write the model folder
    save_model(trainer, model, base.tokenizer)
    if trainer.accelerator.is_main_process:
        trainer.state.save_to_json(str(output / "trainer_state.json"))
        write_curve(trainer.state.log_history, output)
        record(trainer, arguments, base, data, counts, batch).write(output)
        (output / "README.md").write_text(model_card(output), encoding="utf-8")  # a draft: nothing is scored yet
    trainer.accelerator.wait_for_everyone()
    say(f"The model is in {output}")
    trainer.accelerator.end_training()


def find_base(model: Any, rows: Any, output: Path, options: Any) -> Base:
    """Load the base model; a tiny one is first made from the rows."""
    if model.model_name_or_path != tiny.NAME:
        return load_base(model.model_name_or_path, model.model_revision)
    folder = output / tiny.NAME
    if options.local_process_index == 0 and not (folder / "tokenizer.json").is_file():
        texts = (text for row in rows for text in (prompts.alpaca(row["problem"]), row["response"]) if text)
        tiny.write_tiny_model(folder, texts, options.seed)
    model.model_name_or_path = str(folder)
    return load_base(str(folder), None)


def make_trainer(arguments: Arguments, base: Base, examples: Any) -> Any:
    """Make the trainer; this loads the weights."""
    from trl import get_peft_config, get_quantization_config

    from personamath.training import attention
    from personamath.training.trainer import ExactTrainer

    options, model = arguments.trainer, arguments.model
    attention.register()
    choice = attention.choose(base.config, options.padding_free, model.attn_implementation, device=options.device.type)
    options.padding_free = choice.padding_free
    if choice.why:
        say(choice.why)
    options.model_init_kwargs = {
        **(options.model_init_kwargs or {}),
        "revision": model.model_revision,
        "dtype": model.dtype,
        "attn_implementation": choice.implementation,
    }
    # Rows that are too long were handled when the examples were made; TRL must not cut them again.
    options.max_length = None
    options.ddp_find_unused_parameters = False
    trainer = ExactTrainer(
        effective_batch_size=arguments.ours.effective_batch_size,
        loss_normalization=arguments.ours.loss_normalization,
        model=model.model_name_or_path,
        args=options,
        train_dataset=examples,
        processing_class=base.tokenizer,
        quantization_config=get_quantization_config(model),
        peft_config=get_peft_config(model),
    )
    set_tokens(trainer.accelerator.unwrap_model(trainer.model), base.tokenizer)
    return trainer


def record(
    trainer: Any, arguments: Arguments, base: Base, data: TrainingData, counts: RowCounts, batch: Batch
) -> TrainingRecord:
    """Describe the run."""
    from personamath.training.resumable import seconds

    logged = [entry for entry in trainer.state.log_history if "loss" in entry]
    return TrainingRecord(
        base_model=base.record,
        data=data,
        prompt=Prompt(
            format=arguments.ours.prompt_format,
            training=prompts.ALPACA,
            # Both formats are evaluated with the trained prompt; with `clean`, its tokens are the same too.
            evaluation=prompts.ALPACA,
            eos=base.eos,
            stop=prompts.STOP,
            bos=adds_bos(base.tokenizer),
        ),
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
    )


if __name__ == "__main__":
    ending = Ending()
    ending.with_status(status_of(main, "sft"))
