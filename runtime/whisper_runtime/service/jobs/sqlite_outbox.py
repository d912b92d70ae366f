"""The outbox in the database of SqliteJobStore, over a connection of its own."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import time
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields
from pathlib import Path
from typing import TypeVar

from whisper_runtime.service.jobs import outbox_statements as sql
from whisper_runtime.service.jobs.connection import connect, transaction
from whisper_runtime.service.jobs.outbox import CLAIM_SECONDS, Delivery, DeliveryState
from whisper_runtime.service.jobs.sqlite_store import DATABASE

T = TypeVar("T")


class SqliteOutbox:
    """See outbox.DeliveryOutbox. Several processes of one machine may have the same directory open."""

    def __init__(
        self, directory: Path, *, claim_seconds: float = CLAIM_SECONDS, clock: Callable[[], float] = time.time
    ) -> None:
        """Opens the database in the directory, or makes it; blocks. Raises sqlite3.Error where it cannot."""
        self._claim_seconds, self._clock = claim_seconds, clock
        self._thread = ThreadPoolExecutor(1, "outbox")
        try:
            self._connection = self._thread.submit(connect, directory / DATABASE).result()
        except BaseException:
            self._thread.shutdown()
            raise

    async def claim(self, busy: Collection[str]) -> Delivery | None:
        return await self._run(lambda: self._claim(json.dumps(sorted(busy))))

    async def delivered(self, claimed: Delivery) -> None:
        await self._note(claimed, "delivered", None, 0.0)

    async def postpone(self, claimed: Delivery, failure: str, seconds: float) -> None:
        await self._note(claimed, "pending", failure, seconds)

    async def abandon(self, claimed: Delivery, failure: str) -> None:
        await self._note(claimed, "abandoned", failure, 0.0)

    async def latest(self, job_id: str) -> Delivery | None:
        row = await self._run(lambda: self._connection.execute(sql.LATEST, {"job_id": job_id}).fetchone())
        return row and _delivery_of(row)

    async def close(self) -> None:
        await asyncio.to_thread(self._thread.shutdown)
        self._connection.close()

    def _claim(self, busy: str) -> Delivery | None:
        now = self._clock()
        due = {"now": now, "busy": busy}
        if self._connection.execute(sql.ANY_DUE, due).fetchone() is None:
            return None  # as nearly always: who writes takes the store's turn
        with transaction(self._connection):
            found = self._connection.execute(sql.ANY_DUE, due).fetchone()
            if found is None:
                return None
            values = {"event_id": found["event_id"], "until": now + self._claim_seconds}
            (row,) = self._connection.execute(sql.CLAIM, values).fetchall()
        return _delivery_of(row)

    async def _note(self, claimed: Delivery, state: DeliveryState, failure: str | None, seconds: float) -> None:
        values = {
            "event_id": claimed.event_id,
            "attempt": claimed.attempt,
            "state": state,
            "due": self._clock() + seconds,
            "failure": failure,
        }
        await self._run(lambda: self._write(values))

    def _write(self, values: Mapping[str, object]) -> None:
        with transaction(self._connection):
            self._connection.execute(sql.NOTE, values)

    async def _run(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)


def _delivery_of(row: sqlite3.Row) -> Delivery:
    return Delivery(**{field.name: row[field.name] for field in fields(Delivery)})
