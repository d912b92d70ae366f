#!/usr/bin/env bash
# ffmpeg 9.0.2 (PyPI's imageio-ffmpeg 0.8.1; 5.1.9 of Debian 12 alike): `aresample=async=1`, the usual remedy for sound
# that runs away from its picture, fills gaps with silence, and also cuts. Where a track's clock jumps back by two
# seconds (recorders that correct their clock, streams that were joined), the samples that come twice by their times are
# dropped, without a line in the log: two seconds of speech are missing from the transcript.
# Expected: what is in the file is decoded; the manual says "filling and trimming", and of what it trims one thinks as of
# silence. Seen: the line below.
# Remedy: `asetpts` before it, with an expression that delays what follows a jump back. Fails (exit 1) once the line is
# another.
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

RATE = 48_000


def ffmpeg(*arguments):
    command = (imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-nostdin", "-y", *arguments)
    done = subprocess.run(command, capture_output=True, check=True)
    return done.stdout, done.stderr.decode()


def decoded(film, *filters):
    samples, log = ffmpeg("-i", film, *filters, "-f", "s16le", "-ac", "1", "-")
    return len(samples) // 2, log


SOUND = "-f", "lavfi", "-i", f"sine=duration=10:sample_rate={RATE}"
ffmpeg(*SOUND, "-af", "asetpts=PTS-gte(T\\,5)*2/TB", "-c:a", "pcm_s16le", "back.mkv")
print("ffmpeg", imageio_ffmpeg.get_ffmpeg_version())
(whole, _), (cut, log) = decoded("back.mkv"), decoded("back.mkv", "-af", "aresample=async=1")
print(f"a clock that jumps back by 2 s: {whole / RATE:.2f} s of samples, with async=1 {cut / RATE:.2f} s; log: {log!r}")
sys.exit(not (abs(whole / RATE - 10) < 0.01 and abs(cut / RATE - 8) < 0.2 and log == ""))
PYTHON
