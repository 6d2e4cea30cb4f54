"""The vocabulary of the project; read this first. Problems and personas go in, solutions follow, rows come out.

Every record is frozen; a step makes a new one. An id shows the ancestry: `math-train-00042` is a seed problem, and
`math-train-00042/p0317` is the same problem rewritten for persona 317.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Any, Literal, NamedTuple, Protocol

SIMULATED = "simulated"
"""The name of every simulated teacher begins with this; `Row.teacher` carries it into the dataset."""

CHARACTERS_PER_TOKEN = 4
"""A rough estimate for English, used where no exact count is available."""

Overlap = Literal["equal", "masked", "13-gram"]
"""How a text overlaps with a test problem: equal except for white space; equal except for white space and numbers; or
13 words in a row in common. The first rule that holds counts."""

FinishReason = Literal["stop", "length", "content_filter", "refusal", "repetition"]
"""Why a completion ended: the model stopped, it reached `max_tokens`, a filter cut it, the model declined, or the
server stopped a model that repeated itself."""

METHOD_OF_FORMAT_1 = "persona"
"""The method of all rows in datasets of format 1, which have no column `method`."""

Cell = str | int | None
"""A value in one of a method's own columns."""

_encoded = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode


@dataclass(frozen=True, slots=True)
class Problem:
    """A math problem with its reference answer: a seed problem, or a problem rewritten from one."""

    id: str
    """Unique within a run, e.g. `gsm8k-train-00007` or, rewritten, `gsm8k-train-00007/p0042`."""
    source: str
    """`gsm8k` or `math`."""
    question: str
    """The text of the problem, as the source or the teacher wrote it."""
    answer: str
    r"""Reference final answer, LaTeX without dollar signs, e.g. `\frac{3}{4}`. A rewritten problem keeps the answer of
    its seed problem (section 3.1: a rewrite whose solution does not reach it is discarded)."""
    level: int | None = None
    """MATH's difficulty, 1 to 5; None in GSM8K and where MATH says `Level ?`."""
    subject: str | None = None
    """MATH's `type`, e.g. `Number Theory`; None in GSM8K."""
    parent: str | None = None
    """Id of the seed problem this one was rewritten from; None for a seed problem."""
    solution: str | None = None
    """The solution that the source gives; None unless the method reads solutions."""


@dataclass(frozen=True, slots=True)
class Persona:
    """A person described in one sentence; problems are rewritten for personas."""

    index: int
    """Position in its source, counted from 0; ids show it as `p0317`."""
    description: str
    """E.g. `A beekeeper who sells honey at the weekend market`."""
    occupation: str | None = None
    """Occupation class, e.g. one of ISCO-08's major groups; None if the source does not give one."""


@dataclass(frozen=True)
class Request:
    """One chat request. Equal requests count as one: it is asked and paid for once."""

    prompt: str
    """Sent as the user's message."""
    model: str
    temperature: float | None
    """None leaves the field out, for models that accept only their own default."""
    max_tokens: int
    """Limit on the tokens of the completion."""
    sample: int = 0
    """Index of this sample among several completions of one prompt; part of the identity, but not sent."""
    purpose: str = field(default="", compare=False)
    """Name of its kind, e.g. `stage1_rewrite: solve`, for counting; neither sent nor part of the identity. It begins
    with the name of the step that pays for it."""
    system: str | None = None
    """The system message; None sends none."""
    extra: Mapping[str, Any] = field(default_factory=dict, hash=False)
    """Extra fields of the body, e.g. `{"reasoning_effort": "none"}`."""
    token_limit: str = "max_tokens"
    """Name of the body's field that carries `max_tokens` to this model."""

    @property
    def messages(self) -> list[dict[str, str]]:
        """The system message, if there is one, and the user's message."""
        system = [] if self.system is None else [{"content": self.system, "role": "system"}]
        return [*system, {"content": self.prompt, "role": "user"}]

    def body(self) -> bytes:
        """Return the JSON to send, with sorted keys so that equal requests give equal bytes."""
        return self._body

    @cached_property
    def _body(self) -> bytes:
        fields = {self.token_limit: self.max_tokens, "messages": self.messages, "model": self.model, **self.extra}
        if self.temperature is not None:
            fields["temperature"] = self.temperature
        return _encoded(fields).encode()

    @cached_property
    def digest(self) -> str:
        """Key of this request in a journal: a digest of the body and the sample index, 32 hex digits (128 bits)."""
        return request_digest(self.body(), self.sample)


