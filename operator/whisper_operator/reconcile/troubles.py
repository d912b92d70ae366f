"""Failures of a pass, child by child: for the status as refusals, and for the queue as an error."""

from __future__ import annotations

from collections.abc import Iterable

from whisper_operator.api import conditions as c
from whisper_operator.api.v1alpha1 import Manifest
from whisper_operator.kube.errors import ApiError
from whisper_operator.objects.kinds import Kind, by_name
from whisper_operator.status.refused import Refusal


class Troubles:
    """Collects what goes wrong in one pass."""

    def __init__(self) -> None:
        self._refusals: list[Refusal] = []
        self._failures: list[Refusal] = []
        self._lookups: list[Refusal] = []
        self._conflicts: list[Refusal] = []
        self.error: ApiError | None = None
        """The first error after which the pass is to be tried again; None: none."""

    @property
    def refused(self) -> list[Refusal]:
        """Returns what only a user, or the cluster's rules, can mend; then failures; then what was not read."""
        return [*self._refusals, *self._failures, *self._lookups]

    @property
    def has_any(self) -> bool:
        """Whether anything went wrong, told or not."""
        return self.error is not None or bool(self.refused)

    def refuse(self, kind: Kind, name: str, reason: str, message: str) -> None:
        """Takes in that a child is not ours, or is refused for good."""
        self._refusals.append(Refusal(kind, name, reason, message))

    def await_end(self, ending: Iterable[Manifest], overdue: Iterable[Manifest] = ()) -> None:
        """Takes in children that are being deleted: wanted ones, which cannot be made or changed now, and overdue ones.

        `overdue`: not wanted any more, and in effect until they are gone, with their host or their hand on the scale.
        """
        for live in ending:
            self._await_end_of(live, "it is made again once it is gone")
        for live in overdue:
            self._await_end_of(live, "the spec does not want it, and it has effect until it is gone")

    def _await_end_of(self, live: Manifest, until_then: str) -> None:
        name, finalizers = live["metadata"]["name"], ", ".join(live["metadata"].get("finalizers", ()))
        message = f"{live['kind']}/{name} is being deleted, and kept by {finalizers or 'the API server'}: {until_then}"
        self.refuse(by_name(live["kind"]), name, c.BEING_DELETED, message)

    def fail(self, kind: Kind, name: str, what: str, error: ApiError) -> None:
        """Takes in that a child could not be applied or deleted now; `what` says which of both, and names it.

        A conflict is no trouble to tell until it has come again and again: somebody else wrote at the same moment.
        """
        self.error = self.error or error
        of_kind = self._conflicts if error.is_conflict else self._failures
        of_kind.append(Refusal(kind, name, c.APPLY_FAILED, f"{what}: {error.message or error.reason}"))

    @property
    def has_conflict(self) -> bool:
        return bool(self._conflicts)

    def tell_conflicts(self) -> None:
        """Has the conflicts told as all other failures are."""
        self._failures.extend(self._conflicts)

    def miss(self, what: str, error: ApiError) -> None:
        """Takes in that an object which the spec names could not be read; `what` names it."""
        self.error = self.error or error
        message = f"{what} could not be read: {error.message or error.reason}"
        self._lookups.append(Refusal(None, what, c.LOOKUP_FAILED, message))
