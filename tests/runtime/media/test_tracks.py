"""The track that is transcribed, by what ffprobe says of the file."""

from __future__ import annotations

import json
from typing import Any

import pytest

from whisper_runtime.media.tracks import AudioTrack, Choice, NoTrack, choose, other_mixes, tracks


def stream(**fields: Any) -> dict[str, Any]:
    found = {"index": 0, "codec_type": "audio", "codec_name": "aac", "channels": 2, "channel_layout": "stereo"}
    return found | fields


def probed(*streams: dict[str, Any]) -> bytes:
    return json.dumps({"streams": list(streams)}).encode()


def track(index: int, channels: int = 2, language: str | None = None, **fields: bool) -> AudioTrack:
    return AudioTrack(index, channels, language, **fields)


def test_a_track_is_what_its_stream_says() -> None:
    tagged = stream(
        index=3, tags={"language": "ger", "title": "Audiokommentar"}, disposition={"default": 1, "comment": 1}
    )
    assert tracks(probed(stream(codec_type="video"), tagged)) == (track(3, 2, "de", is_default=True, is_aside=True),)
    assert tracks(probed(stream(tags={"language": "und"}))) == (track(0),)
    described = stream(disposition={"default": 1, "descriptions": 1})
    assert tracks(probed(described)) == (track(0, is_default=True, is_aside=True),)


@pytest.mark.parametrize(
    ("title", "is_aside"),
    [
        ("Commentary with the crew", True),
        ("Audiokommentar der Regisseurin", True),
        ("Commentaire audio", True),
        ("Comentario del director", True),
        ("Комментарии", True),
        ("English Audio Description", True),
        ("Audiodeskription", True),
        ("Hörfilm", True),
        ("Stereo", False),
        ("Deutsch 5.1", False),
    ],
)
def test_a_title_tells_that_a_track_is_not_the_films_own_speech(title: str, is_aside: bool) -> None:
    assert tracks(probed(stream(tags={"title": title}))) == (track(0, is_aside=is_aside),)
    assert tracks(probed(stream(channel_layout="unknown"))) == (track(0, has_layout=False),)


@pytest.mark.parametrize("content", [b"", b"{", b"{}", b'{"streams": []}', b'{"streams": null}'])
def test_what_was_not_read_has_none(content: bytes) -> None:
    assert tracks(content) == ()


def test_a_track_without_a_codec_or_channels_is_left_out() -> None:
    unknown = {"index": 1, "codec_type": "audio", "codec_tag_string": "apac", "channels": 4}
    assert tracks(probed(stream(), unknown, stream(index=2, channels=0))) == (track(0),)
    with pytest.raises(NoTrack, match=r"cannot be decoded here \(apac\): "):
        tracks(probed(unknown))
    with pytest.raises(NoTrack, match="cannot be decoded here: "):
        tracks(probed({**unknown, "codec_tag_string": "[0][0][0][0]"}))


def test_there_are_bounds() -> None:
    with pytest.raises(NoTrack, match="more than 32 audio tracks"):
        tracks(probed(*(stream(index=number) for number in range(33))))
    with pytest.raises(NoTrack, match="65 channels: send at most 64"):
        choose([track(0, 65)], ())


@pytest.mark.parametrize(
    ("found", "languages", "index"),
    [
        ([track(0), track(1)], (), 0),
        ([track(0), track(1, 6)], (), 1),
        ([track(0, is_default=True), track(1, 6)], (), 0),
        ([track(0, is_default=True, is_aside=True), track(1)], (), 1),
        ([track(0, is_aside=True)], (), 0),
        ([track(0, language="fr", is_default=True), track(1, language="en")], ("en",), 1),
        ([track(0, language="fr", is_default=True), track(1, language="en")], (), 0),
        ([track(0, language="fr", is_default=True), track(1, language="en")], ("de",), 0),
        ([track(0, language="fr", is_default=True), track(1, language="en")], ("de", "en"), 1),
        ([track(0, language="en"), track(1, language="en", is_aside=True, is_default=True)], ("en",), 0),
    ],
)
def test_the_order_of_what_counts(found: list[AudioTrack], languages: tuple[str, ...], index: int) -> None:
    assert choose(found, languages) == Choice(index)


def test_channels_without_loudspeakers_count_alike() -> None:
    assert choose([track(0, 8)], ()).mix == ""
    assert choose([track(0, 2, has_layout=False)], ()).mix == ""
    assert choose([track(0, 4, has_layout=False)], ()).mix.count("0.250000*") == 4
    mix = choose([track(0, 10)], ()).mix
    assert mix.startswith("pan=mono|c0=0.100000*c0+0.100000*c1+")
    assert mix.count("*") == 10
    first = Choice(2, "pan=mono|c0=c0")
    assert [other_mixes(track(2, channels)) for channels in (1, 2)] == [(), (first,)]
    all_alike = Choice(2, "pan=mono|c0=0.333333*c0+0.333333*c1+0.333333*c2")
    assert other_mixes(track(2, 3)) == (all_alike, first)
