"""All that a recipe names to be read: its problems, its personas and the test problems to compare the rows with."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from personamath.sources.hub import HubSplit
from personamath.sources.hub.commits import Commits, resolve
from personamath.sources.personas import PersonaSource
from personamath.sources.problems import ProblemSource
from personamath.sources.questions import QuestionSource, chosen_benchmarks

Source = TypeVar("Source", ProblemSource, PersonaSource, QuestionSource)


@dataclass(frozen=True, slots=True)
class Sources:
    """The sources of one run."""

    problems: tuple[ProblemSource, ...]
    personas: PersonaSource | None
    """None for a method without personas."""
    benchmarks: tuple[QuestionSource, ...]
    """Test problems."""

    @classmethod
    def parse(cls, problems: Sequence[str], personas: str | None, benchmark: Sequence[str]) -> "Sources":
        """Read what a user wrote, without looking anything up; raise `BadInput`, which says what to write instead."""
        return cls(
            tuple(map(ProblemSource.parse, problems)),
            PersonaSource.parse(personas) if personas else None,
            tuple(chosen_benchmarks(benchmark, problems)),
        )

    def resolved(self) -> tuple["Sources", Sequence[str]]:
        """Return the sources with the commit of each on the Hub, and what to tell of those that are not pinned.

        The same dataset at the same revision has the same commit wherever it is named.
        """
        commits = resolve(split for source in self for split in source.splits)
        personas = self.personas and at_commits(self.personas, commits)
        problems = tuple(at_commits(source, commits) for source in self.problems)
        benchmarks = tuple(at_commits(source, commits) for source in self.benchmarks)
        return Sources(problems, personas, benchmarks), commits.notes

    def __iter__(self) -> Iterator[ProblemSource | PersonaSource | QuestionSource]:
        """All of them."""
        yield from self.problems
        if self.personas:
            yield self.personas
        yield from self.benchmarks


def at_commits(source: Source, commits: Commits) -> Source:
    """A source whose splits have their commits."""
    return replace(source, splits=tuple(map(commits.of, source.splits)))


def as_recorded(source: Source, origin: Mapping[str, object]) -> Source:
    """A source at the commits in its entry of a provenance.json, as far as that has them."""
    hub = origin.get("hub")
    recorded = {
        (one["repo"], one["config"], one["split"]): one["commit"] for one in (hub if isinstance(hub, list) else [])
    }

    def at(split: HubSplit) -> HubSplit:
        return split._replace(commit=recorded.get((split.repo, split.config, split.split)))

    return replace(source, splits=tuple(map(at, source.splits)))
