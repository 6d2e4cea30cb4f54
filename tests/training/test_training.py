"""Parts of fine-tuning: batches, base models, attention, data, the loss curve, recipes."""

import dataclasses
import json
import os
import subprocess
import sys
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import httpx2
import pytest
import yaml
from huggingface_hub import constants
from huggingface_hub.errors import GatedRepoError
from hypothesis import given
from hypothesis import strategies as st

from personamath.errors import BadInput
from personamath.training.base_model import load_base, why_not
from personamath.training.batching import EpochOrder, derive_batch, describe
from personamath.training.curve import write_curve
from personamath.training.data import load_rows, make_dataset
from personamath.training.examples import Example, make_examples
from personamath.training.refused_keys import REFUSED
from personamath_hub.models.card import ACCELERATE_CONFIGS
from tests.conftest import REPO
from tests.support.folders import RECIPE, rows, write
from tests.support.tiny_models import make_tokenizer, write_model

RECIPES = sorted((REPO / "recipes").glob("sft-*.yaml"))
ACCELERATE = sorted((REPO / "accelerate_configs").glob("*.yaml"))


@pytest.mark.parametrize(
    ("effective", "per_device", "processes", "accumulation"), [(16, 1, 4, 4), (128, 2, 4, 16), (16, 16, 1, 1)]
)
def test_accumulation_is_derived(effective: int, per_device: int, processes: int, accumulation: int) -> None:
    batch = derive_batch(effective, per_device, processes)
    assert batch.gradient_accumulation_steps == accumulation
    assert describe(batch).startswith(f"Effective batch {effective} = {per_device} per device x {accumulation}")


@pytest.mark.parametrize(
    ("effective", "per_device", "processes", "remedy"),
    [
        (16, 3, 4, "per_device_train_batch_size 2 divides it"),
        (16, 1, 3, "another number of processes"),
        (4, 8, 1, "per_device_train_batch_size 4 divides it"),
        (0, 1, 1, "is not a multiple"),
    ],
)
def test_an_impossible_batch_says_what_is_possible(
    effective: int, per_device: int, processes: int, remedy: str
) -> None:
    with pytest.raises(BadInput, match=remedy):
        derive_batch(effective, per_device, processes)


@pytest.mark.parametrize("unknown", ["sliding_window", "softcap", "s_aux"])
def test_attention_that_it_does_not_know_is_refused(unknown: str) -> None:
    import torch

    from personamath.training.attention import per_sequence_attention

    some = torch.zeros(1, 1, 2, 4)
    with pytest.raises(NotImplementedError, match=f"does not support {unknown}"):
        per_sequence_attention(torch.nn.Module(), some, some, some, None, **{unknown: 4.0})  # type: ignore[arg-type]


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """No wait for a Hub that cannot be reached, though the environment was read before."""
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)


@pytest.mark.usefixtures("offline")
def test_a_base_model_is_looked_at_before_its_weights(tmp_path: Path) -> None:
    tokenizer = make_tokenizer("metaspace BPE", ["What is it? It is 4."])
    base = load_base(str(write_model(tmp_path / "base", tokenizer)), None)
    assert (base.record.name, base.record.commit, base.record.local) == ("base", None, True)
    assert base.tokenizer.pad_token == "<unk>"  # as LLaMA-2's

    tokenizer.eos_token = None
    tokenizer.save_pretrained(tmp_path / "base")
    with pytest.raises(BadInput, match="no EOS token"):
        load_base(str(tmp_path / "base"), None)
    with pytest.raises(BadInput, match="cannot load the base model me/none"):
        load_base("me/none", None)


def test_a_gated_base_model_says_how_to_get_access() -> None:
    refusal = OSError("a wrapper's words")
    refusal.__cause__ = GatedRepoError("no", response=httpx2.Response(403, request=httpx2.Request("GET", "http://hub")))
    assert why_not("meta-llama/Llama-2-7b-hf", None, refusal) == (
        "no access to meta-llama/Llama-2-7b-hf: accept its licence on its page on the Hub, then export HF_TOKEN"
    )


