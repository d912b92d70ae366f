"""Another way of clustering, on the same windows and voices: PyPI's spectralcluster, with its authors' settings.

It is no dependency of ours: `pip install spectralcluster scikit-learn` first. As published (Wang et al. 2018, "Speaker
diarization with LSTM") it finds from two to seven speakers.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Any

import numpy as np

from whisper_runtime.diarization.clustering import Vectors, middle
from whisper_runtime.diarization.diarizer import VoiceDiarizer
from whisper_runtime.diarization.embedding import Voices, VoiceScale
from whisper_runtime.diarization.interface import Diarizer, SpeakerBounds


def spectral(ours: VoiceDiarizer) -> Diarizer:
    """Raises ModuleNotFoundError where the package is not there."""
    configs: Any = import_module("spectralcluster.configs")

    def centres(spans: Sequence[Voices], _bounds: SpeakerBounds, _scale: VoiceScale) -> Vectors:
        voices = np.concatenate(spans).astype(np.float32)
        labels = configs.icassp2018_clusterer.predict(voices)
        return np.array([middle(voices[labels == label].astype(np.float16)) for label in np.unique(labels)])

    return ours.clustered_by(centres)
