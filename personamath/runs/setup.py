"""The run directory, the teacher's endpoints and the limits: they decide how long a run takes, never its rows."""

import gc
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

from personamath.errors import BadInput
from personamath.files import plain_path
from personamath.journal.run_folder import is_url
from personamath.recipe import Recipe
from personamath.teachers.http import HttpTeacher
from personamath.teachers.pace import Pace
from personamath.teachers.patience import Patience
from personamath.teachers.prices import UNKNOWN_PRICE, Caps, Price, Prices, find_price
from personamath.teachers.serve import ServedTeacher, check_arguments
from personamath.teachers.shutdowns import shutdown_warning
from personamath.teachers.urls import OPENAI_URL
from personamath.teachers.waves import WaveTeacher

KEY_VARIABLE = "OPENAI_API_KEY"
URL_VARIABLE = "OPENAI_BASE_URL"  # the OpenAI SDK reads the same variable
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
    base_url: Annotated[
        tuple[str, ...],
        "OpenAI-compatible endpoint, up to and including /v1; several endpoints share the requests",
        "teacher",
    ] = (OPENAI_URL,)
    concurrency: Annotated[int, "most requests in flight at a time", "teacher"] = 256
    timeout: Annotated[float, "seconds for one try of one request", "teacher"] = 120.0
    attempts: Annotated[int, "tries of one request before it has failed; 429 answers are not counted", "teacher"] = 10
    patience: Annotated[
        float, "seconds to wait for an endpoint that stops answering, or asks to be left alone", "teacher"
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
        float | None, "most requests per minute (default: the limit that the endpoints announce, if any)", "limits"
    ] = None
    tpm: Annotated[
        float | None,
        "most prompt and completion tokens per minute (default: the limit that the endpoints announce, if any)",
        "limits",
    ] = None
    max_usd: Annotated[
        float | None,
        "stop when the answers in the run directory cost this much; only requests in flight can exceed it",
        "limits",
    ] = None
    max_requests: Annotated[int | None, "stop when the run directory has this many answers", "limits"] = None
    price_in: Annotated[
        float | None, "USD per million prompt tokens, for a teacher that is not in the price list", "limits"
    ] = None
    price_out: Annotated[
        float | None, "USD per million completion tokens; set both prices to 0 for your own hardware", "limits"
    ] = None
    batch: Annotated[
        bool, "ask through the OpenAI Batch API: half the price, up to a day for each wave of requests", "batch"
    ] = False
    batch_queue_tokens: Annotated[
        int | None, "most prompt tokens to enqueue in the Batch API at once: your batch queue limit, if any", "batch"
    ] = None
    engine: Annotated[
        Literal["local", "ray"], "`local`, or `ray` for a cluster of machines (see docs/scaling.md)", "cluster"
    ] = "local"
    ray_address: Annotated[
        str | None, "address of a running cluster (default: RAY_ADDRESS, else start a cluster here)", "cluster"
    ] = None
    block: Annotated[int, "seed problems per block of the ray engine", "cluster"] = 128

    def __post_init__(self) -> None:
        """Refuse values that no run can mean."""
        object.__setattr__(self, "output", plain_path(self.output))
        for name in ("concurrency", "timeout", "attempts", "patience", "block"):
            if getattr(self, name) <= 0:
                raise BadInput(f"{name} is {getattr(self, name)}: it must be more than 0")
        for name in ("rpm", "tpm", "max_usd", "max_requests", "batch_queue_tokens"):
            if (value := getattr(self, name)) is not None and not value > 0:
                raise BadInput(f"{name} is {value}: it must be more than 0")
        if self.batch and self.serve:
            raise BadInput("--batch asks a provider and --serve this machine: give only one of them")
        if self.batch and len(self.base_url) > 1:
            raise BadInput("--batch works with one endpoint: give only one --base-url")
        if self.engine == "ray" and self.batch:
            raise BadInput("--batch does not work with --engine ray: use --engine local")
        if self.engine == "ray" and self.serve:
            raise BadInput(
                "--serve belongs to --engine local: for a cluster, start `vllm serve` yourself and give its address "
                "with --base-url"
            )
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

    def warn(self, recipe: Recipe) -> None:
        """Warn of a teacher that its provider switches off."""
        if self.serve:
            return
        if warning := shutdown_warning(recipe.teacher, self.base_url[0], date.today()):
            print(f"warning: {warning}", file=sys.stderr)

    @property
    def caps(self) -> Caps:
        """The caps on the cost and the answers of the run directory."""
        return Caps(self.max_usd, self.max_requests)

    @property
    def patience_with_endpoints(self) -> Patience:
        """How long to wait and how often to try."""
        return Patience(self.timeout, self.attempts, self.patience)

    def prices(self, recipe: Recipe) -> Prices:
        """Return the prices of models; raise `BadInput` if --max-usd is set and the teacher's price is unknown."""
        given = self.price_in is not None or self.price_out is not None
        price = (
            OWN_HARDWARE
            if self.serve and not given
            else find_price(recipe.teacher, self.price_in, self.price_out, self.base_url[0])
        )
        if self.max_usd is not None and price is None:
            raise BadInput(UNKNOWN_PRICE.format(model=recipe.teacher))
        return Prices(recipe.teacher, price.in_batches() if price and self.batch else price)


def endpoint_key(base_url: Sequence[str]) -> str | None:
    """Return the API key for the endpoints; raise `BadInput` if OpenAI is one of them and there is no key."""
    key = os.environ.get(KEY_VARIABLE, "").strip() or None
    if key is None and OPENAI_URL in base_url:
        raise BadInput(f"{KEY_VARIABLE} is not set: export it, or use another endpoint with --base-url")
    return key


def open_teacher(recipe: Recipe, setup: Setup) -> HttpTeacher | WaveTeacher:
    """Return the teacher of a setup; `async with` opens and closes its connections."""
    pace = Pace(setup.rpm, setup.tpm)
    if setup.serve:
        return ServedTeacher.of(
            recipe.teacher, setup.vllm_args, Path(setup.output), setup.patience_with_endpoints, pace
        )
    key = endpoint_key(setup.base_url)
    if setup.batch:
        from personamath.teachers.batch import LINE_ATTEMPTS, BatchTeacher

        return BatchTeacher(
            Path(setup.output),
            setup.base_url[0],
            key,
            queue_tokens=setup.batch_queue_tokens,
            attempts=min(setup.attempts, LINE_ATTEMPTS),
            gone_s=setup.patience,
        )
    return HttpTeacher(setup.base_url, key, setup.patience_with_endpoints, pace)


def ready_process(concurrency: int) -> None:
    """Prepare this process for `concurrency` requests in flight; raise `BadInput` if the system does not allow them."""
    _allow_descriptors(concurrency + OTHER_DESCRIPTORS)
    gc.set_threshold(OBJECTS_PER_COLLECTION)


def _allow_descriptors(wanted: int) -> None:
    """Raise this process's limit on open files, which is often 1,024, as far as the system allows."""
    try:
        import resource
    except ImportError:
        return  # Windows has no such limit
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        if hard != resource.RLIM_INFINITY and hard < wanted:
            raise BadInput(
                f"this system allows {hard} open files: use --concurrency {hard - OTHER_DESCRIPTORS} or less"
            )
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
