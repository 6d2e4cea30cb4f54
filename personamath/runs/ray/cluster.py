"""A Ray cluster, as far as a run needs one: joined or started, measured, its failures in a line."""

import contextlib
import dataclasses
import logging
import os
from collections.abc import Iterator, Mapping
from itertools import takewhile
from math import ceil
from typing import Any

from personamath.errors import BadInput, PersonaMathError
from personamath.files import in_one_line
from personamath.runs.ray.desk import Desk
from personamath.teachers.keys import Access
from personamath.teachers.patience import Patience
from personamath.teachers.prices import Caps, Prices
from personamath.teachers.routed import Routes

# One event loop feeds several thousand requests a second: at the seconds that a model takes, more than this in flight.
IN_FLIGHT_OF_AN_ACTOR = 1_000
# Actors wait more than they compute; two that ask for a whole CPU each hang on two CPUs, without an error.
CPUS_OF_AN_ACTOR = 0.25
# Of a cluster that is started here: only seed problems and counts travel through Ray's own store.
OBJECT_STORE_BYTES = 256 * 2**20
# Set before Ray is imported, except what the user has set: else Ray calls home, and its C++ part writes to the screen.
RAY_ENVIRONMENT = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_BACKEND_LOG_LEVEL": "fatal",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
}
CAUSED = "The above exception was the direct cause"
"""As Python puts it between the traceback of a cause and that of what it caused."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ClusterSetup:
    """Where a run is worked on, and how the teacher is reached from there."""

    address: str | None
    """Of a running cluster; None: RAY_ADDRESS, else one that is started on this machine for this run."""
    block: int
    """Seed problems in a block."""
    concurrency: int | None
    """Requests in flight, of all actors together, as are `rpm` and `tpm`; None if each actor finds its own."""
    hedge: bool
    rpm: float | None
    tpm: float | None
    routes: Routes
    access: Mapping[str, Access]
    """By endpoint."""
    patience: Patience
    prices: Prices
    caps: Caps


def import_ray() -> Any:
    """The module `ray`; `BadInput` if it is not installed."""
    for name, value in RAY_ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    try:
        import ray
        import ray.data
    except ImportError:
        raise BadInput("--engine ray needs Ray: pip install -e '.[ray]', on every machine") from None
    return ray


def connect(ray: Any, address: str | None) -> None:
    """Join the cluster, or start one."""
    address = address or os.environ.get("RAY_ADDRESS")
    of_a_new_one = {} if address else {"include_dashboard": False, "object_store_memory": OBJECT_STORE_BYTES}
    try:
        with _silent():
            ray.init(address or "local", log_to_driver=False, logging_level=logging.ERROR, **of_a_new_one)
    except (ConnectionError, RuntimeError, ValueError, TimeoutError) as error:
        raise BadInput(
            f"no Ray cluster at {address or 'this machine'} ({in_one_line(error)}); check --ray-address, and that this "
            "machine is part of it"
        ) from None
    logging.getLogger("ray.data").setLevel(logging.CRITICAL)


def start_desk(ray: Any, *arguments: object) -> Any:
    """Handle of a `Desk` in a process of this machine."""
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
    return ray.remote(Desk).options(num_cpus=0, scheduling_strategy=here).remote(*arguments)


def wanted_actors(ray: Any, concurrency: int | None) -> int:
    """How many actors share the requests in flight: one on every machine, more where one could not keep up."""
    machines = [node for node in ray.nodes() if node["Alive"] and node["Resources"].get("CPU")]
    room = int(ray.cluster_resources().get("CPU", 1) / CPUS_OF_AN_ACTOR)
    if concurrency is None:
        return max(1, min(len(machines), room))
    return max(1, min(max(len(machines), ceil(concurrency / IN_FLIGHT_OF_AN_ACTOR)), room, concurrency))


def failure(error: Exception) -> PersonaMathError:
    """What Ray says, in a line: its own messages are pages long, the cause in the last line.

    Where the code of an actor raised, that is the last line of the traceback that Ray begins with.
    """
    raised, is_caused, _ = str(error).partition(CAUSED)
    lines = [line for line in raised.splitlines() if line.strip()]
    if is_caused:
        last = [*takewhile(lambda line: not line.startswith(" "), reversed(lines))][::-1]
        what = " ".join(last)
    else:
        what = f"{type(error).__name__}: {lines[-1].strip()}" if lines else type(error).__name__
    return PersonaMathError(
        f"the cluster failed ({in_one_line(what)}); see its logs. Everything in the run directory is "
        "kept: the same command continues"
    )


@contextlib.contextmanager
def _silent() -> Iterator[None]:
    """Keep off the screen what Ray's C++ part says about its own log level."""
    screen = os.dup(2)
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 2)
    try:
        yield
    finally:
        os.dup2(screen, 2)
        os.close(screen)
        os.close(nothing)