def test_the_card_names_accelerate_configs_that_are_there() -> None:
    assert set(ACCELERATE_CONFIGS.values()) <= {path.stem for path in ACCELERATE}


@given(
    examples=st.integers(16, 500),
    epoch=st.integers(0, 5),
    per_device=st.sampled_from([1, 2, 4, 8]),
    processes=st.sampled_from([1, 2]),
)
def test_a_step_holds_the_same_examples_whatever_the_machine(
    examples: int, epoch: int, per_device: int, processes: int
) -> None:
    """As accelerate shards: micro-batches of the order go to the processes in turn."""
    from accelerate.data_loader import BatchSamplerShard
    from torch.utils.data import BatchSampler

    order = EpochOrder(examples, 16, seed=7)
    order.set_epoch(epoch)
    whole = list(order)
    shards = [
        list(BatchSamplerShard(BatchSampler(order, per_device, drop_last=False), processes, process))
        for process in range(processes)
    ]
    accumulation = 16 // (per_device * processes)
    for step in range(len(whole) // 16):
        parts = [shard[step * accumulation : (step + 1) * accumulation] for shard in shards]
        seen = sorted(index for part in parts for micro in part for index in micro)
        assert seen == sorted(whole[step * 16 : (step + 1) * 16])
    assert len(set(whole)) == len(whole) == examples // 16 * 16


def test_epochs_differ_and_repeat() -> None:
    first, again, other = EpochOrder(100, 16, 1, 0), EpochOrder(100, 16, 1, 0), EpochOrder(100, 16, 1, 1)
    assert list(first) == list(again) != list(other)
    assert set(range(100)) == set(first) | set(other) | set(EpochOrder(100, 16, 1, 2))


def test_too_few_examples_for_a_step() -> None:
    with pytest.raises(BadInput, match="15 examples do not fill one step of effective_batch_size 16"):
        EpochOrder(15, 16, 0)


LENGTHS = (3, 1, 7, 2)


def test_no_token_attends_to_another_example() -> None:
    """Each sequence of a flattened batch comes out as it does alone, in values and in gradients."""
    import torch

    from personamath.training.attention import per_sequence_attention

    torch.manual_seed(0)
    starts = torch.tensor([0, *LENGTHS]).cumsum(0).to(torch.int32)
    query = torch.randn(1, 4, sum(LENGTHS), 8, requires_grad=True)
    key, value = (torch.randn(1, 2, sum(LENGTHS), 8, requires_grad=True) for _ in range(2))
    module = torch.nn.Module()

    flat, _ = per_sequence_attention(module, query, key, value, None, scaling=0.3, cu_seq_lens_q=starts)
    for start, length in zip(starts.tolist(), LENGTHS, strict=False):
        part = slice(start, start + length)
        alone, _ = per_sequence_attention(
            module, query[:, :, part], key[:, :, part], value[:, :, part], None, scaling=0.3
        )
        torch.testing.assert_close(flat[:, part], alone)
        [reach] = torch.autograd.grad(flat[:, part].sum(), value, retain_graph=True)
        outside = torch.ones(sum(LENGTHS), dtype=torch.bool)
        outside[part] = False
        assert not reach[:, :, outside].any()
        assert reach[:, :, part].any()


def test_under_autocast_mixed_types_come_in_and_its_type_goes_out() -> None:
    """Float32 weights under bf16: rotary embeddings leave query and key in float32, the value is in bfloat16."""
    import torch

    from personamath.training.attention import per_sequence_attention

    starts = torch.tensor([0, *LENGTHS]).cumsum(0).to(torch.int32)
    query, key, value = (torch.randn(1, 2, sum(LENGTHS), 8) for _ in range(3))
    module = torch.nn.Module()
    exact, _ = per_sequence_attention(module, query, key, value, None, cu_seq_lens_q=starts)
    with torch.autocast("cpu", torch.bfloat16):
        mixed, _ = per_sequence_attention(module, query, key, value.bfloat16(), None, cu_seq_lens_q=starts)
    assert mixed.dtype == torch.bfloat16
    torch.testing.assert_close(mixed.float(), exact, atol=0.03, rtol=0.03)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("data") / "dataset", rows({"stage1_inference": 40, "stage1_rewrite": 4}))


