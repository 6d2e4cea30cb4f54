"""Decide the licence of a dataset: it is the personas' licence, because the rewritten problems contain them."""

from collections.abc import Mapping
from typing import Any

from personamath.errors import BadInput
from personamath.sources.personas import BUNDLED

UNKNOWN = "unknown"
"""The Hub's identifier for an unstated licence."""

# The licence of everything in the package.
OWN_LICENSE = "apache-2.0"
# By the source's name in a recipe, in lower case because names on the Hub ignore case.
PERSONA_LICENSES = {BUNDLED: OWN_LICENSE, "proj-persona/personahub": "cc-by-nc-sa-4.0"}
# By the source's name in a recipe.
PROBLEM_LICENSES = {"gsm8k": "mit", "math": "mit"}


def license_of(personas: Mapping[str, Any] | None) -> str:
    """Return the licence of the personas in a provenance.json; `unknown` for a file and for other Hub datasets.

    Without personas nothing decides the licence, so it is `unknown` too, and the publisher must state it.
    """
    if personas is None:
        return UNKNOWN
    if personas["local"]:
        return UNKNOWN
    return PERSONA_LICENSES.get(personas["source"].partition(":")[0].lower(), UNKNOWN)


def problem_license(problems: Mapping[str, Any]) -> str:
    """Return the licence of one source of problems in a provenance.json; `unknown` for a user's file."""
    return OWN_LICENSE if "package" in problems else PROBLEM_LICENSES.get(problems["source"], UNKNOWN)


def check_license(declared: str | None, decided: str) -> str:
    """Return the licence to publish under, given the publisher's choice and the personas' licence.

    Raises `BadInput` if the two contradict each other, or if neither is known.
    """
    if decided == UNKNOWN:
        if declared is None:
            raise BadInput("the licence of this dataset is unknown: state it with --license, e.g. cc-by-4.0")
        return declared.lower()  # as the Hub's identifiers are
    if declared is not None and declared.lower() != decided:
        raise BadInput(
            f"--license {declared} contradicts the personas' licence, {decided}: the rewrites contain the personas"
        )
    return decided
