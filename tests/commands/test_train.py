"""`personamath train`: which recipe, which accelerate config, which exit status."""

import logging
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from personamath.commands.cli import main
from personamath.errors import BadInput
from personamath.shipped import find_accelerate_config, find_recipe, shipped
from personamath.training.launch import LAUNCHER_LOG, Launch, check_installed, launch, plan_launch
from personamath.training.processes import ERROR_FILE, status_of
from tests.conftest import REPO
from tests.support import programs

RECIPES = sorted(path for path in (REPO / "recipes").glob("*.yaml") if not path.stem.startswith("augment"))
NOTHING = Launch("the CPU", Path("config.yaml"), (), Path("script.py"), ())


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_a_recipe_runs_its_own_script(path: Path) -> None:
    assert plan_launch(path, [], None, 1).script == REPO / "recipes" / f"{path.stem.partition('-')[0]}.py"


@pytest.mark.parametrize(
    ("recipe", "gpus", "passed_on", "chosen", "config", "flags"),
    [
        ("sft-qwen2.5-7b", 0, [], None, "single_gpu", ("--cpu", "--mixed_precision", "no")),
        ("sft-qwen2.5-7b", 1, [], None, "single_gpu", ()),
        ("sft-qwen2.5-7b", 4, [], None, "zero2", ("--num_processes", "4")),
        ("sft-qwen2.5-7b", 8, ["--model_name_or_path", "Qwen/Qwen2.5-14B"], None, "zero3", ("--num_processes", "8")),
        ("sft-qwen2.5-7b", 2, ["--use_peft"], None, "ddp", ("--num_processes", "2")),
        ("sft-qwen2.5-7b-lora", 2, [], None, "ddp", ("--num_processes", "2")),
        ("sft-qwen2.5-7b-lora", 2, ["--use_peft=false"], None, "zero2", ("--num_processes", "2")),
        ("sft-llama-2-13b", 4, [], None, "zero3", ("--num_processes", "4")),
        ("grpo-qwen2.5-7b", 4, [], None, "zero3", ("--num_processes", "4")),
        ("sft-qwen2.5-7b", 4, [], "fsdp2", "fsdp2", ("--num_processes", "4")),
        ("sft-qwen2.5-7b", 1, [], "zero3_offload", "zero3_offload", ("--num_processes", "1")),
        ("sft-qwen2.5-7b", 8, [], "multi_node", "multi_node", ()),
        ("sft-tiny", 0, [], "cpu", "cpu", ()),
    ],
)
def test_the_config_fits_machine_and_recipe(
    recipe: str, gpus: int, passed_on: list[str], chosen: str | None, config: str, flags: tuple[str, ...]
) -> None:
    planned = plan_launch(find_recipe(recipe, "sft", "grpo"), passed_on, chosen, gpus)
    assert (planned.config.stem, planned.flags) == (config, flags)
    assert planned.command[-len(passed_on) :] == passed_on or not passed_on


def test_recipes_are_launched_as_their_comments_say() -> None:
    for path in RECIPES:
        comment = path.read_text(encoding="utf-8")
        planned = plan_launch(path, [], None, 4).config.stem
        named = [config for config in ("zero2", "zero3") if f"accelerate_configs/{config}.yaml recipes" in comment]
        assert named in ([planned], [])


def test_a_config_of_ones_own_is_used_as_it_is(tmp_path: Path) -> None:
    own = tmp_path / "own.yaml"
    own.write_text(yaml.safe_dump({"num_processes": 3}))
    planned = plan_launch(find_recipe("sft-tiny", "sft"), [], str(own), 8)
    assert (planned.config, planned.flags, planned.on) == (own, (), "3 processes, as the config says")


