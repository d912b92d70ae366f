"""The verbs of jobs, files and batches in a store that pods share, and what those of jobs answer."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields
from typing import Any, Final

from whisper_runtime.service.jobs.job import (
    Job,
    JobGone,
    JobLeaseLost,
    JobNotDone,
    JobQuotaReached,
    JobStoreAway,
    JobStoreFull,
    KeyReused,
    NoSuchJob,
)
from whisper_runtime.service.jobs.room import full, share_full
from whisper_runtime.service.shared.job_program import job_call
from whisper_runtime.service.shared.store_caller import StoreAway, StoreCaller, StoreMemoryFull

KEPT: Final = frozenset(
    {"put", "with_key", "cancel", "delete", "needs", "put_file", "delete_file", "create_batch", "cancel_batch"}
)
"""The verbs whose clients are told that it is done, or was before, and the one by whose answer contents are deleted: a
replica has it then. Workers do theirs again."""


@dataclass(frozen=True)
class FieldKinds:
    """The names of a hash's fields that are no text."""

    floats: frozenset[str]
    integers: frozenset[str]
    json: frozenset[str] = frozenset()

    def value(self, name: str, text: str) -> Any:
        if name in self.floats:
            return float(text)
        if name in self.integers:
            return int(text)
        return json.loads(text) if name in self.json else text


JOB_FIELDS: Final = FieldKinds(
    floats=frozenset({"audio_seconds", "created", "started", "ended", "expires", "done_seconds"}),
    integers=frozenset({"attempt", "token"}),
    json=frozenset({"metadata", "error"}),
)


class SharedVerbs:
    """Calls them for one service."""

    def __init__(
        self,
        caller: StoreCaller,
        prefix: str,
        *,
        max_bytes: int,
        max_queued_seconds: float | None,
        clock: Callable[[], float] | None = None,
    ) -> None:
        """`clock` None: that of the store's server, which all processes have in common."""
        self._caller, self._prefix, self._clock = caller, prefix, clock
        self.max_bytes, self.max_queued_seconds = max_bytes, max_queued_seconds

    async def call(self, verb: str, *arguments: str | bytes | float) -> list[Any]:
        """What a verb of jobs answers behind `ok`; nothing where it found nothing. Raises as JobStore's, and `ask`."""
        outcome, rest = await self.ask(verb, *arguments)
        if outcome == "none":
            return []
        if outcome != "ok":
            raise self._refusal(outcome, rest, arguments)
        return rest

    async def ask(self, verb: str, *arguments: str | bytes | float) -> tuple[str, list[Any]]:
        """The first word of what a verb answers, and the rest of it. Raises JobStoreAway, and JobStoreFull."""
        words = [word if isinstance(word, str | bytes) else repr(word) for word in arguments]
        call = job_call(self._prefix, verb, *words, now=self._clock() if self._clock else None)
        try:
            outcome, *rest = await self._caller.call(call, is_kept=verb in KEPT)
        except StoreAway as error:
            raise JobStoreAway(str(error)) from error
        except StoreMemoryFull as error:
            message = "The server's store of jobs has no memory left: send this one again when others have ended."
            raise JobStoreFull(message) from error
        match bytes(outcome):
            case b"full":
                raise full(int(float(rest[0])), self.max_bytes)
            case b"share_full":
                raise share_full(int(float(rest[0])), self.max_bytes)
            case found:
                return found.decode(), rest

    async def close(self) -> None:
        await self._caller.close()

    def _refusal(self, outcome: str, rest: list[Any], words: Sequence[str | bytes | float]) -> Exception:
        match outcome:
            case "no_such_job":
                return NoSuchJob(words[1])
            case "gone":
                return JobGone("it was deleted")
            case "expired":
                return JobGone("its result has expired")
            case "not_done":
                return JobNotDone(rest[0].decode())
            case "lease_lost":
                return JobLeaseLost("the job is not this worker's any more")
            case "key_reused":
                return KeyReused(f"the key belongs to the job {job_of(rest[0]).id}, which was made of another request")
            case "quota":
                queued, limit = float(rest[0]), self.max_queued_seconds or 0.0
                return JobQuotaReached(queued, limit, queued + float(rest[1]) - limit)
            case _:
                return AssertionError(f"a verb of jobs answers {outcome}")


def table_of(flat: Sequence[bytes]) -> dict[str, str]:
    """A hash, of its names and values one after the other."""
    return {name.decode(): value.decode() for name, value in zip(flat[::2], flat[1::2], strict=True)}


def values_of_hash(flat: Sequence[bytes], names: Iterable[str], kinds: FieldKinds) -> dict[str, Any]:
    """Those of the fields `names` that the hash has."""
    found = table_of(flat)
    return {name: kinds.value(name, found[name]) for name in names if name in found}


def job_of(flat: Sequence[bytes]) -> Job:
    """The job of a hash; fields that it has not have their default."""
    return Job(**values_of_hash(flat, (field.name for field in fields(Job)), JOB_FIELDS))
