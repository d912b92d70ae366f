"""A file that is decoded: what its bytes alone say of how ffmpeg must read it."""

from __future__ import annotations

import mmap
import os
import re
from dataclasses import dataclass, replace
from functools import partial
from typing import IO, Final

from whisper_runtime.media import matroska, program_stream, transport
from whisper_runtime.media.byte_search import PIECE
from whisper_runtime.media.ending import NOT_KNOWN, Ending, ending_of
from whisper_runtime.media.frames import title_size
from whisper_runtime.media.joined import has_another_form, is_followed_by_another_form, is_joined
from whisper_runtime.media.ogg import is_chain
from whisper_runtime.media.probe import probe
from whisper_runtime.media.raw_audio import DeclaredType, RawAudio, raw_audio
from whisper_runtime.media.refusals import coded_samples
from whisper_runtime.media.spdif import unread_codec
from whisper_runtime.media.tracks import AudioTrack, tracks
from whisper_runtime.media.wav import WavData, ends, goes_on_in_frames, wav_data, wav_options

HEAD: Final = 64 * 1024
"""Bytes of a file by which its kind is told."""
COUNTED: Final = re.compile(rb"RIFF....AVI ", re.DOTALL)
"""AVI, whose sound has a start and no gaps: of some codecs (Vorbis, DTS, E-AC-3, G.722) ffmpeg makes its clock of sizes
that writers leave wrong, and hours of seconds (libavformat/avidec.c, ast->sample_size)."""
PARTS_LIMIT: Final = 100
"""Of a stream, each of which takes a run of ffmpeg's."""
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
    later_parts: tuple[int, ...] = ()
    """The bytes at which its sound goes on in other tracks (transport.py, program_stream.py, matroska.py)."""
    is_searched_further: bool = False
    lacks_times: bool = False
    """Whether those that ffmpeg has for its packets are wrong."""
    runs_apart: bool = False
    """Whether its clock runs apart from its samples."""
    pace: float = 0.0
    """Seconds of its clock for each second of its samples, where these are not the same; 0: they are."""
    begins_at: float = 0.0
    """Seconds of silence before its clock begins."""

    @property
    def is_counted(self) -> bool:
        """Whether its times are the number of its samples."""
        return self.lacks_times or COUNTED.match(self.head) is not None

    async def tracks(self) -> tuple[AudioTrack, ...]:
        """What can be decoded of it, by ffprobe; none where that cannot read it. Raises NoTrack."""
        return (self.raw.track,) if self.raw else tracks(await probe(self.media, self.options))

    def part(self, number: int, target: IO[bytes]) -> Source:
        """The part of that number, the first one being 0, which is copied to `target`."""
        begin, end = ((0, *self.later_parts, self.ending.size)[at] for at in (number, number + 1))
        self.media.seek(begin)
        while piece := self.media.read(min(PIECE, end - self.media.tell())):
            target.write(piece)
        target.seek(0)
        ending = self.ending if number == len(self.later_parts) else NOT_KNOWN
        return replace(self, media=target, ending=ending, later_parts=())

    def searched_further(self) -> Source:
        """The same file, in whose film the sound may begin late."""
        options, decoding = (*self.options, *SEARCHED_FURTHER), (*self.decoding, *IS_NO_JUMP)
        return replace(self, options=options, decoding=decoding, is_searched_further=True)

    def beginning_at(self, seconds: float) -> Source:
        """The same file with silence before its clock begins."""
        return replace(self, decoding=(*self.decoding, "-itsoffset", f"{seconds:.6f}"), begins_at=seconds)


class JoinedFiles(Exception):
    """The file is several recordings, one behind the other, of which ffmpeg reads the first alone."""


def source_of(media: IO[bytes], declared: DeclaredType) -> Source:
    """Raises UnclearType, JoinedWavs, JoinedFiles, and AudioError."""
    file, read = media.fileno(), partial(os.pread, media.fileno())
    size, head = os.fstat(file).st_size, read(HEAD, 0)
    if raw := raw_audio(declared, head):
        if raw.demuxer == "gsm":  # of which ffmpeg makes frames of any bytes
            with mmap.mmap(file, 0, prot=mmap.PROT_READ) as content:
                if has_another_form(content):
                    raise JoinedFiles
        return Source(media, head, raw, options=raw.options)
    ending = ending_of(read, size)
    title = title_size(read)

    def behind_title(count: int, at: int) -> bytes:
        return read(count, title + at)

    if wav := wav_data(behind_title):
        with mmap.mmap(file, 0, prot=mmap.PROT_READ) as content:
            if wav.form.bits == 16 and (codec := unread_codec(content, title + wav.at)):
                raise coded_samples(codec)
            is_more_of_it = not wav.size or goes_on_in_frames(wav, behind_title)
            places = (title + at for at in ends(wav, behind_title, size - title))
            if not is_more_of_it and is_followed_by_another_form(content, places):
                raise JoinedFiles
        options = wav_options(wav, size - title, behind_title)
        return Source(media, head, wav=wav, ending=ending, options=options, decoding=wav.form.decoder)
    with mmap.mmap(file, 0, prot=mmap.PROT_READ) as content:
        parts = transport.later_parts(content) or program_stream.later_parts(content) or matroska.later_parts(content)
        if is_joined(content) or has_another_form(content) or len(parts) >= PARTS_LIMIT:
            raise JoinedFiles
        return Source(media, head, ending=ending, is_chain=is_chain(content), later_parts=parts)
