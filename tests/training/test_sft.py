"""Whole runs of recipes/sft.py through `accelerate launch`, against a plain loop in float32."""

import csv
import functools
import hashlib
import json
import math
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from personamath.teachers.serve.server import free_port
from personamath.training.batching import EpochOrder
from personamath.training.chat_template import chat_fault
from personamath.training.checkpoints import SEAL, last_whole
from personamath.training.examples import Example, make_examples
from personamath.training.prompts import ALPACA, alpaca
from personamath.training.record import FILE_NAME, TrainingRecord
from personamath_hub.models.checks import check_model
from tests.conftest import REPO
from tests.support import programs
from tests.support.folders import row, write
from tests.support.tiny_models import make_tokenizer
from tests.training.test_attention import gemma3

pytestmark = pytest.mark.slow

LAUNCH = "accelerate.commands.launch"
# ROWS is no multiple of BATCH: each epoch leaves some out. The last step is in the third epoch.
STEPS, BATCH, ROWS, SEED = 9, 8, 28, 42
SAVED = 3  # steps from one checkpoint to the next
WARMUP = math.ceil(0.03 * STEPS)
LEARNING_RATE = 3e-3
MICRO_BATCH = 2
ONE_PROCESS, TWO_PROCESSES = 1e-5, 5e-5  # largest difference of a loss
MINUTES = 60
# Seconds on a busy machine.
RUN_LIMIT = 10 * MINUTES


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dataset folder whose rows are of very different lengths."""
    rows = [
        replace(
            row("stage1_inference", number),
            problem=f"What is {number} + {number * 7 % 13}?" + " Think of apples." * (number % 5),
            response="We add. " * (number * 11 % 15) + f"It is $\\boxed{{{number + number * 7 % 13}}}$.",
        )
        for number in range(ROWS)
    ]
    return write(tmp_path_factory.mktemp("data") / "dataset", rows)


def command(accelerate: str, dataset: Path, output: Path, *options: str) -> list[str]:
    launcher, _, flags = accelerate.partition(" ")
    return [
        *("--num_cpu_threads_per_process", "1", "--config_file", str(REPO / "accelerate_configs" / launcher)),
        *("--main_process_port", str(free_port())),
        *flags.split(),
        *(str(REPO / "recipes/sft.py"), "--config", str(REPO / "recipes/sft-tiny.yaml")),
        *("--dataset_name", str(dataset), "--output_dir", str(output), "--seed", str(SEED), "--disable_tqdm", "true"),
        *("--max_steps", str(STEPS), "--save_steps", str(SAVED), "--learning_rate", str(LEARNING_RATE)),
        *("--effective_batch_size", str(BATCH), "--per_device_train_batch_size", str(MICRO_BATCH), *options),
    ]


def run(command: Sequence[str], status: int = 0) -> str:
    done = programs.run(LAUNCH, *command, folder=REPO, kind="training", limit_s=RUN_LIMIT)
    assert done.returncode == status, done.stdout[-2000:] + done.stderr[-4000:]
    return done.stdout


def launched(command: Sequence[str]) -> programs.Program:
    return programs.start(
        LAUNCH, *command, folder=REPO, kind="training", stdout=programs.DEVNULL, stderr=programs.DEVNULL
    )


def losses(output: Path) -> list[float]:
    with (output / "loss.csv").open(encoding="utf-8") as file:
        return [float(entry["loss"]) for entry in csv.DictReader(file)]


def plain_loop(dataset: Path, base: Path, normalization: str, micro_batch: int) -> list[float]:
    """The same run, written down as plainly as it goes: one example at a time, no padding, no library's trainer."""
    weights = hashlib.sha256((base / "model.safetensors").read_bytes()).hexdigest()
    return _plain_loop(dataset, Base(weights, base), normalization, BATCH if normalization == "tokens" else micro_batch)


@dataclass(frozen=True)
class Base:
    """A model folder; all with the same weights are one."""

    weights: str
    folder: Path = field(compare=False)


