"""All analyses, in reading order."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from personamath.evaluation.scores import ScoredRun
from personamath.report.analysis.cases import case_studies
from personamath.report.analysis.comparison import Comparison
from personamath.report.analysis.composition import before_and_after, composition, first_answers, keep_rates
from personamath.report.analysis.costs import costs
from personamath.report.analysis.duplicates import duplicates
from personamath.report.analysis.false_wrong import false_wrong
from personamath.report.analysis.models import SCORES, published_scores, stage_two
from personamath.report.analysis.persona_groups import persona_groups
from personamath.report.analysis.quality import contamination, fidelity, second_opinion
from personamath.report.analysis.result import Analyses, Analysis, LeftOut
from personamath.report.analysis.rows import RunData
from personamath.report.analysis.texts import lengths_by_step, question_lengths, vocabulary

SIMULATED = (
    "The simulated teacher wrote these rows: the numbers demonstrate the analysis and say nothing about the method."
)


def analyses(
    data: RunData,
    compare: Sequence[Comparison] = (),
    scores: Sequence[ScoredRun] = (),
    without_stage_two: ScoredRun | None = None,
) -> Analyses:
    """Run every analysis that the data allows; list the others with the reason.

    `scores` are models trained on the data; the first one is compared with `without_stage_two`, a model trained without
    stage 2. All of PersonaMathQA takes minutes, mostly for the near duplicates and math-verify.
    """
    of_rows: list[Callable[[], Analysis | LeftOut]] = [
        lambda: case_studies(data),
        lambda: composition(data),
        lambda: first_answers(data),
        lambda: keep_rates(data),
        lambda: before_and_after(data),
        lambda: lengths_by_step(data),
        lambda: question_lengths(data, compare),
        lambda: vocabulary(data, compare),
        lambda: fidelity(data),
        lambda: second_opinion(data),
        lambda: contamination(data),
        lambda: duplicates(data),
        lambda: persona_groups(data),
        lambda: false_wrong(data),
        lambda: costs(data),
    ]
    found = [_warned(analysis(), data) for analysis in of_rows]
    found.append(published_scores(scores) if scores else LeftOut(*SCORES, "no model was scored: give --scores"))
    if scores and without_stage_two:
        found.append(stage_two(scores[0], without_stage_two))
    else:
        why = "it needs two scored models, one of them trained without stage 2: give --scores and --without-stage-two"
        found.append(LeftOut("stage-two", "With and without stage 2", why))
    made = tuple(one for one in found if isinstance(one, Analysis))
    return Analyses(made, tuple(one for one in found if isinstance(one, LeftOut)))


def _warned(found: Analysis | LeftOut, data: RunData) -> Analysis | LeftOut:
    """Say of an analysis of simulated data that it is one."""
    return replace(found, warning=SIMULATED) if data.simulated and isinstance(found, Analysis) else found
