"""A real browser for the tests of the pages: the system's Chromium through Playwright's Python package.

Playwright's package brings no browser with it. Where there is no Chromium (CHROMIUM names one, PATH has one),
the tests that need it are skipped with the reason; README's section «Tests» says how to install it.
"""

import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
MACOS = (
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)
QUIET = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # As root, and in containers, Chromium cannot make its sandbox; it sees pages of this machine only.
    "--no-sandbox",
)
AXE = Path(__file__).parent / "axe" / "axe.min.js"
SCREENSHOTS = Path(__file__).parent.parent / ".screenshots"


def chromium() -> str | None:
    """The path of the system's Chromium, if there is one."""
    if named := os.environ.get("CHROMIUM"):
        return named
    found = (shutil.which(name) for name in NAMES)
    return next(filter(None, found), None) or next((path for path in MACOS if Path(path).exists()), None)


def running_browser() -> Iterator[Any]:
    """Chromium without a window, with a new empty profile."""
    if not (path := chromium()):
        pytest.skip("no Chromium found: apt-get install chromium, or name one in CHROMIUM")
    playwright = pytest.importorskip("playwright.sync_api", reason="the package playwright is missing")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(
            executable_path=path, headless=True, args=list(QUIET), timeout=300_000
        )
        yield browser
        browser.close()


def violations(page: Any, rules: Sequence[str] = ()) -> list[str]:
    """What axe-core finds wrong with a page by some rules or by all, one line each."""
    page.evaluate(AXE.read_text())
    found = page.evaluate("rules => axe.run(rules.length ? {runOnly: rules} : {})", list(rules))["violations"]
    return [f"{one['id']}: {one['help']}: {one['nodes'][0]['html'][:200]}" for one in found]


def screenshot(page: Any, name: str) -> None:
    """Keeps a picture of the page, outside git."""
    SCREENSHOTS.mkdir(exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=True)
