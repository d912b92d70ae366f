#!/usr/bin/env bash
# ffmpeg 9.0.2 (PyPI's imageio-ffmpeg 0.8.1; 5.1.9 of Debian 12 alike): of a transport stream whose sound goes on in another
# PID, as a broadcast's does from one programme to the next, the first track alone is decoded. The exit status is 0.
# Expected: a warning that the sound goes on elsewhere, or all six seconds. Seen: three seconds, and no line above `info`
# that says so: a track whose parameters are not known looks as a second language would that begins later.
# Remedy: read the program maps, cut the file where the tracks change, and decode each part by itself.
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

SAMPLES = "-ac", "1", "-ar", "16000", "-f", "f32le", "-"


def ffmpeg(*arguments):
    command = (imageio_ffmpeg.get_ffmpeg_exe(), "-v", "quiet", "-nostdin", "-y", *arguments)
    return subprocess.run(command, capture_output=True, check=True).stdout


def part(pid, begins):
    """Three seconds of a broadcast, whose clock begins then."""
    sine = "-f", "lavfi", "-i", "sine=duration=3:sample_rate=48000"
    return ffmpeg(*sine, "-c:a", "aac", "-streamid", f"0:{pid}", "-output_ts_offset", str(begins), "-f", "mpegts", "-")


found = {}
for name, pid in (("the same PID", 300), ("another PID", 400)):
    Path("film.ts").write_bytes(part(300, 0) + part(pid, 3))
    found[name] = round(len(ffmpeg("-i", "film.ts", *SAMPLES)) / 4 / 16_000)
    print(f"{name}: {found[name]} s of six")
sys.exit(found != {"the same PID": 6, "another PID": 3})
PYTHON
