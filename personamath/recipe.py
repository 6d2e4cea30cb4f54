"""What decides the rows of a run: the same recipe over the same journal gives the same dataset."""

from dataclasses import dataclass
from math import isfinite
from typing import Annotated, Literal

from personamath.errors import BadInput
from personamath.records import SIMULATED

PersonaDraw = Literal["uniform", "by-occupation"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """An augmentation recipe. Defaults are the paper's (v1, section 3), or ours where it is silent; the texts tell.

    Each field's text is also the help of its command-line option.
    """

    problems: Annotated[tuple[str, ...], "gsm8k or math (train split, from the Hub), or with a file: math:PATH"]
    teacher: Annotated[str, "model name, as the endpoint knows it; the paper's is gpt-4o-mini-2024-07-18"]
    personas: Annotated[str, "`bundled`, a Hub dataset owner/name[:config], or a JSONL, parquet or text file"] = (
        "bundled"
    )
    persona_draw: Annotated[
        PersonaDraw, "`uniform`, or `by-occupation`: in rounds of one persona of each occupation class (v2)"
    ] = "uniform"
    temperature: Annotated[float, "sampling temperature of every request (the paper's)"] = 0.7
    max_tokens: Annotated[int, "longest completion; one that is cut is dropped and counted (ours: not stated)"] = 2048
    k1: Annotated[int, "rewrites of each solved problem (not stated; table 2 implies 5 at 90 % kept)"] = 5
    k2: Annotated[int, "rewrites of each recovered problem (K2 > K1; table 2 implies 15 at 69 % kept)"] = 15
    rng_seed: Annotated[int, "decides which personas are drawn for which question"] = 42
    benchmark: Annotated[
        tuple[str, ...],
        "test problems with which every row is compared: gsm8k or math (test split, from the Hub), math:PATH, "
        "FILE:COLUMN or OWNER/NAME[:CONFIG]:COLUMN, beside those of the problems that come from the Hub",
    ] = ()
    limit: Annotated[int | None, "only the first N problems of each source"] = None

    def __post_init__(self) -> None:
        """Refuse values that no run can mean."""
        if not self.problems:
            raise BadInput("no problems: name at least one source, e.g. --problems gsm8k")
        if not self.teacher:
            raise BadInput("no teacher: name a model, e.g. --teacher gpt-4o-mini-2024-07-18")
        for name in ("k1", "k2", "temperature"):
            if getattr(self, name) < 0:
                raise BadInput(f"{name} is {getattr(self, name)}: it must not be negative")
        if not isfinite(self.temperature):
            raise BadInput(f"temperature is {self.temperature}: it must be a number")
        for name in ("max_tokens", "limit"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise BadInput(f"{name} is {value}: it must be at least 1")

    @property
    def simulated(self) -> bool:
        """Whether the teacher is the embedded one, whose rows nobody should train on."""
        return self.teacher.startswith(SIMULATED)
