#!/usr/bin/env bash
# A WAV that ffmpeg writes into a pipe (imageio-ffmpeg 0.8.1's 9.0.2; text-to-speech servers that stream do the same)
# has 0xFFFFFFFF for its sizes, for it cannot go back. Programs that go by the header take a second of sound for 37
# hours: Python's own `wave` (3.11), mutagen 1.48.1, tinytag 2.3.2. soundfile 0.14.0 (libsndfile) and ffmpeg look at the
# file's size and are right; ffmpeg that reads it from a pipe again says N/A.
# Expected: that readers agree, or that one which cannot know says so. Seen: the table below. A service that refuses
# long files by the declared length refuses such a file, and one that bills by it bills it.
# Remedy: count samples; take sizes above the file's own as unknown. Fails (exit 1) once the table is another.
set -euo pipefail
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
python3 -m venv "$directory/venv"
"$directory/venv/bin/pip" install --quiet imageio-ffmpeg==0.8.1 mutagen==1.48.1 tinytag==2.3.2 soundfile==0.14.0
"$directory/venv/bin/python" - "$directory/piped.wav" <<'PYTHON'
import re
import subprocess
import sys
import wave

import imageio_ffmpeg
import mutagen
import soundfile
import tinytag

PATH = sys.argv[1]
FFMPEG = imageio_ffmpeg.get_ffmpeg_exe(), "-hide_banner", "-nostdin"
tone = ("-f", "lavfi", "-i", "sine=duration=1:sample_rate=16000")
with open(PATH, "wb") as file:
    file.write(subprocess.run((*FFMPEG, *tone, "-f", "wav", "-"), capture_output=True, check=True).stdout)


def by_wave():
    with wave.open(PATH) as file:
        return file.getnframes() / file.getframerate()


def by_ffmpeg(source, content=b""):
    report = subprocess.run((FFMPEG[0], "-hide_banner", "-i", source), input=content, capture_output=True).stderr
    hours, minutes, seconds = re.search(rb"Duration: (?:(\d+):(\d+):([\d.]+)|N/A)", report).groups()
    return None if hours is None else 3600 * int(hours) + 60 * int(minutes) + float(seconds)


found = {
    "Python's wave": by_wave(),
    "mutagen": mutagen.File(PATH).info.length,
    "tinytag": tinytag.TinyTag.get(PATH).duration,
    "soundfile": soundfile.info(PATH).duration,
    "ffmpeg, from a file": by_ffmpeg(PATH),
    "ffmpeg, from a pipe": by_ffmpeg("-", open(PATH, "rb").read()),
}
for reader, seconds in found.items():
    print(f"{reader:19} {'not known' if seconds is None else f'{seconds:8.0f} s'}")
sys.exit([None if seconds is None else round(seconds / 3600) for seconds in found.values()] != [37, 37, 37, 0, 0, None])
PYTHON
