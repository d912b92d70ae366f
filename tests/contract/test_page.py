"""The page hears real speech: a file, and what is spoken into a browser's microphone."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Final

from playwright.sync_api import Page, expect

from tests.support.browser import fresh_page, running_browser

PICTURE: Final = Path(__file__).resolve().parents[2] / "docs/how-to/page.png"
"""`UPDATE_GOLDEN=1` takes it anew."""
WORDS: Final = "your country"


def test_a_recording_is_transcribed_and_a_word_can_be_heard(real: tuple[str, str], recordings: Path) -> None:
    with running_browser() as browser, fresh_page(browser) as page:
        page.goto(f"{real[0]}/")
        page.set_input_files("#file", str(recordings / "jfk.wav"))
        assert WORDS in transcript(page)
        page.get_by_text("Americans", exact=True).click()
        expect(page.locator(".now")).to_have_text("Americans")
        assert 1 < page.locator("#player").evaluate("player => player.currentTime") < 4
        if os.environ.get("UPDATE_GOLDEN"):
            page.locator("#player").evaluate("player => player.pause()")
            page.screenshot(path=PICTURE, full_page=True)


def test_what_is_spoken_into_the_microphone_is_transcribed(real: tuple[str, str], recordings: Path) -> None:
    with running_browser(microphone=recordings / "jfk.wav") as browser, fresh_page(browser) as page:
        page.goto(f"{real[0]}/")
        page.get_by_role("button", name="Record", exact=True).click()
        stop = page.get_by_role("button", name="Stop recording")
        expect(stop).to_have_attribute("aria-pressed", "true")
        page.wait_for_timeout(11_500)  # the speech itself takes eleven seconds
        stop.click()
        expect(page.locator("#chosen")).to_have_text(re.compile("^recording[.]webm, "))
        assert WORDS in transcript(page)


def transcript(page: Page) -> str:
    """Sends what was chosen, and gives its words."""
    page.get_by_role("button", name="Transcribe").click()
    expect(page.get_by_role("status")).to_have_text("The transcript is complete")
    return " ".join(page.locator("#segments li").all_inner_texts()).lower().replace(",", "")
