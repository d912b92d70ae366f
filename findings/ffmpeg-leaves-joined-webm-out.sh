#!/usr/bin/env bash
# ffmpeg 9.0.2 (PyPI's imageio-ffmpeg 0.8.1; 5.1.9 of Debian 12 alike): the bytes of two WebM recordings, one behind the
# other, are a stream of EBML documents (RFC 8794, section 4), which it reads on through: two of a browser's kind, whose
# segments have no size, are all decoded. Behind such a one, a recording whose segment has a size is left out, with exit
# code 0 and without a line in the log: half of what was said is missing. In the other order all of it is there.
# Expected: both are decoded, or an error. Seen: the lines below.
# Remedy: cut the file at its segments, and decode the parts. Fails (exit 1) once the lines are others.
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
    command = (imageio_ffmpeg.get_ffmpeg_exe(), "-v", "warning", "-nostdin", "-y", *arguments)
    done = subprocess.run(command, capture_output=True, check=True)
    return done.stdout, done.stderr.decode()


def recorded(name, *options):
    ffmpeg("-f", "lavfi", "-i", f"sine=duration=5:sample_rate={RATE}", "-c:a", "libopus", *options, name)
    return open(name, "rb").read()


def decoded(*parts):
    open("joined.webm", "wb").write(b"".join(parts))
    samples, log = ffmpeg("-i", "joined.webm", "-f", "s16le", "-ac", "1", "-ar", str(RATE), "-")
    return round(len(samples) / 2 / RATE), log


browsers, sized = recorded("browsers.webm", "-live", "1"), recorded("sized.webm")
print("ffmpeg", imageio_ffmpeg.get_ffmpeg_version())
found = {
    "two without a size": decoded(browsers, browsers),
    "one with a size, then one without": decoded(sized, browsers),
    "one without a size, then one with": decoded(browsers, sized),
}
for what, (seconds, log) in found.items():
    print(f"{what}: {seconds} s of 10; log: {log[:200]!r}")
sys.exit([seconds for seconds, _ in found.values()] != [10, 10, 5] or bool(found["one without a size, then one with"][1]))
PYTHON
