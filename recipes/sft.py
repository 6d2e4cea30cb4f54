"""Fine-tune a base model on PersonaMathQA: a run is one YAML, any key of which can be overridden.

accelerate launch --config_file accelerate_configs/zero2.yaml recipes/sft.py --config recipes/sft-llama-2-7b.yaml

accelerate launch --config_file accelerate_configs/single_gpu.yaml recipes/sft.py \\
    --config recipes/sft-qwen2.5-7b.yaml --dataset_revision v1.1.0 --output_dir runs/qwen

After any interruption, the same command resumes from the last complete checkpoint. See docs/training.md.
"""

import os
import signal
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from personamath.errors import BadInput, PersonaMathError
from personamath.training import prompts, tiny
from personamath.training.arguments import Arguments, read_arguments
from personamath.training.base_model import Base, load_base
from personamath.training.batching import derive_batch, describe
from personamath.training.checkpoints import check_finished, claim, last_whole
from personamath.training.curve import write_curve
from personamath.training.data import load_rows, make_dataset
from personamath.training.ending import Ending
from personamath.training.environment import git_commit, hardware, strategy, versions
from personamath.training.record import FILE_NAME, Batch, Prompt, RowCounts, TrainingData, TrainingRecord
from personamath.training.vocabulary import adds_bos, set_tokens
from personamath_hub.models.card import model_card

T = TypeVar("T")


def main() -> None:
    """Run a recipe, from its data to a model folder that can be scored and pushed."""
    # --- recipe: parsed before anything heavy is loaded
    # The new name does not exist in transformers 5.20, which vLLM needs.
    warnings.filterwarnings("ignore", "`gradient_checkpointing` is deprecated", FutureWarning)
    arguments = read_arguments()
    ours, options, model = arguments.ours, arguments.trainer, arguments.model
    if model.use_peft and getattr(options.deepspeed_plugin, "zero_stage", None) == 3:
        raise BadInput("LoRA does not work with ZeRO-3, which cannot merge the adapter: use zero2, ddp or single_gpu")
    if options.n_gpu > 1:
        raise BadInput(f"one process sees {options.n_gpu} GPUs: start it with `accelerate launch`, one process a GPU")
    output = Path(options.output_dir)
    if agreed((output / FILE_NAME).is_file(), f"{output} is finished"):
        check_finished(output, arguments.recipe)
        return say(f"{output} is finished; {output / FILE_NAME} describes the run")
    batch = derive_batch(ours.effective_batch_size, options.per_device_train_batch_size, options.world_size)
    options.gradient_accumulation_steps = batch.gradient_accumulation_steps
    say(describe(batch))

    # --- data and base model: both are checked before any weight is loaded
    with in_turn(options):
        rows, data = load_rows(ours.dataset_name, ours.dataset_config, ours.dataset_revision, ours.allow_simulated)
    with in_turn(options):
        base = find_base(model, rows, output, options)
    with in_turn(options):
        examples, counts = make_dataset(rows, base.tokenizer, ours.prompt_format, options.max_length)
    say(
        f"{counts.used:,} of {counts.read:,} rows, {counts.tokens:,} tokens an epoch;"
        f" dropped: {counts.dropped or 'none'}; truncated: {counts.truncated:,}"
    )

    # --- train, resuming from the last complete checkpoint
    with in_turn(options):
        facts = {"data": data.commit or data.name, "tokens": counts.tokens, "base": base.record.commit}
        machine = {"strategy": strategy(options), "processes": options.world_size}
        claim(output, arguments.recipe | facts | machine)
    checkpoint = find_checkpoint(output, options)
    if checkpoint:
        say(f"resuming from {checkpoint}")
    trainer = make_trainer(arguments, base, examples)
    trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)

    # --- write the model folder
    save_model(trainer, arguments, base)
    if trainer.accelerator.is_main_process:
        trainer.state.save_to_json(str(output / "trainer_state.json"))
        write_curve(trainer.state.log_history, output)
        record(trainer, arguments, base, data, counts, batch).write(output)
        (output / "README.md").write_text(model_card(output), encoding="utf-8")  # a draft: nothing is scored yet
    trainer.accelerator.wait_for_everyone()
    say(f"The model is in {output}")
    trainer.accelerator.end_training()


