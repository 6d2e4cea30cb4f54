"""vLLM in-process: whole runs with a stand-in of its package, and its teacher around engines that are passed in."""

import asyncio
import contextlib
import inspect
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from personamath.errors import BadInput, RequestFailed, RunDirectoryError, TeacherMisconfigured
from personamath.journal.file_format import open_for_reading
from personamath.records import Completion, Request
from personamath.teachers.offline_vllm import ATTEMPTS, Loaded, OfflineTeacher, read_arguments
from personamath.teachers.refusals import REFUSALS_BEFORE_ANY_ANSWER
from personamath.teachers.simulated import MODEL, bundled_problems
from tests.commands.test_augment import PROBLEMS, dataset_bytes, run_file
from tests.conftest import REPO
from tests.teachers.test_batch import direct, wait_for

__all__ = ["direct"]  # a fixture

STAND_IN = REPO / "tests" / "support" / "vllm_stand_in"


def environment(stand_in: bool = True) -> dict[str, str]:
    return os.environ | {"PYTHONPATH": os.pathsep.join([str(REPO), *([str(STAND_IN)] if stand_in else [])])}


def command(output: Path, **arguments: object) -> list[str]:
    known = ", ".join(f'"{source}"' for source in bundled_problems())
    shown = "".join(f", {name}: {value}" for name, value in arguments.items())
    flags = ["--teacher", MODEL, "--offline-vllm", "--vllm-args", f"{{problems: [{known}]{shown}}}"]
    return [sys.executable, "-m", "personamath.commands.cli", "augment", *PROBLEMS, *flags, "--output", str(output)]


def run(arguments: list[str], stand_in: bool = True) -> subprocess.CompletedProcess[str]:
    return subprocess.run(arguments, capture_output=True, text=True, check=False, env=environment(stand_in))


def test_the_rows_are_those_of_asking_an_endpoint(tmp_path: Path, direct: dict[str, str]) -> None:
    done = run(command(tmp_path / "run"))
    assert done.returncode == 0, done.stderr
    assert dataset_bytes(tmp_path / "run") == direct
    assert run_file(tmp_path / "run")["endpoints"] == ["vllm in-process"]
    assert all(run_file(tmp_path / "run")["tokens"]["stage1_inference"].values())


def test_a_prompt_that_the_engine_refuses_is_left_out_by_name(tmp_path: Path) -> None:
    assert run(command(tmp_path / "run", max_model_len=150)).returncode == 3
    failed = run_file(tmp_path / "run")["failed"]
    refusal = r"refused by the engine: vllm refused a prompt \(VLLMValidationError: The prompt has \d+ tokens, more .*"
    assert failed and all(re.fullmatch(refusal, failure["why"]) for failure in failed)
    assert run(command(tmp_path / "run")).returncode == 0
    assert run_file(tmp_path / "run")["answers"]["asked this time"] >= len(failed)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_a_run_that_ends_early_goes_on_later(tmp_path: Path, direct: dict[str, str], number: signal.Signals) -> None:
    slow = command(tmp_path / "run", call_s=1.5)
    with subprocess.Popen(slow, stderr=subprocess.PIPE, text=True, env=environment()) as process:
        wait_for(lambda: journaled(tmp_path / "run") == 48)  # the first call is back, the second under way
        time.sleep(0.3)
        process.send_signal(number)
        assert process.stderr
        errors = process.stderr.read()
    if number == signal.SIGKILL:
        assert process.returncode == -number
    else:
        assert process.returncode == 128 + number
        assert re.search(rf"{number.name}: waiting for \d+ prompts in the engine; once more to leave them", errors)
        assert "the same command goes on from here" in errors and "Traceback" not in errors
        assert journaled(tmp_path / "run") > 48
    assert run(command(tmp_path / "run")).returncode == 0
    assert dataset_bytes(tmp_path / "run") == direct


