"""A Ray cluster on this machine for tests: a head without CPUs and two machines of one CPU, which can be killed.

Prints its address when it is ready, then obeys lines of stdin: `kill actor` and `kill machine` do so and print what was
killed, `add machine` makes another. It ends, with everything it started, when its stdin closes.
"""

import logging
import os
import signal
import sys
import warnings
from pathlib import Path

STORE_BYTES = 80 * 2**20
SETTINGS = {
    # Else other tests, which run at the same time, leave the workers no CPU.
    "RAY_worker_niceness": "0",
    # A machine that was killed refuses five of these, and counts as dead: in seconds instead of a quarter of a minute.
    "RAY_health_check_period_ms": "500",
    # By the parent's process id, those that are forked (see tests/support/programs.py) would find it gone.
    "RAY_enable_pipe_based_agent_to_parent_health_check": "1",
}


def descendants(pid: int) -> list[int]:
    """Every process that this one has started, and they."""
    found = [pid]
    for member in found:
        for children in Path(f"/proc/{member}/task").glob("*/children"):
            found += map(int, children.read_text().split())
    return found[1:]


def kill_actor() -> str:
    """Kill one of Ray Data's actors, which the same server has forked as this process."""
    for pid in descendants(os.getppid()):
        if Path(f"/proc/{pid}/cmdline").read_bytes().startswith(b"ray::MapWorker"):
            os.kill(pid, signal.SIGKILL)
            return f"actor {pid}"
    return "no actor"


def main() -> None:
    """Start, obey, end."""
    warnings.simplefilter("ignore")
    os.environ |= SETTINGS
    from ray.cluster_utils import Cluster

    without = {"include_dashboard": False, "include_log_monitor": False, "no_monitor": True}
    head = {"num_cpus": 0, "object_store_memory": STORE_BYTES} | without
    cluster = Cluster(initialize_head=True, head_node_args=head)
    machine = {"num_cpus": 1, "object_store_memory": STORE_BYTES}
    machines = [cluster.add_node(**machine) for _ in range(2)]
    logging.disable()
    try:
        print(cluster.address, flush=True)
        for line in sys.stdin:
            match line.strip():
                case "kill actor":
                    done = kill_actor()
                case "kill machine":
                    cluster.remove_node(machines.pop(), allow_graceful=False)
                    done = "machine"
                case _:
                    machines.append(cluster.add_node(**machine))
                    done = "machine added"
            print(done, flush=True)
    finally:
        cluster.shutdown()


if __name__ == "__main__":
    main()
