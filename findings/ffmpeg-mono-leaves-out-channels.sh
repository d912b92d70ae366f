#!/usr/bin/env bash
# ffmpeg 9.0.2 (PyPI's imageio-ffmpeg 0.8.1; 5.1.9 of Debian 12 alike but for 10, 12 and 14 channels), `-ac 1`, as
# openai-whisper decodes: a WAV of several microphones does not become their mix. A plain WAV names no loudspeakers, so
# ffmpeg guesses them from the number of channels, and what it takes for the subwoofer is left out: of three channels
# the third, of six to eight the fourth. Of 10 to 16 the guess is a cinema's, and three to five are left out (5.1.9: of
# 16, the last eight). Nine, eleven, thirteen and fifteen channels are an error. PyAV, and so faster-whisper, does the
# same.
# Expected: an average of all channels, as of two. Seen: the table below; nothing is printed for what is left out, and a
# meeting recorded on a six-track recorder loses whoever had the fourth microphone.
# Remedy: `-af "pan=mono|c0<c0+c1+…"`, or decode the channels apart. Fails (exit 1) once the table is another.
set -euo pipefail
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
python3 -m venv "$directory/venv"
"$directory/venv/bin/pip" install --quiet imageio-ffmpeg==0.8.1
"$directory/venv/bin/python" - "$directory/tracks.wav" <<'PYTHON'
import array
import math
import subprocess
import sys
import wave

import imageio_ffmpeg

RATE, LOUD = 16_000, 16_000
TONE = [int(LOUD * math.sin(2 * math.pi * 440 * second / RATE)) for second in range(RATE // 10)]
FFMPEG = imageio_ffmpeg.get_ffmpeg_exe()
LEFT_OUT = {3: [3], 6: [4], 7: [4], 8: [4], 10: [4, 9, 10], 12: [4, 11, 12], 14: [4, 13, 14], 16: [4, 13, 14, 15, 16]}
REFUSED = 9, 11, 13, 15


def mono(path, channels, speaking):
    """What `-ac 1` makes of a WAV in which one channel speaks; nothing where ffmpeg refuses it."""
    samples = array.array("h", (0,)) * (len(TONE) * channels)
    samples[speaking::channels] = array.array("h", TONE)
    with wave.open(path, "wb") as file:
        file.setparams((channels, 2, RATE, 0, "NONE", None))
        file.writeframes(samples.tobytes())
    command = (FFMPEG, "-v", "quiet", "-nostdin", "-i", path, "-f", "s16le", "-ac", "1", "-ar", str(RATE), "-")
    return array.array("h", subprocess.run(command, capture_output=True).stdout)


found = {}
print("ffmpeg", imageio_ffmpeg.get_ffmpeg_version())
for channels in range(1, 17):
    mixes = [mono(sys.argv[1], channels, speaking) for speaking in range(channels)]
    silent = [number for number, mix in enumerate(mixes, 1) if mix and max(map(abs, mix)) < LOUD / 1000]
    found[channels] = silent if any(mixes) else None
    print(f"{channels:2} channels:", "refused" if not any(mixes) else f"silent {silent}" if silent else "all are heard")
expected = {channels: LEFT_OUT.get(channels, []) for channels in found} | dict.fromkeys(REFUSED)
sys.exit(found != expected)
PYTHON
