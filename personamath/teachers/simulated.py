r"""The embedded teacher: an OpenAI-compatible endpoint on loopback that plays a teacher, for trying the pipeline.

It knows the reference solutions of the problems it is given, recognises the prompts of the methods, and answers in the
forms real models use. By a seeded share it fails problems, spoils rewrites and recovers by reflection; the same prompt
always gets the same completion. Its output is not data: its name marks every row, card and run as simulated.
"""

import hashlib
import json
import re
import time
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib.resources import files
from typing import NamedTuple

from aiohttp import web

from personamath.answers import equivalent, extract
from personamath.methods import direct, evol, metamath_prompts, program, prompts
from personamath.records import CHARACTERS_PER_TOKEN, SIMULATED
from personamath.sources.problems import ProblemSource
from personamath.sources.reference_answers import read_answer
from personamath.sources.seed_problems import solution_of
from personamath.teachers.simulated_metamath import HiddenNumbers, declare
from personamath.teachers.simulated_program import write_program, write_spoiled_program

MODEL = f"{SIMULATED}-teacher"

_CALCULATION = re.compile(r"<<[^>]*>>")
_ASKED = " is asked the following. "


@dataclass(frozen=True, slots=True)
class Habits:
    """How often the teacher does what, as shares from 0 to 1. The defaults show every step on a few dozen problems."""

    solves: float = 0.75
    solves_rewrite: float = 0.9
    spoils_rewrite: float = 0.05
    recovers: float = 0.6
    recovers_rewrite: float = 0.7


class Known(NamedTuple):
    """A problem the teacher can solve."""

    source: str
    question: str
    solution: str
    """Ends in a boxed answer."""
    answer: str


def _known(source: ProblemSource) -> Iterator[Known]:
    for row in source.rows():
        question, solution = row.cell(source.columns[0]), solution_of(source, row)
        answer = read_answer(source.name, solution).answer
        if not question or answer is None:
            continue
        if extract(solution) is None:  # after `####`, or bare
            steps, _, _ = _CALCULATION.sub("", solution).rpartition("####")
            solution = f"{steps.strip()}\nThe final answer is $\\boxed{{{answer}}}$.".lstrip()
        yield Known(source.name, question.strip(), solution, answer)


def bundled_problems() -> list[str]:
    """The `--problems` arguments of the bundled problems, in GSM8K's and in MATH's columns."""
    folder = files("personamath.sources.bundled")
    return [f"{kind}:{folder / f'{kind}-demo.jsonl'}" for kind in ("gsm8k", "math")]


class SimulatedTeacher:
    """Writes completions; a function of the prompt, the habits and the random seed."""

    def __init__(self, sources: Iterable[ProblemSource], habits: Habits | None = None, rng_seed: int = 0) -> None:
        self._habits = habits or Habits()
        self._rng_seed = rng_seed
        self._known = {known.question: known for source in sources for known in _known(source)}
        self._answers: dict[str, list[str]] = {}
        for known in self._known.values():
            self._answers.setdefault(known.source, []).append(known.answer)
        self._hidden = HiddenNumbers(self._known)

    def complete(self, prompt: str) -> str:
        """Complete a prompt; apologise if it is not PersonaMath's or its problem is not known."""
        for pattern, reply in (
            (_REFLECTION, self._reflect),
            (_REWRITING, self._rewrite),
            (_DIRECT, self._rewrite_directly),
            (_REPHRASING, self._rewrite_directly),
            (_DECLARATION, declare),
            (_EASIER, self._make_easier),
            (_HARDER, self._make_harder),
            (_PROGRAMMING, self._program),
            (_INFERENCE, self._solve),
        ):
            if found := pattern.fullmatch(prompt):
                return reply(**found.groupdict())
        return "I am sorry, I only play a teacher, and I do not know this prompt."

    def _solve(self, problem: str) -> str:
        if number := self._hidden.of(problem):
            right = self._chance("solve", problem) < self._habits.solves_rewrite
            return f"The unknown is what the answer allows, so it is $\\boxed{{{number if right else 0}}}$."
        habit = self._habits.solves_rewrite if _ASKED in problem else self._habits.solves
        return self._explain(problem, right=self._chance("solve", problem) < habit)

    def _program(self, problem: str) -> str:
        known = self._known.get(problem)
        if known is None:
            return "I am sorry, I do not know this problem."
        fate = self._chance("program", problem)
        if fate < self._habits.spoils_rewrite:
            return write_spoiled_program(known.answer, forbidden=fate < self._habits.spoils_rewrite / 2)
        right = self._chance("solve", problem) < self._habits.solves
        return write_program(known.solution, known.answer if right else self._slip(known))

    def _rewrite(self, problem: str, persona: str) -> str:
        fate = self._chance("rewrite", problem, persona)
        if fate < self._habits.spoils_rewrite:
            return (
                problem
                if fate < self._habits.spoils_rewrite / 2
                else f"{problem}\n\nSolution: {self._explain(problem)}"
            )
        forms = (
            "{question}",
            "**Rephrased Math Problem:**\n\n{question}",
            "Here is the math problem rephrased for this persona:\n\n{question}",
            '"{question}"',
            "### Rephrased Problem\n{question}",
        )
        form = forms[int(self._chance("form", problem, persona) * len(forms))]
        return form.format(question=f"{persona.rstrip('.')}{_ASKED}{problem}")

    def _rewrite_directly(self, problem: str) -> str:
        return self._rewrite(problem, "Somebody")

    def _make_easier(self, problem: str) -> str:
        return self._rewrite(problem, "A younger pupil")

    def _make_harder(self, problem: str) -> str:
        return self._rewrite(problem, "An older pupil")

    def _reflect(self, problem: str, explanation: str) -> str:
        habit = self._habits.recovers_rewrite if _ASKED in problem else self._habits.recovers
        corrected = self._explain(problem, right=self._chance("reflect", problem) < habit)
        answer = extract(explanation)
        slip = f"It ends in ${answer}$, which does not follow from its own steps." if answer else "It gives no answer."
        return (
            f"### Review of Incorrect Explanation\nThe last step of the explanation is wrong. {slip}\n\n"
            f"### Corrected Explanation\n{corrected}"
        )

    def _explain(self, question: str, right: bool = True) -> str:
        known = self._known.get(question.rpartition(_ASKED)[2])
        if known is None:
            return "I am sorry, I do not know this problem."
        explanation = f"Let us go step by step.\n\n{known.solution}"
        if right:
            return explanation
        return f"{explanation}\n\nOn second thought, the answer is $\\boxed{{{self._slip(known, question)}}}$."

    def _slip(self, known: Known, question: str = "") -> str:
        """A wrong answer to a known problem, of which `question` may be a rewrite."""
        answers = self._answers[known.source]
        start = int(self._chance("slip", question or known.question) * len(answers))
        others = (answers[(start + turn) % len(answers)] for turn in range(len(answers)))
        return next((answer for answer in others if not equivalent(known.answer, answer)), "0")

    def _chance(self, *key: str) -> float:
        """A number from 0 to 1 that is always the same for the same key."""
        digest = hashlib.blake2b("\n".join((str(self._rng_seed), *key)).encode(), digest_size=8).digest()
        return int.from_bytes(digest) / 2**64


