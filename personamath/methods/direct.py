"""The persona method without the persona: the control that the paper lacks.

The rewriting prompt has no sentence about a persona; K rewrites are K samples of one prompt. The stages, the filters
and the grading are the same, so personas are the only cause of a difference between the two datasets.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar

from personamath.methods import estimates, prompts, stages
from personamath.methods.method import Method, Outline, Seeds, Usage
from personamath.methods.prompts import INFERENCE, REFLECTION, Prompt
from personamath.methods.stages import CONFIGS, KINDS, REVIEW, STAGE, STEPS, Rewrite, check_counts
from personamath.methods.work import Work
from personamath.records import Persona, Problem, Solution

REWRITING = Prompt(
    "Math problem: {problem} \nPlease rephrase the above math problem.",
    says="rewrite a problem",
    reply=prompts.REWRITING.reply,
    origin=f"{prompts.REWRITING.origin}, without its words about the persona",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Direct(Method):
    """Rewrite each solved problem K1 times and each recovered problem K2 times, without a persona."""

    k1: Annotated[int, "rewrites of each solved problem"] = 5
    k2: Annotated[int, "rewrites of each recovered problem"] = 15

    prompts: ClassVar[Mapping[str, Prompt]] = {
        "inference": INFERENCE,
        "rewriting": REWRITING,
        "reflection": REFLECTION,
    }
    outline: ClassVar[Outline] = Outline(
        method="direct",
        title="rewriting without personas, and reflection",
        how="""\
1. **Inference.** The teacher solves every seed problem. Correct solutions become rows of `stage1_inference`.
2. **Rewrite.** The teacher rewrites each solved problem {k1} times, with no persona, and solves each rewrite. A
   rewrite is kept if its answer equals the reference answer of the *seed* problem: `stage1_rewrite`.
3. **Reflection.** The teacher gets each wrong solution back and is asked to find the error: `stage2_reflection`.
4. **Rewrite.** The teacher rewrites each recovered problem {k2} times and solves the rewrites by reflection on the
   original's wrong solution: `stage2_rewrite`.

The teacher never sees a reference answer. This is the control for the persona method: only the persona is missing.""",
        cite="",
        steps=STEPS,
        kinds=KINDS,
        configs=CONFIGS,
        columns={"stage": STAGE, "review": REVIEW},
    )

    def __post_init__(self) -> None:
        """Refuse negative numbers of rewrites."""
        check_counts(self.k1, self.k2)

    async def augment(self, seed: Problem, work: Work) -> list[Solution]:
        """Both stages, with samples of one rewriting prompt."""

        def rewrites(problem: Problem, purpose: str, k: int) -> list[Rewrite]:
            return [
                Rewrite(
                    f"{problem.id}/d{sample:04}",
                    work.requests.make(purpose, "rewriting", sample=sample, problem=problem.question),
                    {},
                )
                for sample in range(k)
            ]

        return await stages.two_stages(seed, work, rewrites, self.k1, self.k2)

    def expected(self, seeds: Seeds, personas: Sequence[Persona]) -> Mapping[str, Usage]:
        """From the rates that the paper reports for rewrites through personas; nobody has published others."""
        return estimates.two_stages(seeds, self.k1, self.k2, 0.0, len(REWRITING.template))

    def attempts(self, kept: Mapping[str, int]) -> Mapping[str, int]:
        """One first solution, K1 rewrites of a solved problem; else one reflection, K2 rewrites of a recovered one."""
        return stages.attempts(kept, self.k1, self.k2)
