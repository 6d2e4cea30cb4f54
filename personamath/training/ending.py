"""The end of a training process, which PyTorch's threads must not break."""

import atexit
import os
import sys


class Ending:
    """Ends this process with a status after all exit handlers have run, and before Python finalizes.

    Threads of PyTorch's process groups outlive the training. On a busy machine, one of them may free its last
    tensor only while Python finalizes: it then asks for the interpreter's lock, which no thread can get any more, and
    the process aborts ("terminate called without an active exception", pytorch/pytorch#179291). The model is whole
    by then, but the launcher reports a failure.
    """

    def __init__(self) -> None:
        """Make it before other libraries are imported: the handler that is registered first runs last."""
        self._status: int | None = None
        atexit.register(self._leave)

    def with_status(self, status: int) -> None:
        """End with this status; without it, as after an unexpected error, the process ends in Python's usual way."""
        self._status = status

    def _leave(self) -> None:
        if self._status is not None:
            for stream in (sys.stdout, sys.stderr):
                stream.flush()
            os._exit(self._status)
