"""The speakers' names; pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import count
from string import ascii_uppercase

from whisper_runtime.diarization.interface import SpeakerTurn
from whisper_runtime.diarization.turns import Stretch


def letters() -> Iterator[str]:
    """A, B, … Z, AA, AB, …"""
    for number in count(1):
        name = ""
        while number:
            number, last = divmod(number - 1, len(ascii_uppercase))
            name = ascii_uppercase[last] + name
        yield name


def named_turns(stretches: Sequence[Stretch], known: Mapping[int, str], taken: Collection[str]) -> list[SpeakerTurn]:
    """Turns with names: those of `known` speakers by their number, and letters for others as they appear.

    A letter that is in `taken`, as a known speaker's name, is nobody else's.
    """
    free = (letter for letter in letters() if letter not in taken)
    names = dict(known)
    for stretch in stretches:
        if stretch.speaker not in names:
            names[stretch.speaker] = next(free)
    return [SpeakerTurn(one.start, one.end, names[one.speaker], one.overlaps) for one in stretches]