def journaled(output: Path) -> int:
    with contextlib.suppress(RunDirectoryError), contextlib.closing(open_for_reading(output)) as journal:
        return int(journal.execute("select count(*) from answers").fetchall()[0][0])
    return 0


def test_bad_use_is_told_in_one_line(tmp_path: Path) -> None:
    for arguments, message in (
        (["--teacher", "no/such"], r"vllm cannot load no/such: OSError: no/such is not a local folder and is not .*"),
        (["--vllm-args", "{chunks: 7}"], r"vllm cannot load \S+: TypeError: .*unexpected keyword argument 'chunks'"),
        (["--batch"], r"--batch needs an endpoint and --offline-vllm uses none: .*"),
    ):
        done = run([*command(tmp_path / "run"), *arguments])
        assert done.returncode == 1
        assert re.fullmatch(rf"personamath: {message}\n", done.stderr), done.stderr
    if not installed():
        missing = run(command(tmp_path / "run"), stand_in=False)
        assert missing.returncode == 1 and "pip install -e '.[vllm]'" in missing.stderr


def installed() -> bool:
    return subprocess.run([sys.executable, "-c", "import vllm"], capture_output=True, check=False).returncode == 0


@pytest.mark.parametrize("text", ["{model: other}", "[1]", "tensor_parallel_size", "{a: "])
def test_arguments_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(BadInput, match="--vllm-args"):
        read_arguments(text)
    assert read_arguments('{"tensor_parallel_size": 2}') == read_arguments("tensor_parallel_size: 2")


class Engine:
    """Plays outputs: of each prompt, whatever its name says."""

    def __init__(self, refuses: str = "never") -> None:
        self.refuses = refuses
        self.calls: list[list[str]] = []

    def get_default_sampling_params(self) -> Any:
        return SimpleNamespace(temperature=None, max_tokens=None)

    def chat(self, messages: list[Any], sampling_params: Any, use_tqdm: bool) -> Sequence[Any]:
        prompts = [conversation[0]["content"] for conversation in messages]
        self.calls.append(prompts)
        assert [(params.temperature, params.max_tokens) for params in sampling_params] == [(0.7, 64)] * len(prompts)
        if any(self.refuses in prompt for prompt in prompts):
            raise ValueError("too long")
        if any("breaks" in prompt for prompt in prompts):
            raise RuntimeError("CUDA out of memory")
        return [self.output(prompt) for prompt in prompts]

    def output(self, prompt: str) -> Any:
        ends = {"cut": "length", "broken": "abort"}
        said = SimpleNamespace(
            text="" if "silent" in prompt else f"re: {prompt}",
            finish_reason=ends.get(prompt.partition(" ")[0], "stop"),
            token_ids=[1, 2, 3],
        )
        return SimpleNamespace(prompt_token_ids=[1, 2], outputs=[said])


def ask(engine: Engine, prompts: list[str], per_call: int = 100) -> list[Completion | BaseException]:
    async def run() -> list[Completion | BaseException]:
        async with OfflineTeacher(lambda: Loaded(engine, (ValueError,)), per_call) as teacher:
            asked = [teacher.complete(Request(prompt, "m", 0.7, 64)) for prompt in prompts]
            return await asyncio.gather(*asked, return_exceptions=True)

    return asyncio.run(run())


def test_what_the_engine_says_is_what_is_answered() -> None:
    engine = Engine()
    whole, cut, silent, broken = ask(engine, ["whole", "cut", "silent", "broken"])
    assert whole == Completion("re: whole", "stop", 2, 3)
    assert cut == Completion("re: cut", "length", 2, 3)
    assert isinstance(silent, RequestFailed) and silent.reason == "empty answer"
    assert isinstance(broken, RequestFailed) and broken.reason == "engine abort"
    assert engine.calls == [["whole", "cut", "silent", "broken"], *[["silent", "broken"]] * (ATTEMPTS - 1)]


