"""Decide the licence of a dataset from those of its problems and personas, which its rows contain.

What a teacher's terms say about its completions gives a dataset no licence; `teacher_terms` names them for the card.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from personamath.errors import BadInput
from personamath.folder.used_sources import UsedProblems, personas_repo
from personamath.sources.personas import BUNDLED

UNKNOWN = "unknown"
"""The Hub's identifier for an unstated licence."""
OWN_LICENSE = "apache-2.0"
"""The licence of everything in the package."""
PROBLEM_LICENSES = {"gsm8k": "mit", "math": "mit"}
"""By the name of a published dataset."""
PERSONA_LICENSES = {"proj-persona/personahub": "cc-by-nc-sa-4.0"}
"""By repository in lower case, because names on the Hub ignore case."""
STRICTNESS = ("mit", OWN_LICENSE, "cc-by-nc-sa-4.0")
"""The known licences; each allows its material to be passed on under those after it."""
PERMISSIVE = STRICTNESS[:2]


class UnknownPart(NamedTuple):
    """A part of a dataset whose licence is not known."""

    kind: str
    """`problems` or `personas`."""
    name: str
    why: str
    """What it is, e.g. `the file mine.jsonl`."""


@dataclass(frozen=True, slots=True)
class Decision:
    """The licence of a dataset as far as its parts decide it."""

    license: str
    """The strictest licence of the parts; UNKNOWN if that of a part is not known and the publisher must state one."""
    required: str | None
    """The only licence that the publisher may state; None if the parts leave the choice open."""
    follows: str
    """The parts that `license` or `required` follows from: `personas` or `problems`."""
    unknown: tuple[UnknownPart, ...] = ()


def decide(provenance: Mapping[str, Any]) -> Decision:
    """Decide a dataset's licence from its provenance.json."""
    personas = provenance["personas"]
    of_personas = persona_license(personas) if personas else None
    of_problems = [problem_license(problems) for problems in provenance["problems"]]
    known = [license for license in (*of_problems, of_personas) if license and license != UNKNOWN]
    strictest = max(known, key=STRICTNESS.index) if known else UNKNOWN
    follows = "personas" if strictest == of_personas else "problems"
    unknown = tuple(_unknown_parts(provenance))
    if unknown:
        return Decision(UNKNOWN, None if strictest in (UNKNOWN, *PERMISSIVE) else strictest, follows, unknown)
    # Rows contain personas word for word. Without any, permissive problems leave the choice to the publisher.
    return Decision(strictest, strictest if personas or strictest not in PERMISSIVE else None, follows)


def problem_license(entry: Mapping[str, Any]) -> str:
    """Return the licence of one source of problems in a provenance.json; `unknown` for other files and Hub datasets."""
    problems = UsedProblems.of(entry)
    return OWN_LICENSE if problems.bundled else PROBLEM_LICENSES.get(problems.published or "", UNKNOWN)


def persona_license(personas: Mapping[str, Any]) -> str:
    """Return the licence of the personas in a provenance.json; `unknown` for a file and for other Hub datasets."""
    if not personas["local"] and personas["source"] == BUNDLED:
        return OWN_LICENSE
    return PERSONA_LICENSES.get((personas_repo(personas) or "").lower(), UNKNOWN)


def check_license(declared: str | None, decision: Decision) -> str:
    """Return the licence to publish under, given the publisher's choice and what the parts decide.

    Raises `BadInput` if the choice contradicts a part's licence, or if a licence must be stated and is not.
    """
    if declared is None:
        if decision.license == UNKNOWN:
            raise BadInput(
                f"the licence of {' and of '.join(map(_in_words, decision.unknown))} is unknown: state the dataset's "
                f"licence with --license, e.g. {decision.required or 'cc-by-4.0'}"
            )
        return decision.license
    if decision.required and declared.lower() != decision.required:
        raise BadInput(
            f"--license {declared} contradicts the {decision.follows}' licence, {decision.required}: the rows contain "
            f"the {decision.follows}"
        )
    return declared.lower()  # as the Hub's identifiers are


def _in_words(part: UnknownPart) -> str:
    return f"the {part.kind} {part.name} ({part.why})"


def _unknown_parts(provenance: Mapping[str, Any]) -> Iterator[UnknownPart]:
    for entry in provenance["problems"]:
        if problem_license(entry) == UNKNOWN:
            problems = UsedProblems.of(entry)
            yield UnknownPart("problems", problems.name, problems.why_unknown)
    personas = provenance["personas"]
    if personas and persona_license(personas) == UNKNOWN:
        yield UnknownPart("personas", personas["source"], "a file" if personas["local"] else "on the Hub, see its card")
