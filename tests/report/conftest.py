"""A browser for the reports' pages, which all files share."""

from collections.abc import Iterator

import pytest

from tests.support.chromium import Page, chromium, executable


@pytest.fixture(scope="session")
def shared_browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    if executable() is None:
        pytest.skip("no chromium on the path: apt-get install chromium")
    with chromium(tmp_path_factory.mktemp("profile")) as page:
        yield page


@pytest.fixture
def browser(shared_browser: Page) -> Page:
    """It, with a window of a usual size, without preferences, and with nothing in its console."""
    shared_browser.send("Page.navigate", url="about:blank")  # else the last page may still ask its server for news
    shared_browser.size(1280, 900)
    shared_browser.prefer()
    shared_browser.problems.clear()
    return shared_browser