def request_digest(body: bytes, sample: int) -> str:
    """Return the digest of a request with this body; a journal checks its rows with it."""
    return hashlib.sha256(b"%b\n%d" % (body, sample)).hexdigest()[:32]


class AnsweredBy(NamedTuple):
    """What the reply says about the model that answered and how; None for whatever it does not say."""

    model: str | None = None
    """E.g. `gpt-4o-mini-2024-07-18` if `gpt-4o-mini` was asked."""
    provider: str | None = None
    """The provider whose hardware answered, if a router chose it, e.g. `Groq`."""
    service_tier: str | None = None
    """E.g. `default` or `flex`."""
    processing: str | None = None
    """`batch` if the request was sent through the Batch API; `reused` if another run's answer was taken."""
    system_fingerprint: str | None = None
    """Names a configuration of the provider's servers."""
    cached_tokens: int | None = None
    """Prompt tokens that the provider had in its cache; most providers charge less for these."""
    reasoning_tokens: int | None = None
    """Completion tokens that are reasoning; they are billed like the others."""
    reasoning: str | None = None
    """The model's reasoning, if the reply has it beside the text."""


@dataclass(frozen=True, slots=True)
class Completion:
    """A teacher's answer, unedited."""

    text: str
    finish_reason: FinishReason
    prompt_tokens: int | None = None
    """As counted by the endpoint; None if it does not report it."""
    completion_tokens: int | None = None
    answered_by: AnsweredBy | None = None
    """None if the reply says nothing about it, and in answers that earlier versions journaled."""


@dataclass(frozen=True, slots=True)
class Dropped:
    """An attempt that ends here; it is counted under its reason and never becomes a row."""

    reason: str
    """Reason under which the funnel (the counts of a run) counts it, e.g. `wrong answer`, `truncated`."""


@dataclass(frozen=True, slots=True)
class Solution:
    """A graded attempt at a problem: a right one, which is kept, or a wrong one, on which stage 2 reflects."""

    problem: Problem
    step: str
    """Name of the method's step."""
    response: str
    """Text to train on: the explanation with its boxed answer (after reflection, only the corrected explanation)."""
    correct: bool
    """Whether its final answer is equivalent to the reference answer."""
    request: str | None
    """Digest of the request that produced the response, a key of the journal; None if nobody was asked."""
    columns: Mapping[str, Cell] = field(default_factory=dict)
    """The method's own columns, e.g. `persona`; a missing one is null."""


@dataclass(frozen=True, slots=True)
class Row:
    """One published row. The fields are the dataset's columns; `columns` holds the method's own columns."""

    id: str
    problem: str
    """The question; the paper's trainer uses this name."""
    response: str
    answer: str
    """Reference final answer; the response's boxed answer equals it."""
    source: str
    method: str
    """Name of the method that made the row, e.g. `persona`."""
    step: str
    """Name of the method's step."""
    seed_id: str
    seed_problem: str
    """The seed problem's question; equals `problem` if nothing was rewritten."""
    level: int | None
    subject: str | None
    teacher: str | None
    """The model that was asked for the response; None, like `request`, if nobody was."""
    request: str | None
    columns: Mapping[str, Cell] = field(default_factory=dict)
    """The method's own columns, e.g. `persona` and `review`; a missing one is null."""
    flag: str | None = None
    """Numbers and LaTeX of the seed problem that a rewritten problem lacks or adds, e.g. `missing 12; new 15`. None if
    it preserves them, or if nothing was rewritten. Writing the dataset folder sets `flag` and `overlap`."""
    overlap: Overlap | None = None
    """How its seed problem or its problem overlaps with a test problem; None if neither does, or if the row was not
    compared with test problems."""

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> "Row":
        """Build a row from its published columns; raise `TypeError` if a common column is missing."""
        common = {name: value for name, value in values.items() if name in _ROW_FIELDS}
        columns = {name: value for name, value in values.items() if name not in _ROW_FIELDS}
        return cls(**{"method": METHOD_OF_FORMAT_1, **common}, columns=columns)

    def column(self, name: str) -> Cell:
        """Return the value of a published column, including the method's own columns."""
        return getattr(self, name) if name in _ROW_FIELDS else self.columns.get(name)


_ROW_FIELDS = frozenset(each.name for each in fields(Row)) - {"columns"}


class Teacher(Protocol):
    """Anything that completes a prompt: an endpoint, a journaled teacher, a scripted teacher in a test."""

    async def complete(self, request: Request) -> Completion:
        """Answer, or raise a `TeacherError`."""
        ...
