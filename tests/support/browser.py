"""Debian's Chromium without a screen, driven by Playwright; its microphone plays a file."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import Browser, Page, expect, sync_playwright

from testbed import debian
from testbed.inputs import packages

CHROMIUM: Final = "/usr/bin/chromium-headless-shell"
AXE: Final = "axe-core@4.14.1"
LONGEST_WAIT_MS: Final = 60_000
"""On a machine whose processors others use as well."""


@contextmanager
def running_browser(microphone: Path | None = None) -> Generator[Browser]:
    """A browser, until the block ends.

    `microphone`: a WAV file that is spoken into it, once; None: there is none.
    """
    debian.ensure({CHROMIUM: "chromium-headless-shell"})
    expect.set_options(timeout=LONGEST_WAIT_MS)
    spoken = f"--use-file-for-fake-audio-capture={microphone}%noloop"
    speaking = ["--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream", spoken] if microphone else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=speaking)
        yield browser
        browser.close()


@contextmanager
def fresh_page(browser: Browser) -> Generator[Page]:
    """A page that has seen nothing; an error of its scripts that they do not handle fails the block."""
    wrong: list[str] = []
    with browser.new_context() as context:
        page = context.new_page()
        page.set_default_timeout(LONGEST_WAIT_MS)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        yield page
    assert not wrong, wrong


def axe_violations(page: Page) -> list[dict[str, Any]]:
    """What axe-core finds wrong with the page for people who do not see, or use no mouse."""
    page.evaluate(_axe())
    return page.evaluate("axe.run()")["violations"]


@cache
def _axe() -> str:
    return packages.from_npm(AXE, "package/axe.min.js").decode()
