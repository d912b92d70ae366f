"""The program that a store runs for each verb of jobs, files and batches, its rights and its calls. Pure."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from whisper_runtime.service.shared.program_call import ProgramCall, service_key

FILES: Final = ("common", "clients", "workers", "files", "batches", "events")
"""In this order they are one program."""
TEXT: Final = "\n".join((Path(__file__).parent / "jobs" / f"{name}.lua").read_text() for name in FILES)
PROGRAM: Final = f"#!lua flags=allow-oom\n{TEXT}"
"""A store without memory ends the jobs that it has: https://valkey.io/topics/lua-api/#script_flags"""
PUT_PROGRAM: Final = f"#!lua\n{TEXT}"
"""And takes no new ones: it refuses the program before that has changed anything."""
NEW: Final = frozenset({"put", "put_file", "create_batch"})
"""The verbs of new ones."""


def job_call(prefix: str, verb: str, *arguments: str | bytes, now: float | None = None) -> ProgramCall:
    """The call of a verb for the service whose namespace and name `prefix` is; `now` None: the server's time."""
    keys = service_key(prefix, "")
    program = PUT_PROGRAM if verb in NEW else PROGRAM
    return ProgramCall(program, (f"{keys}jobs",), (keys, "" if now is None else repr(now), verb, *arguments))
