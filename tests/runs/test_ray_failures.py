"""What a cluster's failure comes to in a line."""

import pytest

from personamath.runs.ray.cluster import failure

IN_AN_ACTOR = """\x1b[36mray::MapWorker(MapBatches(BlockWorker)).submit()\x1b[39m (pid=7, ip=192.0.2.2)
  File "mine.py", line 22, in augment
    raise KeyError("boom")
KeyError: 'boom'
The method 'mine' was at work on gsm8k-train-00000.

The above exception was the direct cause of the following exception:

ray.exceptions.UserCodeException: UDF failed to process a data block.
To change retry attempts, configure `ray.data.DataContext.get_current()`.
"""


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (IN_AN_ACTOR, "(KeyError: 'boom' The method 'mine' was at work on gsm8k-train-00000.); see its logs"),
        ("Pages of text.\n  The node with ip 192.0.2.2 died.\n", "(RuntimeError: The node with ip 192.0.2.2 died.)"),
        ("", "(RuntimeError); see its logs"),
    ],
)
def test_a_failure_is_a_line_with_the_cause(message: str, reason: str) -> None:
    said = str(failure(RuntimeError(message)))
    assert said.startswith(f"the cluster failed {reason}") and "\n" not in said
