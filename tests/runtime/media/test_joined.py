"""Recordings whose bytes were joined are refused where ffmpeg would read the first alone, and lose the others."""

from __future__ import annotations

import random
import subprocess
import tempfile
from pathlib import Path

import pytest

from tests.runtime.media.conftest import decoded, refused
from tests.support.media_files import FORMATS, speech_as
from whisper_runtime.media.ffmpeg_command import SAMPLE_RATE
from whisper_runtime.media.joined import has_another_form, is_joined
from whisper_runtime.media.raw_audio import UNDECLARED, DeclaredType
from whisper_runtime.media.source import JoinedFiles, source_of
from whisper_runtime.media.wav import JoinedWavs

FRAGMENTS = ("-c:a", "aac", "-movflags", "frag_keyframe+empty_moov+default_base_moof", "-frag_duration", "1000000")


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.m4a", ()),
        ("a.m4a", ("-movflags", "faststart")),
        ("a.mp4", FRAGMENTS),
        ("a.3gp", ()),
        ("a.caf", ()),
        ("a.aiff", ()),
        ("a.w64", ()),
        ("a.wma", ()),
        ("a.flv", ()),
        ("a.rm", ()),
        ("a.voc", ()),
        ("a.tta", ()),
        ("a.wv", ()),
        ("a.wtv", ()),
    ],
)
def test_two_of_a_form_are_told(jfk: Path, tmp_path: Path, name: str, options: tuple[str, ...]) -> None:
    one = speech_as(jfk, tmp_path / name, *options).read_bytes()
    other = speech_as(jfk, tmp_path / f"other-{name}", "-t", "3", *options).read_bytes()
    assert [is_joined(content) for content in (one, one + other, one[: len(one) // 2], one + b"a title")] == [
        False,
        True,
        False,
        False,
    ]


def test_four_channels_of_a_wavpack_are_one_recording(jfk: Path, tmp_path: Path) -> None:
    """In pairs, each of which begins with a block for the first samples."""
    mix = ("-af", "pan=quad|c0=c0|c1=c0|c2=c0|c3=c0")
    one = speech_as(jfk, tmp_path / "a.wv", *mix).read_bytes()
    assert [is_joined(one), is_joined(one + one)] == [False, True]


def test_two_of_an_amigas(jfk: Path, tmp_path: Path) -> None:
    subprocess.run(("sox", "-V1", jfk, tmp_path / "a.8svx"), check=True, stderr=subprocess.DEVNULL)
    one = (tmp_path / "a.8svx").read_bytes()
    assert [is_joined(one), is_joined(one + one)] == [False, True]


@pytest.mark.parametrize("begin", [b"RIFF\x18\0\0\0QLCMfmt ", b"MAC \x96\x0f\0\0\x34\0\0\0", b"MPCKSH\x0f"])
def test_two_of_forms_that_nothing_here_writes(begin: bytes) -> None:
    """Old phones' (QCP), Monkey's Audio and Musepack, whose header says how much there is."""
    one = begin + random.Random(20).randbytes(5000)
    assert [is_joined(one), is_joined(one + one)] == [False, True]


def test_avis_of_two_kinds_of_samples(jfk: Path, tmp_path: Path) -> None:
    """ffmpeg reads the second one at the first one's rate: it is twice as slow, or noise."""
    slow, fast = (speech_as(jfk, tmp_path / f"{rate}.avi", "-ar", rate).read_bytes() for rate in ("22050", "44100"))
    assert [is_joined(content) for content in (slow, slow + slow, slow + fast, fast + slow)] == [
        False,
        False,
        True,
        True,
    ]


async def test_they_are_refused_in_these_words(jfk: Path, tmp_path: Path) -> None:
    message = "The file is several recordings, one behind the other: send each of them by itself."
    path = speech_as(jfk, tmp_path / "a.m4a")
    path.write_bytes(path.read_bytes() * 2)
    error = await refused(path)
    assert (error.reason, error.message) == ("Damaged", message)


@pytest.mark.parametrize("codec", ["adpcm_ima_wav", "libmp3lame"])
async def test_so_are_wavs_of_compressed_samples(jfk: Path, tmp_path: Path, codec: str) -> None:
    path = speech_as(jfk, tmp_path / "a.wav", "-c:a", codec)
    path.write_bytes(path.read_bytes() * 2)
    assert "several WAVs" in (await refused(path)).message


def test_fragments_that_go_on_behind_their_beginning_are_one_recording(jfk: Path, tmp_path: Path) -> None:
    """As players send it again, and recorders of streams write it."""
    content = speech_as(jfk, tmp_path / "a.mp4", *FRAGMENTS).read_bytes()
    fragments = [at - 4 for at in range(len(content)) if content.startswith(b"moof", at)]
    begin = content[: fragments[0]]
    assert not is_joined(content[: fragments[5]] + begin + content[fragments[5] :])


@pytest.mark.parametrize("form", ["mp3", "ogg", "opus", "flac", "aac", "mkv", "avi", "ts", "nut"])
async def test_all_is_read_of_forms_that_can_be_joined(jfk: Path, tmp_path: Path, form: str) -> None:
    path = speech_as(jfk, tmp_path / f"a.{form}")
    path.write_bytes(path.read_bytes() * 2)
    assert len(await decoded(path)) / SAMPLE_RATE == pytest.approx(22, abs=0.3)


@pytest.mark.parametrize(("codec", "is_refused"), [(b"sowt", False), (b"twos", True), (b"apac", True)])
async def test_an_mp4_whose_samples_change_their_codec(
    jfk: Path, tmp_path: Path, codec: bytes, is_refused: bool
) -> None:
    """As where an editor joined clips: ffmpeg decodes the second form's samples as the first's, which is noise."""
    content = speech_as(jfk, tmp_path / "a.mov", "-c:a", "pcm_s16le").read_bytes()
    at = content.index(b"stsd") - 4
    size = int.from_bytes(content[at : at + 4], "big")
    second = content[at + 16 : at + 20] + codec + content[at + 24 : at + size]
    changed = bytearray(content[: at + size] + second + content[at + size :])
    changed[at + 12 : at + 16] = b"\0\0\0\2"
    for box in (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd"):
        begin = changed.rindex(box) - 4
        length = int.from_bytes(changed[begin : begin + 4], "big") + len(second)
        changed[begin : begin + 4] = length.to_bytes(4, "big")
    (tmp_path / "b.mov").write_bytes(changed)
    if is_refused:
        assert "several recordings" in (await refused(tmp_path / "b.mov")).message
    else:
        assert len(await decoded(tmp_path / "b.mov")) / SAMPLE_RATE == pytest.approx(11, abs=0.1)


OTHERS = "mp3 ogg flac webm aiff caf m4a aac ac3 ts wma w64 voc wv tta avi"


@pytest.mark.parametrize("form", OTHERS.split())
async def test_a_recording_of_another_form_behind_a_wav_is_told(jfk: Path, tmp_path: Path, form: str) -> None:
    """Its bytes are no samples of the WAV's, and no chunk to be left out."""
    other = speech_as(jfk, tmp_path / f"other.{form}").read_bytes()
    (tmp_path / "a.wav").write_bytes(jfk.read_bytes() + other)
    assert "several recordings" in (await refused(tmp_path / "a.wav")).message


MORE: dict[str, tuple[str, ...]] = {
    "mpg": ("-c:a", "mp2", "-ar", "48000"),
    "ac3": ("-ar", "48000"),
    "mp3": ("-id3v2_version", "0"),
    "aac": (),
    "au": (),
    "ts": (),
    "m2ts": (),
    "fragments.mp4": FRAGMENTS,
    "live.webm": ("-c:a", "libopus", "-live", "1"),
}
"""Forms, and options for them, that FORMATS has not."""
READ_ON = (
    {"mp3"}, {"aac"}, {"ac3", "eac3"}, {"dts"}, {"loas"}, {"thd"}, {"ts", "m2ts"}, {"mpg"}, {"flac"}, {"avi"}, {"nut"},
    {"au"}, {"ogg", "opus", "spx"}, {"webm", "mkv", "live.webm"}, {"gsm"}, {"wav"},
)  # fmt: skip
"""Forms of which ffmpeg goes on from one recording into the next, whole."""


@pytest.fixture(scope="module")
def recorded(recordings: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The same speech by its form."""
    folder, source = tmp_path_factory.mktemp("recorded"), recordings / "jfk.wav"
    forms = {**FORMATS, **MORE}
    return {
        form: speech_as(source, folder / f"a.{form}", "-t", "3", *MORE.get(form, ())).read_bytes() for form in forms
    }


def is_told(content: bytes, declared: DeclaredType = UNDECLARED) -> bool:
    with tempfile.TemporaryFile() as media:
        media.write(content)
        media.flush()
        try:
            source_of(media, declared)
        except (JoinedFiles, JoinedWavs):
            return True
        return False


@pytest.mark.parametrize("first", sorted({*FORMATS, *MORE}))
def test_any_form_behind_any_other_is_told(recorded: dict[str, bytes], first: str) -> None:
    own = next((forms for forms in READ_ON if first in forms), set[str]())
    missed = {form for form, other in recorded.items() if not is_told(recorded[first] + other)}
    assert missed == own


@pytest.mark.parametrize("first", ["mp3", "aac", "ac3", "ts", "mpg", "dts", "ogg", "flv"])
def test_so_is_one_behind_a_stream_that_is_cut(recorded: dict[str, bytes], first: str) -> None:
    """At its end, and frames at their beginning, too: somebody recorded them from their midst."""
    cut = recorded[first][0 if first in ("ogg", "flv") else 1000 : -100]
    assert not is_told(cut)
    assert is_told(cut + recorded["m4a"])
    assert is_told(cut + recorded["ac3" if first == "mp3" else "mp3"] * 2)


@pytest.mark.parametrize("form", ["mp3", "ogg", "flac", "webm", "aac", "ac3", "avi", "ts", "mpg"])
def test_one_of_the_same_form_is_read_on(recorded: dict[str, bytes], form: str) -> None:
    assert not has_another_form(recorded[form] * 2)


def test_what_is_behind_a_recording_and_is_none_is_left_out(recorded: dict[str, bytes]) -> None:
    """As what a server answered that failed, or the padding of a disk."""
    behind = b"<html>502 Bad Gateway</html>" + bytes(512)
    found = [form for form, one in recorded.items() if form != "wav" and has_another_form(one + behind)]
    assert found == []


def test_nor_are_titles_and_pictures_between_frames(recorded: dict[str, bytes]) -> None:
    """As joined MP3s have them, and programs that write a title longer than they say."""
    picture = b"\xff\xd8\xff\xe0\0\x10JFIF\0" + random.Random(20).randbytes(20_000)
    title = b"ID3\3\0\0\0\0\x7f\x7f" + picture
    one = recorded["mp3"] + b"APETAGEX" + bytes(60) + b"TAG" + bytes(125) + title + recorded["mp3"]
    assert [is_told(one), is_told(title[:6] + b"\0\0\2\0" + bytes(256) + one)] == [False, False]


@pytest.mark.parametrize("first", ["mp3", "flac"])
def test_nor_are_several_titles_before_it(recorded: dict[str, bytes], first: str) -> None:
    titles = (b"ID3\4\0\0\0\0\2\0" + bytes(256)) * 2
    assert not is_told(titles + recorded[first])
    assert is_told(titles + recorded[first] + recorded["m4a"])


@pytest.mark.parametrize(("form", "codec"), [("mov", "ac3"), ("mkv", "ac3"), ("mov", "libmp3lame"), ("avi", "ac3")])
def test_frames_in_a_container_are_its_own(jfk: Path, tmp_path: Path, form: str, codec: str) -> None:
    content = speech_as(jfk, tmp_path / f"a.{form}", "-c:a", codec, "-ar", "48000").read_bytes()
    assert [is_told(one) for one in (content, content[:-2000])] == [False, False]


def test_an_old_quicktime_has_its_index_behind_its_samples(jfk: Path, tmp_path: Path) -> None:
    content = speech_as(jfk, tmp_path / "a.mov", "-c:a", "pcm_s16le").read_bytes()
    old = content[content.index(b"wide") - 4 :]
    assert not is_told(old)
    assert is_told(old + jfk.read_bytes())


@pytest.mark.parametrize(("first", "second"), [("m4a", "wav"), ("mp3", "ogg"), ("ogg", "mp3")])
async def test_it_is_refused_in_these_words(
    recorded: dict[str, bytes], tmp_path: Path, first: str, second: str
) -> None:
    """ffmpeg leaves it out, without a word in its log that helps."""
    (tmp_path / "joined").write_bytes(recorded[first] + recorded[second])
    assert "several recordings" in (await refused(tmp_path / "joined")).message


@pytest.mark.parametrize("tags", [("-id3v2_version", "0"), ("-id3v2_version", "0", "-write_xing", "0")])
async def test_an_mp3_without_a_title_behind_a_wav_is_told_by_its_frames(
    jfk: Path, tmp_path: Path, tags: tuple[str, ...]
) -> None:
    other = speech_as(jfk, tmp_path / "other.mp3", *tags).read_bytes()
    assert other[0] == 0xFF
    (tmp_path / "a.wav").write_bytes(jfk.read_bytes() + other)
    assert "several recordings" in (await refused(tmp_path / "a.wav")).message


@pytest.mark.parametrize(("title", "is_refused"), [(26, False), (20_000, True)])
async def test_a_wav_behind_one_with_a_title_at_its_end(
    jfk: Path, tmp_path: Path, title: int, is_refused: bool
) -> None:
    """As editors write it: ffmpeg reads the first alone. A short one is read on, as a click."""
    one = jfk.read_bytes() + b"LIST" + title.to_bytes(4, "little") + bytes(title)
    (tmp_path / "a.wav").write_bytes(one * 2)
    if is_refused:
        assert "several WAVs" in (await refused(tmp_path / "a.wav")).message
    else:
        assert len(await decoded(tmp_path / "a.wav")) / SAMPLE_RATE == pytest.approx(22, abs=0.1)
    (tmp_path / "b.wav").write_bytes(one + speech_as(jfk, tmp_path / "b.mp3").read_bytes())
    assert "several recordings" in (await refused(tmp_path / "b.wav")).message


def test_a_fragmented_mp4_that_goes_on_in_one_without_fragments(jfk: Path, tmp_path: Path) -> None:
    fragments = speech_as(jfk, tmp_path / "a.mp4", *FRAGMENTS).read_bytes()
    whole = speech_as(jfk, tmp_path / "a.m4a").read_bytes()
    assert [is_joined(one) for one in (fragments, fragments + whole, whole + fragments)] == [False, True, True]


async def test_a_title_behind_a_wav_is_no_recording(jfk: Path, tmp_path: Path) -> None:
    """As programs write it that know it of MP3s."""
    (tmp_path / "a.wav").write_bytes(jfk.read_bytes() + b"ID3\3\0\0\0\0\x02\0" + bytes(256))
    assert len(await decoded(tmp_path / "a.wav")) == 11 * SAMPLE_RATE
