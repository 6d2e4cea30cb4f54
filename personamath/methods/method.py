"""What an augmentation method is: steps, kinds of requests, settings, and what it makes of one seed problem.

A method is a frozen dataclass whose annotated fields are its settings. Everything else in the project, from the plan
to the card, reads what the method declares in its `Outline`. `provenance.json` holds the outline too, so a published
folder explains itself to any later version of this package.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Literal, NamedTuple, Protocol, get_args

from personamath.errors import BadInput
from personamath.files import validated
from personamath.methods.prompts import Prompt
from personamath.methods.requests import Requests
from personamath.methods.work import Work
from personamath.records import CHARACTERS_PER_TOKEN, Persona, Problem, Request, Row, Solution

PLAIN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
"""What a step may be called: it names a folder and a dataset config."""
RESERVED = frozenset({"default", "strict", "clean", "sft", "rl", "preference", "assets"})
"""Configs that any dataset may have, and the folder of its pictures."""
_OF_EVERY_ROW = frozenset(each.name for each in fields(Row))

Role = Literal["solve", "rewrite", "reflect"]
"""What a teacher can do; a recipe may name a teacher for each."""
ROLES: tuple[Role, ...] = get_args(Role)
AnswerFrom = Literal["seed", "derived", "majority"]
"""Where a row's reference answer comes from: its seed problem, another number (a masked one), or a vote."""


class Step(NamedTuple):
    """One of a method's steps; its name is also the name of a dataset config."""

    name: str
    """E.g. `stage1_rewrite`."""
    label: str
    """Its only name for people, in the words of the method's paper, e.g. `Stage 1: rewrite`."""
    says: str
    """What its rows are, e.g. `rewrites of solved seed problems, solved`."""
    answer_from: AnswerFrom = "seed"
    rewrites: bool = False
    """Whether its problems were reworded and should keep their seed problem's numbers and formulas."""
    fixed: Mapping[str, str | int] = {}
    """Columns that have the same value in all of its rows, e.g. `{"stage": 1}`."""
    answer_in: str | None = None
    """The column with the answer that a response gives, e.g. what a program prints; None if the response boxes it."""


class Kind(NamedTuple):
    """One kind of request; the funnel, the plan and the bill count by it."""

    name: str
    """E.g. `stage1_rewrite: solve`; `Request.purpose` holds it."""
    says: str
    """What the teacher is asked to do, e.g. `solve the rewrite`."""
    step: str
    """The step that pays for it."""
    role: Role
    """What the teacher does."""
    after: str | None = None
    """The kind whose answer it waits for; None for the first."""
    rare: bool = False
    """Whether a pilot sees too few of them, so that a plan mixes in what the method expects."""


class Column(NamedTuple):
    """A column that only this method's rows have; null where it does not apply."""

    says: str
    """For the card."""
    type: Literal["text", "number"] = "text"


