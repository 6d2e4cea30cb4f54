"""Asking vLLM in this process: waves of prompts into one engine, for your own GPUs without a server.

What is covered: `LLM.chat` on a wave at a time, in parts, with the model's own chat template and sampling defaults, as
`vllm serve` has them; prompts that the engine refuses, answers that did not end. What is not: several engines or nodes
(serve them and name each with --base-url), and reasoning parsers: a model's thoughts stay in its text.
"""

import asyncio
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol, TypeVar, cast

import yaml

from personamath.errors import BadInput, TeacherMisconfigured
from personamath.records import Completion, Request
from personamath.teachers.finish import finish
from personamath.teachers.refusals import Refusal, Refusals, Retry
from personamath.teachers.waves import Waiting, WaveTeacher

T = TypeVar("T")

# Conversations in one call, which all come back together: few enough that a kill loses only minutes, and enough that
# the last ones, on a GPU that runs empty, take a small part of the time.
PER_CALL = 8_192
# Tries of a request whose answer comes back empty or broken off.
ATTEMPTS = 3
# Enough of an engine's error to name the cause in one line.
SHOWN_OF_AN_ERROR = 300


class Engine(Protocol):
    """The part of `vllm.LLM`, 0.30 to 0.33, that is used."""

    def get_default_sampling_params(self) -> Any:
        """A new `SamplingParams` with the defaults of the model's generation config."""
        ...

    def chat(self, messages: list[Any], sampling_params: Any, use_tqdm: bool) -> Sequence[Any]:
        """A `RequestOutput` for each conversation, in order."""
        ...


class Loaded(NamedTuple):
    """An engine, and the errors with which it refuses a prompt and goes on working."""

    engine: Engine
    refusals: tuple[type[Exception], ...]


def read_arguments(text: str) -> dict[str, Any]:
    """Parse arguments of `vllm.LLM`, written as YAML or JSON."""
    try:
        arguments = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise BadInput(f"--vllm-args: not valid YAML ({' '.join(str(error).split())})") from None
    if not isinstance(arguments, dict) or "model" in arguments:
        raise BadInput("--vllm-args: write keys and values, e.g. '{tensor_parallel_size: 2}'; the model is --teacher")
    return arguments


def load_vllm(model: str, arguments: Mapping[str, Any]) -> Loaded:
    """Load a model into vLLM; `arguments` are those of `vllm.LLM`."""
    try:
        from vllm import LLM
        from vllm.exceptions import VLLMClientError
    except ImportError as error:
        raise BadInput(
            f"--offline-vllm needs vllm 0.30 or newer ({error}): pip install -e '.[vllm]', in an environment "
            "of its own because vllm pins its torch"
        ) from None
    try:
        return Loaded(LLM(model=model, **arguments), (VLLMClientError, ValueError))
    except Exception as error:  # a wrong name, a wrong argument, too little memory: any type, and not a bug here
        raise BadInput(f"vllm cannot load {model}: {_in_one_line(error)}") from None


class OfflineTeacher(WaveTeacher):
    """A model in this process. `load` is called on entering, in the calling thread, and may take minutes."""

    def __init__(self, load: Callable[[], Loaded], per_call: int = PER_CALL) -> None:
        super().__init__()
        self._load = load
        self._per_call = per_call
        self._in_engine = 0
        self._reason_to_stop: Exception | None = None
        self._tries = Refusals()

    async def _open(self) -> None:
        self._engine, self._refusals = self._load()

    async def _close(self) -> None:
        del self._engine  # its GPUs are free while the dataset is written

    def interrupt(self, reason: Exception) -> str | None:
        """End when the engine comes back, so that its answers are kept; at once if it is idle."""
        if not self._in_engine:
            return super().interrupt(reason)
        self._reason_to_stop = reason
        return f"{self._in_engine:,} prompts in the engine"

    def answered_before(self) -> None:
        """An earlier command got answers from this model."""
        self._tries.answered = True

    def waiting_for(self) -> str:
        """For the live line."""
        return f"wave {self.waves.count} · {self._in_engine:,} prompts in the engine"

    def left_behind(self) -> str:
        """For a run that ends early."""
        return "the same command goes on from here"

    async def _serve(self) -> None:
        while True:
            wave = await self.waves.next(enough=self._per_call)
            for start in range(0, len(wave), self._per_call):
                await self._answer(wave[start : start + self._per_call])
                if self._reason_to_stop:
                    await self.waves.digested(0)
                    self.waves.stop(self._reason_to_stop)
                await self.waves.digested()

    async def _answer(self, part: list[Waiting]) -> None:
        self._in_engine = len(part)
        try:
            answers = await _in_thread(lambda: self._chat([waiting.request for waiting in part]))
        finally:
            self._in_engine = 0
        # Only now: the first prompts of a part may be refused, and the others answered.
        for failure in answers:
            if isinstance(failure, Refusal) and (judged := self._tries.judge(failure)) is not failure:
                raise judged
        for waiting, answer in zip(part, answers, strict=True):
            waiting.attempts += 1
            if isinstance(answer, Retry):
                await self.retried_or_failed(waiting, answer, ATTEMPTS)
            else:
                waiting.give(answer)

    def _chat(self, requests: list[Request]) -> list[Completion | Exception]:
        """The answer to each request. The engine refuses a whole call for one prompt: halve it, down to that one."""
        try:
            outputs = self._engine.chat(
                [request.messages for request in requests],
                [self._sampling(request) for request in requests],
                use_tqdm=False,
            )
        except self._refusals as error:
            if len(requests) > 1:
                half = len(requests) // 2
                return self._chat(requests[:half]) + self._chat(requests[half:])
            said = f"vllm refused a prompt ({_in_one_line(error)})"
            return [Refusal("refused by the engine", said, "check --teacher, --max-tokens and --vllm-args")]
        except Exception as error:  # out of memory, a dead worker: the engine is gone
            raise TeacherMisconfigured(
                f"vllm's engine ended ({_in_one_line(error)}); every answer is journaled: the same command goes on"
            ) from None
        self._tries.answered = True
        return [_read(output) for output in outputs]

    def _sampling(self, request: Request) -> Any:
        params = self._engine.get_default_sampling_params()
        params.max_tokens = request.max_tokens
        if request.temperature is not None:
            params.temperature = request.temperature
        return params


def _read(output: Any) -> Completion | Exception:
    """The completion in a `RequestOutput`."""
    first = output.outputs[0]
    usage = (len(output.prompt_token_ids or ()), len(first.token_ids))
    # None is of an answer that goes on; over HTTP it is of a server that does not say.
    ended = None if first.finish_reason is None else finish(first.finish_reason)
    if ended is None:
        return Retry(f"engine {first.finish_reason}", "the engine broke the answer off", usage=usage)
    if ended == "stop" and not first.text.strip():
        return Retry("empty answer", f"finish_reason {first.finish_reason!r} without text", usage=usage)
    return Completion(first.text, ended, *usage)


def _in_one_line(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}"[:SHOWN_OF_AN_ERROR]


async def _in_thread(work: Callable[[], T]) -> T:
    """Do work in a daemon thread: asyncio's own are waited for when the process ends, and a call may take minutes."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def resolve(result: T | None, error: BaseException | None) -> None:
        if done.cancelled():
            return
        if error:
            done.set_exception(error)
        else:
            done.set_result(cast(T, result))

    def run() -> None:
        result, error = None, None
        try:
            result = work()
        except BaseException as failure:
            error = failure
        if not loop.is_closed():
            loop.call_soon_threadsafe(resolve, result, error)

    threading.Thread(target=run, name="vllm", daemon=True).start()
    return await done
