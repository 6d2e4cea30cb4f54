"""Which commit a revision is: all that a run reads of a dataset is of one commit, whatever happens on the Hub."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from personamath.errors import BadInput
from personamath.files import in_one_line, nearest
from personamath.sources.hub.cache import COMMIT, cached_commits
from personamath.sources.hub.split import HubSplit

# To answer one question about a dataset; a Hub that is slower is as good as away.
TIMEOUT_S = 30.0
# The Hub asks to come back later: 408 and 429, as 5xx, say nothing about the dataset.
PASSING_STATUSES = frozenset({408, 429})
# How many commits an error names.
SHOWN = 3


class Commits(NamedTuple):
    """The commit of each dataset and revision."""

    found: Mapping[tuple[str, str | None], str]
    notes: Sequence[str]
    """One line for each that is not pinned to a commit."""

    def of(self, split: HubSplit) -> HubSplit:
        """Return a split at its commit; as it is, if it has one."""
        return split if split.commit else split._replace(commit=self.found[split.repo, split.revision])


def resolve(splits: Iterable[HubSplit]) -> Commits:
    """Ask the Hub once for the commit of each dataset and revision; raise `BadInput` if there is none.

    Without an answer from the Hub, main is the commit of the copy in the cache.
    """
    groups: dict[tuple[str, str | None], list[HubSplit]] = {}
    for split in splits:
        if not split.commit:
            groups.setdefault((split.repo, split.revision), []).append(split)
    found, notes = {}, []
    for (repo, revision), alike in groups.items():
        found[repo, revision], why = _commit(alike)
        if found[repo, revision] != revision:
            which = "the copy in the cache" if why else revision or "main"
            because = f" (not looked up: {why})" if why else ""
            notes.append(f"{repo}: {which} is commit {found[repo, revision]}{because}")
    return Commits(found, notes)


def _commit(splits: Sequence[HubSplit]) -> tuple[str, str | None]:
    """The commit of splits of one dataset and revision; and why the Hub did not say, if it is that of the cache."""
    import httpx2
    from huggingface_hub import HfApi
    from huggingface_hub.errors import (
        HfHubHTTPError,
        HFValidationError,
        OfflineModeIsEnabled,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    repo, _, _, revision, _ = splits[0]
    try:
        commit = HfApi().dataset_info(repo, revision=revision, timeout=TIMEOUT_S).sha
        assert commit, "the Hub tells the commit of every revision that it has"
        return commit, None
    except RevisionNotFoundError:
        raise BadInput(_no_revision(splits[0])) from None
    except RepositoryNotFoundError:
        raise BadInput(
            f"{repo}: no such dataset on the Hub, or it is private, and no such file here: check the name, or log in "
            "with `hf auth login` or HF_TOKEN"
        ) from None
    except HFValidationError as error:
        raise BadInput(f"{repo}: no name of a dataset on the Hub ({in_one_line(error)})") from None
    except OfflineModeIsEnabled:
        return _in_cache(splits, "HF_HUB_OFFLINE is set")
    except HfHubHTTPError as error:
        status = error.response.status_code
        if status < 500 and status not in PASSING_STATUSES:
            said = in_one_line(error.server_message or "no reason given")
            raise BadInput(f"{repo}: the Hub answered {status} ({said}): check HF_TOKEN") from None
        return _in_cache(splits, f"the Hub answered {status}")
    except (httpx2.HTTPError, OSError) as error:
        return _in_cache(splits, f"the Hub cannot be reached, {type(error).__name__}")


def _no_revision(split: HubSplit) -> str:
    """Explain that there is no such revision, with the nearest that there is."""
    from huggingface_hub import HfApi

    refs = HfApi().list_repo_refs(split.repo, repo_type="dataset")
    names = [ref.name for ref in (*refs.branches, *refs.tags)]
    return f"{split.repo}: has no revision {split.revision!r}; {nearest(str(split.revision), names)}, and any commit"


def _in_cache(splits: Sequence[HubSplit], why: str) -> tuple[str, str | None]:
    repo, _, _, revision, _ = splits[0]
    if revision and COMMIT.fullmatch(revision):
        return revision, None
    first, *others = [cached_commits(split) for split in splits]
    commits = [commit for commit in first if all(commit in other for other in others)]
    if revision not in (None, "main"):
        there = f" (in the cache: {', '.join(commits[:SHOWN])})" if commits else ""
        raise BadInput(f"{repo}@{revision}: cannot look up which commit this is ({why}): name the commit itself{there}")
    if not commits:
        raise BadInput(
            f"cannot load {repo} from the Hub ({why}), and it is not in the cache: check the name and the network, or "
            "give a local file"
        )
    return commits[0], why
