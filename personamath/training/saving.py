"""Saving a trained model: weights, tokenizer and generation config in one folder."""

from pathlib import Path
from typing import Any

from personamath.training.vocabulary import set_tokens


def save_model(trainer: Any, model: Any, tokenizer: Any) -> None:
    """Save weights, tokenizer and generation config; after a LoRA run also the adapter, merged into the weights.

    `model` is TRL's ModelConfig: it names what the adapter belongs to.
    """
    import torch

    options, output = trainer.args, Path(trainer.args.output_dir)
    if not model.use_peft:
        if options.bf16 and str(trainer.accelerator.distributed_type.value) in ("NO", "MULTI_GPU"):
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

        whole = AutoModelForCausalLM.from_pretrained(
            model.model_name_or_path, revision=model.model_revision, dtype=model.dtype
        )
        merged = PeftModel.from_pretrained(whole, str(adapter)).merge_and_unload()
        set_tokens(merged, tokenizer)
        merged.save_pretrained(str(output))
        tokenizer.save_pretrained(str(output))
