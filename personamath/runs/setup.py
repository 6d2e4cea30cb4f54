"""The run directory, the teacher's endpoints and the limits: they decide how long a run takes, never its rows."""

import gc
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from math import inf
from pathlib import Path
from typing import Annotated, Any, Literal

from personamath.errors import BadInput, warn
from personamath.files import plain_path, validated
from personamath.journal.run_folder import is_url
from personamath.methods.reasoning import TIMEOUT_S, TIMEOUT_TO_REASON_S, default_timeout_s
from personamath.recipe import Recipe
from personamath.runs.roles import RoleSetup, Teachers
from personamath.teachers.concurrency import MOST, START, Limit
from personamath.teachers.headers import read_headers
from personamath.teachers.http import HttpTeacher
from personamath.teachers.keys import Access, access_to_all, check_key_variables, default_base_urls, keyless_note
from personamath.teachers.pace import Pace
from personamath.teachers.patience import Patience
from personamath.teachers.prices import Caps, Price, Prices
from personamath.teachers.rates import BATCH
from personamath.teachers.routed import OverHttp, Route, connections, over_http
from personamath.teachers.serve import SERVED, ServedTeacher, check_arguments
from personamath.teachers.shutdowns import shutdown_warning
from personamath.teachers.slots import Slots
from personamath.teachers.stated_prices import StatedPrices
from personamath.teachers.urls import all_checked, is_own, without_secrets
from personamath.teachers.waves import WaveTeacher

