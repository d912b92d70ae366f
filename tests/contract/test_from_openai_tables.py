"""The tables of docs/how-to/from-openai.md, each row against a server that runs: a row without a test fails."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from testbed import runtime_process
from testbed.paths import REPOSITORY
from tests.support import plain_http
from tests.support.media_files import ffmpeg, speech_as
from tests.support.runtime_server import AS_A_PODS_USER

pytestmark = pytest.mark.slow

PAGE = (REPOSITORY / "docs/how-to/from-openai.md").read_text()
BY_WORD = {"response_format": "verbose_json", "timestamp_granularities[]": "word"}
LONGEST_HOURS, LARGEST_MIB = 4, 100
Post = Callable[..., httpx.Response]


def rows(heading: str) -> list[str]:
    """The first columns of the table behind a heading."""
    section = PAGE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    return re.findall(r"^\| (?!-)(.+?) \| ", section, re.M)[1:]


@pytest.fixture(scope="module")
def speech(recordings: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return speech_as(recordings / "jfk.wav", tmp_path_factory.mktemp("speech") / "speech.mp3")


@pytest.fixture
def post(multilingual: str, speech: Path) -> Post:
    """Sends the recording to OpenAI's route, unless `file` is another one, or None."""

    def post(file: Path | None = speech, operation: str = "transcriptions", **fields: Any) -> httpx.Response:
        files = {"file": (file.name, file.read_bytes())} if file else {"file": (None, "")}
        data = {"model": "whisper-1", "language": "en", **fields}
        return plain_http.post(f"{multilingual}/v1/audio/{operation}", files=files, data=data, timeout=300)

    return post


@pytest.fixture
def limited(tmp_path: Path) -> Iterator[str]:
    """A server that gives each client a minute of audio in an hour."""
    with runtime_process.running(tmp_path, prefix=AS_A_PODS_USER, audio_minutes_per_hour=1) as runtime:
        yield runtime.url


def the_same_model_by_another_name(post: Post, multilingual: str) -> None:
    listed = plain_http.get(f"{multilingual}/v1/models/whisper-1").json()
    assert (listed["id"], listed["root"]) == ("whisper-1", "mine.en")
    assert "country" in post().json()["text"]


def words_have_their_punctuation(post: Post) -> None:
    found = post(**BY_WORD).json()
    assert found["words"][-1]["word"] == "country."
    assert found["text"] == post().json()["text"]


def any_word_for_a_language(post: Post) -> None:
    for word, name in (("pt-BR", "portuguese"), ("iw", "hebrew"), ("Deutsch", "german")):
        assert post(language=word, response_format="verbose_json").json()["language"] == name


def text_is_streamed(post: Post) -> None:
    for response_format in ("json", "text"):
        assert (
            post(stream="true", response_format=response_format).headers["content-type"].startswith("text/event-stream")
        )
    for response_format in ("srt", "vtt", "verbose_json"):
        answer = post(stream="true", response_format=response_format)
        assert answer.headers["x-ignored-fields"] == "stream"
        assert "country" in answer.text


def languages_and_keywords_with_every_name(post: Post) -> None:
    for model in ("whisper-1", "gpt-4o-transcribe", "gpt-transcribe"):
        wishes = {"languages[]": ["en", "de"], "keywords[]": ["Kennedy"], "language": ""}
        answer = post(model=model, response_format="verbose_json", **wishes)
        assert (answer.json()["language"], answer.headers.get("x-ignored-fields")) == ("english", None)


def limits_are_named(post: Post, tmp_path: Path) -> None:
    ffmpeg("-f", "lavfi", "-i", "anullsrc=r=8000:cl=mono", "-t", f"{LONGEST_HOURS * 3600 + 60}", tmp_path / "day.flac")
    long = post(tmp_path / "day.flac")
    assert (long.status_code, long.json()["error"]["code"]) == (413, "audio_too_long")
    assert f"{LONGEST_HOURS * 3600} s" in long.json()["error"]["message"]
    (tmp_path / "large.wav").write_bytes(bytes(LARGEST_MIB * 1024**2 + 100_000))
    large = post(tmp_path / "large.wav")
    assert large.status_code == 413
    assert str(LARGEST_MIB * 1024**2) in large.json()["error"]["message"]


def a_url_of_a_host_that_is_not_listed(post: Post) -> None:
    answer = post(file=None, url="https://example.com/speech.mp3")
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "url")


def kinds_of_files(post: Post, recordings: Path, tmp_path: Path) -> None:
    for name in ("a.caf", "a.rm", "a.aiff", "a.avi", "a.wma", "a.opus"):
        assert "country" in post(speech_as(recordings / "jfk.wav", tmp_path / name)).json()["text"]


