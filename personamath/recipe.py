"""The recipe decides the rows of a run: the same recipe with the same journal gives the same dataset."""

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
from personamath.methods.method import Column, Outline
from personamath.methods.reasoning import COLUMN, MAX_TOKENS, MAX_TOKENS_TO_REASON, default_max_tokens
from personamath.methods.requests import Requests
from personamath.records import SIMULATED

OWN_FIELDS = {
    "messages": "holds the prompt, which PersonaMath writes: use the key `system` or the method's prompts instead",
    "model": "has its own key: use `teacher`",
    "max_tokens": "has its own key: use `max_tokens` outside of `request`",
    "max_completion_tokens": "has its own key: use `max_tokens` with `token_limit: max_completion_tokens`",
    "temperature": "has its own key: use `temperature` outside of `request`",
    "n": "must stay 1, because a method asks for each sample separately: remove it",
    "stream": "must stay off, because answers are read whole: remove it",
}
"""Fields of a request's body that `request` must not set, and why."""
REASONING = Column(
    "What the teacher thought before it wrote the response, as far as the endpoint shows it; null if it shows none. "
    "Nobody has checked it."
)
# OpenAI's reasoning models, which refuse `max_tokens`. Routers put `openai/` before the name.
_REASONS = re.compile(r"(?:openai/)?(?:o\d|gpt-(?:[5-9]|\d\d))")


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """An augmentation recipe. Defaults come from the paper (v1, section 3); the texts mark those that are ours.

    Each field's text is also the help of its command-line option. A YAML file, run.json and provenance.json hold the
    method's settings on the same level as the other keys: `method: persona`, `k1: 5`.
    """

    problems: Annotated[
        tuple[str, ...],
        "seed problems: gsm8k or math (train split, from the Hub); a local copy, e.g. math:PATH; or your own file, "
        "NAME:PATH:QUESTION_COLUMN:ANSWER_COLUMN",
    ]
    teacher: Annotated[str, "model name at the endpoint; the paper uses gpt-4o-mini-2024-07-18"]
    method: Method = field(default_factory=PersonaMath)
    """The method that makes the rows, with its settings."""
    temperature: Annotated[
        float | None, "sampling temperature of every request (from the paper); `none` uses the model's own default"
    ] = 0.7
    max_tokens: Annotated[
        int | None,
        "most tokens in a completion; longer ones are cut, dropped and counted (ours; the paper states none; default "
        f"{MAX_TOKENS}, or {MAX_TOKENS_TO_REASON} if the teacher reasons, because its reasoning counts)",
    ] = None
    token_limit: Annotated[
        Literal["max_tokens", "max_completion_tokens"] | None,
        "request field that carries max_tokens (default: max_completion_tokens for OpenAI's reasoning models, that "
        "is gpt-5 and later and the o-series, and max_tokens for all others)",
    ] = None
    system: Annotated[str | None, "system message of every request (the paper has none)"] = None
    request: Annotated[
        Mapping[str, Any], "extra fields for every request's body, as YAML, e.g. '{top_p: 0.9, reasoning_effort: none}'"
    ] = field(default_factory=dict)
    keep_reasoning: Annotated[
        bool, "add a column `reasoning`: what the teacher thought before it wrote the response (ours)"
    ] = False
    rng_seed: Annotated[int, "random seed that decides which personas are drawn for each question"] = 42
    benchmark: Annotated[
        tuple[str, ...],
        "test problems to compare every row with: gsm8k or math (test split, from the Hub), math:PATH, FILE:COLUMN or "
        "OWNER/NAME[:CONFIG]:COLUMN, in addition to the test splits of seed problems from the Hub",
    ] = ()
    limit: Annotated[int | None, "use only the first N problems of each source"] = None

    def __post_init__(self) -> None:
        """Refuse values that no run can mean."""
        check_method(self.method, _OWN)
        name, mine = self.method.outline.method, setting_names(type(self.method))
        if (theirs := METHODS.get(name.lower())) and type(self.method) is not theirs:
            raise BadInput(f"method: {name!r} is a method of this package; give yours another name in its outline")
        if taken := {"method", *_OWN}.intersection(mine):
            raise BadInput(f"method {name!r}: its setting {min(taken)} is a key of every recipe; rename it")
        if self.keep_reasoning and COLUMN in self.method.outline.columns:
            raise BadInput(f"keep_reasoning: the method {name!r} has a column {COLUMN!r} already; leave the key out")
        if not self.problems:
            raise BadInput("no problems: name at least one source, e.g. gsm8k")
        if not self.teacher:
            raise BadInput("no teacher: name a model, e.g. gpt-4o-mini-2024-07-18")
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
        """Build a recipe from its flat keys; errors name their origin, `place`.

        Raises `BadInput` for an unknown key, a wrong value, or a setting of another method.
        """
        values = dict(settings)
        chosen = values.pop("method", PersonaMath.outline.method)
        if not isinstance(chosen, str):  # the caller's own method object, which holds its settings
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
        own = {name: getattr(self, name) for name in _OWN}
        if METHODS.get(self.method.outline.method) is not type(self.method):
            return {"method": self.method, **own}
        return {"method": self.method.outline.method, **own, **self._settings_of_method()}

    def as_dict(self) -> dict[str, Any]:
        """Return the flat keys that `of` reads, with the limit that the requests have."""
        own = {name: getattr(self, name) for name in _OWN} | {"max_tokens": self.requests.max_tokens}
        if not self.keep_reasoning:  # so that folders stay those of earlier versions
            del own["keep_reasoning"]
        return {"method": self.method.outline.method, **own, **self._settings_of_method()}

    def _settings_of_method(self) -> dict[str, Any]:
        return {name: getattr(self.method, name) for name in setting_names(type(self.method))}

    @property
    def outline(self) -> Outline:
        """What the method declares, and the column of the reasoning if it is kept."""
        outline = self.method.outline
        if not self.keep_reasoning:
            return outline
        return dataclasses.replace(outline, columns={**outline.columns, COLUMN: REASONING})

    @property
    def requests(self) -> Requests:
        """The settings of the requests that this recipe sends."""
        limit = self.token_limit or ("max_completion_tokens" if _REASONS.match(self.teacher) else "max_tokens")
        return Requests(
            self.teacher,
            self.temperature,
            self.max_tokens or default_max_tokens(self.teacher, self.request),
            self.method.prompts,
            self.system,
            dict(self.request),
            limit,
        )

    @property
    def simulated(self) -> bool:
        """Whether the teacher is the simulated one, whose rows must not be used for training."""
        return self.teacher.startswith(SIMULATED)


def setting_names(method: type) -> tuple[str, ...]:
    """Return the names of a method's settings."""
    return tuple(each.name for each in dataclasses.fields(method))


_OWN = tuple(each.name for each in dataclasses.fields(Recipe) if each.name != "method")
"""The keys of a recipe, without its method and the method's settings."""