# File descriptors in addition to the connections: the journal, the grader's pipes, the dataset's files.
OTHER_DESCRIPTORS = 64
# Asking creates and drops thousands of objects a second, few of them in reference cycles. With Python's default of 700,
# the search for cycles takes a tenth of the CPU.
OBJECTS_PER_COLLECTION = 20_000
OWN_HARDWARE = Price(0.0, 0.0, source="--serve vllm")


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """A run's folder, endpoints and limits. Each field's text is also the help of its option, in the named group."""

    output: Annotated[
        str,
        "run directory; created, or continued if it exists; with the ray engine also a URL that fsspec can open",
        "run",
    ]
    replace: Annotated[bool, "let this recipe replace the dataset of another recipe in the run directory", "run"] = (
        False
    )
    reuse: Annotated[
        tuple[str, ...],
        "another run directory, whose answers are used instead of asking again; repeatable",
        "run",
    ] = ()
    run_programs: Annotated[
        bool,
        "allow a method to run the programs that the teacher writes, on this machine in a sandbox (method program)",
        "run",
    ] = False
    base_url: Annotated[
        tuple[str, ...],
        "OpenAI-compatible endpoint, up to and including /v1; several endpoints share the requests (default: "
        "OPENAI_BASE_URL, else OpenAI)",
        "teacher",
    ] = field(default_factory=default_base_urls)
    api_key_env: Annotated[
        tuple[str, ...],
        "environment variable that holds the endpoints' key; repeat it to give one for each --base-url, in order; "
        "`none` sends no key (default: OPENAI_API_KEY to OpenAI, HF_TOKEN or the stored token to Hugging Face's "
        "router, nothing to others)",
        "teacher",
    ] = ()
    header: Annotated[
        tuple[str, ...],
        "NAME=VALUE, a header of every request to every endpoint; NAME=env:VARIABLE takes a secret value from the "
        "environment",
        "teacher",
    ] = ()
    concurrency: Annotated[
        int | Literal["auto"] | None,
        "maximum requests in flight at a time (default auto: the run finds the best number for each endpoint)",
        "teacher",
    ] = None
    """None is `auto`."""
    hedge: Annotated[
        bool | None,
        "ask a second time when an answer is long overdue, which may be billed twice (default: on for servers of your "
        "own, off where answers are billed)",
        "teacher",
    ] = None
    timeout: Annotated[
        float | None,
        "seconds for one try of one request "
        f"(default {TIMEOUT_S:.0f}, or {TIMEOUT_TO_REASON_S:.0f} if the teacher reasons)",
        "teacher",
    ] = None
    attempts: Annotated[
        int, "tries of one request before it counts as failed; 429 answers are not counted", "teacher"
    ] = 10
    patience: Annotated[
        float, "seconds to wait for an endpoint that stops answering, or asks for a wait", "teacher"
    ] = 600.0
    serve: Annotated[
        Literal["vllm"] | None,
        "start `vllm serve TEACHER` on this machine, ask it instead of --base-url, and stop it when the run ends",
        "teacher",
    ] = None
    vllm_args: Annotated[
        Mapping[str, Any],
        "arguments of `vllm serve` as YAML, e.g. '{tensor_parallel_size: 2, max_model_len: 8192}'",
        "teacher",
    ] = field(default_factory=dict)
    rpm: Annotated[
        float | None, "maximum requests per minute (default: the limit that the endpoints announce, if any)", "limits"
    ] = None
    tpm: Annotated[
        float | None,
        "maximum prompt and completion tokens per minute (default: the limit that the endpoints announce, if any)",
        "limits",
    ] = None
    max_usd: Annotated[
        float | None,
        "stop when the answers in the run directory cost this much; only requests in flight can exceed it",
        "limits",
    ] = None
    max_requests: Annotated[int | None, "stop when the run directory has this many answers", "limits"] = None
    price_in: Annotated[
        float | None,
        "USD per million prompt tokens (default: the price that the endpoint states, else the list price)",
        "limits",
    ] = None
    price_out: Annotated[
        float | None, "USD per million completion tokens; set both prices to 0 for your own hardware", "limits"
    ] = None
    batch: Annotated[
        bool, "ask through the OpenAI Batch API: half the price, up to a day for each wave of requests", "batch"
    ] = False
    batch_queue_tokens: Annotated[
        int | None, "maximum prompt tokens to enqueue in the Batch API at once: your batch queue limit, if any", "batch"
    ] = None
    engine: Annotated[
        Literal["local", "ray"], "`local`, or `ray` for a cluster of machines (see docs/scaling.md)", "cluster"
    ] = "local"
    ray_address: Annotated[
        str | None, "address of a running cluster (default: RAY_ADDRESS, else start a cluster here)", "cluster"
    ] = None
    block: Annotated[int, "seed problems per block of the ray engine", "cluster"] = 128
    by_role: Mapping[str, RoleSetup] = field(default_factory=dict)
    """Endpoints and prices of the roles, where the recipe's `teacher` names roles."""
    stated_prices: StatedPrices = field(default_factory=StatedPrices, compare=False, repr=False)
    """What the endpoints say about prices, so that each is asked once."""

    def __post_init__(self) -> None:
        """Refuse values that no run can mean."""
        object.__setattr__(self, "output", plain_path(self.output))
        if self.concurrency == "auto":
            object.__setattr__(self, "concurrency", None)
        object.__setattr__(self, "base_url", all_checked(self.base_url))
        if not self.base_url:
            raise BadInput("base_url is empty: name an endpoint, or leave the key out for the default")
        for name in ("attempts", "patience", "block"):
            if not getattr(self, name) > 0:  # true of NaN, too
                raise BadInput(f"{name} is {getattr(self, name)}: it must be more than 0")
        for name in ("concurrency", "timeout", "rpm", "tpm", "max_usd", "max_requests", "batch_queue_tokens"):
            if (value := getattr(self, name)) is not None and not value > 0:
                raise BadInput(f"{name} is {value}: it must be more than 0")
        for name in ("rpm", "tpm"):
            if getattr(self, name) == inf:
                raise BadInput(f"{name} is infinite: to set no limit, leave it out")
        if self.batch and self.serve:
            raise BadInput("--batch asks a provider and --serve this machine: give only one of them")
        if self.batch and len(self.base_url) > 1:
            raise BadInput("--batch works with one endpoint: give only one --base-url")
        if self.engine == "ray" and self.batch:
            raise BadInput("--batch does not work with --engine ray: use --engine local")
        if self.engine == "ray" and self.serve:
            raise BadInput(
                "--serve does not work with --engine ray: start `vllm serve` yourself and give its address with "
                "--base-url"
            )
        if self.engine == "ray" and self.reuse:
            raise BadInput("--reuse does not work with --engine ray: use --engine local")
        if self.engine == "local" and is_url(self.output):
            raise BadInput(
                f"output {self.output!r}: the local engine needs a directory; an object store needs --engine ray"
            )
        for name, (meant, of) in {
            "batch_queue_tokens": (self.batch, "--batch"),
            "vllm_args": (self.serve is not None, "--serve vllm"),
            "ray_address": (self.engine == "ray", "--engine ray"),
        }.items():
            if getattr(self, name) and not meant:
                raise BadInput(f"--{name.replace('_', '-')} is for {of}: give both, or neither")
        check_arguments(self.vllm_args)
        check_key_variables(self.api_key_env, len(self.base_url))
        read_headers(self.header)

    @classmethod
    def of(cls, settings: Mapping[str, Any], place: str, by_role: Mapping[str, RoleSetup] | None = None) -> "Setup":
        """Build a setup from its keys; errors name their origin, `place`. Headers may also be keys and values."""
        headers = settings.get("header") or ()
        if isinstance(headers, Mapping):
            headers = [f"{name}={'' if value is None else value}" for name, value in headers.items()]
        texts = headers if isinstance(headers, list | tuple) else [headers]
        if not all(isinstance(text, str) for text in texts):  # the error does not show them: they may be secret
            raise BadInput(f"{place}: header: write a list of NAME=VALUE, or keys and values")
        return validated(
            cls, {**settings, "header": tuple(texts)}, place, by_role=by_role or {}, stated_prices=StatedPrices()
        )

    def warn(self, recipe: Recipe) -> None:
        """Warn of teachers that their provider is about to switch off."""
        routes = self.teachers(recipe).routes
        for model, urls in () if self.serve else dict.fromkeys(routes.values()):
            if warning := shutdown_warning(model, urls[0], date.today()):
                warn(warning)

    @property
    def caps(self) -> Caps:
        """The caps on the cost and the answers of the run directory."""
        return Caps(self.max_usd, self.max_requests)

    def patience_with(self, recipe: Recipe) -> Patience:
        """How long to wait for a recipe's teacher, and how often to try."""
        slowest_s = max(default_timeout_s(teacher.model, teacher.request) for teacher in recipe.by_role.values())
        timeout_s = self.timeout or slowest_s
        return Patience(timeout_s, self.attempts, self.patience)

    def teachers(self, recipe: Recipe) -> Teachers:
        """Return who answers which kind of a recipe's requests, and at what price.

        Raises `BadInput` for more teachers than --serve or --batch can ask.
        """
        teachers = Teachers(recipe, self.by_role, self.base_url, self.stated_prices, self.price_in, self.price_out)
        if self.serve:
            teachers.check_one_model("--serve vllm")
        if self.batch:
            teachers.check_one_endpoint("--batch")
        return teachers

    @property
    def fixed_concurrency(self) -> int | None:
        """The requests in flight that the user wants; None if the run finds out."""
        return self.concurrency if isinstance(self.concurrency, int) else None

    def hedges(self, recipe: Recipe) -> bool:
        """Whether to ask overdue requests a second time: only where it costs nothing, unless the user wants it."""
        if self.hedge is not None:
            return self.hedge
        prices = self.prices(recipe)
        for model, urls in self.teachers(recipe).routes.values():
            price = prices.of(model)
            if not (all(map(is_own, urls)) if price is None else price.prompt == price.completion == 0):
                return False
        return True

    def prices(self, recipe: Recipe) -> Prices:
        """Return the prices of models; raise `BadInput` if --max-usd is set and a teacher's price is unknown."""
        teachers = self.teachers(recipe)
        given = [self.price_in, *(role.price_in for role in self.by_role.values())]
        if self.serve and recipe.models and given.count(None) == len(given):
            return Prices(recipe.models[0], OWN_HARDWARE)
        prices = teachers.prices(BATCH if self.batch else None, ask=not self.serve)
        for model in recipe.models:
            if self.max_usd is not None and prices.of(model) is None:
                raise BadInput(teachers.unknown_price(model))
        return prices


