"""Which windows are one speaker's, and how many speakers there are; pure.

Average linkage by cosine joins the windows to a tree. From its root on, a group is two speakers where windows of its
two halves are less alike than windows within a half: noise and telephones make all voices alike, and so the quotient
tells more than any likeness. How much less depends on how long the shorter half is: a few lines in a funny voice are a
group soon, and minutes of speech only where it is another voice. A long recording is clustered in blocks, and then the
blocks' speakers are.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, cast

import numpy as np
import numpy.typing as npt
from scipy.cluster import hierarchy
from scipy.spatial.distance import squareform

from whisper_runtime.diarization.embedding import Voices, VoiceScale
from whisper_runtime.diarization.interface import SpeakerBounds
from whisper_runtime.diarization.windows import STEP_SECONDS

BLOCK: Final = 2000
"""Windows that are compared with each other: some 13 minutes, and 32 MB."""
IN_A_BLOCK: Final = 0.03
"""Added to each threshold within a block: what is apart there can still be joined."""
MOST_OF_A_BLOCK: Final = 64
LEAST_WINDOWS: Final = 5
"""Of a speaker, some 2 s: fewer are laughter, a cough, or two who speak at once."""
SHORT_SECONDS, LONG_SECONDS = 3.2, 13.2
"""Speech of the shorter half, between which thresholds grow by its logarithm; in dialogues of up to 100 s of speech."""
SCALED_FROM: Final = 100.0
"""Seconds of speech in all, from which on both grow with it: who acts for ten minutes has a group for each mood."""
LOWEST: Final = 0.05
"""What thresholds go down by below SHORT_SECONDS, at most."""
NEIGHBOURS: Final = 0.5
"""Weight of the windows before and after one, in whose mean the tree is made: half of each is in it, too."""
LEAST_OF_A_REFERENCE: Final = 3
"""Windows of each of two voices in a reference, and of a speaker of whom the request says that there is one."""
ROUNDS: Final = 3

Vectors = npt.NDArray[np.float32]


Threshold = Callable[[float], float]
"""The quotient below which a group is two speakers, by the windows of its shorter half."""


class Split(NamedTuple):
    excess: float
    """Of the threshold over the quotient: the more, the surer."""
    halves: tuple[int, int]
    """Numbers of nodes."""


@dataclass(frozen=True)
class VoiceTree:
    """Groups of windows: node i is item i, and node items + i joins the two nodes of row i of `joins`."""

    joins: npt.NDArray[np.intp]
    """Shape (items - 1, 2)."""
    sums: Vectors
    """Of the windows of each node, shape (2 * items - 1, width)."""
    counts: npt.NDArray[np.float64]
    """Windows of each node."""

    @property
    def root(self) -> int:
        return len(self.counts) - 1

    def split(self, node: int, least: int, threshold: Threshold, *, is_forced: bool = False) -> Split | None:
        """The first halves of at least so many windows each, from a group downwards, whose quotient is below the
        threshold; None: there are none. `is_forced`: whatever their quotient is.
        """
        for smaller, halves in self.halves(node, least):
            excess = threshold(smaller) - self.quotient(*halves)
            if excess > 0 or is_forced:
                return Split(excess, halves)
        return None

    def halves(self, node: int, least: int) -> Iterator[tuple[float, tuple[int, int]]]:
        """Into which a group falls, and then the larger one of them, and so on, where each has so many windows; before
        them the windows of the shorter one."""
        items = len(self.joins) + 1
        while node >= items:
            left, right = self.joins[node - items].tolist()
            smaller = float(min(self.counts[left], self.counts[right]))
            if smaller >= least:
                yield smaller, (left, right)
            node = left if self.counts[left] > self.counts[right] else right

    def quotient(self, left: int, right: int) -> float:
        counts = self.counts[[left, right]]
        between = float(self.sums[left] @ self.sums[right]) / counts.prod()
        pairs = counts * (counts - 1)
        within = ((self.sums[[left, right]] ** 2).sum(axis=1) - counts) / pairs
        return float(between) / max(float(np.average(within, weights=counts)), 1e-6)


def speaker_centres(spans: Sequence[Voices], bounds: SpeakerBounds, scale: VoiceScale) -> Vectors:
    """The middle of each speaker's windows, shape (speakers, width), each of length 1; at least one.

    `spans`: the windows of each span of speech, in order. Fewer than `bounds.least` are found where there are too few
    windows for so many.
    """
    smooth = np.concatenate([with_neighbours(some) for some in spans])
    threshold = _threshold(scale, len(smooth))
    if len(smooth) > BLOCK:
        of_a_block = SpeakerBounds(bounds.least, MOST_OF_A_BLOCK)
        found = [
            _speakers(block, np.ones(len(block)), lambda windows: threshold(windows) + IN_A_BLOCK, of_a_block)
            for block in _blocks(smooth)
        ]
        sums = np.concatenate([some for some, _ in found])
        counts = np.concatenate([some for _, some in found])
    else:
        sums, counts = smooth.astype(np.float32), np.ones(len(smooth))
    sums, _ = _speakers(sums, counts, threshold, bounds)
    return _settled(np.concatenate(spans), _unit(sums))


def are_two_speakers(voices: Voices, scale: VoiceScale) -> bool:
    """Whether the few windows of a reference are of two voices that are clearly apart."""
    tree = tree_of(voices)
    split = tree.split(tree.root, LEAST_OF_A_REFERENCE, lambda _: scale.of_a_reference, is_forced=True)
    return split is not None and split.excess > 0


def tree_of(voices: Voices) -> VoiceTree:
    """Of windows that are few enough to be compared with each other."""
    return _tree(voices.astype(np.float32), np.ones(len(voices)))


def middle(voices: Voices) -> Vectors:
    """Of windows of one speaker, shape (width,), of length 1."""
    return _unit(voices.astype(np.float32).sum(axis=0, keepdims=True))[0]


def likeness(voices: Voices, centres: Vectors) -> Vectors:
    """Cosine of each window with each centre, shape (windows, centres)."""
    return np.concatenate([block @ centres.T for block in _blocks(voices)])


def _threshold(scale: VoiceScale, windows: int) -> Threshold:
    """In a recording of so many windows."""
    part = min(1.0, SCALED_FROM / (windows * STEP_SECONDS))
    slope = (scale.of_long - scale.of_short) / math.log(LONG_SECONDS / SHORT_SECONDS)

    def threshold(smaller: float) -> float:
        missing = math.log(LONG_SECONDS / (smaller * STEP_SECONDS * part))
        return max(scale.of_short - LOWEST, scale.of_long - slope * max(0.0, missing))

    return threshold


def with_neighbours(span: Voices) -> Voices:
    """The windows of one span, each with some of its neighbours."""
    voices = span.astype(np.float32)
    found = voices.copy()
    found[1:] += NEIGHBOURS * voices[:-1]
    found[:-1] += NEIGHBOURS * voices[1:]
    return _unit(found).astype(np.float16)


def _speakers(
    sums: Vectors, counts: npt.NDArray[np.float64], threshold: Threshold, bounds: SpeakerBounds
) -> tuple[Vectors, npt.NDArray[np.float64]]:
    """Sums and counts of the speakers' windows, from those of items: the surest split is made first."""
    tree = _tree(sums, counts)
    found: list[int] = [tree.root]
    while len(found) < bounds.most:
        splits = {node: split for node in found if (split := tree.split(node, LEAST_WINDOWS, threshold))}
        if not splits and len(found) < bounds.least:
            splits = _forced(tree, found, threshold)
        if not splits:
            break
        node = max(splits, key=lambda one: splits[one].excess)
        found.remove(node)
        found.extend(splits[node].halves)
    return tree.sums[found], tree.counts[found]


