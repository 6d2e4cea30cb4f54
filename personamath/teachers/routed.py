"""Several teachers as one: each kind of request goes to the model and the endpoints of its role.

A model has an `HttpTeacher` of its own at the endpoints that serve it, because what is learnt about one says nothing
about another: how fast it answers, what its provider allows, and whether it refuses whatever it is asked. What the user
limits, `--rpm` and `--tpm`, holds for all of them together: they share one `Pace`.
"""

from collections import Counter
from collections.abc import Callable, Collection, Mapping
from contextlib import AsyncExitStack
from typing import NamedTuple, Self

from personamath.records import Completion, Request
from personamath.teachers.http import HttpTeacher
from personamath.teachers.prices import ThrownAway
from personamath.teachers.slots import Slots


class Route(NamedTuple):
    """A model and the endpoints that serve it."""

    model: str
    base_urls: tuple[str, ...]

    def name(self, url: str) -> str:
        """An endpoint of this route beside other routes, which may ask it for other models."""
        return f"{self.model} at {url}"

    def reached(self, by_endpoint: Mapping[str, int]) -> dict[str, int]:
        """By base URL, the requests in flight that an earlier run found right here, alone or beside other routes."""
        found = {url: by_endpoint.get(self.name(url), by_endpoint.get(url)) for url in self.base_urls}
        return {url: number for url, number in found.items() if number is not None}


Routes = Mapping[str, Route]
"""The route of each kind of request."""


def connections(routes: Routes) -> int:
    """Endpoints, each as often as models are asked there: so many have requests in flight of their own."""
    return sum(len(route.base_urls) for route in set(routes.values()))


class RoutedTeacher:
    """Teachers behind routes; `async with` opens and closes their connections."""

    def __init__(self, routes: Routes, opened: Callable[[Route], HttpTeacher]) -> None:
        """`opened` makes the teacher of a route."""
        self._teachers = {route: opened(route) for route in dict.fromkeys(routes.values())}
        self._by_kind = {kind: self._teachers[route] for kind, route in routes.items()}
        self._first = next(iter(self._teachers.values()))
        self._are_limited = bool(self.reached)
        self.retries: Counter[str] = Counter()
        """Tries after which a request was asked again, by reason."""
        for teacher in self._teachers.values():
            teacher.retries = self.retries
        self.slots = Slots(lambda: sum(teacher.allowed for teacher in self._teachers.values()))
        """Places for requests in flight, as many as the limits of all of them allow now."""

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            for teacher in self._teachers.values():
                await stack.enter_async_context(teacher)
            self._open = stack.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._open.aclose()

    async def complete(self, request: Request) -> Completion:
        """The answer of the teacher for this kind of request."""
        teacher = self._by_kind.get(request.purpose, self._first)
        if not self._are_limited:  # whoever asks bounds the requests in flight
            return await teacher.complete(request)
        async with teacher.slots:
            return await teacher.complete(request)

    @property
    def reached(self) -> dict[str, int]:
        """By model and base URL, the requests in flight to start with next time; empty without limits."""
        return {
            route.name(url): number
            for route, teacher in self._teachers.items()
            for url, number in teacher.reached.items()
        }

    def stop(self) -> None:
        """Send nothing more to any of them."""
        for teacher in self._teachers.values():
            teacher.stop()

    def answered_before(self, models: Collection[str]) -> None:
        """Earlier commands got answers from these models, so a refusal now concerns only its own request."""
        for route, teacher in self._teachers.items():
            if route.model in models:
                teacher.answered_before()

    @property
    def in_flight(self) -> int:
        """Requests that were sent and not answered."""
        return sum(teacher.in_flight for teacher in self._teachers.values())

    def waiting_for(self) -> str:
        """Which endpoints are waited for and why, in a few words; empty while none is."""
        waits = dict.fromkeys(teacher.waiting_for() for teacher in self._teachers.values())
        return ", ".join(filter(None, waits))

    @property
    def thrown_away(self) -> ThrownAway:
        """Takes what an answer that is of no use has cost."""
        return self._first.thrown_away

    @thrown_away.setter
    def thrown_away(self, take: ThrownAway) -> None:
        for teacher in self._teachers.values():
            teacher.thrown_away = take


OverHttp = HttpTeacher | RoutedTeacher
"""A teacher that asks endpoints one request at a time."""


def over_http(routes: Routes, opened: Callable[[Route], HttpTeacher]) -> OverHttp:
    """One teacher if every kind of request has the same route, else one that chooses by the kind."""
    first, *others = dict.fromkeys(routes.values())
    return RoutedTeacher(routes, opened) if others else opened(first)
