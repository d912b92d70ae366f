"""The spectra that wespeaker's and 3D-Speaker's networks take: kaldi's log mel bands, by kaldi-native-fbank.

As wespeaker computes them (wespeaker/cli/speaker.py, compute_fbank): 25 ms every 10 ms by a Hamming window, without
dither, less their mean over the piece.
"""

from __future__ import annotations

from typing import Any, Final, cast

import kaldi_native_fbank
import numpy as np
import numpy.typing as npt

from whisper_runtime.diarization.mel import SAMPLE_RATE
from whisper_runtime.engine.interface import Samples

BANDS: Final = 80
FRAME_MILLISECONDS: Final = 25
STEP_MILLISECONDS: Final = 10
kaldi: Final = cast(Any, kaldi_native_fbank)


def frames_of(samples: int) -> int:
    """Of a piece of so many samples: those that lie wholly within it."""
    frame, step = (SAMPLE_RATE * some // 1000 for some in (FRAME_MILLISECONDS, STEP_MILLISECONDS))
    return 1 + (samples - frame) // step


def log_mel_bands(piece: Samples, scale: float) -> npt.NDArray[np.float32]:
    """Shape (frames, BANDS). `scale`: what the samples are multiplied by, 1 or 32768."""
    options = kaldi.FbankOptions()
    options.frame_opts.samp_freq = SAMPLE_RATE
    options.frame_opts.frame_length_ms = FRAME_MILLISECONDS
    options.frame_opts.frame_shift_ms = STEP_MILLISECONDS
    options.frame_opts.window_type = "hamming"
    options.frame_opts.dither = 0.0
    options.mel_opts.num_bins = BANDS
    bands = kaldi.OnlineFbank(options)
    bands.accept_waveform(SAMPLE_RATE, (piece * np.float32(scale)).tolist())
    bands.input_finished()
    found: npt.NDArray[np.float32] = np.stack([bands.get_frame(at) for at in range(bands.num_frames_ready)])
    return found - found.mean(axis=0)
