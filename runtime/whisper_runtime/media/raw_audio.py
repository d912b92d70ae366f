"""Sound without a header, by the type that a client declares for it; pure.

Telephone exchanges and speech services send bare samples, of which the type is all that is known: RFC 3551 (PCMU, PCMA,
L8, L16, L24, GSM, G722), RFC 2586 (audio/L16), RFC 2046 (audio/basic).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Final

from whisper_runtime.media.tracks import AudioTrack


@dataclass(frozen=True)
class DeclaredType:
    """What the client says of its file; empty where it says nothing."""

    content_type: str = ""
    name: str = ""


UNDECLARED: Final = DeclaredType()


@dataclass(frozen=True)
class RawAudio:
    """How ffmpeg reads sound without a header."""

    demuxer: str
    rate: int | None = None
    """Samples per second; None: the codec has its own."""
    channels: int | None = None

    @property
    def options(self) -> tuple[str, ...]:
        """ffmpeg's options for its input, which allow no other format."""
        rate = () if self.rate is None else ("-ar", str(self.rate))
        channels = () if self.channels is None else ("-ac", str(self.channels))
        return ("-format_whitelist", self.demuxer, "-f", self.demuxer, *rate, *channels)

    @property
    def track(self) -> AudioTrack:
        return AudioTrack(0, self.channels or 1, None, has_layout=False)


class UnclearType(Exception):
    """The declared type does not say how to read the file; the message is for the client."""


TELEPHONE_RATE: Final = 8000
RATES: Final = range(1000, 384_001)
CHANNELS: Final = range(1, 65)
SAMPLES: Final[Mapping[str, str]] = {
    "basic": "mulaw",
    **dict.fromkeys(("pcmu", "mulaw", "x-mulaw", "ulaw", "x-ulaw"), "mulaw"),
    **dict.fromkeys(("pcma", "alaw", "x-alaw", "x-alaw-basic"), "alaw"),
    "l8": "u8",
    "l16": "s16be",
    "l24": "s24be",
    **dict.fromkeys(("pcm", "x-pcm"), "s16le"),
}
"""ffmpeg's name of the samples, by the subtype of `audio/`.

By `pcm`, which no standard has, speech services mean 16 bits with the low byte first.
"""
NEEDS_RATE: Final = frozenset({"u8", "s16be", "s24be", "s16le"})
FRAMES: Final[Mapping[str, str]] = {
    **dict.fromkeys(("gsm", "x-gsm"), "gsm"),
    "g722": "g722",
    "amr": "amrnb",
    "amr-wb": "amrwb",
}
"""ffmpeg's name of a codec whose frames say all, by the subtype."""
NAMES: Final[Mapping[str, RawAudio]] = {
    **dict.fromkeys((".ul", ".ulaw", ".mulaw"), RawAudio("mulaw", TELEPHONE_RATE, 1)),
    **dict.fromkeys((".al", ".alaw"), RawAudio("alaw", TELEPHONE_RATE, 1)),
    ".sln": RawAudio("s16le", TELEPHONE_RATE, 1),
    ".sln16": RawAudio("s16le", 2 * TELEPHONE_RATE, 1),
    ".gsm": RawAudio("gsm"),
    ".g722": RawAudio("g722"),
}
"""By the end of a file's name, where its type says nothing."""
SAYS_NOTHING: Final = frozenset({"", "application/octet-stream", "binary/octet-stream"})

CONTAINER: Final = re.compile(
    rb"RIFF|RIFX|RF64|riff|FORM|OggS|fLaC|ID3|\.snd|caff|#!AMR|\x1aE\xdf\xa3|....(?:ftyp|moov|mdat|wide|free|skip|pnot)"
    rb"|wvpk|TTA1|MAC |MPCK|MP\+|tBaK|Creative Voice File|NIST_1A|\x30\x26\xb2\x75|FLV\x01|\.RMF|DSD |FRM8|\.ra\xfd"
    rb"|nut/multimedia|\x00\x00\x01[\xba\xb3]|\x06\x0e\x2b\x34|\xb7\xd8\x00\x20|[\x02\x03]dss|\x0b\x77|\x7f\xfe\x80\x01"
    rb"|G.{187}G.{187}G",
    re.DOTALL,
)
"""How files begin that say themselves what they are: they are right, whatever the client declares."""


def raw_audio(declared: DeclaredType, head: bytes) -> RawAudio | None:
    """How to read a file that begins with `head` and has no header; None: it has one, or nothing is declared for it.

    Raises UnclearType for a type that lacks what it needs.
    """
    if CONTAINER.match(head):
        return None
    content_type, parameters = _parsed(declared.content_type)
    if content_type in SAYS_NOTHING:
        return NAMES.get(PurePath(declared.name.lower()).suffix)
    kind, _, subtype = content_type.partition("/")
    if kind != "audio":
        return None
    if frames := FRAMES.get(subtype):
        return RawAudio(frames)
    return _samples(SAMPLES[subtype], content_type, parameters) if subtype in SAMPLES else None


def _samples(samples: str, content_type: str, parameters: Mapping[str, str]) -> RawAudio:
    if samples == "s16be" and parameters.get("endianness") == "little-endian":  # IBM's parameter
        samples = "s16le"
    default = None if samples in NEEDS_RATE else TELEPHONE_RATE
    rate = _number(parameters, "rate", RATES, content_type, default)
    return RawAudio(samples, rate, _number(parameters, "channels", CHANNELS, content_type, 1))


def _number(parameters: Mapping[str, str], name: str, allowed: range, content_type: str, default: int | None) -> int:
    given = parameters.get(name)
    if given is None and default is not None:
        return default
    if given is not None and given.isascii() and given.isdecimal() and len(given) < 10 and int(given) in allowed:
        return int(given)
    found = f"has no `{name}`" if given is None else f"has {given[:16]!r} as its `{name}`"
    raise UnclearType(
        f"The file's type {content_type} {found}: it takes {allowed[0]} to {allowed[-1]}, "
        "for example audio/L16;rate=16000;channels=1."
    )


def _parsed(content_type: str) -> tuple[str, Mapping[str, str]]:
    """A media type and its parameters, in small letters (RFC 9110, 8.3.1)."""
    kind, *parameters = content_type.lower().split(";")
    pairs = (parameter.partition("=") for parameter in parameters)
    return kind.strip(), {name.strip(): value.strip().strip('"') for name, _, value in pairs}
