"""Augmentation methods: what a method is, the tools it works with, and one file for each.

method     what a method declares and does
work       the toolbox for one seed problem
stages     section 3's two stages, shared by the methods that rewrite
equations  the path of a solution, which tells one way to an answer from another
backward   questions that hide one number of a problem
persona, direct, resample, rejection, metamath, evol, program, original   the methods
"""

from collections.abc import Mapping
from dataclasses import replace

from personamath.methods.direct import Direct
from personamath.methods.evol import Evol
from personamath.methods.metamath import MetaMath
from personamath.methods.method import Method, Outline
from personamath.methods.original import Original
from personamath.methods.persona import PersonaMath
from personamath.methods.program import ProgramOfThought
from personamath.methods.rejection import Rejection
from personamath.methods.resample import Resample

METHODS: dict[str, type[Method]] = {
    cls.outline.method: cls
    for cls in (PersonaMath, Direct, Resample, Rejection, MetaMath, Evol, ProgramOfThought, Original)
}
"""By the name that `--method` takes; the first is the default."""


def paper_rows(method: str) -> Mapping[str, tuple[str, ...]]:
    """Rows that the paper of a method reports; empty where it reports none or the method is not known here."""
    return METHODS[method]().paper_rows if method in METHODS else {}


def in_current_words(outline: Outline) -> Outline:
    """Return an outline with the names that this version has for its steps and requests, if it knows the method.

    So old and new datasets of a method are read under the same names.
    """
    if outline.method not in METHODS:
        return outline
    known = METHODS[outline.method]().outline
    labels = {step.name: step.label for step in known.steps}
    asks = {kind.name: kind.says for kind in known.kinds}
    return replace(
        outline,
        steps=tuple(step._replace(label=labels.get(step.name, step.label)) for step in outline.steps),
        kinds=tuple(kind._replace(says=asks.get(kind.name, kind.says)) for kind in outline.kinds),
    )


__all__ = [
    "METHODS",
    "Direct",
    "Evol",
    "MetaMath",
    "Method",
    "Original",
    "PersonaMath",
    "ProgramOfThought",
    "Rejection",
    "Resample",
    "in_current_words",
    "paper_rows",
]
