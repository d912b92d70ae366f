#!/usr/bin/env bash
# ffmpeg 9.0.2 (PyPI's imageio-ffmpeg 0.8.1; 5.1.9 of Debian 12 alike): `-af aresample=async=1:first_pts=0`, the usual way
# to keep a film's time in the samples, puts silence before the sound once more wherever the sound's channels or rate
# change, as broadcasts do between a programme in stereo and one in mono or surround. The filters are built anew there,
# and the new ones fill from the film's beginning: six seconds become nine, and every later word is three seconds late.
# Expected: the silence of a late start once, as the clock goes on. Seen: the table below; nothing but a complaint of the
# muxer about its times is printed.
# Remedy: decode to one kind of samples with their times first (`-ac 1 -ar 16000 -f nut`), and fill in a second run.
# Fails (exit 1) once the table is another.
set -euo pipefail
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
python3 -m venv "$directory/venv"
"$directory/venv/bin/pip" install --quiet imageio-ffmpeg==0.8.1
cd "$directory"
venv/bin/python - <<'PYTHON'
import subprocess
import sys
from pathlib import Path

import imageio_ffmpeg

FILL = "-af", "aresample=async=1:first_pts=0"
SAMPLES = "-ac", "1", "-ar", "16000"


def ffmpeg(*arguments):
    command = (imageio_ffmpeg.get_ffmpeg_exe(), "-v", "quiet", "-nostdin", "-y", *arguments)
    return subprocess.run(command, capture_output=True, check=True).stdout


def part(channels, begins):
    """Three seconds of a broadcast, whose clock begins then."""
    sine = "-f", "lavfi", "-i", "sine=duration=3:sample_rate=48000"
    return ffmpeg(*sine, "-ac", str(channels), "-c:a", "ac3", "-output_ts_offset", str(begins), "-f", "mpegts", "-")


def seconds(*arguments):
    return round(len(ffmpeg(*arguments, *SAMPLES, "-f", "f32le", "-")) / 4 / 16_000, 1)


found = {}
for name, channels in (("stereo, stereo", 2), ("stereo, mono", 1)):
    Path("film.ts").write_bytes(part(2, 0) + part(channels, 3))
    ffmpeg("-i", "film.ts", *SAMPLES, "-f", "nut", "even.nut")
    found[name] = (seconds("-i", "film.ts", *FILL), seconds("-i", "even.nut", *FILL))
    print(f"{name}: {found[name][0]} s in one run, {found[name][1]} s in two")
sys.exit(found != {"stereo, stereo": (6.0, 6.0), "stereo, mono": (9.0, 6.0)})
PYTHON