def test_rows_of_a_folder(folder: Path) -> None:
    loaded, data = load_rows(str(folder), "stage1_rewrite", None, allow_simulated=False)
    assert (len(loaded), loaded.column_names) == (4, ["problem", "response"])
    assert (data.name, data.config, data.local, data.simulated) == ("dataset", "stage1_rewrite", True, False)


@pytest.mark.parametrize(
    ("name", "config", "revision", "error"),
    [
        ("me/PersonaMathQA", "default", None, "dataset_revision is missing"),
        ("FOLDER", "stage3", None, "config 'stage3'"),
        ("FOLDER", "default", "v1.0.0", "has no revisions: leave it out"),
        ("me/PersonaMathQA", "default", "v1.0.0", "cannot load me/PersonaMathQA@v1.0.0"),
    ],
)
@pytest.mark.usefixtures("offline")
def test_data_that_cannot_be_loaded_is_one_line(
    name: str, config: str, revision: str | None, error: str, folder: Path
) -> None:
    with pytest.raises(BadInput, match=error) as caught:
        load_rows(str(folder) if name == "FOLDER" else name, config, revision, allow_simulated=False)
    assert "\n" not in str(caught.value)


def test_simulated_rows_need_a_word(tmp_path: Path) -> None:
    made = [replace(row, teacher="simulated-teacher") for row in rows({"stage1_inference": 4})]
    simulated = str(write(tmp_path / "dataset", made, replace(RECIPE, teacher="simulated-teacher")))
    with pytest.raises(BadInput, match="--allow_simulated"):
        load_rows(simulated, "default", None, allow_simulated=False)
    assert load_rows(simulated, "default", None, allow_simulated=True)[1].simulated


def test_dropped_rows_are_counted_by_reason(folder: Path) -> None:
    import datasets

    tokenizer = make_tokenizer("byte-level BPE", ["What is it? It is 4."])
    texts = {
        "problem": ["What?", "What?", "What?", "What? " * 300],
        "response": ["It is 4.", "", "<|endoftext|>", "It is 4."],
    }
    [short] = make_examples(texts["problem"][:1], texts["response"][:1], tokenizer, "clean", 10_000)
    assert isinstance(short, Example)
    examples, counts = make_dataset(
        datasets.Dataset.from_dict(texts), tokenizer, "clean", max_length=len(short.input_ids)
    )
    assert (counts.read, counts.used) == (4, 1)
    assert counts.dropped == {"empty": 1, "special token in the text": 1, "longer than max_length": 1}
    assert counts.tokens == len(examples[0]["input_ids"]) > counts.label_tokens > 0
    assert examples.column_names == ["input_ids", "labels"]


@pytest.mark.parametrize(
    "problems", [[1, 2, 3, 4], [["a"], ["b"], ["c"], ["d"]], [None, None, None, None], ["What?", 4, None, ["x"]]]
)
def test_rows_that_are_no_text_are_dropped_and_counted(problems: list[object], tmp_path: Path) -> None:
    """As `datasets` reads them, whichever type it finds for the column."""
    import datasets

    rows = [{"problem": problem, "response": "It is 4."} for problem in problems]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in [*rows, rows[0]]))
    loaded = datasets.load_dataset("json", data_files=str(tmp_path / "rows.jsonl"), split="train")
    tokenizer = make_tokenizer("byte-level BPE", ["What is it? It is 4."])
    if problems[0] != "What?":
        with pytest.raises(BadInput, match=r"no row can be trained on: \{'no text': 5\}"):
            make_dataset(loaded, tokenizer, "clean", 1_000)
    else:
        _, counts = make_dataset(loaded, tokenizer, "clean", 1_000)
        assert (counts.read, counts.used, counts.dropped) == (5, 2, {"no text": 3})


