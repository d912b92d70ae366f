"""Checks that speech is transcribed, in every format, and that invalid requests are refused."""

from __future__ import annotations

import json
import re
import time
from itertools import pairwise
from typing import Any, Final

from whisper_runtime.media.wer import word_error_rate
from whisper_runtime.verify.checks import CheckFailed, CheckFunction, VerifyTarget, expect_status

PLAIN: Final = "/transcribe"
TRANSCRIPTIONS: Final = "/v1/audio/transcriptions"
TRANSLATIONS: Final = "/v1/audio/translations"
ANY_MODEL: Final = {"model": "whisper-1"}

SEGMENT_FIELDS: Final = frozenset(
    {"id", "seek", "start", "end", "text", "tokens"}
    | {"temperature", "avg_logprob", "compression_ratio", "no_speech_prob"}
)
CLOCK: Final = r"(?:\d\d:)?\d\d:\d\d[.,]\d\d\d"
CUE: Final = re.compile(rf"{CLOCK} --> {CLOCK}\n(.*)\n")


DIGEST_SECONDS: Final = 120.0
"""How long a server may take to read its checkpoint to the end; a slow volume reads 50 MB a second."""
DIGEST_PERIOD: Final = 1.0


def model(target: VerifyTarget) -> str:
    """A server starts to serve while it still reads its checkpoint to the end, to know that it is the right one."""
    ends = time.monotonic() + DIGEST_SECONDS
    while (found := _served(target))["digest"] is None:
        if time.monotonic() > ends:
            raise CheckFailed(f"the checkpoint's digest is not known {DIGEST_SECONDS:.0f} s after the first request")
        time.sleep(DIGEST_PERIOD)
    return f"serves {found['id']}, sha256 {found['digest'][:12]}"


def _served(target: VerifyTarget) -> Any:
    """The model by its own name, which is first in the list."""
    return expect_status(target.server.get("/v1/models"), 200).json["data"][0]


def transcribes(target: VerifyTarget) -> str:
    """The plain API."""
    body = expect_status(target.server.post(PLAIN, {"language": target.clip_language}, target.clip), 200).json
    return check_words(body["text"], target)


def takes_language(target: VerifyTarget) -> str:
    """Without a word about the language, the server takes its default, or detects the recording's."""
    is_detected = target.default_language == "auto"
    wanted = target.clip_language if is_detected else target.default_language
    found = expect_status(target.server.post(PLAIN, {}, target.clip), 200).json["language"]
    if found != wanted:
        raise CheckFailed(f"the language is {found!r} instead of {wanted!r}")
    return f"{found}, {'detected' if is_detected else 'as configured'}"


def answers_json(target: VerifyTarget) -> str:
    body = _transcription(target, response_format="json").json
    if body["usage"]["type"] != "duration":
        raise CheckFailed(f"usage is {body['usage']}")
    return check_words(body["text"], target)


def answers_text(target: VerifyTarget) -> str:
    return check_words(_transcription(target, response_format="text").text, target)


def answers_srt(target: VerifyTarget) -> str:
    text = _transcription(target, response_format="srt").text
    if not text.startswith("1\n00:"):
        raise CheckFailed(f"begins with {text[:20]!r}, not with a numbered cue")
    return check_words(words_of_cues(text), target)


def answers_vtt(target: VerifyTarget) -> str:
    text = _transcription(target, response_format="vtt").text
    if not text.startswith("WEBVTT\n\n"):
        raise CheckFailed(f"begins with {text[:20]!r}, not with WEBVTT")
    return check_words(words_of_cues(text), target)


def answers_verbose_json(target: VerifyTarget) -> str:
    body = _transcription(target, response_format="verbose_json").json
    for segment in body["segments"]:
        if missing := SEGMENT_FIELDS - segment.keys():
            raise CheckFailed(f"a segment lacks {', '.join(sorted(missing))}")
    check_words("".join(segment["text"] for segment in body["segments"]), target)
    return f"{len(body['segments'])} segments with all fields"


