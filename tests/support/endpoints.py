"""Endpoints of a scripted teacher in a test's own event loop."""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager

from aiohttp import web

from personamath.teachers.simulated import serve


def endpoint(reply: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> AbstractAsyncContextManager[str]:
    """Answer chat completions by a function, on a free port; gives the base URL."""
    app = web.Application()
    app.router.add_post("/v1/chat/completions", reply)
    return serve(app)
