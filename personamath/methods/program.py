"""Programs as solutions (MAmmoTH's program of thought, Yue et al. 2023): the teacher writes one, and we run it.

A row is a seed problem as it is, with a program that prints its answer. Arithmetic is done by Python, so what the
teacher must get right is the reasoning. All programs are asked at once and folded in the order of their numbers, so the
rows are a function of the answers and of what the programs print.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, ClassVar

from personamath.answers import boxed_output, is_float_of
from personamath.errors import BadInput
from personamath.methods import estimates
from personamath.methods.method import Column, Kind, Method, Outline, Seeds, Step, Usage
from personamath.methods.prompts import Prompt
from personamath.methods.rejection import sample_id
from personamath.methods.requests import Requests
from personamath.methods.work import Work
from personamath.programs.reading import MODULES, read_program
from personamath.records import CHARACTERS_PER_TOKEN, Dropped, Persona, Problem, Request, Solution

PROGRAM = "program"
"""The method's only step, its only kind of request, and its prompt."""
OUTPUT = "output"
"""The column with what the program prints."""
REPEATED = "repeats another program"
ASSUMED_PROGRAM_TOKENS = 200
"""Of a program with its comments. Ours; a pilot measures it."""

PROGRAMMING = Prompt(
    "Write a Python program that solves the following math problem. Work the answer out in the program, step by step, "
    "with a short comment on each step, rather than in your head. The last thing that the program prints must be the "
    "final answer and nothing else: no unit and no words, and an exact value where the problem asks for one. The "
    f"program gets no input, and may import only {', '.join(MODULES[:-1])} and {MODULES[-1]}. Reply with the program "
    "only, in one block of code.\nMath problem:{problem}",
    says="write a program that solves a problem",
    reply="a Python program, in the last block of code or alone, whose last printed line is the final answer",
    origin="the words are this package's; MAmmoTH's are another's examples",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgramOfThought(Method):
    """Have a program written for each seed problem, and keep those that print the reference answer."""

    k: Annotated[int, "programs for each seed problem (1 in the paper)"] = 1

    prompts: ClassVar[Mapping[str, Prompt]] = {PROGRAM: PROGRAMMING}
    outline: ClassVar[Outline] = Outline(
        method="program",
        title="programs that print the answer",
        how="""\
1. The teacher writes {k} Python programs for every seed problem.
2. Each program is run in a sandbox. It is kept if the last line that it prints equals the reference answer; a float may
   differ from it by one millionth.
3. Of programs that differ only in layout and comments, one is kept.

The questions are the seed problems, unchanged. The teacher never sees a reference answer. The responses have no boxed
answer: the column `output` has what each program printed.""",
        cite="arXiv 2309.05653",
        steps=(Step(PROGRAM, "programs", "programs that solve seed problems", answer_in=OUTPUT),),
        kinds=(Kind(PROGRAM, "write a program", PROGRAM, "solve"),),
        columns={
            "sample": Column("Which of the programs for its seed problem it is, from 0.", "number"),
            OUTPUT: Column("The last line that the program printed when it was run: its answer."),
        },
    )

    def __post_init__(self) -> None:
        """Refuse a number of programs that makes no rows."""
        if self.k < 1:
            raise BadInput(f"k is {self.k}: it must be at least 1")

    @property
    def runs_programs(self) -> bool:
        """True: only a run shows what a program prints."""
        return True

    def check(self, personas: Sequence[Persona], requests: Requests) -> list[str]:
        """Warn of a temperature at which all programs come out alike."""
        alike = self.k > 1 and requests.of(PROGRAM).temperature == 0
        return [f"temperature is 0: all {self.k} programs for a problem will come out alike"] if alike else []

    def first_request(self, seed: Problem, requests: Requests) -> Request:
        """The first program."""
        return requests.make(PROGRAM, PROGRAM, problem=seed.question)

    async def augment(self, seed: Problem, work: Work) -> list[Solution]:
        """All programs, then the right ones that differ, in the order of their numbers."""
        attempts = await asyncio.gather(*(_attempt(seed, sample, work) for sample in range(self.k)))
        kept: list[Solution] = []
        seen: set[str] = set()
        for form, solution in (attempt for attempt in attempts if not isinstance(attempt, Dropped)):
            if not solution.correct:
                continue
            if form in seen:
                work.recount(PROGRAM, REPEATED, solution)
                continue
            seen.add(form)
            kept.append(solution)
        return kept

    def attempts(self, kept: Mapping[str, int]) -> Mapping[str, int]:
        """Every program."""
        return {PROGRAM: self.k}

    def expected(self, seeds: Seeds, personas: Sequence[Persona]) -> Mapping[str, Usage]:
        """K programs for each seed problem."""
        asked = (len(PROGRAMMING.template) + seeds.question_characters) / CHARACTERS_PER_TOKEN
        return {PROGRAM: estimates.times(Usage(1.0, asked, ASSUMED_PROGRAM_TOKENS), float(seeds.count * self.k))}


async def _attempt(seed: Problem, sample: int, work: Work) -> tuple[str, Solution] | Dropped:
    """Ask for a program, run it and judge what it printed; return its form and the solution, or why it was dropped."""
    problem = replace(seed, id=sample_id(seed.id, sample))
    request = work.requests.make(PROGRAM, PROGRAM, sample=sample, problem=seed.question)
    completion = await work.ask(request, problem.id)
    if isinstance(completion, Dropped):
        return completion
    program = read_program(completion.text)
    if isinstance(program, Dropped):
        return work.drop(PROGRAM, program)
    ended = await work.run(program)
    if ended.outcome != "ended":
        return work.drop(PROGRAM, Dropped(f"program {ended.outcome}"))
    # A float that is near enough is judged as the value that it stands for.
    printed = problem.answer if is_float_of(problem.answer, ended.line) else ended.line
    judged = await work.judge(problem, request, boxed_output(printed))
    return program.form, replace(judged, response=program.fenced, columns={"sample": sample, OUTPUT: ended.line})
