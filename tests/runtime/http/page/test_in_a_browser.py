"""The page in a real Chromium, before a server whose engine answers when the test lets it."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from testbed.paths import REPOSITORY
from tests.fakes.engine import SEGMENT, SPOKEN, FakeEngine
from tests.runtime.conftest import speech
from tests.support.browser import axe_violations, fresh_page, running_browser
from tests.support.runtime_server import fake_server
from whisper_runtime.engine.transcription import Word

PICTURE = REPOSITORY / "docs/how-to/page-jobs.png"
"""`UPDATE_GOLDEN=1` takes it anew."""
FIRST = replace(SEGMENT, text=" Ask not", words=(Word(" Ask", 0.0, 1.0, 0.9), Word(" not", 1.0, 2.5, 0.9)))
SECOND = replace(SEGMENT, id=1, start=2.5, end=5.0, text=" <b>you & I.</b>", words=(Word(" <b>you", 2.5, 3.0, 0.9),))
BOTH = replace(SPOKEN, text=FIRST.text + SECOND.text, duration=5.0, segments=(FIRST, SECOND))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with running_browser() as found:
        yield found


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    with fresh_page(browser) as found:
        yield found


@pytest.fixture
def served(engine: FakeEngine) -> Iterator[str]:
    with fake_server(engine) as url:
        yield f"{url}/"


@pytest.fixture
def recording(tmp_path: Path) -> str:
    file = tmp_path / "talk.wav"
    file.write_bytes(speech()["file"][1])
    return str(file)


def test_segments_appear_as_they_are_known(page: Page, served: str, engine: FakeEngine, recording: str) -> None:
    engine.answer = None
    page.goto(served)
    page.set_input_files("#file", recording)
    page.get_by_role("button", name="Transcribe").click()
    engine.wait_until_submitted()
    engine.begin()
    engine.emit(FIRST)
    expect(page.locator("#segments li")).to_have_count(1)
    expect(page.locator("#stage")).to_have_text("Transcribing")
    engine.emit(SECOND)
    expect(page.locator("#segments li")).to_have_count(2)
    engine.held[0].set_result(BOTH)
    expect(page.get_by_role("status")).to_have_text("The transcript is complete")
    expect(page.locator("#segments li").nth(0)).to_have_text("0:00Ask not")
    expect(page.locator("#segments li").nth(1)).to_have_text("0:02<b>you & I.</b>")  # as text, never as markup
    assert engine.asked[0].word_timestamps


@pytest.mark.parametrize("wanted", ["text", "srt", "vtt"])
def test_each_format_is_what_openais_route_answers(
    page: Page, served: str, engine: FakeEngine, recording: str, wanted: str
) -> None:
    engine.answer = BOTH
    transcribe(page, served, recording)
    page.get_by_role("group", name="Format").get_by_role("button", name=wanted, exact=False).click()
    form = {"file": {"name": "a.wav", "mimeType": "audio/wav", "buffer": Path(recording).read_bytes()}}
    answer = page.request.post(
        f"{served}v1/audio/transcriptions", multipart={**form, "model": "base", "response_format": wanted}
    )
    assert page.locator("#written").text_content() == answer.text()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download").click()
    assert download.value.suggested_filename == f"talk.{'txt' if wanted == 'text' else wanted}"
    assert Path(download.value.path()).read_text() == answer.text()


def test_the_json_has_the_times_of_words(page: Page, served: str, engine: FakeEngine, recording: str) -> None:
    engine.answer = BOTH
    transcribe(page, served, recording)
    page.get_by_role("button", name="JSON").click()
    found = json.loads(page.locator("#written").text_content() or "")
    assert [one["word"] for one in found["words"]] == ["Ask", "not", "<b>you"]


def test_a_key_is_asked_for_and_kept_in_the_tab_alone(
    page: Page, engine: FakeEngine, recording: str, tmp_path: Path
) -> None:
    keys = tmp_path / "keys"
    keys.mkdir()
    (keys / "alice").write_text("key-of-alice")
    with fake_server(engine, api_keys_dir=str(keys)) as url:
        transcribe(page, f"{url}/", recording, until="[role=alert]")
        expect(page.get_by_role("alert")).to_contain_text("The request has no API key.")
        expect(page.get_by_label("API key")).to_be_focused()
        page.get_by_label("API key").fill("key-of-alice")
        page.get_by_role("button", name="Transcribe").click()
        expect(page.locator("#segments li")).to_have_count(1)
        assert "key-of-alice" not in page.locator("#code").inner_text()
        page.reload()
        expect(page.get_by_label("API key")).to_have_value("key-of-alice")
        other = page.context.new_page()
        other.goto(f"{url}/")
        expect(other.get_by_label("API key")).to_have_value("")


def test_a_refusal_is_shown_with_the_time_to_wait(page: Page, served: str, engine: FakeEngine, recording: str) -> None:
    engine.queued_audio_seconds = 10_000
    transcribe(page, served, recording, until="[role=alert]")
    expect(page.get_by_role("alert")).to_have_text(re.compile(r" Try again in \d+ seconds\.$"))
    expect(page.get_by_role("button", name="Transcribe")).to_be_enabled()


def test_what_is_no_recording_is_refused_in_words(page: Page, served: str, tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text("<html>")
    transcribe(page, served, str(tmp_path / "page.html"), until="[role=alert]")
    expect(page.get_by_role("alert")).to_contain_text("not audio")


def test_stop_frees_the_place_in_the_queue(page: Page, served: str, engine: FakeEngine, recording: str) -> None:
    engine.answer = None
    page.goto(served)
    page.set_input_files("#file", recording)
    page.get_by_role("button", name="Transcribe").click()
    engine.wait_until_submitted()
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_role("status")).to_have_text("Stopped")
    engine.wait_until_cancelled()


def test_a_translation_has_no_words_to_click(page: Page, served: str, engine: FakeEngine, recording: str) -> None:
    page.goto(served)
    page.get_by_label("Text in").select_option("English")
    page.locator("#language").fill("Deutsch")
    page.set_input_files("#file", recording)
    page.get_by_role("button", name="Transcribe").click()
    expect(page.locator("#segments li")).to_have_count(1)
    assert (engine.asked[0].task, engine.asked[0].language, engine.asked[0].word_timestamps) == (
        "translate",
        "de",
        False,
    )
    assert page.locator("#segments span[data-start]").count() == 0


def test_all_of_it_works_by_keyboard(page: Page, served: str, engine: FakeEngine, recording: str) -> None:
    engine.answer = BOTH
    page.goto(served)
    page.set_input_files("#file", recording)
    focus(page, page.locator("#send"))
    page.keyboard.press("Enter")
    expect(page.locator("#segments li")).to_have_count(2)
    focus(page, page.get_by_label("Play from 0:02"))
    page.keyboard.press("Enter")  # what is sent here is no sound, and the page must say so
    expect(page.get_by_role("alert")).to_contain_text("cannot play the recording")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_axe_finds_no_violation(
    page: Page, served: str, engine: FakeEngine, recording: str, scheme: str, width: int
) -> None:
    engine.answer = BOTH
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(served)
    assert axe_violations(page) == []
    transcribe(page, served, recording)
    page.get_by_role("button", name="SRT").click()
    assert axe_violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")  # nothing to scroll sideways for


@pytest.mark.parametrize(("kind", "own"), [("curl", "-F 'file=@talk.wav'"), ("Python", "open("), ("Node", "fs.")])
def test_the_request_is_shown_as_a_program(page: Page, served: str, recording: str, kind: str, own: str) -> None:
    page.goto(served)
    page.set_input_files("#file", recording)
    page.get_by_role("button", name=kind).click()
    code = page.locator("#code").inner_text()
    assert all(one in code for one in (own, served.rstrip("/"), "word"))


@pytest.fixture
def keeping_jobs(engine: FakeEngine, tmp_path: Path) -> Iterator[str]:
    with fake_server(engine, jobs_dir=str(tmp_path / "jobs")) as url:
        yield f"{url}/"


def test_a_job_goes_on_without_the_page_and_is_read_later(
    page: Page, keeping_jobs: str, engine: FakeEngine, recording: str
) -> None:
    engine.answer = None
    send_as_job(page, keeping_jobs, recording)
    row = page.locator("#job-list li")
    expect(row).to_contain_text("is being transcribed")
    expect(row.get_by_role("progressbar", name="Progress of talk.wav")).to_be_visible()
    engine.wait_until_submitted()
    page.goto("about:blank")
    engine.held[0].set_result(BOTH)
    page.goto(keeping_jobs)
    page.get_by_text("Your jobs").click()
    page.get_by_role("button", name="Show talk.wav").click()
    expect(page.locator("#segments li")).to_have_count(2)
    page.get_by_role("button", name="SRT").click()
    expect(page.locator("#written")).to_contain_text("00:00:00,000 --> ")
    page.get_by_role("button", name="Words").click()
    page.get_by_label("Play from 0:02").click()
    expect(page.get_by_role("alert")).to_have_text("To hear it, choose talk.wav above.")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download").click()
    assert download.value.suggested_filename == "talk.txt"


def test_a_job_is_cancelled_and_deleted(page: Page, keeping_jobs: str, engine: FakeEngine, recording: str) -> None:
    engine.answer = None
    send_as_job(page, keeping_jobs, recording)
    engine.wait_until_submitted()
    page.get_by_role("button", name="Cancel talk.wav").click()
    expect(page.locator("#job-list li")).to_contain_text("cancelled")
    engine.wait_until_cancelled()
    page.get_by_role("button", name="Delete talk.wav").click()
    expect(page.locator("#jobs-note")).to_have_text("You have no jobs here.")


def test_a_service_without_jobs_says_so_before_the_upload(
    page: Page, served: str, engine: FakeEngine, recording: str
) -> None:
    page.goto(served)
    page.set_input_files("#file", recording)
    page.get_by_label("As a job").check()
    page.get_by_role("button", name="Transcribe").click()
    expect(page.get_by_role("alert")).to_have_text("This service keeps no jobs.")
    assert engine.asked == []


def test_the_page_asks_for_no_jobs_until_somebody_does(page: Page, keeping_jobs: str) -> None:
    """At a service without pods the question would start one."""
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(keeping_jobs, wait_until="networkidle")
    assert not [url for url in asked if "/v1/" in url]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_violation_in_the_jobs(
    page: Page, keeping_jobs: str, engine: FakeEngine, recording: str, scheme: str
) -> None:
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page.set_viewport_size({"width": 360, "height": 800})
    send_as_job(page, keeping_jobs, recording)
    expect(page.get_by_role("button", name="Show talk.wav")).to_be_visible()
    engine.answer = None
    page.get_by_role("button", name="Transcribe").click()
    expect(page.get_by_role("button", name="Cancel talk.wav")).to_be_visible()
    assert axe_violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    if os.environ.get("UPDATE_GOLDEN") and scheme == "light":
        page.screenshot(path=PICTURE, full_page=True)


def send_as_job(page: Page, served: str, recording: str) -> None:
    page.goto(served)
    page.set_input_files("#file", recording)
    page.get_by_label("As a job").check()
    page.get_by_role("button", name="Transcribe").click()
    expect(page.locator("#job-list li")).to_have_count(1)


def transcribe(page: Page, served: str, recording: str, until: str = "#segments li") -> None:
    page.goto(served)
    page.set_input_files("#file", recording)
    page.get_by_role("button", name="Transcribe").click()
    expect(page.locator(until).first).to_be_visible()
    expect(page.locator("#progress")).to_be_hidden()


def focus(page: Page, element: Locator) -> None:
    """Presses Tab until the element is focused; a keyboard has no other way to it."""
    for _ in range(40):
        page.keyboard.press("Tab")
        if element.evaluate("one => one === document.activeElement"):
            return
    raise AssertionError(f"Tab does not come to {element}")
