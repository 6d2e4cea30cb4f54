"""Launches a recipe's script through accelerate, with the config that fits the machine and the recipe."""

import importlib.util
import logging
import re
import signal
import sys
from collections.abc import Callable, Iterator, Sequence, Set
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from personamath.errors import BadInput, Interrupted
from personamath.files import read_yaml
from personamath.shipped import find_accelerate_config, shipped

if TYPE_CHECKING:
    from psutil import Process
    from torch.distributed.elastic.multiprocessing.errors import ProcessFailure

NEEDED = ("torch", "transformers", "trl", "accelerate")
GRPO_KEYS = {"num_generations", "pass_rate_samples", "reward_funcs"}
"""Keys that only a recipe of reinforcement learning has."""
ZERO2_BILLIONS = 10
"""The paper trains 7B and 8B models with ZeRO-2 and the 13B model with ZeRO-3, both on four GPUs of 80 GB."""
LAUNCHER_LOG = "torch.distributed.elastic.multiprocessing.api"
ENDING_S = 15
"""How long training may take to end by itself after Ctrl-C before it is told to, and then before it is killed."""


class Launch(NamedTuple):
    """What is launched, and on what."""

    on: str
    """The machine's part, in words, e.g. `4 GPUs`."""
    config: Path
    flags: tuple[str, ...]
    """Options of accelerate."""
    script: Path
    arguments: tuple[str, ...]
    """Options of the script."""

    @property
    def command(self) -> list[str]:
        """The arguments of `accelerate launch`."""
        return ["--config_file", str(self.config), *self.flags, str(self.script), *self.arguments]


def check_installed(names: Sequence[str] = NEEDED) -> None:
    """Raise BadInput, naming the extra, if a package that trains is absent."""
    absent = [name for name in names if importlib.util.find_spec(name) is None]
    if absent:
        raise BadInput(f"{' and '.join(absent)} not installed; training needs them: pip install 'personamath[train]'")


def count_gpus() -> int:
    """Return the number of GPUs that this process may use."""
    import torch

    return int(torch.cuda.device_count())


def plan_launch(recipe: Path, passed_on: Sequence[str], chosen: str | None, gpus: int) -> Launch:
    """Decide how to launch a recipe; `chosen` is the name or path of an accelerate config, None to choose one here.

    A config that PersonaMath carries for one machine runs one process for each GPU. A user's own file is used as it is.
    """
    keys = read_yaml(recipe, example="learning_rate: 2.0e-5") | _overrides(passed_on)
    kind = "grpo" if GRPO_KEYS & set(keys) else "sft"
    script = shipped("recipes") / f"{kind}.py"
    config = find_accelerate_config(chosen) if chosen else None
    flags: tuple[str, ...]
    if config is None and gpus == 0:
        config, flags, on = find_accelerate_config("single_gpu"), ("--cpu", "--mixed_precision", "no"), "the CPU"
    else:
        config = config or find_accelerate_config(_fitting(kind, keys, gpus))
        flags, on = _on_gpus(config, gpus)
    return Launch(on, config, flags, script, ("--config", str(recipe), *passed_on))


def _fitting(kind: str, keys: dict[Any, Any], gpus: int) -> str:
    """Name the config for a recipe on GPUs."""
    if gpus == 1:
        return "single_gpu"
    if str(keys.get("use_peft", False)).lower() == "true":
        return "ddp"  # every GPU holds the frozen weights; ZeRO-3 cannot merge an adapter
    size = re.search(r"(\d+(?:\.\d+)?)b\b", str(keys.get("model_name_or_path")).lower())
    return "zero3" if kind == "grpo" or (size and float(size[1]) > ZERO2_BILLIONS) else "zero2"


def _on_gpus(config: Path, gpus: int) -> tuple[tuple[str, ...], str]:
    """Return accelerate's options for a config, and the machine's part in words."""
    content = read_yaml(config, example="num_processes: 4")
    ours = config.parent == shipped("accelerate_configs")
    if not ours or content.get("use_cpu") or content.get("num_machines", 1) > 1:
        return (), f"{content.get('num_processes', 1)} processes, as the config says"
    if content.get("distributed_type") == "NO":
        return (), "one GPU"
    if gpus == 0:
        raise BadInput(f"{config.stem} is for GPUs, but this machine has none; on a CPU leave --accelerate_config out")
    return ("--num_processes", str(gpus)), f"{gpus} GPU" + "s" * (gpus > 1)


