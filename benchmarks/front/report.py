"""The report of what a front costs: pure."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from benchmarks.front.measure import KeptThroughput, Overhead, RequestRate
from benchmarks.jobs.report import spread

GOAL_READY: Final = 1.5
GOAL_ADDED_MS: Final = 8.0
GOAL_A_SECOND: Final = 300.0
GOAL_IDLE_MIB: Final = 100.0
GOAL_MIB: Final = 200.0
GOAL_SEEN: Final = 0.3
LEAST_SHARE: Final = 0.99
"""Of the requests for kept results that the front has to answer itself: else it is no rate of such answers."""


@dataclass(frozen=True)
class FrontReport:
    starts: Sequence[float]
    overhead: dict[int, Overhead]
    """By the bytes of an upload."""
    refusals: RequestRate
    kept: KeptThroughput
    uploads: int
    upload_bytes: int
    idle_mib: float
    mib: float
    seen: Sequence[float]

    @property
    def is_of_kept(self) -> bool:
        """Whether the rate of answers by kept results is one."""
        return self.kept.share >= LEAST_SHARE

    @property
    def problems(self) -> list[str]:
        """The goals that are missed."""
        ready, seen = statistics.median(self.starts), statistics.median(self.seen)
        added = {size: statistics.median(found.added) for size, found in self.overhead.items()}
        refused, kept = self.refusals.a_processor_second, self.kept.answers.a_processor_second
        rows = [
            (ready > GOAL_READY, f"it is ready after {ready:.1f} s"),
            (seen > GOAL_SEEN, f"a new server is given its first request after {seen:.2f} s"),
            (refused < GOAL_A_SECOND, f"{refused:.0f} refusals a second"),
            (
                not self.is_of_kept,
                f"the front answered {self.kept.share:.1%} of what is kept: no rate",
            ),
            (self.is_of_kept and kept < GOAL_A_SECOND, f"{kept:.0f} answers by kept results a second"),
            (self.idle_mib > GOAL_IDLE_MIB, f"{self.idle_mib:.0f} MiB with nothing to do"),
            (self.kept.mib > GOAL_IDLE_MIB, f"{self.kept.mib:.0f} MiB beside kept results"),
            (self.mib > GOAL_MIB, f"{self.mib:.0f} MiB with {self.uploads} uploads"),
            *(
                (ms > GOAL_ADDED_MS, f"{ms:.1f} ms beyond the server itself, {size} bytes")
                for size, ms in added.items()
            ),
        ]
        return [problem for is_missed, problem in rows if is_missed]


def text(found: FrontReport) -> str:
    added = "".join(
        f"| {size} bytes by the front, beyond the {spread(one.direct)} ms of the server itself | "
        f"{spread(one.added)} ms | {GOAL_ADDED_MS:.0f} ms |\n"
        for size, one in found.overhead.items()
    )
    kept = found.kept
    a_processor, a_second = kept.answers.a_processor_second, kept.answers.a_second
    rates = (f"{a_processor:.0f}", f"{a_second:.0f} a second") if found.is_of_kept else ("not known",) * 2
    refused, many = found.refusals, f"{found.uploads} uploads of {found.upload_bytes // 1000} kB"
    return f"""\
| what | found | goal |
|---|---|---|
| from its start until it is ready | {spread(found.starts, 2)} s | {GOAL_READY} s |
{added}\
| small requests refused, of one processor's second | {refused.a_processor_second:.0f} | {GOAL_A_SECOND:.0f} |
| … as the clock went, beside the client that sent them | {refused.a_second:.0f} a second | |
| small requests answered by kept results, of one processor's second | {rates[0]} | {GOAL_A_SECOND:.0f} |
| … as the clock went, beside client, store and server | {rates[1]} | |
| … memory then | {kept.mib:.0f} MiB | {GOAL_IDLE_MIB:.0f} MiB |
| memory of one that keeps jobs in a store and a bucket, before any request | {found.idle_mib:.0f} MiB | \
{GOAL_IDLE_MIB:.0f} MiB |
| memory at its most, with {many} at once | {found.mib:.0f} MiB | {GOAL_MIB:.0f} MiB |
| from a server's readiness until a held request is answered by it | {spread(found.seen, 2)} s | {GOAL_SEEN} s |

Refused are uploads of 20 bytes from 32 clients, while no server can come: each gets 503 with the reason, and has a
connection of its own, which ends with it. Kept results are asked for by uploads of ten bytes on connections that stay;
the front itself answered {kept.share:.1%} of these, and waited for its store as long as that took. Below
{LEAST_SHARE:.0%} no rate is reported: what goes on to a server costs the front several times as much.
No upload of the many has ended: the front has all that came of them on its disk. Servers transcribe nothing, and answer
at once.
"""