class Config(NamedTuple):
    """A dataset config of several steps."""

    says: str
    steps: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Outline:
    """What a method declares about itself."""

    method: str
    """Its name, as `--method` takes it."""
    title: str
    """E.g. `persona diversification and reflection`."""
    how: str
    """How rows are made, in Markdown; `{k1}` and the like are the settings' names."""
    cite: str
    """The paper, e.g. `arXiv 2410.01504`."""
    steps: tuple[Step, ...]
    kinds: tuple[Kind, ...]
    """In the order in which they are asked; empty for a method that asks nobody."""
    configs: Mapping[str, Config] = field(default_factory=dict)
    """Beside the configs that every dataset has and those of single steps."""
    columns: Mapping[str, Column] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse an outline whose parts do not fit together; raises `ValueError`."""
        for fault in self._faults():
            raise ValueError(f"method {self.method!r}: {fault}")

    def _faults(self) -> Iterator[str]:
        if not self.steps:
            yield "it needs at least one step"
        steps = [step.name for step in self.steps]
        for name in [*steps, *self.configs]:
            if not PLAIN_NAME.fullmatch(name):
                yield f"{name!r} cannot name a folder: use letters, digits, '_', '-' and '.'"
            if name in RESERVED:
                yield f"{name!r} has a meaning in every dataset: choose another name"
            if [*steps, *self.configs].count(name) > 1:
                yield f"{name!r} names two steps or configs"
        yield from self._faults_of_kinds(steps)
        for name, config in self.configs.items():
            if not config.steps:
                yield f"the config {name!r} has no steps"
            if not set(config.steps) <= set(steps):
                yield f"the config {name!r} has steps that do not exist"
        yield from self._faults_of_columns()

    def _faults_of_kinds(self, steps: Sequence[str]) -> Iterator[str]:
        before: set[str | None] = {None}
        for kind in self.kinds:
            if kind.step not in steps or kind.name.partition(":")[0] != kind.step:
                yield f"the kind {kind.name!r} must begin with the name of its step, and the step must exist"
            if kind.role not in ROLES:
                yield f"the kind {kind.name!r} has the role {kind.role!r}; it must be one of {', '.join(ROLES)}"
            if kind.after not in before:
                yield f"the kind {kind.name!r} waits for {kind.after!r}, which is no kind before it"
            if kind.name in before:
                yield f"two kinds have the name {kind.name!r}"
            before.add(kind.name)

    def _faults_of_columns(self) -> Iterator[str]:
        for name in self.columns:
            if name in _OF_EVERY_ROW:
                yield f"the column {name!r} is one that every row has: choose another name"
        for step in self.steps:
            for name in step.fixed:
                if name not in self.columns:
                    yield f"the step {step.name!r} has a value for the column {name!r}, which is not declared"
            if step.answer_in is not None and step.answer_in not in self.columns:
                yield f"the step {step.name!r} has its answers in {step.answer_in!r}, which is no declared column"

    def step(self, name: str) -> Step:
        """The step of this name."""
        return next(step for step in self.steps if step.name == name)

    def kind(self, name: str) -> Kind:
        """The kind of request of this name."""
        return next(kind for kind in self.kinds if kind.name == name)

    def label(self, kind: Kind) -> str:
        """The name of a kind of request for people: its step's, and what it does if the step has several kinds.

        E.g. `Stage 1: inference`, and `Stage 1: rewrite (solve)` for the kind `stage1_rewrite: solve`.
        """
        step, _, part = kind.name.partition(":")
        label = self.step(step).label
        return f"{label} ({part.strip()})" if part else label

    @property
    def roles(self) -> tuple[Role, ...]:
        """The roles that it uses, in the order of first use."""
        return tuple(dict.fromkeys(kind.role for kind in self.kinds))

    @property
    def waves(self) -> int:
        """The longest chain of requests that wait for one another."""
        depth: dict[str | None, int] = {None: 0}
        for kind in self.kinds:
            depth[kind.name] = depth[kind.after] + 1
        return max(depth.values())

    def as_dict(self) -> dict[str, Any]:
        """Return the outline for provenance.json; collections with an order become lists."""
        return {
            "method": self.method,
            "title": self.title,
            "how": self.how,
            "cite": self.cite,
            "steps": [_step_as_dict(step) for step in self.steps],
            "kinds": [kind._asdict() for kind in self.kinds],
            "configs": [{"name": name} | config._asdict() for name, config in self.configs.items()],
            "columns": [{"name": name} | column._asdict() for name, column in self.columns.items()],
        }

    @classmethod
    def of(cls, content: Any, place: str) -> "Outline":
        """An outline from `as_dict`; fields that a later version added are left out.

        Raises `BadInput` if it is not one; `place` names where it comes from.
        """
        try:
            values = {name: content[name] for name in ("method", "title", "how", "cite")} | {
                "steps": [_known(Step, step) for step in content["steps"]],
                "kinds": [_known(Kind, kind) for kind in content["kinds"]],
                "configs": {config["name"]: _known(Config, config) for config in content["configs"]},
                "columns": {column["name"]: _known(Column, column) for column in content["columns"]},
            }
            return validated(cls, values, place)
        except (LookupError, TypeError, AttributeError) as error:
            raise BadInput(f"{place}: not a method's outline ({type(error).__name__}: {error})") from None
        except ValueError as error:
            raise BadInput(f"{place}: {error}") from None


def _step_as_dict(step: Step) -> dict[str, Any]:
    values = step._asdict() | {"fixed": dict(step.fixed)}
    if step.answer_in is None:  # so that folders stay those of earlier versions
        del values["answer_in"]
    return values


def _known(cls: Any, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values that are fields of a named tuple."""
    return {name: value for name, value in values.items() if name in cls._fields}