def agreed(fact: T, what: str) -> T:
    """Return a fact about the output folder; raises BadInput where another process sees a different one."""
    from accelerate.utils import gather_object

    if len(set(gather_object([fact]))) > 1:
        raise BadInput(f"nodes differ in {what}: output_dir must be on storage that all of them see")
    return fact


def find_checkpoint(output: Path, options: Any) -> Path | None:
    """Return the checkpoint to resume from; the first process alone reads and checks what may be many gigabytes."""
    from accelerate.utils import broadcast_object_list

    found: list[Any] = [last_whole(output) if options.process_index == 0 else None]
    checkpoint: Path | None
    [(checkpoint, damaged)] = broadcast_object_list(found)
    for path in damaged:
        say(f"skipping {path}: it is incomplete or damaged")
    agreed(checkpoint is None or checkpoint.is_dir(), "the last complete checkpoint")
    return checkpoint


@contextmanager
def in_turn(options: Any) -> Iterator[None]:
    """Run the block in the first process, then in the first of each node, then in the others, which read its cache.

    This works on nodes with and without a shared file system. Two processes that made examples at the same time would
    write the same cache.
    """
    with options.main_process_first(local=False), options.main_process_first(local=True):
        yield


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
    windowed = bool(getattr(base.config, "use_sliding_window", False))
    options.model_init_kwargs = {
        **(options.model_init_kwargs or {}),
        "revision": model.model_revision,
        "dtype": model.dtype,
        "attn_implementation": model.attn_implementation or attention.choose(options.padding_free, windowed),
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


def save_model(trainer: Any, arguments: Arguments, base: Base) -> None:
    """Save weights, tokenizer and generation config; after a LoRA run also the adapter, merged into the weights."""
    import torch

    output = Path(arguments.trainer.output_dir)
    if not arguments.model.use_peft:
        if arguments.trainer.bf16 and str(trainer.accelerator.distributed_type.value) in ("NO", "MULTI_GPU"):
            # Trained in float32 under autocast; DeepSpeed saves 16-bit weights itself. Checkpoints keep float32.
            trainer.accelerator.unwrap_model(trainer.model).to(torch.bfloat16)
        trainer.save_model(str(output))
        # A pickle of the arguments, including paths of this machine; the record has what matters.
        (output / "training_args.bin").unlink(missing_ok=True)
        return
    adapter = output / "adapter"
    trainer.save_model(str(adapter))
    if trainer.accelerator.is_main_process:
        from peft import PeftModel
        from transformers import AutoModelForCausalLM

        model = arguments.model
        whole = AutoModelForCausalLM.from_pretrained(
            model.model_name_or_path, revision=model.model_revision, dtype=model.dtype
        )
        merged = PeftModel.from_pretrained(whole, str(adapter)).merge_and_unload()
        set_tokens(merged, base.tokenizer)
        merged.save_pretrained(str(output))
        base.tokenizer.save_pretrained(str(output))


def record(
    trainer: Any, arguments: Arguments, base: Base, data: TrainingData, counts: RowCounts, batch: Batch
) -> TrainingRecord:
    """Describe the run."""
    from personamath.training.trainer import SECONDS

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
        wall_seconds=max((entry.get(SECONDS, 0.0) for entry in trainer.state.log_history), default=0.0),
        hardware=hardware(trainer.accelerator, arguments.trainer),
        versions=versions(),
        git_commit=git_commit(),
    )


def say(text: str) -> None:
    """Print once, not in every process."""
    if os.environ.get("RANK", "0") == "0":
        print(text, flush=True)


def complain(text: str) -> None:
    """Print once a node: an error may occur on one node only."""
    if os.environ.get("LOCAL_RANK", "0") == "0":
        print(text, flush=True)


def run() -> int:
    """Run the recipe; return the exit status."""
    try:
        main()
    except PersonaMathError as error:
        complain(f"sft: {error}")
        return 1
    except KeyboardInterrupt:
        say("interrupted: the same command resumes from the last complete checkpoint")
        return 128 + signal.SIGINT
    return 0


if __name__ == "__main__":
    ending = Ending()
    ending.with_status(run())
