"""Which commit a revision is: all that a run reads of a dataset is of one commit, whatever happens on the Hub."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
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
            because = f" in the cache ({why})" if why else ""
            notes.append(f"{repo}: {revision or 'main'} is commit {found[repo, revision]}{because}")
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
        if commit != revision:
            _remember(repo, revision)
        return commit, None
    except RevisionNotFoundError:
        raise BadInput(_no_revision(splits[0])) from None
    except RepositoryNotFoundError:
        raise BadInput(
            f"{repo}: no such dataset on the Hub, or it is private, and no such file here: check the name, or log in "
            "with `hf auth login` or HF_TOKEN"
        ) from None
    except HFValidationError as error:
        raise BadInput(f"{repo}: not a name of a dataset on the Hub ({in_one_line(error)})") from None
    except OfflineModeIsEnabled:
        return _away(splits, "HF_HUB_OFFLINE is set")
    except HfHubHTTPError as error:
        status = error.response.status_code
        if status < 500 and status not in PASSING_STATUSES:
            said = in_one_line(error.server_message or "no reason given")
            raise BadInput(f"{repo}: the Hub answered {status} ({said}): check HF_TOKEN") from None
        return _in_cache(splits, f"the Hub answered {status}")
    except (httpx2.HTTPError, OSError) as error:
        return _away(splits, f"the Hub cannot be reached, {type(error).__name__}")


def _no_revision(split: HubSplit) -> str:
    """Explain that there is no such revision, with the nearest that there is."""
    from huggingface_hub import HfApi

    refs = HfApi().list_repo_refs(split.repo, repo_type="dataset")
    names = [ref.name for ref in (*refs.branches, *refs.tags)]
    return f"{split.repo}: has no revision {split.revision!r}; {nearest(str(split.revision), names)}, and any commit"


def _remember(repo: str, revision: str | None) -> None:
    """Let the Hub's client note which commit a revision is, as with every download, for work without the Hub."""
    from huggingface_hub import constants, hf_hub_download
    from huggingface_hub.errors import HfHubHTTPError

    # A dataset need not have a card, and access to it may be restricted: then nothing is noted.
    with suppress(HfHubHTTPError, OSError):
        hf_hub_download(repo, constants.REPOCARD_NAME, repo_type="dataset", revision=revision)


def _remembered(repo: str, revision: str | None) -> str | None:
    from huggingface_hub import constants, try_to_load_from_cache

    card = try_to_load_from_cache(repo, constants.REPOCARD_NAME, repo_type="dataset", revision=revision)
    return Path(card).parent.name if isinstance(card, str) else None


def _away(splits: Sequence[HubSplit], why: str) -> tuple[str, str | None]:
    """As `_in_cache`; but a commit without a copy is refused, for which the Hub's client would try again for 23 s."""
    revision = splits[0].revision
    if revision and COMMIT.fullmatch(revision) and revision not in _copies(splits):
        raise _nowhere(splits[0], why)
    return _in_cache(splits, why)


def _in_cache(splits: Sequence[HubSplit], why: str) -> tuple[str, str | None]:
    """The commit that a revision was when it was last looked up; for main else that of the newest copy."""
    repo, _, _, revision, _ = splits[0]
    if revision and COMMIT.fullmatch(revision):
        return revision, None
    commits = _copies(splits)
    if (commit := _remembered(repo, revision)) in commits:
        return str(commit), why
    if not commits:
        raise _nowhere(splits[0], why)
    if revision not in (None, "main"):
        there = ", ".join(commits[:SHOWN])
        raise BadInput(
            f"{repo}@{revision}: cannot look up which commit this is ({why}): name the commit itself (in the cache: "
            f"{there})"
        )
    return commits[0], why


def _copies(splits: Sequence[HubSplit]) -> list[str]:
    """The commits of which all these splits are in the cache, the newest copy first."""
    first, *others = [cached_commits(split) for split in splits]
    return [commit for commit in first if all(commit in other for other in others)]


def _nowhere(split: HubSplit, why: str) -> BadInput:
    return BadInput(
        f"cannot load {split.shown} from the Hub ({why}), and it is not in the cache: check the name and the network, "
        "or give a local file"
    )
