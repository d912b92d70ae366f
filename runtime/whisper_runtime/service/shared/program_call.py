"""A run of a Lua program in the store, on the keys of one service. Pure."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Final

CALLED: Final = re.compile(r"redis\.call\('(\w+)'")
COMMANDS: Final = ("info", "eval", "evalsha")
"""Those that are sent, whatever the programs call."""


@dataclass(frozen=True)
class ProgramCall:
    program: str
    keys: tuple[str, ...]
    arguments: tuple[str | bytes, ...]

    @cached_property
    def digest(self) -> str:
        """The name by which a server knows a program that it has run before."""
        return hashlib.sha1(self.program.encode()).hexdigest()

    @property
    def commands(self) -> list[str]:
        """Those that the program calls, in small letters."""
        return [name.lower() for name in CALLED.findall(self.program)]


def service_key(prefix: str, name: str) -> str:
    """A key of the service whose namespace and name `prefix` is.

    Its braces keep all keys of a service on one node of a cluster
    (https://valkey.io/topics/cluster-spec/#hash-tags).
    """
    return f"whisper:{{{prefix}}}:{name}"


def needed_rights(prefix: str, calls: Iterable[ProgramCall]) -> str:
    """What a user needs to run these for that service, as ACL SETUSER has it."""
    commands = dict.fromkeys((*COMMANDS, *(name for call in calls for name in call.commands)))
    return " ".join((f"~{service_key(prefix, '*')}", *(f"+{name}" for name in commands)))
