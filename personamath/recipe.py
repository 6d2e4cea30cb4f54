"""The recipe decides the rows of a run: the same recipe with the same journal gives the same dataset."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from personamath.budget import Budget
from personamath.errors import BadInput
from personamath.files import nearest, validated
from personamath.methods import METHODS, Method, PersonaMath
from personamath.methods.contract import check_method
from personamath.methods.method import Column, Outline, defaults_added_later
from personamath.methods.prompts import Prompt
from personamath.methods.reasoning import COLUMN, MAX_TOKENS, MAX_TOKENS_TO_REASON
from personamath.methods.reflection import WRONG_RESPONSE
from personamath.methods.replaced_prompts import as_keys as prompts_as_keys
from personamath.methods.replaced_prompts import read_prompts
from personamath.methods.requests import Requests, Sampler
from personamath.methods.roles import as_keys, main_model, read_roles
from personamath.records import SIMULATED
from personamath.sources.named import Sources

REASONING = Column(
    "What the teacher thought before it wrote the response, as far as the endpoint shows it; null if it shows none. "
    "Nobody has checked it."
)
WRONG = Column("The wrong solution of the problem that reflection corrected; null if the row was made in another way.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """An augmentation recipe. Defaults come from the paper (v1, section 3); the texts mark those that are ours.

    Each field's text is also the help of its command-line option. A YAML file, run.json and provenance.json hold the
    method's settings on the same level as the other keys: `method: persona`, `k1: 5`.
    """

    problems: Annotated[
        tuple[str, ...],
        "seed problems: gsm8k or math (train split, from the Hub), also gsm8k@REVISION; another dataset on the Hub, "
        "OWNER/NAME[@REVISION][:CONFIG[:SPLIT]]:QUESTION_COLUMN:ANSWER_COLUMN; your own file, "
        "NAME:PATH:QUESTION_COLUMN:ANSWER_COLUMN; or a local copy, e.g. math:PATH",
    ]
    teacher: Annotated[
        str,
        "model name at the endpoint; the paper uses gpt-4o-mini-2024-07-18. Also a mapping of the roles solve, rewrite "
        "and reflect to teachers of their own, as YAML (see docs/method.md); the method original asks none",
    ] = ""
    """The model of every role that is not in `roles`."""
    roles: Mapping[str, Sampler] = field(default_factory=dict)
    """The roles whose teacher is another model, or is asked in another way. `of` reads them from a `teacher` that is a
    mapping."""
    method: Method = field(default_factory=PersonaMath)
    """The method that makes the rows, with its settings."""
    temperature: Annotated[
        float | None, "sampling temperature of every request (from the paper); `none` uses the model's own default"
    ] = 0.7
    max_tokens: Annotated[
        int | None,
        "maximum tokens in a completion; longer ones are cut, dropped and counted (ours; the paper states none; "
        f"default {MAX_TOKENS}, or {MAX_TOKENS_TO_REASON} if the teacher reasons, because its reasoning counts)",
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
    prompts: Annotated[
        Mapping[str, Prompt],
        "files whose text replaces prompts of the method, as YAML, e.g. '{rewriting: mine.txt}'; `personamath prompts` "
        "prints the method's own",
    ] = field(default_factory=dict)
    """Only those that differ from the method's own. `of` reads them from files, or from the texts that run.json has."""
    keep_reasoning: Annotated[
        bool, "add a column `reasoning`: what the teacher thought before it wrote the response (ours)"
    ] = False
    preference: Annotated[
        bool,
        "add a column `wrong_response`, the wrong solution that reflection corrected, and a config `preference` of "
        "pairs of both (ours)",
    ] = False
    rng_seed: Annotated[int, "random seed that decides which personas are drawn for each question"] = 42
    benchmark: Annotated[
        tuple[str, ...],
        "test problems to compare every row with: gsm8k or math (test split, from the Hub), also math@REVISION; "
        "math:PATH, FILE:COLUMN or OWNER/NAME[@REVISION][:CONFIG[:SPLIT]]:COLUMN; in addition to the test splits of "
        "GSM8K and MATH if seed problems come from them on the Hub",
    ] = ()
    limit: Annotated[int | None, "use only the first N problems of each source"] = None
    budget: Annotated[
        str | None,
        "end when the rows have used usd:20, tokens:5M, rows:20000 or questions:5000 (distinct questions); seed "
        "problems come in a fixed random order, and a larger budget contains a smaller one (ours; see docs/cost.md)",
    ] = None

    def __post_init__(self) -> None:
        """Refuse values that no run can mean."""
        check_method(self.method, _OWN)
        name, mine = self.method.outline.method, setting_names(type(self.method))
        if (theirs := METHODS.get(name.lower())) and type(self.method) is not theirs:
            raise BadInput(f"method: {name!r} is a method of this package; give yours another name in its outline")
        if taken := {"method", *_OWN}.intersection(mine):
            raise BadInput(f"method {name!r}: its setting {min(taken)} is a key of every recipe; rename it")
        if self.keep_reasoning and COLUMN in self.method.outline.columns:
            raise BadInput(f"keep_reasoning: the method {name!r} already has a column {COLUMN!r}; leave the key out")
        if WRONG_RESPONSE in self.method.outline.columns:
            raise BadInput(f"method {name!r}: the column {WRONG_RESPONSE!r} is that of the key preference; rename it")
        if self.preference and "reflect" not in self.method.outline.roles:
            raise BadInput(f"preference: the method {name!r} corrects no wrong solutions; leave the key out")
        if not self.problems:
            raise BadInput("no problems: name at least one source, e.g. gsm8k")
        if not self.teacher and self.method.outline.kinds:
            raise BadInput("no teacher: name a model, e.g. gpt-4o-mini-2024-07-18")
        for fault in self.own.faults():
            raise BadInput(fault)
        for role, teacher in self.roles.items():
            for fault in teacher.faults():
                raise BadInput(f"teacher.{role}.{fault}")
        if self.limit is not None and self.limit < 1:
            raise BadInput(f"limit is {self.limit}: it must be at least 1")
        if self.budget is not None:
            Budget.of(self.budget)

    @classmethod
    def of(cls, settings: Mapping[str, Any], place: str) -> "Recipe":
        """Build a recipe from its flat keys; errors name their origin, `place`.

        Raises `BadInput` for an unknown key, a wrong value, or a setting of another method.
        """
        values = dict(settings)
        chosen = values.pop("method", PersonaMath.outline.method)
        if not isinstance(chosen, str):  # the caller's own method object, which holds its settings
            check_method(chosen, _OWN)
            return cls._of(values, place, chosen)
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
        return cls._of(own, place, method)

    @classmethod
    def _of(cls, own: Mapping[str, Any], place: str, method: Any) -> "Recipe":
        """Build a recipe from its own keys; of prompts, only those that differ from the method's are kept."""
        recipe = cls._with_roles({key: value for key, value in own.items() if key != "prompts"}, place, method)
        if own.get("prompts") is None:
            return recipe
        return dataclasses.replace(recipe, prompts=read_prompts(own["prompts"], recipe.method.prompts, place))

    @classmethod
    def _with_roles(cls, own: Mapping[str, Any], place: str, method: Any) -> "Recipe":
        """Build a recipe without prompts; of a mapping of roles, only what differs is kept."""
        if "roles" in own:
            raise BadInput(f"{place}: unknown key 'roles'; the nearest known one is 'teacher', a mapping of roles")
        if not method.outline.kinds:  # whoever is named is not asked
            return validated(
                cls, {name: value for name, value in own.items() if name != "teacher"}, place, method=method
            )
        if not isinstance(teacher := own.get("teacher"), Mapping):
            return validated(cls, own, place, method=method)
        recipe = validated(cls, {**own, "teacher": main_model(teacher, place)}, place, method=method)
        by_role = read_roles(teacher, recipe._as_given, method.outline, place)
        recipe = dataclasses.replace(recipe, teacher=next(iter(by_role.values())).model)
        return dataclasses.replace(recipe, roles={role: of for role, of in by_role.items() if of != recipe._as_given})

    def settings(self) -> dict[str, Any]:
        """The keys by which `of` makes this recipe again; a method of the caller's own is itself."""
        by_role: dict[str, Sampler] = {role: self.roles.get(role, self._as_given) for role in self.method.outline.roles}
        own = self._own_keys(self._as_given, by_role)
        if METHODS.get(self.method.outline.method) is not type(self.method):
            return {"method": self.method, **own}
        return {"method": self.method.outline.method, **own, **self._settings_of_method()}

    def as_dict(self) -> dict[str, Any]:
        """Return the flat keys that `of` reads, with the limits that the requests have."""
        own = self._own_keys(self.own, self.by_role)
        # All are left out at their defaults, so that folders stay those of earlier versions.
        for name in ("keep_reasoning", "preference", "budget"):
            if not own[name]:
                del own[name]
        later, settings = defaults_added_later(self.method), self._settings_of_method()
        settings = {name: value for name, value in settings.items() if name not in later or value != later[name]}
        return {"method": self.method.outline.method, **own, **settings}

    def _settings_of_method(self) -> dict[str, Any]:
        return {name: getattr(self.method, name) for name in setting_names(type(self.method))}

    def _own_keys(self, recipes: Sampler, by_role: Mapping[str, Sampler]) -> dict[str, Any]:
        own = {name: getattr(self, name) for name in _OWN} | {"max_tokens": recipes.max_tokens}
        if any(teacher != recipes for teacher in by_role.values()):
            own["teacher"] = {role: as_keys(teacher, recipes) for role, teacher in by_role.items()}
        elif not by_role:
            own["teacher"] = None
        if own.pop("prompts"):  # absent where there are none, so that folders stay those of earlier versions
            own["prompts"] = prompts_as_keys(self.prompts)
        return own

    @property
    def sources(self) -> Sources:
        """What the recipe names to be read; raises `BadInput` if a name is wrong."""
        return Sources.parse(self.problems, self.method.persona_source, self.benchmark)

    @property
    def outline(self) -> Outline:
        """What the method declares, and the columns that the recipe adds."""
        outline = self.method.described
        added = ({COLUMN: REASONING} if self.keep_reasoning else {}) | (
            {WRONG_RESPONSE: WRONG} if self.preference else {}
        )
        return dataclasses.replace(outline, columns={**outline.columns, **added}) if added else outline

    @property
    def own(self) -> Sampler:
        """The teacher of the roles that are not in `roles`."""
        return self._as_given.limited()

    @property
    def _as_given(self) -> Sampler:
        return Sampler(
            model=self.teacher,
            temperature=self.temperature,
            max_tokens=self.max_tokens,
            token_limit=self.token_limit,
            system=self.system,
            request=dict(self.request),
        )

    @property
    def by_role(self) -> dict[str, Sampler]:
        """The teacher of each role that the method asks, in the order in which it asks them."""
        return {role: self.roles.get(role, self._as_given).limited() for role in self.method.outline.roles}

    @property
    def prompts_in_use(self) -> dict[str, Prompt]:
        """All prompts of the method by name: its own, or what the recipe has in place of them."""
        return {name: self.prompts.get(name, own) for name, own in self.method.prompts.items()}

    @property
    def models(self) -> tuple[str, ...]:
        """The models that are asked, each once."""
        return tuple(dict.fromkeys(teacher.model for teacher in self.by_role.values()))

    @property
    def requests(self) -> Requests:
        """The settings of the requests that this recipe sends."""
        kinds = self.method.outline.kinds if self.roles else ()
        by_kind = {kind.name: self.roles[kind.role] for kind in kinds if kind.role in self.roles}
        return Requests(self.own, self.prompts_in_use, by_kind)

    @property
    def simulated(self) -> bool:
        """Whether a teacher is the simulated one, whose rows must not be used for training."""
        return any(model.startswith(SIMULATED) for model in self.models)


def setting_names(method: type) -> tuple[str, ...]:
    """Return the names of a method's settings."""
    return tuple(each.name for each in dataclasses.fields(method))


_OWN = tuple(each.name for each in dataclasses.fields(Recipe) if each.name not in ("method", "roles"))
"""The keys of a recipe, without its method and the method's settings; `teacher` has the roles."""
