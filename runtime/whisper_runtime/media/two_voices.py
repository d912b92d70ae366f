"""The proof that a loaded speaker encoder tells voices apart: a dialogue of two whose turns are known.

`espeak-ng -v en-us -s 130` speaks A's lines and `-v en-us+f3` B's, at 16 kHz: nobody's voice is in the package.
"""

from __future__ import annotations

import wave
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from whisper_runtime.contract.files import PACKAGED_GOLDEN_DIR
from whisper_runtime.diarization.interface import SpeakerTurn
from whisper_runtime.engine.interface import Samples
from whisper_runtime.media.self_test import NotProven, read_wav

DIALOGUE: Final = Path(PACKAGED_GOLDEN_DIR) / "dialogue.wav"
TURNS: Final = (
    SpeakerTurn(0.06, 2.58, "A"),
    SpeakerTurn(3.56, 5.81, "B"),
    SpeakerTurn(6.80, 9.35, "A"),
    SpeakerTurn(10.34, 13.03, "B"),
)
"""Please call me back tomorrow morning. I am in a meeting until ten o'clock. Then I will try again in the afternoon.
Thank you, that is very kind of you."""
LEAST_RIGHT: Final = 0.8
"""Share of those seconds that must be the right speaker's; an encoder of random numbers gives all of them to one."""


@dataclass(frozen=True)
class Told:
    """What was made of the dialogue."""

    speakers: int
    right: float
    """Share, 0 to 1, of the seconds in which somebody speaks that are given to who does."""

    @property
    def is_right(self) -> bool:
        return self.speakers == len({turn.speaker for turn in TURNS}) and self.right >= LEAST_RIGHT

    def __str__(self) -> str:
        return f"{self.speakers} speakers in a dialogue of two, and {self.right:.0%} of its seconds are the right one's"


def told(found: Iterable[tuple[float, float, str]]) -> Told:
    """`found`: start and end in seconds, and speaker, of each turn or segment."""
    turns = list(found)
    common = sum(
        max(0.0, min(end, turn.end) - max(start, turn.start))
        for start, end, speaker in turns
        for turn in TURNS
        if turn.speaker == speaker
    )
    return Told(len({speaker for *_, speaker in turns}), common / sum(turn.end - turn.start for turn in TURNS))


def prove_speakers(encoder: str, find: Callable[[Samples], Sequence[SpeakerTurn]]) -> None:
    """Has the speakers of the dialogue found; `encoder`: as the configuration names it.

    Raises NotProven where they are not told apart, or the dialogue cannot be read.
    """
    try:
        samples = read_wav(DIALOGUE)
    except (OSError, EOFError, wave.Error) as error:
        raise NotProven(f"the dialogue of two voices cannot be read ({error}): install the runtime anew") from None
    found = told((turn.start, turn.end, turn.speaker) for turn in find(samples))
    if not found.is_right:
        raise NotProven(
            f"the speaker encoder {encoder} finds {found}, at least {LEAST_RIGHT:.0%} must be: check that "
            "spec.diarization.model (WHISPER_DIARIZATION_MODEL) names an encoder of voices"
        )
