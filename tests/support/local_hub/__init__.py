"""A local Hub for tests: see `tests.support.local_hub.server`."""

from tests.support.local_hub.server import FOR_EVER, LocalHub, local_hub

__all__ = ["FOR_EVER", "LocalHub", "local_hub"]
