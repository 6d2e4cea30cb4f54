"""The processes of a training run: what they agree on, who prints, and how a recipe's script ends."""

import errno
import json
import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

from personamath.errors import BadInput, PersonaMathError
from personamath.files import written_whole
from personamath.training.checkpoints import check_finished, last_whole
from personamath.training.record import FILE_NAME

T = TypeVar("T")
ERROR_FILE = "TORCHELASTIC_ERROR_FILE"
"""The environment variable of torchrun that names the file for a process's error."""

# What storage that takes no more says, in the words of the system and of torch's own writer, which keeps no others.
_REFUSALS = (*map(os.strerror, (errno.ENOSPC, errno.EDQUOT, errno.EROFS)), "PytorchStreamWriter failed writing")


def check_machine(options: Any, model: Any) -> None:
    """Raise BadInput for a launch that cannot work; `options` are the trainer's, `model` is TRL's ModelConfig."""
    if model.use_peft and getattr(options.deepspeed_plugin, "zero_stage", None) == 3:
        raise BadInput("LoRA does not work with ZeRO-3, which cannot merge the adapter: use zero2, ddp or single_gpu")
    if options.n_gpu > 1:
        raise BadInput(
            f"one process sees {options.n_gpu} GPUs: start it with `accelerate launch`, with one process for each GPU"
        )


def agreed(fact: T, what: str) -> T:
    """Return a fact about the output folder; raises BadInput if another process sees a different one."""
    from accelerate.utils import gather_object

    if len(set(gather_object([fact]))) > 1:
        raise BadInput(f"nodes differ in {what}: output_dir must be on storage that all of them see")
    return fact


def from_first(find: Callable[[], T], options: Any) -> T:
    """Return what the first process finds; it alone reads what may be many gigabytes."""
    from accelerate.utils import broadcast_object_list

    found: list[Any] = [find() if options.process_index == 0 else None]
    result: T
    [result] = broadcast_object_list(found)
    return result


def find_checkpoint(output: Path, options: Any) -> Path | None:
    """Return the checkpoint to resume from, and say which ones are passed over."""
    checkpoint, damaged = from_first(lambda: last_whole(output), options)
    for path in damaged:
        say(f"skipping {path}: it is incomplete or damaged")
    agreed(checkpoint is None or checkpoint.is_dir(), "the last complete checkpoint")
    if checkpoint:
        say(f"resuming from {checkpoint}")
    elif damaged:
        say("no complete checkpoint is left: training starts from its first step")
    return checkpoint


def is_finished(output: Path, recipe: Mapping[str, Any]) -> bool:
    """Whether the run in an output folder has ended, which is then said; raises BadInput if its recipe was another."""
    if not agreed((output / FILE_NAME).is_file(), f"{output} is finished"):
        return False
    check_finished(output, recipe)
    say(f"{output} is finished; {output / FILE_NAME} describes the run")
    return True


@contextmanager
def in_turn(options: Any) -> Iterator[None]:
    """Run the block in the first process, then in the first of each node, then in the others, which read its cache.

    This works on nodes with and without a shared file system. Two processes that made examples at the same time would
    write the same cache.
    """
    with options.main_process_first(local=False), options.main_process_first(local=True):
        yield


def say(text: str) -> None:
    """Print once, not in every process."""
    if os.environ.get("RANK", "0") == "0":
        print(text, flush=True)


def status_of(main: Callable[[], None], name: str) -> int:
    """Run a recipe's `main`; print its error in one line, and return the exit status.

    A launcher of several processes shows the error once more, below its own traceback.
    """
    try:
        main()
    except PersonaMathError as error:
        _leave_for_launcher(f"{name}: {error}")
        if os.environ.get("LOCAL_RANK", "0") == "0":  # once a node: an error may occur on one node only
            print(f"{name}: {error}", flush=True)
        return 1
    except KeyboardInterrupt:
        say("interrupted: the same command resumes from the last complete checkpoint")
        return 128 + signal.SIGINT
    except Exception as error:  # each library that writes has its own for a full disk
        refusal = _refusal_of_storage(error)
        if refusal is None:
            raise
        text = (
            f"{name}: {refusal}: make room, or give another --output_dir; the same command resumes from the last "
            "complete checkpoint"
        )
        _leave_for_launcher(text)
        print(text, flush=True)
        return 1
    return 0


def _refusal_of_storage(error: BaseException | None) -> str | None:
    """What storage said, with the file if it is known, where that is behind an error; None behind any other."""
    while error is not None:
        if said := next((refusal for refusal in _REFUSALS if refusal in str(error)), None):
            place = getattr(error, "filename", None)
            return f"{place}: {said}" if place else f"cannot write: {said}"
        error = error.__cause__ or error.__context__
    return None


def _leave_for_launcher(text: str) -> None:
    """Write the error into the file that torchrun gives each process, where torchrun reads the cause of a failure.

    Without it, torchrun reports that a process failed, and not why. The layout is that of
    `torch.distributed.elastic.multiprocessing.errors.ErrorHandler`, whose own text would be a traceback.
    """
    if path := os.environ.get(ERROR_FILE):
        with suppress(OSError), written_whole(Path(path)) as partial:
            partial.write_text(json.dumps({"message": text, "timestamp": int(time.time())}), encoding="utf-8")
