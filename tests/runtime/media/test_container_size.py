"""How many bytes a file has, by its own sizes; those that stand for `not known yet` are no promise."""

from __future__ import annotations

import random
import struct
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.media_files import ffmpeg, speech_as
from whisper_runtime.media.container_size import ASF_DATA, ASF_FILE, promised_bytes


def reader(content: bytes) -> Callable[[int, int], bytes]:
    return lambda count, at: content[at : at + count]


def promised(content: bytes) -> int:
    return promised_bytes(reader(content))


def share(path: Path) -> float:
    """Of the file, that its own sizes promise."""
    content = path.read_bytes()
    return promised(content) / len(content)


@pytest.mark.parametrize("form", ["wav", "caf", "w64", "wma", "flv", "rm"])
def test_a_file_promises_itself(jfk: Path, tmp_path: Path, form: str) -> None:
    assert share(speech_as(jfk, tmp_path / f"a.{form}")) == pytest.approx(1, abs=0.001)


@pytest.mark.parametrize("form", ["avi", "mxf"])
def test_what_follows_the_samples_is_not_counted(jfk: Path, tmp_path: Path, form: str) -> None:
    """An index, a footer."""
    picture = ("-f", "lavfi", "-i", "testsrc=duration=11:size=720x576:rate=25", "-i", jfk, "-ar", "48000")
    ffmpeg(*picture, "-c:v", "mpeg2video", tmp_path / f"a.{form}")
    assert 0.9 < share(tmp_path / f"a.{form}") < 1


def test_fragments_behind_an_index(jfk: Path, tmp_path: Path) -> None:
    flags = ("-movflags", "dash+frag_keyframe+global_sidx", "-frag_duration", "1000000")
    path = speech_as(jfk, tmp_path / "a.mp4", "-c:a", "aac", *flags)
    content = path.read_bytes()
    assert 0.98 < share(path) <= 1
    assert promised(content[: len(content) // 2]) == promised(content)


@pytest.mark.parametrize("form", ["avi", "caf", "w64", "asf", "rm", "flv", "wav"])
def test_what_was_written_into_a_pipe_promises_nothing_that_is_missing(jfk: Path, form: str) -> None:
    codec = {"avi": "pcm_s16le", "rm": "ac3", "flv": "aac", "asf": "wmav2", "caf": "pcm_s16be"}.get(form, "pcm_s16le")
    command = ("ffmpeg", "-loglevel", "error", "-i", str(jfk), "-c:a", codec, "-f", form, "-")
    content = subprocess.run(command, capture_output=True, check=True).stdout
    assert promised(content) <= len(content)


RIFX = b"RIFF\0\0\0\0AVI "
CAF = b"caff\0\1\0\0"
W64 = b"riff\x2e\x91\xcf\x11".ljust(40, b"\0")
PARTITION = bytes.fromhex("060e2b34020501010d0102010102040083000088") + bytes(24)
ASF_HEAD = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c") + struct.pack("<QI2x", 122, 1) + ASF_FILE


def asf(flags: int) -> bytes:
    """A header with the properties of the file alone, and the data object, of 1,000 bytes."""
    properties = (ASF_HEAD + bytes(72) + struct.pack("<I", flags)).ljust(122, b"\0")
    return properties + ASF_DATA + struct.pack("<Q", 1000)


def index(version: int, *sizes: int) -> bytes:
    """An MP4's, with 10 bytes between it and what it names."""
    times = struct.pack(">QQ" if version else ">II", 0, 10)
    entries = b"".join(struct.pack(">III", size, 1000, 0) for size in sizes)
    box = bytes([version, 0, 0, 0]) + struct.pack(">II", 1, 1000) + times + struct.pack(">HH", 0, len(sizes)) + entries
    return struct.pack(">I4s", 8 + len(box), b"sidx") + box


@pytest.mark.parametrize(
    ("content", "size"),
    [
        (RIFX + b"LIST\x00\x10\0\0movi", 12 + 8 + 4096),
        (RIFX + b"LIST\x04\0\0\0movi" + RIFX + b"LIST\x00\x10\0\0movi", 0),  # a recorder was switched off
        (RIFX + b"LIST\x08\0\0\0movi----" + RIFX + b"LIST\x00\x10\0\0movi", 28 + 12 + 8 + 4096),
        (RIFX + b"LIST\xff\xff\xff\xffmovi", 0),
        (b"RIFF\0\0\0\0QLCMfmt \x02\0\0\0--data\x0a\0\0\0----", 12 + 10 + 8 + 10),
        (CAF + b"free" + struct.pack(">q", 4) + bytes(4) + b"data" + struct.pack(">q", 1000), 8 + 16 + 12 + 1000),
        (CAF + b"data" + struct.pack(">q", -1), 0),
        (W64 + b"data".ljust(16, b"\0") + struct.pack("<Q", 1024), 40 + 1024),
        (W64 + b"data".ljust(16, b"\0") + struct.pack("<Q", 2**63 - 1), 0),
        (asf(2), 122 + 1000),
        (asf(3), 0),  # it is being broadcast
        (b"FLV\1\5\0\0\0\x09onMetaData\0\x08fileSize\0" + struct.pack(">d", 5000), 5000),
        (b"FLV\1\5\0\0\0\x09onMetaData\0\x08filesize\0" + struct.pack(">d", float("nan")), 0),
        (b".RMF\0\0\0\x12".ljust(18, b"\0") + b"DATA\0\0\x10\0", 18 + 4096),
        (b".RMF\0\0\0\x12".ljust(18, b"\0") + b"DATA\0\0\0\0", 0),
        (PARTITION + struct.pack(">Q", 9000).ljust(40, b"\0"), 9000),
        (PARTITION + bytes(40), 0),
        (b"DSD " + struct.pack("<QQQ", 28, 7000, 0), 7000),
        (b"DSD " + struct.pack("<QQQ", 28, 7000, 6000), 6000),
        (struct.pack(">I4s", 8, b"ftyp") + index(0, 500, 700), 8 + 56 + 10 + 1200),
        (struct.pack(">I4s", 8, b"ftyp") + index(1, 500, 700), 8 + 64 + 10 + 1200),
        (struct.pack(">I4s", 8, b"ftyp") + struct.pack(">I4s", 8, b"moof") + index(0, 500), 0),
        (b"ID3", 0),
        (b"", 0),
    ],
)
def test_by_the_sizes_in_the_file(content: bytes, size: int) -> None:
    assert promised(content) == size


BEGINNINGS = (RIFX, CAF, W64, ASF_HEAD, b"FLV\1", b".RMF", PARTITION, b"DSD ", b"\0\0\0\x08ftyp\0\0\0\x20sidx")


@pytest.mark.parametrize("beginning", BEGINNINGS)
def test_any_bytes_behind_a_beginning_are_read_without_an_error(tmp_path: Path, beginning: bytes) -> None:
    noise = random.Random(20)
    for length in (*range(64), *[200] * 200):
        tail = bytes(noise.choice((0, 0, 1, 127, 128, 255, noise.randrange(256))) for _ in range(length))
        assert promised(beginning + tail) >= 0