def times_words(target: VerifyTarget) -> str:
    options = {"response_format": "verbose_json", "timestamp_granularities[]": "word"}
    words = _transcription(target, **options).json["words"]
    check_words(" ".join(word["word"] for word in words), target)
    if any(one["start"] > two["start"] for one, two in pairwise(words)):
        raise CheckFailed("words are out of order")
    if words[0]["start"] < 0 or words[-1]["end"] > target.seconds + 1:
        raise CheckFailed(f"words last from {words[0]['start']} s to {words[-1]['end']} s of {target.seconds:.1f} s")
    return f"{len(words)} words with times"


def streams(target: VerifyTarget) -> str:
    lines = _transcription(target, stream="true").text.splitlines()
    events = [json.loads(line.removeprefix("data: ")) for line in lines if line.startswith("data: ")]
    *deltas, done = events
    if done["type"] != "transcript.text.done":
        raise CheckFailed(f"the last event is {done}")
    if "".join(event["delta"] for event in deltas) != done["text"]:
        raise CheckFailed("the deltas together are not the text of the last event")
    return f"{len(deltas)} deltas; {check_words(done['text'], target)}"


def translates(target: VerifyTarget) -> str:
    """A model that was not trained to translate must say so; the words are known only of a recording in English."""
    response = target.server.post(TRANSLATIONS, ANY_MODEL, target.clip)
    if response.status == 400 and response.json["error"]["code"] == "translation_not_supported":
        return "the model was not trained to translate, and says so"
    text = expect_status(response, 200).json["text"]
    if target.clip_language == "en":
        return check_words(text, target)
    if not text.strip():
        raise CheckFailed("the translation is empty")
    return f"{len(text.split())} words in English"


def refuses_invalid_requests(target: VerifyTarget) -> str:
    """Files that are not audio, unknown models and options: each a 4xx in OpenAI's shape."""
    invalid: list[tuple[dict[str, str], bytes, int]] = [
        (ANY_MODEL, b"", 400),
        (ANY_MODEL, b"this is no audio" * 100, 400),
        ({"model": "no-such-model"}, target.clip, 404),
        (ANY_MODEL | {"langauge": "en"}, target.clip, 400),
        (ANY_MODEL | {"temperature": "2"}, target.clip, 400),
    ]
    for fields, file, status in invalid:
        error = expect_status(target.server.post(TRANSCRIPTIONS, fields, file), status).json["error"]
        if error.keys() != {"message", "type", "param", "code"}:
            raise CheckFailed(f"an error has the fields {', '.join(error)}")
    return f"{len(invalid)} bad requests refused"


ALONE: Final[tuple[tuple[str, CheckFunction], ...]] = (
    ("model", model),
    ("transcribes", transcribes),
)
"""One after the other, with nothing beside."""
TOGETHER: Final[tuple[tuple[str, CheckFunction], ...]] = (
    ("language", takes_language),
    ("json", answers_json),
    ("text", answers_text),
    ("srt", answers_srt),
    ("vtt", answers_vtt),
    ("verbose-json", answers_verbose_json),
    ("word-times", times_words),
    ("stream", streams),
    ("translates", translates),
    ("refuses-nonsense", refuses_invalid_requests),
)
"""At the same time: a batch of requests gives each its own words, and takes less time than they do in turns."""


def check_words(text: str, target: VerifyTarget) -> str:
    """Returns the word error rate as a sentence, without the words; raises CheckFailed where it is too high."""
    rate, most = word_error_rate(target.words, text), target.max_word_error_rate
    if rate > most:
        raise CheckFailed(f"{rate:.0%} of the words are wrong, at most {most:.0%} may be")
    return f"word error rate {rate:.0%}"


def words_of_cues(subtitles: str) -> str:
    """Returns the words of all cues of an srt or vtt file."""
    return " ".join(CUE.findall(subtitles))


def _transcription(target: VerifyTarget, **options: str) -> Any:
    fields = ANY_MODEL | {"language": target.clip_language} | options
    return expect_status(target.server.post(TRANSCRIPTIONS, fields, target.clip), 200)
