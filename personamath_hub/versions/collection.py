"""Put a published dataset or model into a collection of the Hub."""

from huggingface_hub import HfApi

from personamath_hub.versions.failures import FAILURES, explain
from personamath_hub.versions.revisions import PublishError, RepoType, reading


def check_collection(slug: str, api: HfApi | None = None) -> None:
    """Check that a collection exists, before anything is uploaded; raises `PublishError`."""
    api = api or HfApi()
    try:
        reading(lambda: api.get_collection(slug), slug, api)
    except PublishError as error:
        hint = "its slug is the part of its address after /collections/, e.g. me/math-64f9a55bb3115b4f513ec026"
        raise PublishError(f"--collection {slug}: {error}; {hint}") from None


def add_to_collection(slug: str, repo_id: str, repo_type: RepoType, api: HfApi | None = None) -> str:
    """Add a repository to a collection, unless it is there; return the collection's address. Raises `PublishError`."""
    api = api or HfApi()
    try:
        return str(api.add_collection_item(slug, repo_id, repo_type, exists_ok=True).url)
    except FAILURES as error:
        raise PublishError(
            f"{repo_id} is published, but not in the collection {slug}: {explain(error, slug, api.endpoint)}; "
            "the same command adds it"
        ) from None
