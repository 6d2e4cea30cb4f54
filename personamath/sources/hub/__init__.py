"""Datasets on the Hub: how a user names one, which commit that is, and its rows.

split    the name: OWNER/NAME[@REVISION][:CONFIG[:SPLIT]]
cache    the copies that `datasets` keeps on this machine, each of one commit
commits  which commit a revision is
reading  the rows of a split at a commit
"""

from personamath.sources.hub.cache import cached_commit
from personamath.sources.hub.reading import read_hub
from personamath.sources.hub.split import HubSplit

__all__ = ["HubSplit", "cached_commit", "read_hub"]
