"""The vocabulary of the project, read first: problems and personas in, solutions between, rows out.

Every record is frozen; a step makes a new one. An id tells the ancestry: `math-train-00042` is a seed problem,
`math-train-00042/p0317` the same problem rewritten for persona 317.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Any, Literal, Protocol

SIMULATED = "simulated"
"""Begins the name of every teacher that only plays one; `Row.teacher` carries it into the dataset."""

CHARACTERS_PER_TOKEN = 4
"""A rough count where there is no better one: a token of English is about four characters."""

Overlap = Literal["equal", "masked", "13-gram"]
"""How a text overlaps with a test problem: equal but for white space, for numbers as well, or 13 words in a row; the
first that holds."""

FinishReason = Literal["stop", "length", "content_filter", "refusal"]
"""Why a completion ended: by itself, at `max_tokens`, by the endpoint's filter, or because the model declined."""

METHOD_OF_FORMAT_1 = "persona"
"""Made the rows of datasets of format 1, which have no column `method`."""

Cell = str | int | None
"""A value in a column that only one method has."""

_encoded = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode


@dataclass(frozen=True, slots=True)
class Problem:
    """A math problem with its reference answer: a seed problem, or one rewritten from it."""

    id: str
    """Unique within a run, e.g. `gsm8k-train-00007` or, rewritten, `gsm8k-train-00007/p0042`."""
    source: str
    """`gsm8k` or `math`."""
    question: str
    """The text that is asked, as the source or the teacher wrote it."""
    answer: str
    r"""Reference final answer, LaTeX without dollar signs, e.g. `\frac{3}{4}`. A rewritten problem keeps the answer of
    its seed problem (section 3.1: a rewrite whose solution does not reach it is discarded)."""
    level: int | None = None
    """MATH's difficulty, 1 to 5; None in GSM8K and where MATH says `Level ?`."""
    subject: str | None = None
    """MATH's `type`, e.g. `Number Theory`; None in GSM8K."""
    parent: str | None = None
    """Id of the seed problem this one was rewritten from; None for a seed problem."""


@dataclass(frozen=True, slots=True)
class Persona:
    """A person in a sentence, for whom a problem is rewritten."""

    index: int
    """Place in its source, counted from 0; `p0317` in ids."""
    description: str
    """E.g. `A beekeeper who sells honey at the weekend market`."""
    occupation: str | None = None
    """Occupation class, e.g. one of ISCO-08's major groups; None where the source does not tell."""


@dataclass(frozen=True)
class Request:
    """One chat request. Equal requests are the same request: it is asked, and paid for, once."""

    prompt: str
    """Sent as the user's message."""
    model: str
    temperature: float | None
    """None leaves it out: some models accept only their own."""
    max_tokens: int
    """Limit on the tokens of the completion."""
    sample: int = 0
    """Which of several completions of one prompt this asks for; part of the identity, not sent."""
    purpose: str = field(default="", compare=False)
    """Name of its kind, e.g. `stage1_rewrite: solve`, for counting; neither sent nor part of the identity. It begins
    with the name of the step that pays for it."""
    system: str | None = None
    """The system's message; None sends none."""
    extra: Mapping[str, Any] = field(default_factory=dict, hash=False)
    """More fields of the body, e.g. `{"reasoning_effort": "none"}`."""
    token_limit: str = "max_tokens"
    """The field in which this model takes `max_tokens`."""

    @property
    def messages(self) -> list[dict[str, str]]:
        """The system's message, if there is one, and the user's."""
        system = [] if self.system is None else [{"content": self.system, "role": "system"}]
        return [*system, {"content": self.prompt, "role": "user"}]

    def body(self) -> bytes:
        """The JSON that is sent, with sorted keys, so that equal requests are equal bytes."""
        fields = {self.token_limit: self.max_tokens, "messages": self.messages, "model": self.model, **self.extra}
        if self.temperature is not None:
            fields["temperature"] = self.temperature
        return _encoded(fields).encode()

    @cached_property
    def digest(self) -> str:
        """Key of this request in a journal: 32 hex digits (128 bits) over the body and the sample index."""
        return request_digest(self.body(), self.sample)


def request_digest(body: bytes, sample: int) -> str:
    """The digest of a request with this body; a journal's rows are proven by it."""
    return hashlib.sha256(b"%b\n%d" % (body, sample)).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class Completion:
    """What a teacher answered, untouched."""

    text: str
    finish_reason: FinishReason
    prompt_tokens: int | None = None
    """As counted by the endpoint; None where it does not say."""
    completion_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class Dropped:
    """An attempt that ends here, and why; it is counted under its reason and never becomes a row."""

    reason: str
    """As the funnel counts it, e.g. `wrong answer`, `truncated`, `equal to the original`."""


@dataclass(frozen=True, slots=True)
class Solution:
    """A graded attempt at a problem that was kept, or, in stage 1, a wrong one for stage 2 to reflect on."""

    problem: Problem
    step: str
    """Name of the method's step."""
    response: str
    """What would be trained on: the explanation with its boxed answer (after reflection, the corrected one only)."""
    correct: bool
    """Whether its final answer is equivalent to the reference answer."""
    request: str
    """Digest of the request that produced the response; a key of the journal."""
    columns: Mapping[str, Cell] = field(default_factory=dict)
    """The method's own columns, e.g. `persona`; one that is missing is null."""


@dataclass(frozen=True, slots=True)
class Row:
    """One published row; field names are the dataset's column names, and `columns` holds those of its method."""

    id: str
    problem: str
    """The question, as the paper's trainer names it."""
    response: str
    answer: str
    """Reference final answer, which the response's boxed answer equals."""
    source: str
    method: str
    """Name of the method that made it, e.g. `persona`."""
    step: str
    """Name of the method's step."""
    seed_id: str
    seed_problem: str
    """The seed problem's question; equal to `problem` where nothing was rewritten."""
    level: int | None
    subject: str | None
    teacher: str
    request: str
    columns: Mapping[str, Cell] = field(default_factory=dict)
    """What the method declares beside these, e.g. `persona` and `review`; one that is missing is null."""
    flag: str | None = None
    """What of its seed problem's numbers and LaTeX a rewritten problem lacks or adds, e.g. `missing 12; new 15`; None
    where it keeps them, and where nothing was rewritten. Set when the dataset folder is written, as is `overlap`."""
    overlap: Overlap | None = None
    """How its seed problem, or its problem, overlaps with a test problem; None where it does not, and where it was not
    compared with any."""

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> "Row":
        """A row from its published columns; raises `TypeError` where one of the common columns is missing."""
        common = {name: value for name, value in values.items() if name in _ROW_FIELDS}
        columns = {name: value for name, value in values.items() if name not in _ROW_FIELDS}
        return cls(**{"method": METHOD_OF_FORMAT_1, **common}, columns=columns)

    def column(self, name: str) -> Cell:
        """The value of a published column, the method's own included."""
        return getattr(self, name) if name in _ROW_FIELDS else self.columns.get(name)


_ROW_FIELDS = frozenset(each.name for each in fields(Row)) - {"columns"}


class Teacher(Protocol):
    """Anything that completes a prompt: an endpoint, a journal around one, a test's script."""

    async def complete(self, request: Request) -> Completion:
        """Answer, or raise a `TeacherError`."""
        ...
