"""What a form asks of speakers."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import replace
from typing import Any

import pytest

from tests.fakes.engine import MULTILINGUAL
from whisper_runtime.contract.config import RuntimeConfig
from whisper_runtime.diarization.interface import SpeakerBounds
from whisper_runtime.errors import HttpError
from whisper_runtime.http.openai.forms import TranscriptionForm
from whisper_runtime.http.openai.speaker_fields import REFERENCE_KIB, speaker_options
from whisper_runtime.service.model_info import ServedModel
from whisper_runtime.service.speaker_options import SpeakerOptions, SpeakerReference

OFF = ServedModel(RuntimeConfig(model="base"), MULTILINGUAL).info
ON = replace(OFF, diarizes=True, diarizer_digest="d" * 64)
VOICE = "data:audio/wav;base64," + base64.b64encode(b"voice").decode()


def asked(response_format: str = "diarized_json", **fields: Any) -> SpeakerOptions | None:
    form = TranscriptionForm.model_validate({"model": "base", "response_format": response_format, **fields})
    return speaker_options(form, form.response_format, ON)


@pytest.mark.parametrize("response_format", ["json", "text", "srt", "vtt", "verbose_json"])
def test_other_formats_ask_for_none(response_format: str) -> None:
    assert asked(response_format) is None
    assert asked(response_format, speakers="", **{"known_speaker_names[]": [""]}) is None


@pytest.mark.parametrize(
    ("speakers", "bounds"),
    [
        (None, SpeakerBounds(1, 32)),
        ("auto", SpeakerBounds(1, 32)),
        ("2", SpeakerBounds(2, 2)),
        (" 2-4 ", SpeakerBounds(2, 4)),
        ("1-32", SpeakerBounds(1, 32)),
    ],
)
def test_how_many_there_may_be(speakers: str | None, bounds: SpeakerBounds) -> None:
    assert asked(speakers=speakers) == SpeakerOptions(bounds)


def test_known_speakers_have_a_name_and_a_reference() -> None:
    wanted = SpeakerReference("Ada, the first", hashlib.sha256(b"voice").hexdigest(), b"voice", "audio/wav")
    for brackets in ("[]", ""):
        fields: dict[str, Any] = {
            f"known_speaker_names{brackets}": ["Ada, the first"],
            f"known_speaker_references{brackets}": [VOICE],
        }
        found = asked(**fields)
        assert found == SpeakerOptions(SpeakerBounds(), (wanted,))
    assert found is not None
    assert found.without_content().key == found.key
    assert found.without_content().references[0].content == b""


def known(names: list[str], references: list[str]) -> dict[str, Any]:
    return {"known_speaker_names[]": names, "known_speaker_references[]": references}


@pytest.mark.parametrize(
    ("fields", "param", "says"),
    [
        ({"speakers": "two"}, "speakers", "is 'two': it should be a number from 1 to 32, bounds such as `2-4`"),
        ({"speakers": "0"}, "speakers", "from 1 to 32"),
        ({"speakers": "33"}, "speakers", "from 1 to 32"),
        ({"speakers": "4-2"}, "speakers", "from 1 to 32"),
        ({"speakers": "-1"}, "speakers", "from 1 to 32"),
        ({"speakers": "1", **known(["a", "b"], [VOICE, VOICE])}, "speakers", "`known_speaker_names[]` has 2"),
        (known(["a", "b"], [VOICE]), "known_speaker_references[]", "has 2 values and"),
        (known(["a"], [VOICE, VOICE]), "known_speaker_names[]", "send one reference for each name"),
        (known(list("abcde"), [VOICE] * 5), "known_speaker_names[]", "has 5 values, and may have 4"),
        (known(["a", "a"], [VOICE] * 2), "known_speaker_names[]", "has 'a': a name is printable text, and no other"),
        (known(["a\nb"], [VOICE]), "known_speaker_names[]", "printable"),
        (known([" "], [VOICE]), "known_speaker_names[]", "printable"),
        (known(["a"], ["https://x"]), "known_speaker_references[]", "number 1, of 'a', is 'https://x': it should be a"),
        (known(["a"], ["data:audio/wav;base64,!"]), "known_speaker_references[]", "is no base64"),
        (known(["a"], [VOICE + "A" * REFERENCE_KIB * 1024]), "known_speaker_references[]", "is longer than 4096 KiB"),
    ],
)
def test_what_contradicts_itself_is_named(fields: dict[str, Any], param: str, says: str) -> None:
    with pytest.raises(HttpError) as raised:
        asked(**fields)
    assert (raised.value.status_code, raised.value.body["param"]) == (400, param)
    assert says in str(raised.value.body["message"])


@pytest.mark.parametrize("response_format", ["verbose_json", "srt", "vtt"])
def test_other_formats_have_them_where_they_are_asked_for(response_format: str) -> None:
    assert asked(response_format, speakers="auto") == SpeakerOptions(SpeakerBounds())
    assert asked(response_format, **known(["a"], [VOICE])) == asked(**known(["a"], [VOICE]))


@pytest.mark.parametrize("response_format", ["json", "text"])
@pytest.mark.parametrize("fields", [{"speakers": "2"}, known(["a"], []), known([], [VOICE])])
def test_they_need_a_format_that_has_speakers(fields: dict[str, Any], response_format: str) -> None:
    with pytest.raises(HttpError, match="one of 'diarized_json', 'verbose_json', 'srt', 'vtt', and it is"):
        asked(response_format, **fields)


def test_where_none_is_loaded_the_remedy_is_named() -> None:
    form = TranscriptionForm.model_validate({"model": "base", "response_format": "diarized_json"})
    with pytest.raises(HttpError, match=r"set spec\.diarization to {} in its WhisperService, or") as raised:
        speaker_options(form, form.response_format, OFF)
    assert raised.value.body["param"] == "response_format"
