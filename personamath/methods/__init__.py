"""Augmentation methods: what a method is, the tools it works with, and one file for each.

method     what a method declares and does
work       the toolbox for one seed problem
stages     section 3's two stages, shared by the methods that rewrite
equations  the path of a solution, which tells one way to an answer from another
backward   questions that hide one number of a problem
persona, direct, resample, rejection, metamath, evol, program, original   the methods
"""

from collections.abc import Mapping

from personamath.methods.direct import Direct
from personamath.methods.evol import Evol
from personamath.methods.metamath import MetaMath
from personamath.methods.method import Method
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
    "paper_rows",
]
