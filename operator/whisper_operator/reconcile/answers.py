"""The answers of the API server and its policies to applies: remembered, so that it is no drift. No I/O.

A field that it drops (`false`), or that a policy changes on every write, can never be as wanted: a pass that applied it
again would do so for ever. After a restart the field managers tell the same (objects/diff.py, `edited`).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Final

from whisper_operator.api.v1alpha1 import Manifest
from whisper_operator.objects import field_owners
from whisper_operator.objects.diff import Deviation, deviations, edited
from whisper_operator.observe.observed import Accepted, ChildName, Observed
from whisper_operator.observe.records import Key

AGAIN_SECONDS: Final = 60.0
INSISTS: Final = 3
"""Times that an edit comes back within AGAIN_SECONDS after which it is a controller's, and stays: nobody gains by a
fight in which pods restart."""


class Answers:
    """The deviations of each live child that are the API server's answer to our own apply."""

    def __init__(self) -> None:
        self._kept: dict[Key, dict[ChildName, tuple[str, frozenset[Deviation]]]] = {}
        """Deviations of each service: by child, its uid and its deviations."""
        self._complete: set[Key] = set()
        self._taken_back: dict[tuple[str, str], tuple[int, float]] = {}
        """By uid and path: how often an addition was taken back in a row, and when last; never, where it cannot be."""

    def are_complete(self, key: Key) -> bool:
        """Whether this process has had a whole pass over the service: what is not kept then was never an answer."""
        return key in self._complete

    def complete(self, key: Key) -> None:
        """Takes in that a whole pass over the service has ended."""
        self._complete.add(key)

    def forget(self, key: Key) -> None:
        self._complete.discard(key)
        self._kept.pop(key, None)

    def of(self, key: Key, observed: Observed) -> Accepted:
        """The deviations to accept of each child that is live still."""
        return {
            child: found
            for child, (uid, found) in self._kept.get(key, {}).items()
            if (live := observed.objects.get(child)) and live["metadata"]["uid"] == uid
        }

    def drift(self, key: Key, manifest: Manifest, live: Manifest) -> list[Deviation]:
        """The deviations of `live` that are not kept."""
        _, kept = self._kept.get(key, {}).get(_child(manifest), ("", frozenset[Deviation]()))
        return [one for one in _deviations(manifest, live) if one not in kept]

    def keep(self, key: Key, manifest: Manifest, answer: Manifest) -> None:
        """Takes in the object that an apply of `manifest` ended in, with its field managers.

        What is not as it was applied a moment ago is a policy's doing, also what nobody owns, as a label that it takes
        away; only beside it may somebody have added something.
        """
        found = frozenset(_deviations(manifest, answer))
        if found:
            found -= {one for one in self._edits_that_count(manifest, answer) if one.is_added}
        self._keep(key, manifest, answer, found)

    def accept(self, key: Key, manifest: Manifest, live: Manifest) -> bool:
        """Whether nobody has edited `live`, so that its deviations from `manifest` are kept as an earlier answer."""
        found = frozenset(_deviations(manifest, live))
        is_accepted = found == self._unedited(manifest, live)
        if is_accepted:
            self._keep(key, manifest, live, found)
        return is_accepted

    def edits(self, manifest: Manifest, live: Manifest, now: float) -> list[Deviation]:
        """The deviations of `live` to take back; those stay that came back again and again.

        `now`: seconds, from any beginning.
        """
        return [one for one in self._edited(manifest, live) if not self._insists(live, one, now)]

    def taken_back(self, manifest: Manifest, after: Manifest, edits: Iterable[Deviation], now: float) -> None:
        """Takes in that these edits have been taken back: an attempt that met a conflict does not count.

        `after`: the object that this ended in. What is there still is what the API server or a policy writes for an
        absent field, and an edit by name alone: whoever creates the object from a backup owns all of it.
        """
        there = frozenset(_deviations(manifest, after))
        for one in edits:
            at = (after["metadata"]["uid"], one.path)
            times, last = self._taken_back.get(at, (0, now))
            if one.is_added and one in there:
                self._taken_back[at] = (INSISTS, math.inf)
            elif one.is_added:
                self._taken_back[at] = (times + 1 if now - last < AGAIN_SECONDS else 1, now)

    def _insists(self, live: Manifest, deviation: Deviation, now: float | None = None) -> bool:
        """Whether it has come back often enough, and, where `now` is given, is not long gone."""
        times, last = self._taken_back.get((live["metadata"]["uid"], deviation.path), (0, 0.0))
        return times >= INSISTS and (now is None or now - last < AGAIN_SECONDS)

    def _edited(self, manifest: Manifest, live: Manifest) -> list[Deviation]:
        return edited(manifest, live, field_owners.ours(live), field_owners.editors(live))

    def _unedited(self, manifest: Manifest, live: Manifest) -> frozenset[Deviation]:
        return frozenset(_deviations(manifest, live)) - self._edits_that_count(manifest, live)

    def _edits_that_count(self, manifest: Manifest, live: Manifest) -> set[Deviation]:
        """The edits, but for those that came back again and again."""
        return {one for one in self._edited(manifest, live) if not self._insists(live, one)}

    def _keep(self, key: Key, manifest: Manifest, live: Manifest, found: Iterable[Deviation]) -> None:
        of_service = self._kept.setdefault(key, {})
        if kept := frozenset(found):
            of_service[_child(manifest)] = (live["metadata"]["uid"], kept)
        else:
            of_service.pop(_child(manifest), None)


def _deviations(manifest: Manifest, live: Manifest) -> Iterator[Deviation]:
    return deviations(manifest, live, editors=field_owners.editors(live))


def _child(manifest: Manifest) -> ChildName:
    return manifest["kind"], manifest["metadata"]["name"]
