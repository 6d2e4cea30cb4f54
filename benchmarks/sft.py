"""Tokens per second of four ways to batch, in one run, with the check that all of them compute the same loss.

    python -m benchmarks.sft gsm8k/train.jsonl math/train.jsonl                        # CPU, a small model
    python -m benchmarks.sft gsm8k/train.jsonl math/train.jsonl --shape qwen2.5-7b     # one GPU, random weights, bf16

`pad` and `paper` draw at random and pad, `group` groups by length, `pack` packs into max_length (bfd), `ours` is
padding_free with this project's attention. Only real tokens count. The files are JSONL with a problem and its solution
under any of the names below. On a GPU, utilisation is 6 FLOPs a parameter and token over the device's peak.
"""

import argparse
import gc
import json
import random
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

COLUMNS = (("problem", "response"), ("question", "answer"), ("problem", "solution"))
EFFECTIVE, PER_DEVICE, MAX_LENGTH = 16, 8, 1024
EQUAL = 1e-5  # of a loss, in float32
PEAK = {"H200": 989e12, "H100": 989e12, "A100": 312e12, "A800": 312e12}  # dense bf16, from the data sheets


class Shape(NamedTuple):
    hidden: int
    intermediate: int
    layers: int
    heads: int
    key_heads: int
    vocabulary: int


SHAPES = {
    "small": Shape(256, 1024, 4, 8, 4, 8192),
    "qwen2.5-7b": Shape(3584, 18944, 28, 28, 4, 152064),
}
MODES: dict[str, dict[str, Any]] = {
    "paper": {"per_device_train_batch_size": 1},
    "pad": {"per_device_train_batch_size": PER_DEVICE},
    "group": {"per_device_train_batch_size": PER_DEVICE, "train_sampling_strategy": "group_by_length"},
    "pack": {"per_device_train_batch_size": 1, "packing": True, "max_length": MAX_LENGTH},
    "ours": {"per_device_train_batch_size": PER_DEVICE, "padding_free": True},
}


class Measured(NamedTuple):
    tokens_per_second: float
    efficiency: float
    """Real tokens over all tokens that went through the model."""
    loss_sum: float
    """Over every token of the data, before training: must not depend on the way of batching."""
    peak_gb: float


def read_rows(files: list[Path], count: int) -> tuple[list[str], list[str]]:
    rows = []
    for file in files:
        with file.open(encoding="utf-8") as lines:
            for row in map(json.loads, lines):
                problem, response = next(pair for pair in COLUMNS if set(pair) <= set(row))
                rows.append((row[problem], row[response]))
    random.Random(0).shuffle(rows)
    problems, responses = zip(*rows[:count], strict=True)
    return list(problems), list(responses)


def make_data(files: list[Path], count: int) -> tuple[Any, Any]:
    """Tokenizer and examples that fit, a whole number of effective batches."""
    import datasets

    from personamath.training.examples import Example, make_examples
    from personamath.training.tiny import train_tokenizer

    problems, responses = read_rows(files, count)
    tokenizer = train_tokenizer([*problems[:2_000], *responses[:2_000]])
    made = make_examples(problems, responses, tokenizer, "clean", MAX_LENGTH)
    kept = [example for example in made if isinstance(example, Example)]
    kept = kept[: len(kept) // EFFECTIVE * EFFECTIVE]
    columns = {"input_ids": [e.input_ids for e in kept], "labels": [e.labels for e in kept]}
    return tokenizer, datasets.Dataset.from_dict(columns)


def make_model(shape: Shape, flat: bool) -> Any:
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    from personamath.training import attention

    attention.register()
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=shape.vocabulary,
        hidden_size=shape.hidden,
        intermediate_size=shape.intermediate,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        num_key_value_heads=shape.key_heads,
        max_position_embeddings=4096,
    )
    config._attn_implementation = attention.choose(config, flat).implementation or "sdpa"
    with torch.device("cuda" if torch.cuda.is_available() else "cpu"):
        return LlamaForCausalLM(config)


