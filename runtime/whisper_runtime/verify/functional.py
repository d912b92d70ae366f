"""Whether speech comes back as its words, in every format, and whether nonsense is refused."""

from __future__ import annotations

import json
import re
from itertools import pairwise
from typing import Any, Final

from whisper_runtime.media.self_test import word_error_rate
from whisper_runtime.verify.checks import Examine, Subject, Wrong, wanted

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


def model(subject: Subject) -> str:
    [found] = wanted(subject.server.get("/v1/models"), 200).json["data"]
    digest = found["digest"]
    return f"serves {found['id']}, sha256 {digest[:12] if digest else 'unknown'}"


def transcribes(subject: Subject) -> str:
    """The plain API, which detects the language."""
    body = wanted(subject.server.post(PLAIN, {}, subject.clip), 200).json
    return heard(body["text"], subject)


def detects_the_language(subject: Subject) -> str:
    return _language(_transcription(subject, response_format="verbose_json").json["language"])


def answers_json(subject: Subject) -> str:
    body = _transcription(subject, response_format="json").json
    if body["usage"]["type"] != "duration":
        raise Wrong(f"usage is {body['usage']}")
    return heard(body["text"], subject)


def answers_text(subject: Subject) -> str:
    return heard(_transcription(subject, response_format="text").text, subject)


def answers_srt(subject: Subject) -> str:
    text = _transcription(subject, response_format="srt").text
    if not text.startswith("1\n00:"):
        raise Wrong(f"begins with {text[:20]!r}, not with a numbered cue")
    return heard(spoken_in_cues(text), subject)


def answers_vtt(subject: Subject) -> str:
    text = _transcription(subject, response_format="vtt").text
    if not text.startswith("WEBVTT\n\n"):
        raise Wrong(f"begins with {text[:20]!r}, not with WEBVTT")
    return heard(spoken_in_cues(text), subject)


def answers_verbose_json(subject: Subject) -> str:
    body = _transcription(subject, response_format="verbose_json").json
    for segment in body["segments"]:
        if missing := SEGMENT_FIELDS - segment.keys():
            raise Wrong(f"a segment lacks {', '.join(sorted(missing))}")
    heard("".join(segment["text"] for segment in body["segments"]), subject)
    return f"{len(body['segments'])} segments with all fields"


def times_words(subject: Subject) -> str:
    options = {"response_format": "verbose_json", "timestamp_granularities[]": "word"}
    words = _transcription(subject, **options).json["words"]
    heard(" ".join(word["word"] for word in words), subject)
    if any(one["start"] > two["start"] for one, two in pairwise(words)):
        raise Wrong("words are out of order")
    if words[0]["start"] < 0 or words[-1]["end"] > subject.seconds + 1:
        raise Wrong(f"words last from {words[0]['start']} s to {words[-1]['end']} s of {subject.seconds:.1f} s")
    return f"{len(words)} words with times"


def streams(subject: Subject) -> str:
    answer = _transcription(subject, stream="true")
    events = [json.loads(line.removeprefix("data: ")) for line in answer.text.splitlines() if line.startswith("data: ")]
    *deltas, done = events
    if done["type"] != "transcript.text.done":
        raise Wrong(f"the last event is {done}")
    if "".join(event["delta"] for event in deltas) != done["text"]:
        raise Wrong("the deltas together are not the text of the last event")
    return f"{len(deltas)} deltas; {heard(done['text'], subject)}"


def translates(subject: Subject) -> str:
    """Where the model can; one that cannot must say so."""
    answer = subject.server.post(TRANSLATIONS, ANY_MODEL, subject.clip)
    if answer.status == 400 and answer.json["error"]["code"] == "translation_not_supported":
        return "the model was not trained to translate, and says so"
    return heard(wanted(answer, 200).json["text"], subject)


def refuses_nonsense(subject: Subject) -> str:
    """Files that are no audio, models and options that are not there: each a 4xx in OpenAI's shape."""
    nonsense: list[tuple[dict[str, str], bytes, int]] = [
        (ANY_MODEL, b"", 400),
        (ANY_MODEL, b"this is no audio" * 100, 400),
        ({"model": "no-such-model"}, subject.clip, 404),
        (ANY_MODEL | {"no_such_option": "1"}, subject.clip, 400),
        (ANY_MODEL | {"temperature": "2"}, subject.clip, 400),
    ]
    for fields, file, status in nonsense:
        error = wanted(subject.server.post(TRANSCRIPTIONS, fields, file), status).json["error"]
        if error.keys() != {"message", "type", "param", "code"}:
            raise Wrong(f"an error has the fields {', '.join(error)}")
    return f"{len(nonsense)} bad requests refused"


CHECKS: Final[tuple[tuple[str, Examine], ...]] = (
    ("model", model),
    ("transcribes", transcribes),
    ("language", detects_the_language),
    ("json", answers_json),
    ("text", answers_text),
    ("srt", answers_srt),
    ("vtt", answers_vtt),
    ("verbose-json", answers_verbose_json),
    ("word-times", times_words),
    ("stream", streams),
    ("translates", translates),
    ("refuses-nonsense", refuses_nonsense),
)


def heard(text: str, subject: Subject) -> str:
    """The word error rate as a sentence; raises Wrong where it is too high. The words themselves stay unsaid."""
    rate, most = word_error_rate(subject.words, text), subject.max_word_error_rate
    if rate > most:
        raise Wrong(f"{rate:.0%} of the words are wrong, at most {most:.0%} may be")
    return f"word error rate {rate:.0%}"


def spoken_in_cues(subtitles: str) -> str:
    """The words of all cues of an srt or vtt file."""
    return " ".join(CUE.findall(subtitles))


def _language(found: str) -> str:
    if found != "english":
        raise Wrong(f"the language is {found!r} instead of 'english'")
    return "english"


def _transcription(subject: Subject, **options: str) -> Any:
    return wanted(subject.server.post(TRANSCRIPTIONS, ANY_MODEL | options, subject.clip), 200)