def _overrides(passed_on: Sequence[str]) -> dict[str, str]:
    """Return the keys that the command line sets, as far as they have a value."""
    found = {}
    for here, following in zip(passed_on, [*passed_on, "--"][1:], strict=True):
        key, equals, value = here.removeprefix("--").partition("=")
        if here.startswith("--"):
            found[key.replace("-", "_")] = value if equals else "true" if following.startswith("--") else following
    return found


def launch(what: Launch, start: Callable[[list[str]], None] | None = None) -> int:
    """Train, in processes that accelerate starts; return the exit status of training.

    After Ctrl-C or SIGTERM this returns only when all processes of training have ended; what the caller had started
    before goes on. `start` is given `Launch.command`; by default it is `accelerate launch`, which runs in this process.
    """
    from subprocess import CalledProcessError

    import psutil
    from torch.distributed.elastic.multiprocessing.api import SignalException
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError

    others = set(psutil.Process().children())
    try:
        with _sigterm_raises(), _quiet_launcher():
            (start or _accelerate)(what.command)
    except CalledProcessError as error:  # of one process
        return _status(error.returncode)
    except ChildFailedError as error:  # of several
        if why := _unsaid([*error.failures.values()]):
            print(why, file=sys.stderr)
        return _status(error.get_first_failure()[1].exitcode)
    except SignalException as error:
        _end_children(signal.SIGTERM, others)
        return 128 + int(error.sigval)
    except Interrupted as error:
        _end_children(signal.SIGTERM, others)
        return 128 + error.signal_number
    except KeyboardInterrupt:
        _end_children(None, others)  # a terminal has sent them the signal, too
        return 128 + signal.SIGINT
    return 0


def _accelerate(command: list[str]) -> None:
    from accelerate.commands.launch import launch_command, launch_command_parser

    launch_command(launch_command_parser().parse_args(command))


def _unsaid(failures: Sequence["ProcessFailure"]) -> str | None:
    """Return why training failed, if no process has printed it: the first of a node prints its error, or a traceback.

    A process that a signal ended could print nothing.
    """
    explained = [failure for failure in failures if failure.error_file_data.get("message")]
    if any(failure.local_rank == 0 for failure in explained):
        return None
    killed = [failure for failure in failures if failure.exitcode < 0]
    return next((str(failure.message) for failure in (*explained, *killed)), None)


@contextmanager
def _quiet_launcher() -> Iterator[None]:
    """Keep torchrun from logging below the error of training that a process failed."""
    logger = logging.getLogger(LAUNCHER_LOG)
    before = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(before)


def _status(code: int) -> int:
    """As a shell reports it: a process that a signal ended has a negative code."""
    return code if code >= 0 else 128 - code


@contextmanager
def _sigterm_raises() -> Iterator[None]:
    """Raise Interrupted on SIGTERM, which would leave the processes of training behind."""

    def interrupt(number: int, frame: FrameType | None) -> NoReturn:
        raise Interrupted(number, "terminated: the same command resumes from the last complete checkpoint")

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _end_children(first: signal.Signals | None, others: Set["Process"]) -> None:
    """Wait until the processes of training have ended; send them `first` at once, and stronger signals later.

    `others` are children of this process that training did not start.
    """
    import psutil

    alive = [child for child in psutil.Process().children() if child not in others]
    for child in list(alive):
        with suppress(psutil.NoSuchProcess):
            alive += child.children(recursive=True)
    for number in (first, signal.SIGTERM, signal.SIGKILL):
        for process in alive:
            with suppress(psutil.NoSuchProcess):
                if number is not None:
                    process.send_signal(number)
        _, alive = psutil.wait_procs(alive, timeout=ENDING_S)
        if not alive:
            break