def measure(mode: str, shape: Shape, tokenizer: Any, data: Any, folder: str) -> Measured:
    import torch
    from trl import SFTConfig, SFTTrainer

    from personamath.training.trainer import ExactTrainer

    cuda = torch.cuda.is_available()
    settings = {"max_length": None, "packing": False} | MODES[mode]
    options = SFTConfig(
        folder,
        **settings,
        gradient_accumulation_steps=max(EFFECTIVE // settings["per_device_train_batch_size"], 1)
        if mode != "pack"
        else 1,
        num_train_epochs=1,
        use_cpu=not cuda,
        bf16=cuda,
        gradient_checkpointing=cuda,
        save_strategy="no",
        report_to="none",
        disable_tqdm=True,
        logging_strategy="no",
        seed=0,
    )
    model = make_model(shape, flat=mode in ("ours", "pack"))
    common = {"model": model, "args": options, "train_dataset": data, "processing_class": tokenizer}
    if mode in ("group", "pack"):
        trainer: Any = SFTTrainer(**common)
    else:
        trainer = ExactTrainer(effective_batch_size=EFFECTIVE, loss_normalization="tokens", **common)
    loss_sum, efficiency = look(trainer)
    if cuda:
        torch.cuda.reset_peak_memory_stats()
    started = time.perf_counter()
    trainer.train()
    seconds = time.perf_counter() - started
    peak = torch.cuda.max_memory_allocated() / 1e9 if cuda else 0.0
    # A trainer refers to itself: without this its model stays in memory beside the next one.
    del trainer, model, common
    gc.collect()
    if cuda:
        torch.cuda.empty_cache()
    return Measured(sum(map(len, data["input_ids"])) / seconds, efficiency, loss_sum, peak)


def look(trainer: Any) -> tuple[float, float]:
    """The untrained model's loss over all tokens as this trainer batches them, and its token efficiency."""
    import torch

    total, real, passed = 0.0, 0, 0
    trainer.model.eval()
    for batch in trainer.get_train_dataloader():
        with torch.no_grad(), trainer.compute_loss_context_manager():
            total += float(trainer.compute_loss(trainer.model, dict(batch), num_items_in_batch=torch.tensor(1)))
        passed += batch["input_ids"].numel()
        real += int(batch["attention_mask"].sum()) if "attention_mask" in batch else batch["input_ids"].numel()
    return total, real / passed


def main() -> None:
    """Measure, check, print as Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", type=Path, nargs="+")
    parser.add_argument("--shape", choices=SHAPES, default="small")
    parser.add_argument("--rows", type=int, default=384, help="rows drawn from the files (default %(default)s)")
    parser.add_argument("--modes", nargs="+", choices=MODES, default=list(MODES))
    options = parser.parse_args()
    tokenizer, data = make_data(options.files, options.rows)
    shape = SHAPES[options.shape]
    results: dict[str, Measured] = {}
    with tempfile.TemporaryDirectory() as folder:
        for mode in options.modes:
            results[mode] = measure(mode, shape, tokenizer, data, folder)
    report(results, shape, len(data))


def report(results: dict[str, Measured], shape: Shape, rows: int) -> None:
    import torch

    sums = [result.loss_sum for result in results.values()]
    spread = (max(sums) - min(sums)) / max(sums)
    base = results["pad"].tokens_per_second if "pad" in results else None
    if not torch.cuda.is_available() and spread > EQUAL:
        raise SystemExit(f"the ways of batching compute different losses: {sums}")
    print(f"{rows} examples, {shape}. Losses over the data differ by {spread:.1e} of their size at most.\n")
    print("| batching | tokens/s | x pad | token efficiency | peak GB | MFU |")
    print("|---|---:|---:|---:|---:|---:|")
    for mode, result in results.items():
        ratio = f"{result.tokens_per_second / base:.2f}" if base else ""
        peak, share = "", ""
        if torch.cuda.is_available():
            kind = next((peak for name, peak in PEAK.items() if name in torch.cuda.get_device_name()), None)
            peak = f"{result.peak_gb:.0f}"
            share = f"{6 * parameters(shape) * result.tokens_per_second / kind:.0%}" if kind else ""
        print(f"| {mode} | {result.tokens_per_second:,.0f} | {ratio} | {result.efficiency:.2f} | {peak} | {share} |")


def parameters(shape: Shape) -> float:
    """Of the matrices that every token is multiplied with; the input embedding is looked up."""
    head = shape.hidden // shape.heads
    attention = shape.hidden * head * (2 * shape.heads + 2 * shape.key_heads)
    return shape.layers * (attention + 3 * shape.hidden * shape.intermediate) + shape.hidden * shape.vocabulary


if __name__ == "__main__":
    main()
