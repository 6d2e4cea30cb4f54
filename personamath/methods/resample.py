"""The persona method with plain new tries in place of reflection: the control for stage 2 that the paper lacks.

A wrongly solved problem is asked again as it was, so a right answer owes nothing to a review of the wrong one. With
as many tries as the persona method has reflections, both take the same number of requests for the same problems, and
stage 1 is the same to the byte: a difference between the two datasets is what reflecting adds to trying again.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar

from personamath.methods.method import Config, Kind, Outline, Step
from personamath.methods.persona import PERSONA, ForPersonas, check_rounds
from personamath.methods.prompts import INFERENCE, REWRITING, Prompt
from personamath.methods.stages import CONFIGS, KINDS, STAGE, STEPS, SecondTries, check_counts
from personamath.methods.stages import INFERENCE as FIRST
from personamath.methods.work import Work
from personamath.records import Dropped, Problem, Solution

RESAMPLE = "stage2_resample"
REWRITE = "stage2_rewrite: rewrite"
SOLVE = "stage2_rewrite: solve"
_STAGE2 = {"stage": 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class Resample(ForPersonas):
    """Rewrite each solved problem for K1 personas, and each problem recovered by a new try for K2."""

    tries_again: Annotated[
        int,
        "maximum new tries of a wrongly solved problem; if equal to reflection_rounds, both make equally many calls",
    ] = 1

    prompts: ClassVar[Mapping[str, Prompt]] = {"inference": INFERENCE, "rewriting": REWRITING}
    outline: ClassVar[Outline] = Outline(
        method="resample",
        title="persona diversification, and new tries in place of reflection",
        how="""\
1. **Inference.** The teacher solves every seed problem. Correct solutions become rows of `stage1_inference`.
2. **Rewrite.** The teacher rewrites each solved problem for {k1} personas and solves each rewrite. A rewrite is kept
   if its answer equals the reference answer of the *seed* problem: `stage1_rewrite`.
3. **New tries.** The teacher solves each wrongly solved problem again, up to {tries_again} times until a solution is
   right, and sees nothing of its earlier solutions: `stage2_resample`.
4. **Rewrite.** The teacher rewrites each recovered problem for {k2} personas and solves each rewrite: `stage2_rewrite`.

The teacher never sees a reference answer. This is the control for the persona method: only reflection is missing.""",
        cite="",
        steps=(
            *STEPS[:2],
            Step(RESAMPLE, "Stage 2: resample", "seed problems recovered by a new try", fixed=_STAGE2),
            Step(
                "stage2_rewrite",
                "Stage 2: rewrite",
                "rewrites of recovered problems, solved",
                rewrites=True,
                fixed=_STAGE2,
            ),
        ),
        kinds=(
            *KINDS[:3],
            Kind(RESAMPLE, "solve the seed problem again", RESAMPLE, "solve", after=FIRST),
            Kind(REWRITE, "rewrite the recovered problem", "stage2_rewrite", "rewrite", after=RESAMPLE, rare=True),
            Kind(SOLVE, "solve the rewrite", "stage2_rewrite", "solve", after=REWRITE),
        ),
        configs={
            "stage1": CONFIGS["stage1"],
            "stage2": Config("recovered by new tries", (RESAMPLE, "stage2_rewrite")),
        },
        columns={"stage": STAGE, "persona": PERSONA},
    )

    def __post_init__(self) -> None:
        """Refuse negative numbers of rewrites, and a stage 2 without a try."""
        check_counts(self.k1, self.k2)
        check_rounds("tries_again", self.tries_again)

    @property
    def tries(self) -> SecondTries:
        """New samples of the inference request."""
        return SecondTries(RESAMPLE, REWRITE, SOLVE, _again, self.tries_again)


async def _again(problem: Problem, wrong: Solution, purpose: str, before: int, work: Work) -> Solution | Dropped:
    # Sample 0 of the seed problem was its first answer; that of a rewrite is new.
    first = 1 if problem == wrong.problem else 0
    return await work.solve(problem, purpose, first + before)