def test_gpus_that_are_not_there_are_said() -> None:
    with pytest.raises(BadInput, match="zero2 is for GPUs, but this machine has none"):
        plan_launch(find_recipe("sft-tiny", "sft"), [], "zero2", 0)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["train", "--config", "sft-qwen2.5-7"], "no recipe 'sft-qwen2.5-7': did you mean sft-qwen2.5-7b? There are"),
        (["train", "--config", "augment-dart"], "no recipe 'augment-dart': there are grpo-qwen2.5-7b"),
        (["train", "--config", "recipes/none.yaml"], "recipes/none.yaml: No such file or directory\n"),
        (["train", "--config", "nowhere/sft-tiny.yaml"], "PersonaMath carries it as sft-tiny"),
        (["augment", "--config", "augment-dat", "--output", "x"], "did you mean augment-dart?"),
        (["plan", "--config", "nowhere/augment-dart.yaml"], "PersonaMath carries it as augment-dart"),
    ],
)
def test_an_unknown_recipe_is_one_line_with_the_remedy(
    arguments: list[str], says: str, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 1
    said = capsys.readouterr().err
    assert says in said and said.count("\n") == 1


def test_an_unknown_accelerate_config_is_named() -> None:
    with pytest.raises(BadInput, match="no accelerate config 'zero4': did you mean zero3"):
        find_accelerate_config("zero4")


def test_what_training_needs_is_named_with_its_extra() -> None:
    with pytest.raises(BadInput, match=r"not_there not installed; .* pip install 'personamath\[train\]'"):
        check_installed(("json", "not_there"))


@pytest.mark.parametrize(("code", "status"), [(1, 1), (130, 130), (-signal.SIGKILL, 137)])
def test_the_exit_status_is_that_of_training(code: int, status: int) -> None:
    def start(command: list[str]) -> None:
        raise subprocess.CalledProcessError(code, command)

    assert launch(NOTHING, start) == status
    assert launch(NOTHING, lambda command: None) == 0


@pytest.fixture
def error_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file that torchrun gives a process for its error."""
    path = tmp_path / "error.json"
    monkeypatch.setenv(ERROR_FILE, str(path))
    return path


def test_torchrun_shows_the_error_of_a_process_as_the_cause(error_file: Path) -> None:
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError, ProcessFailure

    def main() -> None:
        raise BadInput("no such dataset")

    assert status_of(main, "sft") == 1
    failed = ChildFailedError("sft.py", {0: ProcessFailure(0, 1, 1, str(error_file))})
    assert str(failed).splitlines()[-2] == "  traceback : sft: no such dataset"


FAILURES = [
    ({0: (0, 1, True), 1: (1, 1, True)}, ""),  # the first process has printed it
    ({1: (1, 1, True)}, "sft: no such dataset\n"),
    ({2: (1, -signal.SIGKILL, False)}, "Signal 9 (SIGKILL) received by PID 7\n"),
    ({0: (0, 1, False)}, ""),  # a traceback of its own
]


@pytest.mark.parametrize(("failures", "said"), FAILURES)
def test_the_error_of_several_processes_is_said_once_and_without_a_traceback(
    failures: dict[int, tuple[int, int, bool]], said: str, error_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError, ProcessFailure

    error_file.write_text('{"message": "sft: no such dataset", "timestamp": 1}')

    def start(command: list[str]) -> None:
        logging.getLogger(LAUNCHER_LOG).error("failed (exitcode: 1) local_rank: 1")
        raise ChildFailedError(
            "sft.py",
            {
                rank: ProcessFailure(local_rank, 7, code, str(error_file) if explained else "<N/A>")
                for rank, (local_rank, code, explained) in failures.items()
            },
        )

    (code,) = {code for _, code, _ in failures.values()}
    assert launch(NOTHING, start) == (code if code > 0 else 128 - code)
    assert capsys.readouterr().err == said


def test_no_process_is_left_behind_after_sigterm() -> None:
    children: list[subprocess.Popen[bytes]] = []

    def start(command: list[str]) -> None:
        children.append(subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]))
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(60)

    before = signal.getsignal(signal.SIGTERM)
    with subprocess.Popen(
        [sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE
    ) as of_the_caller:
        assert launch(NOTHING, start) == 143
        assert of_the_caller.poll() is None
    assert signal.getsignal(signal.SIGTERM) is before
    assert [child.poll() is not None for child in children] == [True]


@pytest.mark.slow
def test_a_recipe_by_name_reaches_its_script(tmp_path: Path) -> None:
    environment = os.environ | {"PYTHONPATH": str(REPO)}
    flags = ("train", "--config", "sft-tiny", "--max_stepss", "2")
    done = programs.run(programs.CLI, *flags, environment=environment, folder=tmp_path, kind="training")
    assert done.returncode == 1
    first, second = done.stdout.splitlines()
    assert first.startswith("launching sft-tiny on ") and "accelerate launch --config_file" in first
    assert second.startswith("sft: recipe: ") and "--max_stepss" in second
    assert "Traceback" not in done.stderr
    assert shipped("recipes") == REPO / "recipes"
