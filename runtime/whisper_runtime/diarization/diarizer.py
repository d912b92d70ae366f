"""The speakers of a recording: speech, the voices in it, how many there are, and who speaks when."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np

from whisper_runtime.diarization import clustering, references
from whisper_runtime.diarization.embedding import EmbeddingModel, Voices, VoiceScale, voices
from whisper_runtime.diarization.interface import Cancelled, KnownSpeaker, SpeakerBounds, SpeakerTurn
from whisper_runtime.diarization.mel import SAMPLE_RATE
from whisper_runtime.diarization.names import named_turns
from whisper_runtime.diarization.recorded_voice import RecordedVoice, likenesses
from whisper_runtime.diarization.turns import stretches
from whisper_runtime.diarization.windows import windows_of
from whisper_runtime.engine.interface import Samples
from whisper_runtime.engine.speech.loudness import detection_gain
from whisper_runtime.engine.speech.network import Probabilities, no_memory, probabilities
from whisper_runtime.engine.speech.spans import Span, SpeechDetection, speech_spans

PIECE: Final = 60 * SAMPLE_RATE
"""Samples between which it can be cancelled."""
DETECTION: Final = SpeechDetection(min_speech_duration_ms=150, min_silence_duration_ms=200, speech_pad_ms=50)
"""Speakers change in pauses, so that short ones end a span."""


FindCentres = Callable[[Sequence[Voices], SpeakerBounds, VoiceScale], clustering.Vectors]


class VoiceDiarizer:
    """The Diarizer by an embedding model; it keeps nothing of a recording."""

    def __init__(self, model: EmbeddingModel, digest: str, centres: FindCentres = clustering.speaker_centres) -> None:
        self._model, self._digest, self._centres = model, digest, centres

    def clustered_by(self, centres: FindCentres) -> VoiceDiarizer:
        """The same with another way to find speakers, to be compared with ours."""
        return VoiceDiarizer(self._model, self._digest, centres)

    @property
    def digest(self) -> str:
        return self._digest

    def turns(
        self,
        samples: Samples,
        bounds: SpeakerBounds,
        known: Sequence[KnownSpeaker],
        *,
        is_cancelled: Callable[[], bool],
        on_progress: Callable[[float], None] | None = None,
    ) -> Sequence[SpeakerTurn]:
        anchors = [self._anchor(speaker, is_cancelled) for speaker in known]
        spoken, spans = _speech(samples, is_cancelled)
        windows = [windows_of(span) for span in spans]
        every = [window for some in windows for window in some]
        found = voices(self._model, samples, every, is_cancelled, on_progress)
        if on_progress:
            on_progress(len(samples) / SAMPLE_RATE)
        if not len(found):
            return []
        scale = self._model.scale
        of_spans = np.split(found, np.cumsum([len(some) for some in windows])[:-1])
        centres = self._centres(of_spans, bounds, scale)
        likeness = clustering.likeness(found, centres)
        names = dict[int, str]()
        if known:
            recorded = _recorded(samples, every, likeness, centres)
            like_known = likenesses(recorded, anchors, self._model, is_cancelled)
            names = {row: known[column].name for row, column in references.named(like_known, scale).items()}
        return named_turns(stretches(spans, windows, likeness, spoken), names, {speaker.name for speaker in known})

    def voices(self, samples: Samples) -> list[Voices]:
        """Those of the windows of each span of speech, in order."""
        _, spans = _speech(samples, lambda: False)
        return [voices(self._model, samples, windows_of(span), lambda: False) for span in spans]

    def _anchor(self, speaker: KnownSpeaker, is_cancelled: Callable[[], bool]) -> RecordedVoice:
        _, spans = _speech(speaker.samples, is_cancelled)
        references.check_speech(speaker.name, spans)
        windows = [window for span in spans for window in windows_of(span)]
        found = voices(self._model, speaker.samples, windows, is_cancelled)
        return RecordedVoice(references.anchor(speaker.name, found, self._model.scale), speaker.samples, windows)


def _recorded(
    samples: Samples, windows: Sequence[Span], likeness: clustering.Vectors, centres: clustering.Vectors
) -> list[RecordedVoice]:
    """The speakers by their `centres`, each with the windows that are like nobody's more."""
    nearest, best = likeness.argmax(axis=1), likeness.argmax(axis=0)
    found = list[RecordedVoice]()
    for number, centre in enumerate(centres):
        own = np.flatnonzero(nearest == number).tolist()
        # Every window of a speaker can be more like another one's: that which is most like the speaker's is it then.
        found.append(RecordedVoice(centre, samples, [windows[at] for at in own or [int(best[number])]]))
    return found


def _speech(samples: Samples, is_cancelled: Callable[[], bool]) -> tuple[Probabilities, list[Span]]:
    """How likely each 32 ms are speech, and the spans of it."""
    gain, memory, found = detection_gain(samples), no_memory(), [np.zeros(0, np.float32)]
    for at in range(0, len(samples), PIECE):
        if is_cancelled():
            raise Cancelled
        probability, memory = probabilities(samples[at : at + PIECE] * gain, memory)
        found.append(probability)
    whole = np.concatenate(found)
    return whole, speech_spans(whole, len(samples) / SAMPLE_RATE, DETECTION)