def _pattern(prompt: prompts.Prompt) -> re.Pattern[str]:
    """Matches what a prompt is filled into."""
    names = r"\\\{(problem|persona|explanation|question|answer)\\\}"
    return re.compile(re.sub(names, r"(?P<\1>.*)", re.escape(prompt.template)), re.DOTALL)


_INFERENCE = _pattern(prompts.INFERENCE)
_REWRITING = _pattern(prompts.REWRITING)
_DIRECT = _pattern(direct.REWRITING)
_REPHRASING = _pattern(metamath_prompts.REPHRASING)
_DECLARATION = _pattern(metamath_prompts.DECLARATION)
_PROGRAMMING = _pattern(program.PROGRAMMING)
_REFLECTION = _pattern(prompts.REFLECTION)
_EASIER = _pattern(evol.EASIER)
_HARDER = _pattern(evol.HARDER)


def _text(content: str | list[dict[str, str]]) -> str:
    """The text of a message, which some clients send in parts."""
    return content if isinstance(content, str) else "".join(part["text"] for part in content)


def application(teacher: SimulatedTeacher, model: str = MODEL) -> web.Application:
    """The endpoint: `/v1/chat/completions` and `/v1/models`, as far as a client of a teacher needs them."""

    async def chat(request: web.Request) -> web.Response:
        try:
            body = json.loads(await request.read())
            asked_for, prompt = body["model"], _text(body["messages"][-1]["content"])
        except (ValueError, LookupError, TypeError):
            return _error(400, "the body is not a chat request", "invalid_request")
        if asked_for != model:  # so that nothing simulated is ever filed under a real model's name
            return _error(404, f"no model {asked_for!r} here; this endpoint serves {model}", "model_not_found")
        return web.json_response(chat_reply(model, prompt, teacher.complete(prompt)))

    async def models(_: web.Request) -> web.Response:
        only = {"id": model, "object": "model", "created": 0, "owned_by": "personamath"}
        return web.json_response({"object": "list", "data": [only]})

    app = web.Application()
    app.router.add_post("/v1/chat/completions", chat)
    app.router.add_get("/v1/models", models)
    return app


def chat_reply(model: str, prompt: str, text: str) -> dict[str, object]:
    """The body of a chat completion that says `text`."""
    tokens = {"prompt_tokens": _tokens(prompt), "completion_tokens": _tokens(text)}
    choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}
    return {
        "id": f"chatcmpl-{hashlib.blake2b(prompt.encode(), digest_size=8).hexdigest()}",
        "object": "chat.completion",
        "created": int(time.time()),
        "model": model,
        "choices": [choice],
        "usage": tokens | {"total_tokens": sum(tokens.values())},
    }


def _error(status: int, message: str, code: str) -> web.Response:
    return web.json_response(
        {"error": {"message": message, "type": "invalid_request_error", "code": code}}, status=status
    )


def _tokens(text: str) -> int:
    return len(text) // CHARACTERS_PER_TOKEN + 1


@asynccontextmanager
async def serve(app: web.Application) -> AsyncIterator[str]:
    """Serve on a free port of this machine's loopback as long as the context lasts; gives the base URL."""
    # Like real endpoints, drop a request whose client is gone.
    runner = web.AppRunner(app, access_log=None, handler_cancellation=True)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        await runner.cleanup()