def open_access(setup: Setup, recipe: Recipe) -> dict[str, Access]:
    """Return the access to each endpoint, and say which ones get no key; raise `BadInput` for a missing key."""
    access: dict[str, Access] = {}
    for urls, variables, own in setup.teachers(recipe).keys(setup.api_key_env):
        # The headers are for the recipe's own endpoints: their values may be secret.
        headers = read_headers(setup.header) if own else ()
        for url, one in zip(urls, access_to_all(urls, variables, headers), strict=True):
            if access.setdefault(url, one) != one:
                raise BadInput(
                    f"{without_secrets(url)} has two keys: give every role that asks it the same api_key_env"
                )
    if note := keyless_note(tuple(access), tuple(access.values())):
        print(f"note: {note}", file=sys.stderr)
    return access


def open_teacher(recipe: Recipe, setup: Setup, reached: Mapping[str, int] | None = None) -> OverHttp | WaveTeacher:
    """Return the teacher of a setup; `async with` opens and closes its connections.

    `reached` has the requests in flight that an earlier run found right, by endpoint.
    """
    if not recipe.models:  # the method asks nobody: no endpoint, and no key
        return HttpTeacher((), limits=())
    teachers = setup.teachers(recipe)
    pace, patience, hedge = Pace(setup.rpm, setup.tpm), setup.patience_with(recipe), setup.hedges(recipe)
    count = connections(teachers.routes)

    def limits(urls: Sequence[str], before: Mapping[str, int]) -> list[Limit] | None:
        return None if setup.fixed_concurrency else limits_for(urls, patience.timeout_s, before, count)

    if setup.serve:
        directory, model = Path(setup.output), recipe.models[0]
        return ServedTeacher.of(
            model, setup.vllm_args, directory, patience, pace, hedge=hedge, limits=limits((SERVED,), reached or {})
        )
    access = open_access(setup, recipe)
    if setup.batch:
        from personamath.teachers.batch import LINE_ATTEMPTS, BatchTeacher

        return BatchTeacher(
            Path(setup.output),
            teachers.base_urls[0],
            access[teachers.base_urls[0]],
            queue_tokens=setup.batch_queue_tokens,
            attempts=min(setup.attempts, LINE_ATTEMPTS),
            gone_s=setup.patience,
        )

    def opened(route: Route) -> HttpTeacher:
        urls, before = route.base_urls, route.reached(reached or {})
        each = [access[url] for url in urls]
        return HttpTeacher(urls, each, patience, pace, hedge=hedge, limits=limits(urls, before))

    return over_http(teachers.routes, opened)