ASSUMED_COMPLETION_TOKENS = 500
"""Of an explanation, and of each part of a reflection. Ours: the paper states no tokens; a pilot measures them."""


@dataclass(slots=True)
class Usage:
    """What requests of one kind take."""

    requests: float = 0.0
    prompt_tokens: float = 0.0
    completion_tokens: float = 0.0

    def add(self, other: "Usage", times: float = 1.0) -> None:
        """Add another, `times` times."""
        self.requests += other.requests * times
        self.prompt_tokens += other.prompt_tokens * times
        self.completion_tokens += other.completion_tokens * times


@dataclass(frozen=True, slots=True)
class Seeds:
    """The seed problems of one source, as far as an estimate needs them."""

    source: str
    count: int
    question_characters: float
    """Mean length of a question."""


ADDED_LATER = {"added later": True}
"""Metadata of the field of a setting that a version after 0.1.0 added. run.json and provenance.json leave it out at its
default, so that folders stay those of earlier versions."""


def defaults_added_later(method: Any) -> dict[str, Any]:
    """The settings of a method that were added later, with their defaults."""
    return {each.name: each.default for each in fields(method) if each.metadata == ADDED_LATER}


class Method(Protocol):
    """A way to make rows of a seed problem.

    Implementations are frozen dataclasses; their fields are the settings. `outline`, `prompts` and `augment` are what
    a method must have; the rest has defaults for methods that inherit this class.
    """

    @property
    def outline(self) -> Outline:
        """What it declares of itself."""
        ...

    @property
    def prompts(self) -> Mapping[str, Prompt]:
        """Its prompts by name. A recipe may replace each, so only `Requests.make` and `Requests.solve` fill them."""
        ...

    async def augment(self, seed: Problem, work: Work) -> list[Solution]:
        """The solutions to keep of one seed problem: a function of the seed, the settings and the teacher's answers.

        Their order depends on nothing else, in particular not on the order in which answers arrive.
        """
        ...

    @property
    def described(self) -> Outline:
        """The outline with what the settings change in its words; the folder's card shows it."""
        return self.outline

    @property
    def waves(self) -> int:
        """The longest chain of requests that wait for one another, with these settings."""
        return self.outline.waves

    @property
    def needs_test_problems(self) -> bool:
        """Whether a run without test problems is refused, because the method makes problems that nobody has seen."""
        return False

    @property
    def runs_programs(self) -> bool:
        """Whether it runs programs that the teacher wrote, which the user must allow."""
        return False

    @property
    def persona_source(self) -> str | None:
        """Where its personas come from, as `--personas` takes it; None for a method without personas."""
        return None

    @property
    def draws_by_id(self) -> bool:
        """Whether it draws by the ids of seed problems, so that a problem with another id is asked other things."""
        return self.persona_source is not None

    @property
    def reads_solutions(self) -> bool:
        """Whether its seed problems carry the solutions that their sources give."""
        return False

    @property
    def paper_rows(self) -> Mapping[str, tuple[str, ...]]:
        """Rows that its paper reports, by source and for `all`: one for each step, and their sum; empty without any."""
        return {}

    def check(self, personas: Sequence[Persona], requests: Requests) -> list[str]:
        """Warnings about its settings, each a sentence; raises `BadInput` for settings that no run can mean."""
        return []

    def first_request(self, seed: Problem, requests: Requests) -> Request | None:
        """What is asked first of a seed problem; by default, to solve it. None if that is nothing, or not known."""
        return requests.solve(self.outline.kinds[0].name, seed.question) if self.outline.kinds else None

    def expected(self, seeds: Seeds, personas: Sequence[Persona]) -> Mapping[str, Usage]:
        """What the seed problems of a source will take, by kind, for a plan without a pilot.

        By default one request of each kind for each seed problem.
        """
        prompt = seeds.question_characters / CHARACTERS_PER_TOKEN
        return {
            kind.name: Usage(seeds.count, seeds.count * prompt, seeds.count * ASSUMED_COMPLETION_TOKENS)
            for kind in self.outline.kinds
        }

    def attempts(self, kept: Mapping[str, int]) -> Mapping[str, int]:
        """How many rows of each step were tried for one seed problem, given how many of each were kept.

        By default nothing, which means that the method does not say.
        """
        return {}