def test_no_row_left_is_an_error() -> None:
    import datasets

    tokenizer = make_tokenizer("byte-level BPE", ["What is it?"])
    with pytest.raises(BadInput, match="longer than max_length"):
        make_dataset(datasets.Dataset.from_dict({"problem": ["a"], "response": ["b"]}), tokenizer, "clean", 3)


def test_the_curve_holds_every_logged_step(tmp_path: Path) -> None:
    log = [{"step": n, "epoch": n / 4, "loss": 2.0 / n, "learning_rate": 1e-5, "other": 1} for n in (1, 2, 3)]
    write_curve([*log, {"step": 3, "train_runtime": 9}], tmp_path)
    lines = (tmp_path / "loss.csv").read_text().splitlines()
    assert lines[0] == "step,epoch,loss,learning_rate"
    assert len(lines) == 4
    assert (tmp_path / "loss.png").stat().st_size > 1_000


PAPER = {
    # PER-DEVICE, EFFECTIVE, LENGTH of appendix A and the released launchers
    "sft-llama-2-7b": (1, 16, 4096),
    "sft-llama-2-13b": (2, 128, 2048),
    "sft-llama-3.1-8b": (1, 16, 4096),
    "sft-qwen2.5-7b": (1, 16, 2048),
}


@pytest.mark.filterwarnings("ignore:`gradient_checkpointing` is deprecated")
@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_every_recipe_is_one_for_the_real_parser(path: Path) -> None:
    from personamath.training.arguments import read_arguments

    arguments = read_arguments(["--config", str(path), "--use_cpu", "true", "--bf16", "false"])
    ours, trainer = arguments.ours, arguments.trainer

    assert arguments.model.model_name_or_path in path.read_text(encoding="utf-8")
    assert trainer.output_dir == f"runs/{path.stem}"
    assert derive_batch(ours.effective_batch_size, trainer.per_device_train_batch_size, 1)
    assert (trainer.max_grad_norm, trainer.weight_decay, trainer.warmup_steps) == (1.0, 0.0, 0.03)
    assert trainer.lr_scheduler_type == "cosine"
    assert trainer.report_to == []
    if path.stem in PAPER:
        found = (trainer.per_device_train_batch_size, ours.effective_batch_size, trainer.max_length)
        assert found == PAPER[path.stem]
        assert (trainer.learning_rate, trainer.num_train_epochs) == (2e-5, 3)
        assert ours.loss_normalization == "paper"
    if path.stem.endswith("-fast"):
        assert ours.effective_batch_size == PAPER[path.stem.removesuffix("-fast")][1]


def test_the_recipes_are_those_that_are_promised() -> None:
    promised = {
        *PAPER,
        "sft-tiny",
        "sft-demo",
        "sft-authors-data",
        "sft-qwen2.5-7b-lora",
        "sft-qwen2.5-7b-qlora",
        "sft-qwen2.5-7b-fast",
        "sft-qwen3-0.6b",
        "sft-qwen2.5-1.5b-lora",
        "sft-smollm2-360m-lora",
    }
    assert {path.stem for path in RECIPES} == promised


HYPERPARAMETERS = ("batch", "accumulation", "clip", "rate", "optimizer_type", "scheduler")


@pytest.mark.parametrize("path", ACCELERATE, ids=lambda path: path.stem)
def test_accelerate_configs_parse_and_hold_no_hyperparameter(path: Path) -> None:
    from accelerate.commands.config.config_args import load_config_from_file

    assert load_config_from_file(str(path))
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    keys = {*content, *content.get("deepspeed_config", {}), *content.get("fsdp_config", {})}
    assert not [key for key in keys if any(word in key.replace("accelerate", "") for word in HYPERPARAMETERS)]


