"""Why a file is not decoded, by what ffmpeg's log says; pure."""

from __future__ import annotations

import re
from typing import Final, Literal

from whisper_runtime.media.cage import STREAMS_LIMIT

NO_SPACE: Final = re.compile(rb"^\S.*: (?:No space left on device|Disk quota exceeded)$", re.MULTILINE)
"""ffmpeg's words for a full disk are libc's. What a file says of itself is indented in its log."""
UNREAD: Final = re.compile(rb"^file:/proc/self/fd/0: Invalid argument$", re.MULTILINE)
"""What ffmpeg logs where it leaves the rest of a file unread."""
NOT_IMPLEMENTED: Final = re.compile(
    rb"^  Stream #\S+ -> #0:0 \((\w{1,32}).*^Error while opening decoder for input stream \S+ : Function not implem",
    re.MULTILINE | re.DOTALL,
)
"""A codec that ffmpeg knows, in a kind that it does not: xHE-AAC, of audio books and broadcasts."""
NOT_OPENED: Final = re.compile(
    rb"^  Stream #\S+ -> #0:0 \((\w{1,32}).*^Error while opening decoder for input stream ", re.MULTILINE | re.DOTALL
)
"""A codec whose header ffmpeg does not understand."""
Reason = Literal["NotAudio", "Empty", "NoAudioTrack", "TooManyStreams", "Damaged", "TooLong", "TimedOut", "NoSpace"]


class AudioError(Exception):
    """The file cannot be decoded; `message` is for the client and holds no content of the file."""

    def __init__(self, reason: Reason, message: str, seconds: float = 0.0) -> None:
        """`seconds`: the length that the file declares; 0 where it is not known."""
        super().__init__(message)
        self.reason: Reason = reason
        self.message = message
        self.seconds = seconds


def refusal(report: bytes) -> AudioError | None:
    """The reason why ffmpeg decoded nothing, by its log; None: the log has none that helps the client."""
    if b"max_streams" in report:
        return AudioError(
            "TooManyStreams", f"The file has more than {STREAMS_LIMIT} streams: send the audio track alone."
        )
    if b"does not contain any stream" in report:
        return AudioError("NoAudioTrack", "The file has no audio track.")
    if found := NOT_IMPLEMENTED.search(report):
        codec = found[1].decode()
        return AudioError(
            "NotAudio", f"The audio is in a kind of {codec} that cannot be decoded here: send WAV or MP3."
        )
    if found := NOT_OPENED.search(report):
        codec = found[1].decode()
        message = (
            f"The header of the audio ({codec}) is damaged, or names what cannot be decoded here: send WAV or MP3."
        )
        return AudioError("Damaged", message)
    if b"Input #0" in report:
        return AudioError("Damaged", "The file is damaged: too much of its audio cannot be decoded.")
    return None


def lost_part(report: bytes) -> AudioError | None:
    """The reason why ffmpeg has left out a part of the file, though it did not fail, by its log; None: it has not."""
    if b"failed to create or replace stream" in report and UNREAD.search(report):
        return AudioError(
            "Damaged",
            "The file is several recordings in different codecs, one behind the other: send each of them by itself.",
        )
    return None


def joined_wavs() -> AudioError:
    return AudioError(
        "Damaged",
        "The file is several WAVs of different forms, one behind the other: send each of them by itself.",
    )


def joined_files() -> AudioError:
    return AudioError("Damaged", "The file is several recordings, one behind the other: send each of them by itself.")


def coded_samples(codec: str) -> AudioError:
    message = (
        f"The samples of the WAV are {codec} for a receiver (S/PDIF, IEC 61937), which is not decoded there: record or "
        "export the sound as PCM, MP3 or AAC."
    )
    return AudioError("NotAudio", message)


def protected() -> AudioError:
    return AudioError("NotAudio", "The audio is encrypted (DRM): send a recording that is not.")


def not_audio(what: str | None) -> AudioError:
    """`what`: a clause on what the file is; None: that is not known."""
    if what is None:
        message = (
            "The file is not audio that can be decoded, or its format is not supported: "
            "send WAV, MP3, M4A, FLAC, Ogg or WebM."
        )
        return AudioError("NotAudio", message)
    return AudioError("NotAudio", f"The file is not audio that can be decoded: {what}.")


def cut(promised: float, found: float) -> AudioError:
    message = (
        f"The file is cut short: its header promises {promised:.0f} s of audio, and {found:.0f} s are there. "
        "Send the whole file."
    )
    return AudioError("Damaged", message)


def lacks_bytes(promised: int, there: int, found: float) -> AudioError:
    """`promised` and `there`: bytes of the file; `found`: seconds of audio in them."""
    message = (
        f"The file is cut short: its header promises {promised} bytes, and {there} are there, with {found:.0f} s of "
        "audio. Send the whole file."
    )
    return AudioError("Damaged", message)


def too_long(max_seconds: float, declared: float = 0.0) -> AudioError:
    return AudioError("TooLong", f"The audio is longer than the {max_seconds:.0f} s that this server takes.", declared)


def too_slow(timeout: float) -> AudioError:
    return AudioError("TimedOut", f"The file could not be decoded within {timeout:.0f} s.")
