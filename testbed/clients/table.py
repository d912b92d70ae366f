"""docs/reference/clients.md, from the verdicts. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from testbed.clients.catalogue import PublicClient
from testbed.clients.judge import AGAIN, ANSWERS, REFUSALS, Verdict

COLUMNS: Final = (*ANSWERS, AGAIN, *REFUSALS)
HEAD: Final = """# Clients that were tried

Written by `make clients`: each client is the one that its registry has, unmodified, at the version that is pinned with
hashes in `tests/clients/`, and asks one server for one recording of 11 s: `python -m whisper_runtime serve` with base,
and API keys. Only the address and the key are this server's; the model that they ask for is `whisper-1`.
"""
LEGEND: Final = """
✓: the words of the recording arrived, as the client's own types have them; of `words`, each with times that grow within
the recording; of `stream`, deltas that make the whole text. —: the client has no such function; why is said below.
*429 once*: the server was full at the first request and said `Retry-After: 3`; *waits*: the client asked again as late
as that, and its caller got the words; *too soon*: it asked before, and the caller got them; *raises*: its caller has to
ask again. Below *429*, *503*, *401* (a wrong key) and *413* (a file over the limit) stands how many requests the server
saw where it refused each; the caller then gets an error that has the status, unless the notes say otherwise.
"""


@dataclass(frozen=True)
class Tried:
    client: PublicClient
    version: str
    verdicts: Mapping[str, Verdict]


def page(tried: Sequence[Tried]) -> str:
    head = (_line("client", "version", *COLUMNS), _line(*("---",) * (len(COLUMNS) + 2)))
    table = "\n".join((*head, *map(row, tried)))
    notes = "\n".join(note for one in tried for note in _notes(one.client))
    return f"{HEAD}\n{table}\n{LEGEND}\n## Notes\n\n{notes}\n"


def row(one: Tried) -> str:
    return _line(name(one.client), one.version, *(one.verdicts[column].cell for column in COLUMNS))


def _line(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def name(client: PublicClient) -> str:
    """As the page has it."""
    way = f" ({client.way})" if client.way else ""
    return f"{client.language.capitalize()}: {client.package}{way}"


def _notes(client: PublicClient) -> list[str]:
    """A line for each reason why a task is lacking, and for each surprise."""
    reasons: dict[str, list[str]] = {}
    for task, reason in client.lacks.items():
        reasons.setdefault(reason, []).append(task)
    lines = [f"{reason} ({', '.join(tasks)})" for reason, tasks in reasons.items()]
    said = ". ".join((*(["; ".join(lines)] if lines else []), *client.notes))
    return [f"- {name(client)}: {said}."] if said else []