@pytest.mark.filterwarnings("ignore:`gradient_checkpointing` is deprecated")
@pytest.mark.filterwarnings("ignore:.*deprecated and will be removed in v2.0.0")
@pytest.mark.parametrize(
    ("options", "error"),
    [
        (["--gradient_accumulation_steps", "4"], "is derived"),
        (["--packing", "true"], "changes the effective batch"),
        (["--max_length", "0"], "max_length"),
        (["--train_sampling_strategy", "group_by_length"], "changes which examples share a step"),
        (["--push_to_hub", "true"], "personamath push"),
        (["--eos_token", "<|im_end|>"], "every response ends in the EOS of the base model's tokenizer"),
        (["--chat_template_path", "me/chat"], "every response ends in the EOS of the base model's tokenizer"),
        (["--pad_token", "<|endoftext|>"], "never a label"),
        (["--auto_find_batch_size", "true"], "changes the examples of a step"),
        (["--accelerator_config", '{"split_batches": true}'], "changes the examples of a step"),
        (["--accelerator_config", '{"gradient_accumulation_kwargs": {"num_steps": 2}}'], "changes the examples"),
        (["--eval_packing", "true"], "examples are made as prompt_format says"),
        (["--shuffle_dataset", "true"], "`seed` alone decides the order"),
        (["--data_seed", "7"], "`seed` alone decides the order"),
        (["--dataloader_in_order", "false"], "`seed` alone decides the order"),
        (["--no_dataloader_in_order"], "`seed` alone decides the order"),
        (["--ignore_data_skip", "true"], "first steps again"),
        (["--save_only_model", "true"], "lost its optimizer"),
        (["--dataset_text_field", "problem"], "examples are made as prompt_format says"),
        (["--dataset_kwargs", '{"skip_prepare_dataset": true}'], "examples are made as prompt_format says"),
        (["--truncation_mode", "keep_end"], "examples are made as prompt_format says"),
        (["--completion_only_loss", "false"], "loss is on the response and EOS only"),
        (["--assistant_only_loss", "true"], "loss is on the response and EOS only"),
        (["--average_tokens_across_devices", "false"], "loss_normalization decides"),
        (["--eval_strategy", "steps", "--eval_steps", "5"], "nothing is evaluated while it trains"),
        (["--eval_on_start", "true"], "nothing is evaluated while it trains"),
        (["--metric_for_best_model", "loss", "--save_strategy", "best"], "nothing is evaluated while it trains"),
        (["--label_names", "input_ids"], "loss is on the response and EOS only"),
        (["--resume_from_checkpoint", "runs/other/checkpoint-9"], "resumes by itself from the last complete"),
        (["--save_on_each_node", "true"], "would overwrite one another's files"),
        (["--fsdp", "full_shard"], "describes the machine, which an accelerate config does"),
        (["--model_init_kwargs", '{"revision": "v2"}'], "sets revision: use the key model_revision"),
        (["--model_init_kwargs", '{"torch_dtype": "bfloat16"}'], "sets torch_dtype: use the key dtype"),
        (["--model_init_kwargs", '{"subfolder": "other"}'], "sets subfolder: the base model is what"),
        (["--config", "recipes/none.yaml"], "No such file"),
    ],
)
def test_what_no_run_can_mean_is_one_line(options: list[str], error: str) -> None:
    from personamath.training.arguments import read_arguments

    given = options if "--config" in options else ["--config", str(REPO / "recipes/sft-tiny.yaml"), *options]
    with pytest.raises(BadInput, match=error) as caught:
        read_arguments(given)
    assert "\n" not in str(caught.value)


@pytest.mark.filterwarnings("ignore:`gradient_checkpointing` is deprecated")
def test_what_changes_nothing_is_accepted_and_recorded() -> None:
    from personamath.training.arguments import read_arguments

    harmless = ["--packing", "false", "--auto_find_batch_size", "false", "--accelerator_config", "{}"]
    options = [*harmless, "--no_dataloader_pin_memory", "--output_dir", "~/runs/x", "--dataset_name", "~/data"]
    arguments = read_arguments(["--config", str(REPO / "recipes/sft-tiny.yaml"), *options])
    assert arguments.recipe["packing"] is arguments.recipe["dataloader_pin_memory"] is False
    assert arguments.trainer.output_dir == str(Path.home() / "runs/x")
    assert arguments.ours.dataset_name == str(Path.home() / "data")
    assert arguments.recipe["dataset_name"] == "data"


