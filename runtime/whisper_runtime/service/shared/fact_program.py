"""The programs by which servers leave in a store what they know of themselves, and fronts find it. Pure.

They call what other programs do, too: a user of the store needs no further right. Facts have no end: a service may be
at zero for a month, and there are as many of them as it has had models.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from whisper_runtime.service.shared.program_call import ProgramCall, service_key

LEAVE: Final = Path(__file__).with_name("leave_facts.lua").read_text()
FIND: Final = Path(__file__).with_name("find_facts.lua").read_text()


def leaving(prefix: str, name: str, facts: bytes) -> ProgramCall:
    """The call that leaves facts under their name."""
    return ProgramCall(LEAVE, (_key(prefix),), (name, facts))


def finding(prefix: str, name: str) -> ProgramCall:
    """The call whose reply has the facts of that name; it is empty where nobody has left them."""
    return ProgramCall(FIND, (_key(prefix),), (name,))


def _key(prefix: str) -> str:
    return service_key(prefix, "facts")
