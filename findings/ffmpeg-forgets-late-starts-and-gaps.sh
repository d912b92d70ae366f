#!/usr/bin/env bash
# ffmpeg 9.0.2 (PyPI's imageio-ffmpeg 0.8.1; 5.1.9 of Debian 12 alike): a track decoded to samples, as every Whisper
# does, loses its clock. Where the sound begins five seconds after the picture, the samples begin with the sound; where
# it stops for five seconds and goes on (recordings that were paused, calls, streams with a hole), the gap is closed up.
# Nothing is printed, and `duration` in ffprobe is the film's.
# Expected: silence for what is missing, so that a sample's number is its time in the film. Seen: the table below. Every
# subtitle then comes too early by what is missing before it.
# Remedy: `-af aresample=async=1:first_pts=0`, which fills both. Fails (exit 1) once the table is another.
set -euo pipefail
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
python3 -m venv "$directory/venv"
"$directory/venv/bin/pip" install --quiet imageio-ffmpeg==0.8.1
cd "$directory"
venv/bin/python - <<'PYTHON'
import subprocess
import sys

import imageio_ffmpeg

PICTURE = "-f", "lavfi", "-i", "testsrc=size=64x64:rate=5:duration=15"
SOUND = "-f", "lavfi", "-i", "sine=duration=10"
LATE = *PICTURE, "-itsoffset", "5", *SOUND, "-map", "0:v", "-map", "1:a", "-c:v", "mpeg4"
GAP = *PICTURE, *SOUND, "-map", "0:v", "-map", "1:a", "-c:v", "mpeg4", "-af", "asetpts=PTS+gte(T\\,5)*5/TB"
FILMS = {
    "begins at 5 s": {"late.mkv": LATE, "late.mp4": LATE},
    "pauses from 5 s to 10 s": {"gap.mkv": GAP, "gap.mp4": GAP},
}


def ffmpeg(*arguments):
    command = (imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-nostdin", "-y", *arguments)
    return subprocess.run(command, capture_output=True, check=True).stdout


def seconds(film, *filters):
    """Of samples, as openai-whisper asks for them."""
    samples = ffmpeg("-i", film, *filters, "-f", "s16le", "-ac", "1", "-acodec", "pcm_s16le", "-ar", "16000", "-")
    return len(samples) / 2 / 16_000


right = True
print("ffmpeg", imageio_ffmpeg.get_ffmpeg_version())
for what, films in FILMS.items():
    for film, arguments in films.items():
        ffmpeg(*arguments, "-c:a", "aac", film)
        plain, filled = seconds(film), seconds(film, "-af", "aresample=async=1:first_pts=0")
        print(f"{film}: sound of 10 s that {what}: {plain:4.1f} s of samples; with aresample {filled:4.1f} s")
        right = right and abs(plain - 10) < 0.2 and abs(filled - 15) < 0.2
sys.exit(not right)
PYTHON
