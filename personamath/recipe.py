"""What decides the rows of a run: the same recipe over the same journal gives the same dataset."""

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite
from typing import Annotated, Any, Literal

from personamath.errors import BadInput
from personamath.files import nearest, validated
from personamath.methods import METHODS, Method, PersonaMath
from personamath.methods.contract import check_method
from personamath.methods.requests import Requests
from personamath.records import SIMULATED

OWN_FIELDS = {
    "messages": "holds the prompt, which is set here: see the key `system` and the method's prompts",
    "model": "is the key `teacher`",
    "max_tokens": "is a key of its own",
    "max_completion_tokens": "is the key `max_tokens`, with `token_limit: max_completion_tokens`",
    "temperature": "is a key of its own",
    "n": "must stay 1: a method asks for samples one by one",
    "stream": "must stay off: answers are read whole",
}
"""Fields of a request's body that are not for `request`, and why."""
# OpenAI's reasoning models refuse `max_tokens`. With or without a router's `openai/` before the name.
_REASONS = re.compile(r"(?:openai/)?(?:o\d|gpt-(?:[5-9]|\d\d))")


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """An augmentation recipe. Defaults are the paper's (v1, section 3), or ours where it is silent, as the texts say.

    Each field's text is also the help of its command-line option. In a YAML file, in run.json and in provenance.json
    the settings of the method stand beside the other keys: `method: persona`, `k1: 5`.
    """

    problems: Annotated[
        tuple[str, ...],
        "gsm8k or math (train split, from the Hub); a file of theirs, math:PATH; or a file of your own, "
        "NAME:PATH:QUESTION_COLUMN:ANSWER_COLUMN",
    ]
    teacher: Annotated[str, "model name, as the endpoint knows it; the paper's is gpt-4o-mini-2024-07-18"]
    method: Method = field(default_factory=PersonaMath)
    """How rows are made, with its settings."""
    temperature: Annotated[
        float | None, "sampling temperature of every request (the paper's); `none` leaves it to the model"
    ] = 0.7
    max_tokens: Annotated[int, "longest completion; one that is cut is dropped and counted (ours: not stated)"] = 2048
    token_limit: Annotated[
        Literal["max_tokens", "max_completion_tokens"] | None,
        "the field in which the teacher takes max_tokens (default: max_completion_tokens for OpenAI's reasoning "
        "models, gpt-5 and later and the o-series, max_tokens for all others)",
    ] = None
    system: Annotated[str | None, "system message of every request (the paper has none)"] = None
    request: Annotated[
        Mapping[str, Any], "more fields of every request's body, as YAML, e.g. '{top_p: 0.9, reasoning_effort: none}'"
    ] = field(default_factory=dict)
    rng_seed: Annotated[int, "decides which personas are drawn for which question"] = 42
    benchmark: Annotated[
        tuple[str, ...],
        "test problems with which every row is compared: gsm8k or math (test split, from the Hub), math:PATH, "
        "FILE:COLUMN or OWNER/NAME[:CONFIG]:COLUMN, beside those of the problems that come from the Hub",
    ] = ()
    limit: Annotated[int | None, "only the first N problems of each source"] = None

    def __post_init__(self) -> None:
        """Refuse values that no run can mean."""
        check_method(self.method)
        name, mine = self.method.outline.method, setting_names(type(self.method))
        if name in METHODS and type(self.method) is not METHODS[name]:
            raise BadInput(f"method: {name!r} is a method of this package; give yours another name in its outline")
        if taken := {"method", *_OWN}.intersection(mine):
            raise BadInput(f"method {name!r}: its setting {min(taken)} is a key of every recipe; rename it")
        if not self.problems:
            raise BadInput("no problems: name at least one source, e.g. --problems gsm8k")
        if not self.teacher:
            raise BadInput("no teacher: name a model, e.g. --teacher gpt-4o-mini-2024-07-18")
        if self.temperature is not None and not (isfinite(self.temperature) and self.temperature >= 0):
            raise BadInput(f"temperature is {self.temperature}: it must be a number, 0 or more")
        for name in self.request:
            if name in OWN_FIELDS:
                raise BadInput(f"request: {name} {OWN_FIELDS[name]}")
        for name in ("max_tokens", "limit"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise BadInput(f"{name} is {value}: it must be at least 1")

    @classmethod
    def of(cls, settings: Mapping[str, Any], place: str) -> "Recipe":
        """A recipe from its flat keys; `place` names where they come from.

        Raises `BadInput` for an unknown key, a wrong value, and a setting of another method.
        """
        values = dict(settings)
        chosen = values.pop("method", PersonaMath.outline.method)
        if not isinstance(chosen, str):  # a method of the caller's own, with its settings
            return validated(cls, values, place, method=chosen)
        name = chosen
        if name not in METHODS:
            raise BadInput(f"{place}: unknown method {name!r}; {nearest(name, METHODS)}")
        mine = setting_names(METHODS[name])
        for key in values:
            if key in _OWN or key in mine:
                continue
            if others := [other for other, cls in METHODS.items() if key in setting_names(cls)]:
                raise BadInput(f"{place}: {key} is a setting of {' and '.join(others)}; the method is {name}")
            raise BadInput(f"{place}: unknown key {key!r}; {nearest(str(key), ('method', *_OWN, *mine))}")
        method = validated(METHODS[name], {key: value for key, value in values.items() if key in mine}, place)
        own = {key: value for key, value in values.items() if key in _OWN}
        return validated(cls, own, place, method=method)

    def settings(self) -> dict[str, Any]:
        """The keys by which `of` makes this recipe again; a method of the caller's own is itself."""
        if METHODS.get(self.method.outline.method) is type(self.method):
            return self.as_dict()
        return {"method": self.method} | {name: getattr(self, name) for name in _OWN}

    def as_dict(self) -> dict[str, Any]:
        """Its flat keys, as `of` reads them."""
        own = {name: getattr(self, name) for name in _OWN}
        settings = {name: getattr(self.method, name) for name in setting_names(type(self.method))}
        return {"method": self.method.outline.method, **own, **settings}

    @property
    def requests(self) -> Requests:
        """How it asks."""
        limit = self.token_limit or ("max_completion_tokens" if _REASONS.match(self.teacher) else "max_tokens")
        return Requests(
            self.teacher,
            self.temperature,
            self.max_tokens,
            self.method.prompts,
            self.system,
            dict(self.request),
            limit,
        )

    @property
    def simulated(self) -> bool:
        """Whether the teacher is the embedded one, whose rows nobody should train on."""
        return self.teacher.startswith(SIMULATED)


def setting_names(method: type) -> tuple[str, ...]:
    """The names of a method's settings."""
    return tuple(each.name for each in dataclasses.fields(method))


_OWN = tuple(each.name for each in dataclasses.fields(Recipe) if each.name != "method")
"""The keys of a recipe beside its method and the method's settings."""
