#!/usr/bin/env bash
# faster-whisper 1.2.1 (PyAV) and openai-whisper 20250625 (the program ffmpeg; here imageio-ffmpeg 0.8.1's 9.0.2, with
# the arguments of whisper/audio.py) hear different tracks of one film: faster-whisper always the first audio track
# (`container.decode(audio=0)` in faster_whisper/audio.py), ffmpeg the one that is flagged as default, and among equals
# the one with most channels.
# Expected: that a faster engine for the same model transcribes the same sound. Seen: of a film whose second track is
# the default one (the dubbed one; 880 Hz here), faster-whisper decodes the first (440 Hz), and neither says which it
# took.
# Remedy: name the track (`-map 0:a:N`), and hand the engine samples. Fails (exit 1) once both hear the same.
set -euo pipefail
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
python3 -m venv "$directory/venv"
"$directory/venv/bin/pip" install --quiet imageio-ffmpeg==0.8.1 faster-whisper==1.2.1 av==18.1.0
cd "$directory"
venv/bin/python - <<'PYTHON'
import importlib.metadata
import subprocess
import sys

import imageio_ffmpeg
import numpy
from faster_whisper import decode_audio

FFMPEG = imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-nostdin"
TONES = *("-f", "lavfi", "-i", "sine=440:duration=2"), *("-f", "lavfi", "-i", "sine=880:duration=2")
TRACKS = "-map", "0", "-map", "1", "-c:a", "aac", "-disposition:a:0", "0", "-disposition:a:1", "default"


def pitch(samples):
    spectrum = numpy.abs(numpy.fft.rfft(samples))
    return round(numpy.fft.rfftfreq(len(samples), 1 / 16_000)[spectrum.argmax()])


found = set()
for film in ("film.mkv", "film.mp4"):
    subprocess.run((*FFMPEG, *TONES, *TRACKS, film), check=True)
    arguments = ("-threads", "0", "-i", film, "-f", "s16le", "-ac", "1", "-acodec", "pcm_s16le", "-ar", "16000", "-")
    decoded = subprocess.run((*FFMPEG, *arguments), capture_output=True, check=True).stdout
    by_ffmpeg, by_faster = pitch(numpy.frombuffer(decoded, numpy.int16)), pitch(decode_audio(film))
    found.add((by_ffmpeg, by_faster))
    version = importlib.metadata.version("faster-whisper")
    print(f"{film}: ffmpeg, as openai-whisper calls it: {by_ffmpeg} Hz; faster-whisper {version}: {by_faster} Hz")
sys.exit(found != {(880, 440)})
PYTHON