def test_a_refused_prompt_costs_the_others_nothing() -> None:
    answers = ask(Engine(refuses="37"), [f"prompt {number}" for number in range(60)])
    assert [number for number, answer in enumerate(answers) if isinstance(answer, RequestFailed)] == [37]
    assert sum(isinstance(answer, Completion) for answer in answers) == 59


def test_the_first_prompts_of_a_wave_may_be_refused_alone() -> None:
    answers = ask(Engine(refuses="long"), [*["too long"] * 2 * REFUSALS_BEFORE_ANY_ANSWER, "short"])
    assert answers[-1] == Completion("re: short", "stop", 2, 3)
    assert all(isinstance(answer, RequestFailed) for answer in answers[:-1])


def test_an_engine_that_refuses_everything_or_breaks_ends_the_run() -> None:
    engine = Engine(refuses="prompt")
    answers = ask(engine, [f"prompt {number}" for number in range(60)])
    assert all(isinstance(answer, TeacherMisconfigured) and "every request so far" in str(answer) for answer in answers)
    answers = ask(Engine(), ["fine", "breaks"])
    assert all("RuntimeError: CUDA out of memory" in str(answer) for answer in answers)


def test_a_large_wave_goes_in_parts() -> None:
    engine = Engine()
    answers = ask(engine, [str(number) for number in range(25)], per_call=10)
    assert [len(call) for call in engine.calls] == [10, 10, 5]
    assert answers == [Completion(f"re: {number}", "stop", 2, 3) for number in range(25)]


class TinyModel:
    """A real model behind vLLM's interface: transformers, on a CPU, from a config."""

    def __init__(self) -> None:
        import torch
        from transformers import LlamaConfig, LlamaForCausalLM

        torch.manual_seed(0)
        sizes = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
        self._torch, self._model = torch, LlamaForCausalLM(LlamaConfig(vocab_size=128, **sizes))

    def get_default_sampling_params(self) -> Any:
        return SimpleNamespace(temperature=1.0, max_tokens=16)

    def chat(self, messages: list[Any], sampling_params: Any, use_tqdm: bool) -> Sequence[Any]:
        return [self._say(one[0]["content"], params) for one, params in zip(messages, sampling_params, strict=True)]

    def _say(self, prompt: str, params: Any) -> Any:
        ids = self._torch.tensor([list(prompt.encode("ascii"))])
        with self._torch.inference_mode():
            out = self._model.generate(
                ids,
                attention_mask=self._torch.ones_like(ids),
                do_sample=True,
                temperature=params.temperature,
                max_new_tokens=params.max_tokens,
                pad_token_id=0,
            )[0, ids.shape[1] :].tolist()
        ended = len(out) < params.max_tokens
        said = SimpleNamespace(text=bytes(out).decode(), token_ids=out, finish_reason="stop" if ended else "length")
        return SimpleNamespace(prompt_token_ids=ids[0].tolist(), outputs=[said])


def test_a_real_model_answers_a_wave() -> None:
    pytest.importorskip("transformers")
    answers = ask(TinyModel(), ["What is 1 + 1?", "And 2 + 2?"])  # type: ignore[arg-type]
    assert all(isinstance(answer, Completion) for answer in answers)
    first = answers[0]
    assert isinstance(first, Completion) and first.prompt_tokens == len("What is 1 + 1?")
    assert first.completion_tokens and (first.completion_tokens == 64) == (first.finish_reason == "length")


def test_vllm_takes_the_calls_that_are_made() -> None:
    """With vLLM installed, here its stand-in is not asked."""
    vllm = pytest.importorskip("vllm")
    inspect.signature(vllm.LLM.chat).bind(None, [[{}]], [vllm.SamplingParams()], use_tqdm=False)
    inspect.signature(vllm.LLM.__init__).bind(None, model="m", tensor_parallel_size=2, max_model_len=8192)
    params = vllm.SamplingParams()
    params.temperature, params.max_tokens = 0.7, 2048
    inspect.signature(vllm.LLM.get_default_sampling_params).bind(None)
    assert issubclass(vllm.exceptions.VLLMClientError, Exception)