@functools.cache
def _plain_loop(dataset: Path, base: Base, normalization: str, micro_batch: int) -> list[float]:
    """The loop itself. Runs with the same weights, data and normalization share it: it takes 15 s of CPU."""
    import datasets
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    torch.set_num_threads(1)  # as the runs; more would only wait for one another on so small a model
    tokenizer, model = AutoTokenizer.from_pretrained(base.folder), AutoModelForCausalLM.from_pretrained(base.folder)
    rows = datasets.load_dataset(str(dataset), "default", split="train")
    examples = make_examples(rows["problem"], rows["response"], tokenizer, "clean", 1024)
    order = EpochOrder(ROWS, BATCH, SEED)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1.0, weight_decay=0.0)
    seen: list[float] = []
    for step in range(STEPS):
        epoch, within = divmod(step, len(order) // BATCH)
        order.set_epoch(epoch)
        batch = [examples[index] for index in list(order)[within * BATCH : (within + 1) * BATCH]]
        sums, counts = [], []
        for example in batch:
            assert isinstance(example, Example)
            ids, labels = torch.tensor([example.input_ids]), torch.tensor(example.labels[1:])
            logits = model(input_ids=ids).logits[0, :-1]
            sums.append(torch.nn.functional.cross_entropy(logits, labels, reduction="sum"))
            counts.append(int((labels >= 0).sum()))
        if normalization == "tokens":
            loss = torch.stack(sums).sum() / sum(counts)
        else:
            micro = [slice(start, start + micro_batch) for start in range(0, BATCH, micro_batch)]
            loss = torch.stack([torch.stack(sums[part]).sum() / sum(counts[part]) for part in micro]).mean()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for group in optimizer.param_groups:
            group["lr"] = LEARNING_RATE * schedule(step)
        optimizer.step()
        optimizer.zero_grad()
        seen.append(loss.item())
    return seen


def schedule(step: int) -> float:
    """Linear warm-up over 3 % of the steps, then half a cosine to zero."""
    if step < WARMUP:
        return step / WARMUP
    return 0.5 * (1 + math.cos(math.pi * (step - WARMUP) / (STEPS - WARMUP)))


def kill_all(launcher: int) -> None:
    """As a machine that goes down: the launcher and the processes it started, which are in sessions of their own."""
    for process in [*psutil.Process(launcher).children(recursive=True), psutil.Process(launcher)]:
        process.kill()


def furthest(found: Sequence[float], expected: Sequence[float]) -> float:
    return max(abs(one - other) for one, other in zip(found, expected, strict=True))


@pytest.mark.parametrize(
    ("accelerate", "normalization", "per_device", "padding_free", "tolerance"),
    [
        ("cpu.yaml --num_processes 1", "tokens", 4, True, ONE_PROCESS),
        ("cpu.yaml --num_processes 1", "paper", 2, False, ONE_PROCESS),
        ("cpu.yaml", "tokens", 2, False, TWO_PROCESSES),
        ("cpu_zero3.yaml", "paper", 2, True, TWO_PROCESSES),
    ],
)
def test_losses_are_the_plain_loops(
    accelerate: str,
    normalization: str,
    per_device: int,
    padding_free: bool,
    tolerance: float,
    dataset: Path,
    tmp_path: Path,
) -> None:
    output = tmp_path / "model"
    run(
        command(
            *(accelerate, dataset, output, "--loss_normalization", normalization),
            *("--per_device_train_batch_size", str(per_device), "--padding_free", str(padding_free).lower()),
            *("--gradient_checkpointing", str(not padding_free).lower()),
        )
    )

    expected = plain_loop(dataset, output / "tiny", normalization, per_device)
    assert furthest(losses(output), expected) <= tolerance
    assert expected[-1] < expected[0] - 0.5  # the losses of a model that learns; equal ones of a dead one prove nothing


@pytest.fixture(scope="module")
def two_nodes(dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """ZeRO-2 with one process on each of two nodes, on loopback; both see one output folder, as on a cluster."""
    output = tmp_path_factory.mktemp("nodes") / "model"
    first = command(
        "cpu_zero2.yaml --num_machines 2 --num_processes 2 --main_process_ip 127.0.0.1 --machine_rank 0"
        " --deepspeed_multinode_launcher standard",
        *(dataset, output, "--save_on_each_node", "false"),
    )
    second = [*first]
    second[second.index("--machine_rank") + 1] = "1"
    with launched(second) as other:
        try:
            run(first)
            assert other.wait(timeout=RUN_LIMIT) == 0
        finally:
            if other.poll() is None:
                kill_all(other.pid)
    return output


def test_two_nodes_with_zero2_give_the_plain_loops_losses(two_nodes: Path, dataset: Path) -> None:
    assert furthest(losses(two_nodes), plain_loop(dataset, two_nodes / "tiny", "tokens", MICRO_BATCH)) <= TWO_PROCESSES


def test_killed_and_started_again_the_losses_are_the_uninterrupted_runs(
    two_nodes: Path, dataset: Path, tmp_path: Path
) -> None:
    output = tmp_path / "model"
    again = command("cpu_zero2.yaml", dataset, output)
    with launched(again) as process:
        deadline = time.monotonic() + RUN_LIMIT
        while not (output / f"checkpoint-{SAVED}" / SEAL).exists():
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
        kill_all(process.pid)
    # What a kill in the middle of writing leaves: some files, no seal.
    last, _ = last_whole(output)
    assert last
    half = output / f"checkpoint-{STEPS - 1}"
    shutil.copytree(last, half, ignore=shutil.ignore_patterns(SEAL))
    (half / "model.safetensors").write_bytes(b"half")

    # What a bad disk leaves: every size is right.
    rotten = output / f"checkpoint-{STEPS - 2}"
    shutil.copytree(last, rotten)
    weights = bytearray((rotten / "model.safetensors").read_bytes())
    weights[-1] ^= 1
    (rotten / "model.safetensors").write_bytes(weights)

    elsewhere = run(command("cpu.yaml --num_processes 1", dataset, output), status=1)
    (line,) = (line for line in elsewhere.splitlines() if line.startswith("sft: "))
    assert 'processes (2 there, 1 here), strategy ("DeepSpeed ZeRO-2" there, "one process" here)' in line
    said = run(again)

    assert f"skipping {half}" in said
    assert f"skipping {rotten}" in said
    assert f"resuming from {last}" in said
    assert losses(output) == pytest.approx(losses(two_nodes), abs=1e-6)
    assert len(losses(output)) == STEPS
    assert "is finished" in run(again)

    before = {path: (path.stat().st_mtime_ns, path.stat().st_size) for path in output.rglob("*")}
    refused = programs.run(LAUNCH, *again, "--learning_rate", "0.002", folder=REPO, kind="training", limit_s=RUN_LIMIT)
    why = f"sft: {output} holds a finished run that differs in learning_rate ({LEARNING_RATE} there, 0.002 here)"
    assert refused.returncode == 1 and why in refused.stdout
    assert why in refused.stderr.splitlines()[-2], "below the launcher's own traceback, too"
    assert before == {path: (path.stat().st_mtime_ns, path.stat().st_size) for path in output.rglob("*")}

    # Killed while it saved the model: the last checkpoint is the last step, and no step is added.
    (output / FILE_NAME).unlink()
    finished = losses(output)
    run(again)
    assert losses(output) == finished
    assert TrainingRecord.read(output).steps == STEPS


def test_what_is_left_behind(two_nodes: Path, dataset: Path) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer, GenerationConfig

    record = TrainingRecord.read(two_nodes)
    tokenizer = AutoTokenizer.from_pretrained(two_nodes)
    model = AutoModelForCausalLM.from_pretrained(two_nodes)
    generation = GenerationConfig.from_pretrained(two_nodes)

    assert model.config.eos_token_id == generation.eos_token_id == tokenizer.eos_token_id
    assert record.prompt.eos == tokenizer.eos_token
    assert record.data.name == dataset.name
    assert (record.rows.read, record.rows.used, record.rows.dropped) == (ROWS, ROWS, {})
    assert record.batch.effective_batch_size == BATCH
    assert record.batch.processes == 2
    assert record.steps == STEPS
    assert record.final_loss == losses(two_nodes)[-1]
    assert record.hardware["strategy"] == "DeepSpeed ZeRO-2"
    assert record.recipe["max_steps"] == STEPS
    assert {"trl", "sft"} <= {*record.tags}
    assert chat_fault(tokenizer, record.prompt.training) is None
    assert (two_nodes / "loss.png").read_bytes().startswith(b"\x89PNG")
    assert json.loads((two_nodes / "trainer_state.json").read_text())["global_step"] == STEPS
    # nothing of this machine
    written = "".join(path.read_text() for path in two_nodes.glob("*.json"))
    assert str(dataset.parent) not in written
    assert not list(two_nodes.glob("*.bin"))


@pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated")  # peft asks by the old name
def test_a_lora_run_leaves_an_adapter_and_the_merged_model(dataset: Path, tmp_path: Path) -> None:
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    output = tmp_path / "model"
    run(
        command(
            *("cpu.yaml --num_processes 1", dataset, output, "--use_peft", "true", "--lora_r", "4"),
            *("--lora_target_modules", "q_proj", "v_proj", "--logging_steps", "100"),
        )
    )

    base = AutoModelForCausalLM.from_pretrained(output / "tiny")
    ids = torch.tensor([[5, 6, 7, 8]])
    untrained = base(ids).logits
    adapted = PeftModel.from_pretrained(base, str(output / "adapter"))(ids).logits
    merged = AutoModelForCausalLM.from_pretrained(output)(ids).logits
    torch.testing.assert_close(merged, adapted, atol=1e-5, rtol=1e-5)
    assert not torch.allclose(merged, untrained, atol=1e-3)
    assert len(losses(output)) == 2  # the first and the last step, however seldom is logged
    assert losses(output)[-1] < losses(output)[0]


def test_a_base_with_sliding_windows_and_tied_embeddings_trains_without_padding(dataset: Path, tmp_path: Path) -> None:
    import torch
    from safetensors.torch import load_file
    from transformers import AutoModelForCausalLM, AutoTokenizer

    config, tokenizer = gemma3(), make_tokenizer("metaspace BPE", [alpaca("What is 1 + 1?")] * 50)
    config.vocab_size, config.eos_token_id = len(tokenizer), tokenizer.eos_token_id
    base, output = tmp_path / "base", tmp_path / "model"
    AutoModelForCausalLM.from_config(config).save_pretrained(base)
    tokenizer.save_pretrained(base)
    settings = ("--model_name_or_path", str(base), "--padding_free", "true", "--max_steps", "2")
    said = run(command("cpu.yaml --num_processes 1", dataset, output, *settings))

    assert "gemma3_text has layers with a sliding window" in said
    assert "lm_head.weight" not in load_file(output / "model.safetensors")
    model = AutoModelForCausalLM.from_pretrained(output)
    assert torch.equal(model.lm_head.weight, model.model.embed_tokens.weight)
    assert chat_fault(AutoTokenizer.from_pretrained(output), ALPACA) is None
    assert check_model(output, allow_simulated=True)


def test_lora_with_zero3_is_refused_before_any_weight_is_loaded(dataset: Path, tmp_path: Path) -> None:
    said = run(command("cpu_zero3.yaml", dataset, tmp_path / "model", "--use_peft", "true"), status=1)
    assert "sft: LoRA does not work with ZeRO-3" in said
    assert not (tmp_path / "model").exists()


def test_an_error_is_one_line(dataset: Path, tmp_path: Path) -> None:
    options: list[Any] = [dataset, tmp_path / "model", "--effective_batch_size", "7"]
    said = run(command("cpu.yaml --num_processes 1", *options), status=1)
    assert said.splitlines() == [
        "sft: effective_batch_size 7 is not a multiple of per_device_train_batch_size 2 x 1 processes = 2; "
        "per_device_train_batch_size 1 divides it"
    ]
