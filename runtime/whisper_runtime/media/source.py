"""A file that is decoded: what its bytes alone say of how ffmpeg must read it."""

from __future__ import annotations

import mmap
import os
from dataclasses import dataclass, replace
from functools import partial
from typing import IO, Final

from whisper_runtime.media.ending import NOT_KNOWN, Ending, ending_of
from whisper_runtime.media.joined import is_joined
from whisper_runtime.media.ogg import is_chain
from whisper_runtime.media.probe import probe
from whisper_runtime.media.raw_audio import DeclaredType, RawAudio, raw_audio
from whisper_runtime.media.tracks import AudioTrack, tracks
from whisper_runtime.media.wav import WavData, wav_data, wav_options

HEAD: Final = 64 * 1024
"""Bytes of a file by which its kind is told."""
LATE: Final = 600
"""Seconds of a film that are searched for the beginning of its sound, where ffmpeg's own five have none."""
SEARCHED_FURTHER: Final = ("-analyzeduration", f"{LATE}M", "-probesize", "100M")
IS_NO_JUMP: Final = ("-dts_delta_threshold", str(LATE))
"""Seconds between two tracks' beginnings up to which the clock has not jumped."""


@dataclass(frozen=True)
class Source:
    media: IO[bytes]
    head: bytes
    """Its first bytes."""
    raw: RawAudio | None = None
    """How to read it, where it has no header."""
    wav: WavData | None = None
    """Its header, where it is a WAV."""
    ending: Ending = NOT_KNOWN
    """Of sound without a header: nothing is known."""
    options: tuple[str, ...] = ()
    """ffmpeg's and ffprobe's, for their input."""
    decoding: tuple[str, ...] = ()
    """More of them, ffmpeg's alone."""
    is_chain: bool = False
    """Whether it is several recordings, one behind the other, each with a clock of its own."""
    is_searched_further: bool = False

    async def tracks(self) -> tuple[AudioTrack, ...]:
        """What can be decoded of it, by ffprobe; none where that cannot read it. Raises NoTrack."""
        return (self.raw.track,) if self.raw else tracks(await probe(self.media, self.options))

    def searched_further(self) -> Source:
        """The same file, in whose film the sound may begin late."""
        options, decoding = (*self.options, *SEARCHED_FURTHER), (*self.decoding, *IS_NO_JUMP)
        return replace(self, options=options, decoding=decoding, is_searched_further=True)


class JoinedFiles(Exception):
    """The file is several recordings, one behind the other, of which ffmpeg reads the first alone."""


def source_of(media: IO[bytes], declared: DeclaredType) -> Source:
    """Raises UnclearType, JoinedWavs, and JoinedFiles."""
    file, read = media.fileno(), partial(os.pread, media.fileno())
    size, head = os.fstat(file).st_size, read(HEAD, 0)
    if raw := raw_audio(declared, head):
        return Source(media, head, raw, options=raw.options)
    ending = ending_of(read, size)
    if wav := wav_data(read):
        options = wav_options(wav, size, read)
        return Source(media, head, wav=wav, ending=ending, options=options, decoding=wav.form.decoder)
    with mmap.mmap(file, 0, prot=mmap.PROT_READ) as content:
        if is_joined(content):
            raise JoinedFiles
        return Source(media, head, ending=ending, is_chain=is_chain(content))
