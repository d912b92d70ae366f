"""Which windows are one speaker's, and how many speakers there are; pure.

Average linkage by cosine joins the windows to a tree. From its root on, a group is two speakers where windows of its
two halves are much less alike than windows within a half: noise and telephones make all voices alike, and so the
quotient tells more than any likeness. A long recording is clustered in blocks, and then the blocks' speakers are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, NamedTuple, cast

import numpy as np
import numpy.typing as npt
from scipy.cluster import hierarchy
from scipy.spatial.distance import squareform

from whisper_runtime.diarization.embedding import Voices
from whisper_runtime.diarization.interface import SpeakerBounds

BLOCK: Final = 2000
"""Windows that are compared with each other: some 27 minutes, and 32 MB."""
TWO_SPEAKERS: Final = 0.84
"""Likeness between two halves by that within them, below which they are two speakers; benchmarks/diarization has
measured 0.65 to 0.83 for two speakers, and from 0.86 on for one."""
OF_A_BLOCK: Final = 0.9
"""The same within a block: what is apart there can still be joined."""
MOST_OF_A_BLOCK: Final = 64
LEAST_WINDOWS: Final = 4
"""Of a speaker: fewer are laughter, a cough, or two who speak at once."""
RARE: Final = 0.02
"""The part of all windows below which a group is a speaker only if it is clearly another one: in ten minutes, a few
lines in a funny voice are enough for a group."""
OF_RARE: Final = 0.75
"""The same as TWO_SPEAKERS for such a group."""
OF_A_REFERENCE: Final = 0.69
"""The same within a few seconds: of references of one actor, who changes his voice, the lowest of 40 had 0.73."""
LEAST_OF_A_REFERENCE: Final = 3
ROUNDS: Final = 3

Vectors = npt.NDArray[np.float32]


class Split(NamedTuple):
    quotient: float
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

    def split(self, node: int, least: int) -> Split | None:
        """Where a group falls into halves of at least so many windows each, of which none is rare and much like the
        other; None: nowhere."""
        items = len(self.joins) + 1
        while node >= items:
            left, right = self.joins[node - items].tolist()
            smaller = min(self.counts[left], self.counts[right])
            if smaller >= least:
                quotient = self._quotient(left, right)
                if smaller >= RARE * self.counts[self.root] or quotient < OF_RARE:
                    return Split(quotient, (left, right))
            node = left if self.counts[left] > self.counts[right] else right
        return None

    def _quotient(self, left: int, right: int) -> float:
        counts = self.counts[[left, right]]
        between = float(self.sums[left] @ self.sums[right]) / counts.prod()
        pairs = counts * (counts - 1)
        within = ((self.sums[[left, right]] ** 2).sum(axis=1) - counts) / pairs
        return float(between) / max(float(np.average(within, weights=counts)), 1e-6)


def speaker_centres(voices: Voices, bounds: SpeakerBounds) -> Vectors:
    """The middle of each speaker's windows, shape (speakers, width), each of length 1; at least one.

    Fewer than `bounds.least` are found where the windows hold no more that are large enough.
    """
    sums, counts = voices.astype(np.float32), np.ones(len(voices))
    if len(voices) > BLOCK:
        of_blocks = [
            _speakers(block, np.ones(len(block)), OF_A_BLOCK, SpeakerBounds(bounds.least, MOST_OF_A_BLOCK))
            for block in np.array_split(sums, -(-len(voices) // BLOCK))
        ]
        sums = np.concatenate([some for some, _ in of_blocks])
        counts = np.concatenate([some for _, some in of_blocks])
    sums, _ = _speakers(sums, counts, TWO_SPEAKERS, bounds)
    return _settled(voices.astype(np.float32), _unit(sums))


def are_two_speakers(voices: Voices) -> bool:
    """Whether the few windows of a reference are of two voices that are clearly apart."""
    vectors = voices.astype(np.float32)
    tree = _tree(vectors, np.ones(len(vectors)))
    split = tree.split(tree.root, LEAST_OF_A_REFERENCE)
    return split is not None and split.quotient < OF_A_REFERENCE


def middle(voices: Voices) -> Vectors:
    """Of windows of one speaker, shape (width,), of length 1."""
    return _unit(voices.astype(np.float32).sum(axis=0, keepdims=True))[0]


def likeness(voices: Voices, centres: Vectors) -> Vectors:
    """Cosine of each window with each centre, shape (windows, centres)."""
    return voices.astype(np.float32) @ centres.T


def _speakers(
    sums: Vectors, counts: npt.NDArray[np.float64], quotient: float, bounds: SpeakerBounds
) -> tuple[Vectors, npt.NDArray[np.float64]]:
    """Sums and counts of the speakers' windows, from those of items: the surest split is made first."""
    tree = _tree(sums, counts)
    found: list[int] = [tree.root]
    while len(found) < bounds.most:
        splits = {node: split for node in found if (split := tree.split(node, LEAST_WINDOWS))}
        if not splits:
            break
        node = min(splits, key=lambda one: splits[one].quotient)
        if splits[node].quotient >= quotient and len(found) >= bounds.least:
            break
        found.remove(node)
        found.extend(splits[node].halves)
    return tree.sums[found], tree.counts[found]


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


def _settled(vectors: Vectors, centres: Vectors) -> Vectors:
    """The centres after each window has gone to the nearest one, a few times."""
    for _ in range(ROUNDS):
        nearest = (vectors @ centres.T).argmax(axis=1)
        centres = _unit(np.array([vectors[nearest == one].sum(axis=0) for one in np.unique(nearest)]))
    return centres


def _unit(vectors: npt.NDArray[Any]) -> Vectors:
    return (vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)).astype(np.float32)
