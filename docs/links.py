"""A hook of MkDocs: the README is the site's home, and links out of docs/ lead to the files in the repository.

Pages are written for a reader of the repository. Here a link such as `../recipes/reproduce.sh` becomes one to the
repository's address, `repo_url` of mkdocs.yml; without an address the link's text stays, as code has no page here.
"""

import posixpath
import re
from pathlib import Path
from typing import Any

HOME = "index.md"
PAGES_OF_THE_ROOT = {"README.md": HOME, "CONTRIBUTING.md": "CONTRIBUTING.md", "CHANGELOG.md": "CHANGELOG.md"}
LINK = re.compile(r"(!?)\[([^\]]+)\]\((?!https?://|#)([^)#\s]+)(#[^)\s]*)?\)")


def on_files(files: Any, config: Any) -> Any:
    """Add the pages that are in the repository's root."""
    from mkdocs.structure.files import File

    root = Path(config.config_file_path).parent
    for name, page in PAGES_OF_THE_ROOT.items():
        files.append(
            File.generated(config, page, content=in_site((root / name).read_text(encoding="utf-8"), "", config))
        )
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Any) -> str:
    """Replace the links that lead out of docs/."""
    return markdown if page.file.src_uri in PAGES_OF_THE_ROOT.values() else in_site(markdown, "docs", config)


def in_site(markdown: str, folder: str, config: Any) -> str:
    """Return a page of that folder of the repository with the links that it has in the site."""

    def replaced(link: re.Match[str]) -> str:
        image, text, target, anchor = link[1], link[2], link[3], link[4] or ""
        path = posixpath.normpath(posixpath.join(folder, target))
        if path in PAGES_OF_THE_ROOT:
            path = PAGES_OF_THE_ROOT[path]
        elif path.startswith("docs/"):
            path = path.removeprefix("docs/")
        elif config.repo_url:
            path = f"{config.repo_url.rstrip('/')}/blob/main/{path}"
        else:
            return text
        return f"{image}[{text}]({path}{anchor})"

    return LINK.sub(replaced, markdown)
