"""PersonaMath (arXiv 2410.01504 v1, section 3): rewrites through personas, then learning from reflection."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated, ClassVar

from personamath.errors import BadInput
from personamath.methods import estimates, stages
from personamath.methods.draw import PersonaDraw, draw
from personamath.methods.method import ADDED_LATER, Column, Method, Outline, Seeds, Usage
from personamath.methods.prompts import INFERENCE, REFLECTION, REWRITING, Prompt
from personamath.methods.requests import Requests
from personamath.methods.stages import CONFIGS, KINDS, REVIEW, STAGE, STEPS, Rewrite, SecondTries, check_counts
from personamath.methods.work import Work
from personamath.records import Persona, Problem, Solution

PAPER_ROWS = {
    "gsm8k": ("6.6K", "30.8K", "0.1K", "1.1K", "38.7K"),
    "math": ("5.4K", "23.8K", "0.2K", "1.9K", "31.8K"),
    "all": ("12.1K", "54.6K", "0.3K", "3.1K", "70.3K"),
}
"""Table 2: kept rows in thousands by step and together, as printed there; its MATH row does not add up exactly."""

PERSONA = Column(
    "The persona the problem was rewritten for; null where nothing was rewritten. An id that ends in "
    "`/p0317` names the persona at place 317, counted from 0."
)
_MORE_ROUNDS = """

There are up to {reflection_rounds} reflections on a problem, one after another until one is right. Each reflects on the
last wrong solution. The rewrites of a recovered problem reflect once, on the last wrong solution of the original."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ForPersonas(Method):
    """Methods that rewrite each solved problem for K1 personas, and each recovered problem for K2."""

    k1: Annotated[int, "rewrites of each solved problem (not stated; table 2 implies 5 at 90 % kept)"] = 5
    k2: Annotated[int, "rewrites of each recovered problem (K2 > K1; table 2 implies 15 at 69 % kept)"] = 15
    personas: Annotated[
        str, "`bundled`, a file (a table or text), or OWNER/NAME[@REVISION][:CONFIG[:SPLIT]] on the Hub"
    ] = "bundled"
    persona_draw: Annotated[
        PersonaDraw, "`uniform`, or `by-occupation`: in rounds of one persona of each occupation class (v2)"
    ] = "uniform"

    @property
    @abstractmethod
    def tries(self) -> SecondTries:
        """How stage 2 tries again what was solved wrong."""

    @property
    def waves(self) -> int:
        """The outline's, and one more for each further round of stage 2."""
        return self.outline.waves + self.tries.rounds - 1

    @property
    def persona_source(self) -> str:
        """Where its personas come from."""
        return self.personas

    def check(self, personas: Sequence[Persona], requests: Requests) -> list[str]:
        """Warn of a K2 that the paper would not have; raises `BadInput` if there are too few personas."""
        draw(personas, "", max(self.k1, self.k2), 0, self.persona_draw)
        return [f"k2 is {self.k2}, k1 is {self.k1}; the paper has K2 > K1"] if self.k2 <= self.k1 else []

    async def augment(self, seed: Problem, work: Work) -> list[Solution]:
        """Both stages of the paper."""

        def rewrites(problem: Problem, purpose: str, k: int) -> list[Rewrite]:
            return [
                Rewrite(
                    rewrite_id(problem.id, persona),
                    work.requests.make(purpose, "rewriting", problem=problem.question, persona=persona.description),
                    {"persona": persona.description},
                )
                for persona in draw(work.personas, problem.id, k, work.rng_seed, self.persona_draw)
            ]

        return await stages.two_stages(seed, work, rewrites, self.k1, self.k2, self.tries)

    def drawn(self, step: str, seed_id: str, personas: Sequence[Persona], rng_seed: int) -> list[Persona]:
        """The personas that a seed problem is rewritten for once it has a row of this step; none after a rewrite."""
        k = {stages.INFERENCE: self.k1, self.tries.recover: self.k2}.get(step, 0)
        return draw(personas, seed_id, k, rng_seed, self.persona_draw)

    def expected(self, seeds: Seeds, personas: Sequence[Persona]) -> Mapping[str, Usage]:
        """From the rates in the paper's table 2, and from how long the questions and personas are."""
        persona = sum(len(one.description) for one in personas) / len(personas)
        return estimates.two_stages(seeds, self.k1, self.k2, persona, len(REWRITING.template), self.tries)

    def attempts(self, kept: Mapping[str, int]) -> Mapping[str, int]:
        """One first solution, K1 rewrites of a solved problem; else one recovery, K2 rewrites of a recovered one."""
        return stages.attempts(kept, self.k1, self.k2, self.outline.steps)


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonaMath(ForPersonas):
    """Rewrite each solved problem for K1 personas, and each problem recovered by reflection for K2."""

    reflection_rounds: Annotated[
        int, "maximum reflections on a wrongly solved problem, one after another (the paper has 1)"
    ] = field(default=1, metadata=ADDED_LATER)

    prompts: ClassVar[Mapping[str, Prompt]] = {
        "inference": INFERENCE,
        "rewriting": REWRITING,
        "reflection": REFLECTION,
    }
    paper_rows: ClassVar[Mapping[str, tuple[str, ...]]] = PAPER_ROWS
    outline: ClassVar[Outline] = Outline(
        method="persona",
        title="persona diversification and reflection",
        how="""\
1. **Inference.** The teacher solves every seed problem. Correct solutions become rows of `stage1_inference`.
2. **Rewrite.** The teacher rewrites each solved problem for {k1} personas and solves each rewrite. A rewrite is kept
   if its answer equals the reference answer of the *seed* problem: `stage1_rewrite`.
3. **Reflection.** The teacher gets each wrong solution back and is asked to find the error. Correct corrections become
   rows of `stage2_reflection`: the response is the corrected explanation, the column `review` holds the review.
4. **Rewrite.** The teacher rewrites each recovered problem for {k2} personas and solves the rewrites by reflection on
   the original's wrong solution: `stage2_rewrite`.

The teacher never sees a reference answer. Personas are drawn without replacement for each question.""",
        cite="arXiv 2410.01504",
        steps=STEPS,
        kinds=KINDS,
        configs=CONFIGS,
        columns={
            "stage": STAGE,
            "persona": PERSONA,
            "review": REVIEW,
        },
    )

    def __post_init__(self) -> None:
        """Refuse negative numbers of rewrites, and stages without a round."""
        check_counts(self.k1, self.k2)
        check_rounds("reflection_rounds", self.reflection_rounds)

    @property
    def described(self) -> Outline:
        """The outline, which has one reflection, or what more of them change."""
        if self.reflection_rounds == 1:
            return self.outline
        return replace(self.outline, how=self.outline.how + _MORE_ROUNDS)

    @property
    def tries(self) -> SecondTries:
        """Reflections, each on the last wrong solution."""
        return stages.reflecting(self.reflection_rounds)


def check_rounds(name: str, rounds: int) -> None:
    """Refuse a number of tries that recovers nothing."""
    if rounds < 1:
        raise BadInput(f"{name} is {rounds}: it must be at least 1")


def rewrite_id(problem_id: str, persona: Persona) -> str:
    """The id of a problem rewritten for a persona, e.g. `math-train-00042/p0317`."""
    return f"{problem_id}/p{persona.index:04}"
