"""OpenAI's audio API: what its clients get for each thing that they may ask."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.fakes.engine import ENGLISH, SPOKEN, TURBO, FakeEngine
from tests.runtime.conftest import Start, speech
from whisper_runtime.engine.interface import Abilities

TRANSCRIPTIONS = "/v1/audio/transcriptions"
TRANSLATIONS = "/v1/audio/translations"

SEGMENT = {
    "id": 0,
    "seek": 0,
    "start": 0.0,
    "end": 2.5,
    "text": " Ask not.",
    "tokens": [50364, 12320, 406, 13, 50489],
    "temperature": 0.0,
    "avg_logprob": -0.25,
    "compression_ratio": 0.75,
    "no_speech_prob": 0.01,
}
MODEL = {"model": "base"}
USAGE = {"type": "duration", "seconds": 3}


WORDS = [{"word": "Ask", "start": 0.0, "end": 1.0}, {"word": "not.", "start": 1.0, "end": 2.5}]
VERBOSE = {"task": "transcribe", "language": "english", "duration": 2.5, "text": "Ask not.", "usage": USAGE}
LOGPROBS = [
    {"token": " Ask", "bytes": [32, 65, 115, 107], "logprob": -0.5},
    {"token": " not", "bytes": [32, 110, 111, 116], "logprob": -0.25},
    {"token": ".", "bytes": [46], "logprob": -0.375},
]
BY_WORD = {"response_format": "verbose_json", "timestamp_granularities[]": "word"}
BOTH = {"response_format": "verbose_json", "timestamp_granularities[]": ["word", "segment"]}


@pytest.mark.parametrize(
    ("path", "fields", "body"),
    [
        (TRANSCRIPTIONS, {}, {"text": "Ask not.", "usage": USAGE}),
        (TRANSCRIPTIONS, {"response_format": "json"}, {"text": "Ask not.", "usage": USAGE}),
        (TRANSCRIPTIONS, {"include[]": "logprobs"}, {"text": "Ask not.", "logprobs": LOGPROBS, "usage": USAGE}),
        (TRANSCRIPTIONS, {"response_format": "verbose_json"}, VERBOSE | {"segments": [SEGMENT]}),
        (TRANSCRIPTIONS, BY_WORD, VERBOSE | {"words": WORDS}),
        (TRANSCRIPTIONS, BOTH, VERBOSE | {"words": WORDS, "segments": [SEGMENT]}),
        (TRANSLATIONS, {}, {"text": "Ask not."}),
        (
            TRANSLATIONS,
            {"response_format": "verbose_json"},
            {
                "task": "translate",
                "language": "english",
                "duration": 2.5,
                "text": "Ask not.",
                "segments": [SEGMENT],
            },
        ),
    ],
)
async def test_bodies(start: Start, path: str, fields: dict[str, Any], body: dict[str, Any]) -> None:
    answer = await start().post(path, files=speech(), data={"model": "base", **fields})
    assert (answer.status_code, answer.json()) == (200, body)


@pytest.mark.parametrize("path", [TRANSCRIPTIONS, TRANSLATIONS])
@pytest.mark.parametrize(
    ("response_format", "body"),
    [
        ("text", "Ask not.\n"),
        ("srt", "1\n00:00:00,000 --> 00:00:02,500\nAsk not.\n\n"),
        ("vtt", "WEBVTT\n\n00:00.000 --> 00:02.500\nAsk not.\n\n"),
    ],
)
async def test_text_and_subtitles_are_plain_bodies(start: Start, path: str, response_format: str, body: str) -> None:
    fields = {"model": "whisper-1", "response_format": response_format}
    answer = await start().post(path, files=speech(), data=fields)
    assert answer.text == body
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"


@pytest.mark.parametrize("name", ["timestamp_granularities", "timestamp_granularities[]"])
async def test_an_array_may_be_spelt_with_and_without_brackets(start: Start, engine: FakeEngine, name: str) -> None:
    fields = {"model": "base", "response_format": "verbose_json", name: ["word", "segment"]}
    body = (await start().post(TRANSCRIPTIONS, files=speech(), data=fields)).json()
    assert (body["words"], body["segments"]) == (WORDS, [SEGMENT])
    assert engine.asked[0].word_timestamps


@pytest.mark.parametrize(
    ("fields", "wanted"),
    [
        ({}, {"task": "transcribe", "language": None, "temperatures": (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)}),
        ({}, {"word_timestamps": False, "logprobs": False, "prompt": None}),
        ({"language": "de"}, {"language": "de"}),
        ({"language": "German"}, {"language": "de"}),
        ({"language": "jv"}, {"language": "jw"}),
        ({"language": "Español (México)"}, {"language": "es"}),
        ({"language": "auto"}, {"language": None}),
        ({"language": ""}, {"language": None}),
        ({"prompt": "Kubernetes, kopf"}, {"prompt": "Kubernetes, kopf"}),
        ({"temperature": "0"}, {"temperatures": (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)}),
        ({"temperature": "0.3"}, {"temperatures": (0.3,)}),
        ({"stream": "false"}, {}),
        ({"response_format": "verbose_json", "timestamp_granularities[]": "segment"}, {"word_timestamps": False}),
        (BY_WORD, {"word_timestamps": True}),
        ({"include[]": "logprobs"}, {"logprobs": True}),
        ({"include": "logprobs"}, {"logprobs": True}),
        ({"response_format": "srt"}, {"word_timestamps": False}),
        ({"response_format": "srt", "max_words_per_line": "3"}, {"word_timestamps": True}),
        ({"response_format": "vtt", "max_line_width": "42", "max_line_count": "2"}, {"word_timestamps": True}),
        # What other servers have, by their names.
        ({"beam_size": "5", "patience": "1.5"}, {"beam_size": 5, "patience": 1.5}),
        ({"beam_size": "1", "best_of": "1", "patience": "2"}, {"beam_size": None, "best_of": None, "patience": None}),
        ({"beam_size": "", "seed": "", "hotwords": "", "clip_timestamps": ""}, {"beam_size": None, "keywords": None}),
        ({"best_of": "5", "seed": "7"}, {"best_of": 5, "seed": 7}),
        ({"initial_prompt": "kopf"}, {"prompt": "kopf"}),
        ({"hotwords": "kopf"}, {"keywords": "kopf", "prompt": None}),
        ({"hotwords": "kopf", "prompt": "A call."}, {"keywords": "kopf", "prompt": "A call."}),
        ({"keywords[]": ["kopf", "etcd"]}, {"keywords": "kopf, etcd"}),
        ({"keywords": ["kopf, etcd", "CRD"], "hotwords": "kopf"}, {"keywords": "kopf, etcd, CRD"}),
        ({"languages[]": ["de", "English"]}, {"language": None, "languages": ("de", "en")}),
        ({"languages": "de,fr"}, {"language": None, "languages": ("de", "fr")}),
        ({"languages": "de"}, {"language": "de", "languages": ()}),
        ({"languages": ["de", "en"], "language": "en"}, {"language": "en", "languages": ()}),
        ({"languages": "", "keywords": ""}, {"language": None, "languages": (), "keywords": None}),
        ({"condition_on_previous_text": "false"}, {"condition_on_previous_text": False}),
        ({"condition_on_previous_text": "true"}, {"condition_on_previous_text": True}),
        ({"without_timestamps": "true"}, {"without_timestamps": True}),
        ({"clip_timestamps": "0,1.5, 2"}, {"clip_timestamps": (0.0, 1.5, 2.0)}),
        (BY_WORD | {"hallucination_silence_threshold": "2"}, {"hallucination_silence_threshold": 2.0}),
    ],
)
async def test_fields_become_decoding_options(
    start: Start, engine: FakeEngine, fields: dict[str, Any], wanted: dict[str, Any]
) -> None:
    answer = await start().post(TRANSCRIPTIONS, files=speech(), data={"model": "base", **fields})
    assert answer.status_code == 200
    asked = vars(engine.asked[0])
    assert {name: asked[name] for name in wanted} == wanted


@pytest.mark.parametrize("path", [TRANSCRIPTIONS, TRANSLATIONS])
async def test_the_lines_of_subtitles_are_cut_by_words(start: Start, engine: FakeEngine, path: str) -> None:
    fields = {"model": "base", "response_format": "vtt", "max_words_per_line": "1"}
    answer = await start().post(path, files=speech(), data=fields)
    assert answer.text == "WEBVTT\n\n00:00.000 --> 00:01.000\nAsk\n\n00:01.000 --> 00:02.500\nnot.\n\n"
    assert engine.asked[0].word_timestamps


@pytest.mark.parametrize("name", ["include", "include[]"])
async def test_the_probability_of_a_language_that_was_detected(start: Start, engine: FakeEngine, name: str) -> None:
    engine.answer = replace(SPOKEN, language_probability=0.75)
    fields = {"model": "base", "response_format": "verbose_json", name: "language_probability"}
    body = (await start().post(TRANSCRIPTIONS, files=speech(), data=fields)).json()
    assert body == VERBOSE | {"segments": [SEGMENT], "language_probability": 0.75}


@pytest.mark.parametrize("path", [TRANSCRIPTIONS, TRANSLATIONS, "/transcribe"])
async def test_a_field_that_changes_nothing_is_named_and_ignored(start: Start, path: str) -> None:
    data = {"user": "alice", "metadata[a]": "b", "diarize": "false"} | ({} if path == "/transcribe" else MODEL)
    answer = await start().post(path, files=speech(), data=data)
    assert (answer.status_code, answer.headers["x-ignored-fields"]) == (200, "user, metadata[a], diarize")


@pytest.mark.parametrize("fields", [{"response_format": "text"}, {"response_format": "verbose_json"}, {"stream": "1"}])
async def test_it_is_named_with_every_format(start: Start, fields: dict[str, str]) -> None:
    answer = await start().post(TRANSCRIPTIONS, files=speech(), data=MODEL | fields | {"user": "alice"})
    assert answer.headers["x-ignored-fields"] == "user"


@pytest.mark.parametrize("name", ["whisper-1", "gpt-4o-transcribe", "base"])
@pytest.mark.parametrize("response_format", ["srt", "vtt", "verbose_json"])
async def test_a_format_without_a_stream_is_answered_as_without_it(
    start: Start, name: str, response_format: str
) -> None:
    client, data = start(), {"model": name, "response_format": response_format, "timestamp_granularities[]": "word"}
    data = data if response_format == "verbose_json" else data | {"timestamp_granularities[]": []}
    whole = await client.post(TRANSCRIPTIONS, files=speech(), data=data)
    answer = await client.post(TRANSCRIPTIONS, files=speech(), data=data | {"stream": "True"})
    assert (answer.status_code, answer.content) == (200, whole.content)
    assert answer.headers["content-type"] == whole.headers["content-type"]
    assert answer.headers["x-ignored-fields"] == "stream"


async def test_an_answer_to_known_fields_ignores_none(start: Start) -> None:
    answer = await start().post(TRANSCRIPTIONS, files=speech(), data=MODEL | {"beam_size": "2"})
    assert "x-ignored-fields" not in answer.headers


async def test_text_so_far_is_no_prompt_where_the_server_transcribes_side_by_side(start: Start) -> None:
    client = start(condition_on_previous_text=False)
    answer = await client.post(TRANSCRIPTIONS, files=speech(), data=MODEL | {"condition_on_previous_text": "true"})
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "condition_on_previous_text")


async def test_a_translation_is_decoded_as_asked(start: Start, engine: FakeEngine) -> None:
    data = MODEL | {"beam_size": "5", "hotwords": "kopf", "clip_timestamps": "0,1"}
    assert (await start().post(TRANSLATIONS, files=speech(), data=data)).status_code == 200
    asked = engine.asked[0]
    assert (asked.beam_size, asked.keywords, asked.clip_timestamps) == (5, "kopf", (0.0, 1.0))


async def test_translation_asks_for_the_task(start: Start, engine: FakeEngine) -> None:
    await start().post(TRANSLATIONS, files=speech(), data={"model": "base"})
    assert engine.asked[0].task == "translate"


async def test_the_configured_language_serves_requests_that_name_none(start: Start, engine: FakeEngine) -> None:
    await start(language="fr").post(TRANSCRIPTIONS, files=speech(), data={"model": "base"})
    assert engine.asked[0].language == "fr"


@pytest.mark.parametrize(
    ("fields", "param", "says"),
    [
        ({"response_format": "diarised"}, "response_format", "should be 'json', 'text', 'srt'"),
        ({"language": "englsh"}, "language", "did you mean english?"),
        ({"language": "x" * 10_000}, "language", "at most 64 characters"),
        ({"temperature": "1.5"}, "temperature", "less than or equal to 1"),
        ({"temperature": "-0.1"}, "temperature", "greater than or equal to 0"),
        ({"temperature": "nan"}, "temperature", "finite"),
        ({"temperature": "warm"}, "temperature", "valid number"),
        ({"stream": "perhaps"}, "stream", "valid boolean"),
        ({"include[]": "usage"}, "include[]", "should be 'logprobs' or 'language_probability'"),
        ({"response_format": "srt", "max_line_width": "0"}, "max_line_width", "greater than or equal to 1"),
        ({"response_format": "srt", "max_line_count": "1001"}, "max_line_count", "less than or equal to 1000"),
        ({"response_format": "srt", "max_words_per_line": "many"}, "max_words_per_line", "valid integer"),
        ({"timestamp_granularities[]": "letter"}, "timestamp_granularities[]", "should be 'word' or 'segment'"),
        ({"timestamp_granularities": ["word", "letter"]}, "timestamp_granularities", "should be 'word' or"),
        # Where no speaker encoder is loaded.
        ({"response_format": "diarized_json"}, "response_format", "set spec.diarization to {}"),
        ({"speakers": "2"}, "speakers", "set spec.diarization to {}"),
        ({"known_speaker_names[]": "Ada"}, "known_speaker_names[]", "set spec.diarization to {}"),
        ({"known_speaker_references[]": "data:"}, "known_speaker_references[]", "set spec.diarization to {}"),
        # Whisper cannot honour these.
        ({"chunking_strategy": "server_vad"}, "chunking_strategy", "should be 'auto' or an object in JSON"),
        ({"chunking_strategy[type]": "vad"}, "chunking_strategy[type]", "should be 'server_vad'"),
        # Fields that contradict each other.
        ({"timestamp_granularities[]": "word"}, "timestamp_granularities[]", "needs `response_format` to be 'verbose"),
        ({"response_format": "text", "include[]": "logprobs"}, "include[]", "needs `response_format` to be 'json'"),
        ({"include[]": "language_probability"}, "include[]", "needs `response_format` to be 'verbose_json'"),
        ({"max_line_width": "42"}, "max_line_width", "needs `response_format` to be 'srt' or 'vtt'"),
        ({"response_format": "srt", "max_line_count": "2"}, "max_line_count", "no effect without `max_line_width`"),
        ({"patience": "2"}, "patience", "needs `beam_size`"),
        ({"prompt": "a", "initial_prompt": "b"}, "initial_prompt", "another name of `prompt`"),
        ({"hallucination_silence_threshold": "2"}, "hallucination_silence_threshold", "to have 'word'"),
        ({"languages": ["de", "en"], "language": "fr"}, "languages", "and `language` is 'fr', which is none of them"),
        ({"languages[]": ["de", "klingon"]}, "languages", "'klingon', which is not a language of Whisper"),
        ({"languages": "a" * 1001}, "languages", "at most 1000 characters"),
        ({"keywords": ["kopf"] * 101}, "keywords", "has 101 of them: send at most 100"),
        ({"keywords": ["a" * 201]}, "keywords", "has one of 201 characters"),
        ({"hotwords": "word " * 400}, "hotwords", "tokens, and the model reads at most 223 before a text: send fewer"),
        # What other servers have, beyond its bounds.
        ({"beam_size": "11"}, "beam_size", "less than or equal to 10"),
        ({"beam_size": "0"}, "beam_size", "greater than or equal to 1"),
        ({"best_of": "many"}, "best_of", "valid integer"),
        ({"beam_size": "5", "patience": "0"}, "patience", "greater than 0"),
        ({"beam_size": "5", "patience": "inf"}, "patience", "finite"),
        ({"seed": "-1"}, "seed", "greater than or equal to 0"),
        ({"clip_timestamps": "5,1"}, "clip_timestamps", "that grow, with commas: for example `0,30,60,90`"),
        ({"clip_timestamps": "-1,1"}, "clip_timestamps", "that grow"),
        ({"clip_timestamps": "0,nan"}, "clip_timestamps", "that grow"),
        ({"clip_timestamps": "all"}, "clip_timestamps", "that grow"),
        ({"clip_timestamps": ",".join(map(str, range(257)))}, "clip_timestamps", "at most 256 seconds"),
        # What could change the words is not ignored.
        ({"diarize": "true"}, "diarize", "not supported with Whisper but as `0` or `false`"),
        ({"langauge": "de"}, "langauge", "Unknown parameter: `langauge`. Did you mean `language`?"),
    ],
)
async def test_what_is_not_supported_names_field_and_remedy(
    start: Start, engine: FakeEngine, fields: dict[str, Any], param: str, says: str
) -> None:
    answer = await start().post(TRANSCRIPTIONS, files=speech(), data={"model": "base", **fields})
    error = answer.json()["error"]
    assert (answer.status_code, error["type"], error["param"]) == (400, "invalid_request_error", param)
    assert param in error["message"]
    assert says in error["message"]
    assert len(error["message"]) < 300
    assert engine.asked == []


@pytest.mark.parametrize("field", ["language", "stream", "timestamp_granularities[]", "include[]"])
async def test_a_translation_takes_fewer_fields(start: Start, field: str) -> None:
    answer = await start().post(TRANSLATIONS, files=speech(), data={"model": "base", field: "true"})
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, field)


@pytest.mark.parametrize("path", [TRANSCRIPTIONS, TRANSLATIONS])
@pytest.mark.parametrize("name", ["gpt-4o-transcribe", "openai/whisper-base", "acme/speech"])
async def test_an_alias_is_the_served_model(start: Start, path: str, name: str) -> None:
    answer = await start(model_aliases=("acme/speech",)).post(path, files=speech(), data={"model": name})
    assert (answer.status_code, answer.json()["text"]) == (200, "Ask not.")


async def test_another_model_does_not_exist(start: Start) -> None:
    answer = await start(model="/models/mine.pt").post(TRANSCRIPTIONS, files=speech(), data={"model": "large-v3"})
    assert answer.status_code == 404
    assert answer.json()["error"] == {
        "message": "The model `large-v3` does not exist here: this server has `mine`, also as `whisper-1`, "
        "`gpt-4o-transcribe`, `gpt-4o-mini-transcribe`, `gpt-transcribe`.",
        "type": "invalid_request_error",
        "param": "model",
        "code": "model_not_found",
    }


@pytest.mark.parametrize(
    ("data", "files", "param"),
    [
        ({"model": "base"}, None, "file"),
        ({"model": "base", "file": "text"}, None, "file"),
        ({}, speech(), "model"),
    ],
)
async def test_a_missing_field_is_named(start: Start, data: dict[str, str], files: Any, param: str) -> None:
    answer = await start().post(TRANSCRIPTIONS, files=files, data=data)
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, param)


@pytest.mark.parametrize("path", [TRANSCRIPTIONS, TRANSLATIONS, "/transcribe"])
@pytest.mark.parametrize("field", ["model", "temperature", "language", "file"])
async def test_a_field_that_is_given_twice_is_refused(start: Start, engine: FakeEngine, path: str, field: str) -> None:
    answer = await start().post(path, files=speech(), data={"model": "base"} | {field: ["nope", "base"]})
    assert answer.status_code == 400
    times = 3 if field == "file" else 2
    assert answer.json()["error"] == {
        "message": f"`{field}` is given {times} times, and takes one value: send it once.",
        "type": "invalid_request_error",
        "param": field,
        "code": "repeated_parameter",
    }
    assert engine.asked == []


@pytest.mark.parametrize("abilities", [TURBO, ENGLISH])
async def test_models_that_cannot_translate_say_so(start: Start, engine: FakeEngine, abilities: Abilities) -> None:
    engine.abilities = abilities
    answer = await start(model="/models/mine.pt").post(TRANSLATIONS, files=speech(), data={"model": "mine"})
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "model")
    assert "`mine` was not trained to translate" in answer.json()["error"]["message"]


async def test_an_english_model_refuses_another_language(start: Start, engine: FakeEngine) -> None:
    engine.abilities = ENGLISH
    client = start(model="/models/mine.pt")
    refused = await client.post(TRANSCRIPTIONS, files=speech(), data={"model": "mine", "language": "de"})
    assert refused.status_code == 400
    assert "knows English only" in refused.json()["error"]["message"]
    accepted = await client.post(TRANSCRIPTIONS, files=speech(), data={"model": "mine"})
    assert (accepted.status_code, engine.asked[0].language) == (200, "en")


@pytest.mark.parametrize("language", ["yue", "Cantonese"])
async def test_a_model_of_fewer_languages_refuses_the_one_that_it_lacks(
    start: Start, engine: FakeEngine, language: str
) -> None:
    refused = await start().post(TRANSCRIPTIONS, files=speech(), data={"model": "base", "language": language})
    assert refused.json()["error"] == {
        "message": f"`language` is '{language}', which the model `base` of 99 languages does not know: "
        "leave `language` out, or use a newer model such as `large-v3`.",
        "type": "invalid_request_error",
        "param": "language",
        "code": "language_not_supported",
    }
    assert (refused.status_code, engine.asked) == (400, [])
    engine.abilities = TURBO
    await start().post(TRANSCRIPTIONS, files=speech(), data={"model": "base", "language": language})
    assert engine.asked[0].language == "yue"
