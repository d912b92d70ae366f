"""Which of a file's audio tracks is transcribed, and how its channels become one; pure."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from whisper_runtime.contract.languages import code_of

TRACKS_LIMIT: Final = 32
CHANNELS_WITH_LAYOUT: Final = 8
"""With more channels, ffmpeg knows no loudspeakers to mix them by."""
PLACES_KNOWN: Final = 2
"""Channels that are one or left and right, whatever a file says of them. Of more ffmpeg takes one for a loudspeaker of
low tones, and leaves it out: see findings/ffmpeg-mono-leaves-out-channels.sh."""
CHANNELS_LIMIT: Final = 64
"""Channels that ffmpeg's pan filter reads (libavfilter/af_pan.c, MAX_CHANNELS)."""
SEPARATE_CHANNELS_LIMIT: Final = 8
"""Channels that are transcribed one by one, each of which costs as much as a recording."""
NOT_SPEECH_OF_THE_FILM: Final = ("comment", "visual_impaired", "descriptions", "karaoke", "clean_effects")
"""Dispositions of tracks that are chosen only where there is no other."""
ASIDE_TITLE: Final = re.compile(
    "comment|kommentar|coment[aá]r|комментар|audio.?descri|audiodes[ck]ri|hörfilm", re.IGNORECASE
)
"""A commentary or a description for the blind, as a track's title has it in Europe's larger languages."""
CODEC: Final = re.compile("[A-Za-z0-9_.-]{1,16}")
NUMBER: Final = re.compile("0x(?!0000$)[0-9a-f]{4}")
"""As WAVs and AVIs have one: 0x0133 is a kind of G.729's."""


@dataclass(frozen=True)
class AudioTrack:
    index: int
    """Among all of the file's streams."""
    channels: int
    language: str | None
    """ISO-639-1 code of its tag; None: it has none that Whisper knows."""
    has_layout: bool = True
    """Whether the file says which loudspeaker each channel is for."""
    is_default: bool = False
    is_aside: bool = False
    """A commentary, a description for the blind, or another track that is not the film's own speech."""


@dataclass(frozen=True)
class Choice:
    """How ffmpeg is to read a file, where its own choice does not serve."""

    index: int | None = None
    """The stream; None: the one that ffmpeg takes."""
    mix: str = ""
    """A filter that makes one channel of all, or `channels`; empty: ffmpeg's own mix."""
    channels: int = 1
    """More than one: those of the samples, which are not mixed."""


class NoTrack(Exception):
    """The file has no audio track that can be decoded; the message is for the client."""

    def __init__(self, reason: Literal["TooManyStreams", "NotAudio"], message: str) -> None:
        super().__init__(message)
        self.reason: Literal["TooManyStreams", "NotAudio"] = reason
        self.message = message


def tracks(probed: bytes) -> tuple[AudioTrack, ...]:
    """The audio tracks that can be decoded, by ffprobe's JSON; raises NoTrack where there are too many or none is.

    None at all is an empty answer: the file is none that ffprobe reads.
    """
    streams = [one for one in _streams(probed) if one.get("codec_type") == "audio"]
    if len(streams) > TRACKS_LIMIT:
        message = f"The file has more than {TRACKS_LIMIT} audio tracks: send the one that is to be transcribed alone."
        raise NoTrack("TooManyStreams", message)
    known = tuple(_track(one) for one in streams if one.get("codec_name") and one.get("channels"))
    if streams and not known:
        message = (
            f"The audio is in a codec that cannot be decoded here{_named(streams[0])}: send it as PCM, MP3 or AAC."
        )
        raise NoTrack("NotAudio", message)
    return known


def choose(found: Sequence[AudioTrack], languages: Collection[str]) -> Choice:
    """The track in a wanted language, else no commentary, else the default, else the one with most channels.

    `found`: at least one; `languages`: ISO-639-1 codes, empty: no wish. The last two are ffmpeg's own rule
    (fftools/ffmpeg_opt.c, open_output_file). Raises NoTrack for one with too many channels.
    """
    best = ranked(found, languages)[0]
    return Choice(best.index, _mix(best))


def ranked(found: Sequence[AudioTrack], languages: Collection[str]) -> list[AudioTrack]:
    """All of them, in the order in which one is chosen."""
    return sorted(found, key=lambda one: (one.language in languages, *_rank(one)), reverse=True)


def other_mixes(found: AudioTrack) -> tuple[Choice, ...]:
    """What may hold sound where ffmpeg's own mix has none.

    That is the first channel, which another one may have cancelled; before it, of more than left and right, all alike:
    ffmpeg leaves out those for low tones and for the ceiling.
    """
    first = Choice(found.index, "pan=mono|c0=c0")
    if found.channels < PLACES_KNOWN:
        return ()
    return (first,) if found.channels == PLACES_KNOWN else (Choice(found.index, _alike(found.channels)), first)


def each_channel(found: AudioTrack) -> Choice:
    """All channels side by side; raises NoTrack for too many of them."""
    if found.channels > SEPARATE_CHANNELS_LIMIT:
        message = (
            f"The audio has {found.channels} channels, and at most {SEPARATE_CHANNELS_LIMIT} are transcribed one by "
            "one: leave `channels` out, or send those that have speech."
        )
        raise NoTrack("NotAudio", message)
    if found.channels == 1:
        return Choice(found.index)
    each = "|".join(f"c{number}=c{number}" for number in range(found.channels))
    return Choice(found.index, f"pan={found.channels}c|{each}", found.channels)


def _rank(track: AudioTrack) -> tuple[bool, bool, int, int]:
    return (not track.is_aside, track.is_default, track.channels, -track.index)


def _mix(track: AudioTrack) -> str:
    if track.channels <= (CHANNELS_WITH_LAYOUT if track.has_layout else PLACES_KNOWN):
        return ""
    if track.channels > CHANNELS_LIMIT:
        raise NoTrack("NotAudio", f"The audio has {track.channels} channels: send at most {CHANNELS_LIMIT}.")
    return _alike(track.channels)


def _alike(channels: int) -> str:
    return "pan=mono|c0=" + "+".join(f"{1 / channels:.6f}*c{number}" for number in range(channels))


def _streams(probed: bytes) -> list[Mapping[str, Any]]:
    try:
        return json.loads(probed).get("streams") or []
    except ValueError:  # ffprobe did not read the file to the end of its streams
        return []


def _track(stream: Mapping[str, Any]) -> AudioTrack:
    disposition: Mapping[str, Any] = stream.get("disposition") or {}
    tags: Mapping[str, Any] = stream.get("tags") or {}
    return AudioTrack(
        index=stream["index"],
        channels=stream["channels"],
        language=code_of(str(tags.get("language") or "")),
        has_layout=stream.get("channel_layout", "unknown") != "unknown",
        is_default=bool(disposition.get("default")),
        is_aside=any(disposition.get(name) for name in NOT_SPEECH_OF_THE_FILM)
        or ASIDE_TITLE.search(str(tags.get("title") or "")) is not None,
    )


def _named(stream: Mapping[str, Any]) -> str:
    """The codec in parentheses, where the file has a name or a number for it."""
    name, number = str(stream.get("codec_tag_string") or ""), str(stream.get("codec_tag") or "")
    known = name if CODEC.fullmatch(name) else number if NUMBER.fullmatch(number) else ""
    return f" ({known})" if known else ""
