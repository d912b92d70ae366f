"""python -m benchmarks.gpu.measure.encoder: an encoding by the number of its windows, and a window's spectrogram."""

from __future__ import annotations

import numpy as np
import torch

from benchmarks.gpu.measure.job import StageJob, job, spread
from whisper_runtime.engine.policy.mel import spectrogram


def main() -> None:
    one = job("encoder")
    model = one.load_random()
    with torch.inference_mode():
        for windows in one.size.windows:
            mel = 0.1 * torch.randn(windows, model.dims.n_mels, 3000, device=one.device)
            taken = one.milliseconds(lambda mel=mel: model.encoder(mel))
            each = min(taken) / windows
            one.tell(windows=windows, ms=spread(taken), ms_a_window=round(each, 2), reaches=_speed(one, each))
        samples = np.zeros(int(one.size.seconds * 16_000), dtype=np.float32)
        taken = one.milliseconds(lambda: [*spectrogram(samples, model.dims.n_mels, one.device)])
        one.tell(spectrogram_ms=spread(taken))


def _speed(one: StageJob, milliseconds: float) -> str:
    """By the operations of a window: 12 · width² weights a layer over 1,500 positions, and attention over 1,500²."""
    width, positions = one.size.width, 1500
    operations = one.size.layers * (2 * positions * 12 * width**2 + 4 * positions**2 * width)
    return f"{operations / milliseconds / 1e9:.0f} TFLOP/s"


if __name__ == "__main__":
    main()
