"""Recordings of dictation machines and old phones, in files written by hand: ffmpeg reads them, and writes none."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest

from tests.runtime.media.conftest import audio, loudness, sounds_like
from tests.support.media_files import ffmpeg
from whisper_runtime.engine.interface import Samples

PURE_VOICE = bytes.fromhex("416d7f5e15b1d011ba9100805fb4b97e")
"""The codec's GUID (RFC 3625, section 4)."""
RATES = ((34, 4), (16, 3), (7, 2), (3, 1))
"""Bytes of a frame in each of its modes."""
BLOCK, BLOCK_HEADER = 512, 6
"""Of a DSS file (libavformat/dss.c)."""


def qcp(packets: list[bytes]) -> bytes:
    """A QCP file (RFC 3625) of packets of one length: a byte for the mode, and a frame."""
    rates = b"".join(map(bytes, RATES)).ljust(16, b"\0") + bytes(20)
    of_codec = struct.pack("<16sH80s", PURE_VOICE, 2, b"Qcelp 13K")
    about = struct.pack("<HHHHHI", 14000, len(packets[0]), 160, 8000, 16, len(RATES)) + rates
    chunks = (
        (b"fmt ", b"\1\0" + of_codec + about),
        (b"vrat", struct.pack("<II", 1, len(packets))),
        (b"data", b"".join(packets)),
    )
    body = b"QLCM" + b"".join(name + struct.pack("<I", len(content)) + content for name, content in chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def dss(frames: bytes, codec: int) -> bytes:
    """A DSS file of two blocks of header, and blocks of frames; `codec` is 0 for SP, 2 for LP, which is G.723.1."""
    head = bytearray(2 * BLOCK)
    head[:4] = b"\x02dss"
    head[0x26:0x3E] = b"261129101010" + b"261129101021"  # the recording's begin and end
    head[0x2A4] = codec
    size = BLOCK - BLOCK_HEADER
    blocks = (bytes(BLOCK_HEADER) + frames[at : at + size] for at in range(0, len(frames), size))
    return bytes(head) + b"".join(blocks)


async def test_a_dictation_in_long_play_is_heard(recordings: Path, tmp_path: Path) -> None:
    """Given real speech, of which ffmpeg's encoder makes the frames."""
    ffmpeg("-i", recordings / "jfk.wav", "-ar", "8000", "-b:a", "6300", "-f", "g723_1", tmp_path / "frames")
    (tmp_path / "a.dss").write_bytes(dss((tmp_path / "frames").read_bytes(), 2))
    found = await audio(tmp_path / "a.dss")
    assert sounds_like(found.samples, recordings / "jfk.wav")
    assert found.track is not None
    assert found.track.codec == "g723_1"


@pytest.mark.parametrize(("name", "seconds"), [("a.dss", 1.2), ("a.qcp", 1.0)])
async def test_frames_of_codecs_that_nothing_here_writes_are_decoded(tmp_path: Path, name: str, seconds: float) -> None:
    """Given frames of any bits, whose sound is a noise: DSS's standard play, and PureVoice at its full rate."""
    bits = np.random.default_rng(1)
    packets = [b"\4" + bits.bytes(33) + b"\0" for _ in range(50)]  # the last bits are reserved
    content = dss(bits.bytes(42 * 50), 0) if name == "a.dss" else qcp(packets)
    (tmp_path / name).write_bytes(content)
    found = await audio(tmp_path / name)
    assert len(found.samples) / 16_000 == pytest.approx(seconds, abs=0.06)
    assert loudness(found.samples).max() > 0.001
    assert found.track is not None
    assert found.track.codec == {"a.dss": "dss_sp", "a.qcp": "qcelp"}[name]


def dsf(samples: Samples) -> bytes:
    """A DSF file of one bit in 2.8 MHz, by a modulator of the first order (DSF file format specification 1.01)."""
    finer = np.repeat(samples.astype(np.float64) / 4 + 0.5, 2_822_400 // 44_100)
    bits = np.diff(np.floor(np.cumsum(finer)), prepend=0).astype(np.uint8)
    content = np.packbits(bits, bitorder="little").tobytes()
    data = content.ljust(-(-len(content) // 4096) * 4096, b"\x69")
    form = struct.pack("<4sQ6IQ2I", b"fmt ", 52, 1, 0, 1, 1, 2_822_400, 1, len(bits), 4096, 0)
    body = form + struct.pack("<4sQ", b"data", 12 + len(data)) + data
    return struct.pack("<4s3Q", b"DSD ", 28, 28 + len(body), 0) + body


async def test_one_bit_as_recorders_of_music_write_it(recordings: Path, tmp_path: Path) -> None:
    ffmpeg("-i", recordings / "jfk.wav", "-ar", "44100", "-f", "f32le", tmp_path / "samples")
    (tmp_path / "a.dsf").write_bytes(dsf(np.fromfile(tmp_path / "samples", np.float32)))
    assert sounds_like((await audio(tmp_path / "a.dsf")).samples, recordings / "jfk.wav")


async def test_an_amigas_sound(recordings: Path, tmp_path: Path) -> None:
    """8SVX (IFF), of eight bits."""
    ffmpeg("-i", recordings / "jfk.wav", "-ar", "16000", "-f", "s8", tmp_path / "samples")
    samples = (tmp_path / "samples").read_bytes()
    header = b"VHDR" + struct.pack(">4I2HBB", 20, len(samples), 0, 0, 16_000, 1 << 8, 0, 1) + b"\0\0"
    chunks = b"8SVX" + header + b"BODY" + struct.pack(">I", len(samples)) + samples
    (tmp_path / "a.8svx").write_bytes(b"FORM" + struct.pack(">I", len(chunks)) + chunks)
    assert sounds_like((await audio(tmp_path / "a.8svx")).samples, recordings / "jfk.wav")
