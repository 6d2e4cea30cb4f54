"""`personamath report --space`: publish the report as a static Space."""

import argparse
import dataclasses
import tempfile
from pathlib import Path
from typing import Any

from personamath.commands.report import Writer
from personamath.journal.run_folder import is_url
from personamath.report.analysis.rows import RunData
from personamath_hub.spaces import CARD, check_token, plan_space, publish_space, space_card
from personamath_hub.versions.revisions import checked_repo_id


def check(options: argparse.Namespace) -> None:
    """Check what can be checked before the data is read; raises `BadInput`, and `PublishError` without a token."""
    checked_repo_id(options.space)
    if options.dataset:
        checked_repo_id(options.dataset)
    if not options.dry_run:
        check_token(options.space)


def publish(data: RunData, options: argparse.Namespace, writer: Writer) -> dict[str, Any]:
    """Publish the page, or with --dry-run print what that would upload; return what `--json` prints of it."""
    dataset = options.dataset or _on_hub(options.source)
    # A path says how somebody's disk is laid out, so only its last part is published.
    name = data.name if dataset and not options.dataset else Path(data.name).name
    with tempfile.TemporaryDirectory(prefix="personamath-space-") as scratch:
        folder = Path(scratch)
        writer.write(dataclasses.replace(data, name=name), folder)
        (folder / CARD).write_text(space_card(f"Report on {name}", dataset), encoding="utf-8")
        if options.dry_run:
            plan = plan_space(folder, options.space)
            print(f"Dry run. {plan.describe(folder)}")
            return {"page": None, "dry_run": True}
        published = publish_space(folder, options.space, name=name, private=options.private)
    for path in published.left:
        print(f"note: {path} is by others, and stays as it is")
    print(f"{published.url} {'shows the page' if published.changed else 'had this page already'}")
    return {"page": published.url, "dry_run": False, **dataclasses.asdict(published)}


def _on_hub(source: str) -> str | None:
    """Return the dataset on the Hub that a source names; None if it is a path or a URL."""
    if is_url(source) or Path(source).exists():
        return None
    return source.partition("@")[0]
