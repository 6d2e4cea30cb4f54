"""Under which licence a dataset may be published: the personas' decides, because the rewritten problems hold them."""

from collections.abc import Mapping
from typing import Any

from personamath.errors import BadInput
from personamath.sources.personas import BUNDLED

UNKNOWN = "unknown"
"""The Hub's own name for a licence that nobody stated."""

# Whatever the package carries.
OWN_LICENSE = "apache-2.0"
# By the source as a recipe names it, in lower case, as the Hub's names disregard case.
PERSONA_LICENSES = {BUNDLED: OWN_LICENSE, "proj-persona/personahub": "cc-by-nc-sa-4.0"}
# By the source as a recipe names it.
PROBLEM_LICENSES = {"gsm8k": "mit", "math": "mit"}


def license_of(personas: Mapping[str, Any] | None) -> str:
    """The licence that the personas of a provenance.json ask for; `unknown` for a file and for other Hub datasets.

    Without personas nothing decides the licence, so it is `unknown` too, and the publisher states it.
    """
    if personas is None:
        return UNKNOWN
    if personas["local"]:
        return UNKNOWN
    return PERSONA_LICENSES.get(personas["source"].partition(":")[0].lower(), UNKNOWN)


def problem_license(problems: Mapping[str, Any]) -> str:
    """The licence of one source of problems of a provenance.json; `unknown` for a file of the user's."""
    return OWN_LICENSE if "package" in problems else PROBLEM_LICENSES.get(problems["source"], UNKNOWN)


def check_license(declared: str | None, decided: str) -> str:
    """The licence to publish under, from what the publisher declares and what the personas decide.

    Raises `BadInput` where the two contradict each other, and where neither says anything.
    """
    if decided == UNKNOWN:
        if declared is None:
            raise BadInput("the licence of this dataset is not known: state it with --license, e.g. cc-by-4.0")
        return declared.lower()  # as the Hub's identifiers are
    if declared is not None and declared.lower() != decided:
        raise BadInput(f"--license {declared} contradicts the personas' licence, {decided}: the rewrites hold them")
    return decided