def _forced(tree: VoiceTree, found: Sequence[int], threshold: Threshold) -> dict[int, Split]:
    """The surest split of each group, whatever its quotient is: of few windows, too, where these are another voice."""
    tried = (
        (node, tree.split(node, least, threshold, is_forced=True))
        for least in (LEAST_WINDOWS, LEAST_OF_A_REFERENCE)
        for node in found
    )
    splits = sorted(((node, split) for node, split in tried if split), key=lambda one: one[1].excess)
    return dict(splits)


def _tree(sums: Vectors, counts: npt.NDArray[np.float64]) -> VoiceTree:
    means = sums / counts[:, None].astype(np.float32)
    if len(means) == 1:
        return VoiceTree(np.zeros((0, 2), np.intp), sums, counts)
    distances = np.maximum(0, 1 - means @ means.T)
    np.fill_diagonal(distances, 0)
    joins = cast(Any, hierarchy).linkage(squareform(distances, checks=False), "average")[:, :2].astype(np.intp)
    all_sums, all_counts = list(sums), counts.tolist()
    for left, right in joins.tolist():
        all_sums.append(all_sums[left] + all_sums[right])
        all_counts.append(all_counts[left] + all_counts[right])
    return VoiceTree(joins, np.array(all_sums), np.array(all_counts))


def _settled(voices: Voices, centres: Vectors) -> Vectors:
    """The centres after each window has gone to the nearest one, a few times."""
    for _ in range(ROUNDS):
        sums, counts = np.zeros_like(centres), np.zeros(len(centres), np.intp)
        for block in _blocks(voices):
            nearest = (block @ centres.T).argmax(axis=1)
            np.add.at(sums, nearest, block)
            counts += np.bincount(nearest, minlength=len(centres))
        centres = _unit(sums[counts > 0])
    return centres


def _blocks(voices: Voices) -> Iterator[Vectors]:
    """The windows in single precision, some at a time: a long recording's are never all there in it."""
    return (block.astype(np.float32) for block in np.array_split(voices, -(-len(voices) // BLOCK)))


def _unit(vectors: npt.NDArray[Any]) -> Vectors:
    return (vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)).astype(np.float32)
