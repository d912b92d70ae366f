"""Writes docs/reports/faults.md: the figures of one campaign."""

from __future__ import annotations

import datetime
import os
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from testbed.paths import REPOSITORY

REPORT: Final = REPOSITORY / "docs/reports/faults.md"


@dataclass(frozen=True)
class FaultRow:
    """One kind of fault."""

    name: str
    injected: int
    survived: int
    seconds: Sequence[float]
    """To converge, one for each survived fault."""


@dataclass(frozen=True)
class ChildFaultRow:
    """One kind of fault that concerns single children, injected once."""

    name: str
    injected: int
    survived: bool
    orphans: int
    silence: float
    seconds: float


def child_table(rows: Iterable[ChildFaultRow]) -> str:
    head = ("fault", "injected", "survived", "orphans", "longest silence, s", "seconds to converge")
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    for row in rows:
        survived = "yes" if row.survived else "no"
        lines.append(
            f"| {row.name} | {row.injected} | {survived} | {row.orphans} | {row.silence:.1f} | {row.seconds:.1f} |"
        )
    return "\n".join(lines)


def table(rows: Iterable[FaultRow]) -> str:
    head = ("fault", "injected", "survived", "seconds to converge: median", "max")
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    for row in rows:
        median, longest = (f"{of(row.seconds):.1f}" if row.seconds else "" for of in (statistics.median, max))
        lines.append(f"| {row.name} | {row.injected} | {row.survived} | {median} | {longest} |")
    return "\n".join(lines)


def write(
    kills: Iterable[FaultRow],
    loaded: Iterable[FaultRow],
    of_children: Iterable[ChildFaultRow],
    pauses: Iterable[FaultRow],
    command: str,
    seed: int,
) -> Path:
    """Replaces the report by one of these figures alone; returns its path."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    REPORT.parent.mkdir(parents=True, exist_ok=True)
    text = TEXT.format(
        command=command,
        date=datetime.date.today(),
        processors=os.cpu_count(),
        load=os.getloadavg()[2],
        memory=memory,
        seed=seed,
        kills=table(kills),
        loaded=table(loaded),
        of_children=child_table(of_children),
        pauses=table(pauses),
    )
    REPORT.write_text(text)
    return REPORT


TEXT: Final = """\
# Faults: what the operator survives

Written by `{command}` on {date}, on a machine of {processors} processors and {memory:.0f} GiB with a load of
{load:.0f} (mean of its last 15 minutes); seed {seed}. The operator runs as a process of its own against a real
kube-apiserver, etcd and kube-controller-manager, with a WhisperService that has everything switched on
(`examples/everything.yaml`).

*Survived*: the end state equals the undisturbed run's, object for object, field managers included; identities, versions
and times are left out. No object is missing, and none is too many.

## Killed at every write

SIGKILL while a write is in flight: once before the API server has seen it, once after it was stored and before the
operator had its answer. Seconds from the kill to the end state: the start of the next incarnation is most of it.

{kills}

## Faults under load

Faults in a share of all requests, or of all events of watches, while services are created and changed and children are
deleted. Seconds from the last fault to the end state of all of them.

{loaded}

## Children that are refused, or lose their labels

The same work of users, while a validating webhook with `failurePolicy: Fail` answers 500 for each write of one kind, or
while labels are taken from children at random: the service's, the manager's, both, all of them, or another's are put in
their place. *Orphans* are objects at the end that no service wants. *Silence* is the longest time for which a child was
refused or without its labels and no condition of its service named it; more than 120 s is not survived. The operator
has its default settings, so that no resync helps. Seconds from the last fault to the end state.

{of_children}

## The Lease's holder stopped

SIGSTOP in the midst of work for as many services as there are workers; SIGCONT when another replica leads and writes.
*Survived*: the API server's audit log shows at most one write of the stopped replica after the first of its successor,
it ends by itself, and the end state is right. Seconds from the stop to the successor's first write.

{pauses}
"""