def limits_for(
    base_url: Sequence[str], timeout_s: float, reached: Mapping[str, int], of: int, share: int = 1
) -> list[Limit]:
    """Make the limits on the requests in flight at each endpoint, for one of `share` processes that ask it.

    `of` is how many such limits the whole run has.
    """
    most = max(1, min(MOST, connections_allowed() // of) // share)
    return [Limit(timeout_s, max(1, reached.get(url, START) // share), most) for url in base_url]


def slots_of(setup: Setup, teacher: OverHttp | WaveTeacher) -> int | Slots:
    """Return the requests that may be in flight: as the setup fixes them, else as the teacher finds out."""
    fixed = setup.fixed_concurrency
    if isinstance(teacher, WaveTeacher):
        return fixed or 1  # a wave takes everything that waits
    return teacher.slots if fixed is None else fixed


def ready_process(setup: Setup, recipe: Recipe) -> None:
    """Prepare this process for the requests in flight; raise `BadInput` if the system does not allow them."""
    wanted = setup.fixed_concurrency or min(MOST * connections(setup.teachers(recipe).routes), connections_allowed())
    if wanted > connections_allowed():
        raise BadInput(f"this system allows too few open files: use --concurrency {connections_allowed()} or less")
    _allow_descriptors(wanted + OTHER_DESCRIPTORS)
    gc.set_threshold(OBJECTS_PER_COLLECTION)


def connections_allowed() -> int:
    """Return how many connections the system's limit on open files, which is often 1,024 at first, can be raised to."""
    try:
        import resource
    except ImportError:
        return sys.maxsize  # Windows has no such limit
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    return sys.maxsize if hard == resource.RLIM_INFINITY else max(1, hard - OTHER_DESCRIPTORS)


def _allow_descriptors(wanted: int) -> None:
    """Raise this process's limit on open files."""
    try:
        import resource
    except ImportError:
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