def a_field_that_nobody_knows(post: Post) -> None:
    assert post(user="me").headers["x-ignored-fields"] == "user"
    refused = post(langauge="en")
    assert refused.status_code == 400
    assert "Did you mean `language`?" in refused.json()["error"]["message"]


def log_probabilities_of_each_token(post: Post) -> None:
    answer = post(**{"include[]": "logprobs"}).json()
    assert "".join(token["token"] for token in answer["logprobs"]).strip() == answer["text"]
    assert all(token["logprob"] <= 0 for token in answer["logprobs"])


def speakers_once_they_are_switched_on(post: Post) -> None:
    answer = post(model="gpt-4o-transcribe-diarize")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "model_not_found")
    assert "set spec.diarization to {}" in answer.json()["error"]["message"]


def a_streams_usage_is_in_tokens(post: Post) -> None:
    events = [json.loads(line[6:]) for line in post(stream="true").text.splitlines() if line.startswith("data: {")]
    usage = events[-1]["usage"]
    assert (events[-1]["type"], usage["type"]) == ("transcript.text.done", "tokens")
    assert usage["input_tokens"] == pytest.approx(50 * 11, abs=10)


def too_many(limited: str, recordings: Path, tmp_path: Path) -> None:
    long = speech_as(recordings / "jfk.wav", tmp_path / "minute.mp3", "-af", "apad=whole_dur=61")
    answers = [
        plain_http.post(
            f"{limited}/v1/audio/transcriptions",
            files={"file": ("minute.mp3", long.read_bytes())},
            data={"model": "whisper-1"},
            timeout=300,
        )
        for _ in range(2)
    ]
    assert [answer.status_code for answer in answers] == [200, 429]
    assert int(answers[1].headers["retry-after"]) > 0
    assert answers[1].headers["x-ratelimit-limit-audio-seconds"] == "60"


DIFFERENCES: Mapping[str, Callable[..., None]] = {
    "the model": the_same_model_by_another_name,
    "`words[].word`": words_have_their_punctuation,
    "`language` of a request": any_word_for_a_language,
    "`stream=true`": text_is_streamed,
    "`languages[]`, `keywords[]`": languages_and_keywords_with_every_name,
    "the length of a file": limits_are_named,
    "`url` in the place of `file`": a_url_of_a_host_that_is_not_listed,
    "kinds of files": kinds_of_files,
    "a field that nobody knows": a_field_that_nobody_knows,
    "`include[]=logprobs`": log_probabilities_of_each_token,
    "`gpt-4o-transcribe-diarize`": speakers_once_they_are_switched_on,
    "`usage` of a stream": a_streams_usage_is_in_tokens,
    "too many requests": too_many,
}


@pytest.mark.parametrize("row", rows("What is different, and why"))
def test_each_row_of_what_is_different(row: str, request: pytest.FixtureRequest) -> None:
    check = DIFFERENCES[row]
    check(*(request.getfixturevalue(name) for name in check.__annotations__ if name != "return"))


def test_no_row_is_checked_that_the_page_has_not() -> None:
    assert rows("What is different, and why") == [*DIFFERENCES]


FORMATS = {
    "`json`": r"\{.*\}",
    "`verbose_json`": r"\{.*\}",
    "`text`": r"And so.*country\.\n",
    "`srt`": r"1\n00:00:00,000 --> 00:00:.*country\.\n\n",
    "`vtt`": r"WEBVTT\n\n00:00\.000 --> 00:.*country\.\n\n",
}


@pytest.mark.parametrize("operation", ["transcriptions", "translations"])
@pytest.mark.parametrize("name", FORMATS)
def test_each_format_is_as_the_page_has_it(post: Post, operation: str, name: str) -> None:
    """Of translations without `usage` and `words`; fields of JSON are held to the specification elsewhere."""
    fields = {"language": ""} if operation == "translations" else {}
    answer = post(operation=operation, response_format=name.strip("`"), **fields)
    assert re.fullmatch(FORMATS[name], answer.text, re.S)
    if name.endswith("json`"):
        assert ("usage" in answer.json()) == (operation == "transcriptions")


def test_the_page_names_these_formats_and_an_error(post: Post) -> None:
    assert sorted(", ".join(rows("What is equal")[:3]).split(", ")) == sorted(FORMATS)
    assert rows("What is equal")[3:] == ["of translations", "an error"]
    assert sorted(post(response_format="docx").json()["error"]) == ["code", "message", "param", "type"]