@pytest.mark.filterwarnings("ignore:`gradient_checkpointing` is deprecated")
def test_a_folder_is_one_recipe_however_its_path_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A shell completes a folder's name with a slash, and the same command must resume the run."""
    from personamath.training.arguments import read_arguments

    (tmp_path / "run-15:30" / "dataset").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    written = ["run-15:30/dataset", "run-15:30/dataset/", "./run-15:30/dataset", "run-15:30//dataset/.", "me/Name"]
    options = ["--config", str(REPO / "recipes/sft-tiny.yaml"), "--dataset_name"]
    found = [read_arguments([*options, name]).recipe["dataset_name"] for name in written]
    assert found == ["run-15:30/dataset"] * 4 + ["me/Name"]


@pytest.mark.filterwarnings("ignore:`gradient_checkpointing` is deprecated")
@pytest.mark.parametrize(("recipe", "module"), [("sft-tiny", "arguments"), ("grpo-tiny", "grpo.arguments")])
def test_null_takes_a_key_of_ours_back(recipe: str, module: str) -> None:
    read = import_module(f"personamath.training.{module}").read_arguments
    arguments = read(["--config", str(REPO / f"recipes/{recipe}.yaml"), "--dataset_revision", "null"])
    assert arguments.ours.dataset_revision is None


@pytest.mark.parametrize(
    ("lines", "error"),
    [
        ('{"problem": "a", "response": "b"}\n{"problem": "q", "resp', "closing quotation mark .*in row 1"),
        ("", "it holds no rows"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(lines: str, error: str, tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text(lines, encoding="utf-8")
    with pytest.raises(BadInput, match=rf"cannot load .*rows.jsonl \(.*{error}\): mend the file"):
        load_rows(str(path), "default", None, allow_simulated=False)


@pytest.mark.filterwarnings("ignore:`gradient_checkpointing` is deprecated")
def test_every_refused_key_is_one_of_trls() -> None:
    from trl import SFTConfig

    assert set(REFUSED) <= {field.name for field in dataclasses.fields(SFTConfig)}


@pytest.mark.filterwarnings("ignore:`gradient_checkpointing` is deprecated")
def test_a_key_that_is_gone_from_trl_is_named(tmp_path: Path) -> None:
    from personamath.training.arguments import read_arguments

    recipe = tmp_path / "recipe.yaml"
    recipe.write_text((REPO / "recipes/sft-tiny.yaml").read_text() + "warmup_ratio: 0.03\n")
    with pytest.raises(BadInput, match="warmup_ratio"):
        read_arguments(["--config", str(recipe)])


# The newest that vLLM 0.33 admits; .ci/run puts it there, beside the environment's own.
OLDER_TRANSFORMERS = Path(sys.prefix) / "transformers-5.20"
PARSE_ALL = """
import sys
sys.modules["sklearn"] = None  # parsing needs none of it, and importing it takes two seconds of CPU
import transformers
from personamath.training.arguments import read_arguments
assert transformers.__version__.startswith("5.20."), transformers.__version__
for path in sys.argv[1:]:
    read_arguments(["--config", path, "--use_cpu", "true", "--bf16", "false"])
print("parsed", len(sys.argv) - 1)
"""


@pytest.mark.slow
@pytest.mark.skipif(not OLDER_TRANSFORMERS.is_dir(), reason=f"{OLDER_TRANSFORMERS} is not installed; see .ci/run")
def test_recipes_parse_with_the_transformers_that_vllm_needs_too() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PARSE_ALL, *map(str, RECIPES)],
        env={**os.environ, "PYTHONPATH": f"{OLDER_TRANSFORMERS}:{REPO}"},
        capture_output=True,
        text=True,
    )
    assert done.stdout.splitlines()[-1:] == [f"parsed {len(RECIPES)}"], done.stderr[-2000:]
