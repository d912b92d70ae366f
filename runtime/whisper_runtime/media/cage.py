"""The limits within which ffmpeg and ffprobe read a file that somebody sent: it may crash them, never the server.

They get the upload as their standard input, and the kernel holds them to the limits: they can start no process, open no
second file and no socket, and write no byte more than their limit.
"""

from __future__ import annotations

import os
from typing import Final

MEMORY_LIMIT: Final = 1024**3
"""Bytes of address space that a decoder may use."""
OPEN_FILES_LIMIT: Final = 4
"""Standard input, output, error, and the upload. While that is open, no other file and no socket can be."""
STREAMS_LIMIT: Final = 1000
"""Streams of a file: films carry dozens of subtitles and fonts, each of which is one."""
FORMATS: Final = (
    "aac,ac3,aiff,amr,ape,asf,au,avi,caf,dhav,dsf,dss,dts,dtshd,dv,eac3,flac,flv,gsm,iff,loas,matroska,mlp,mov,mp3,mp4,"
    "mpc,mpc8,mpeg,mpegts,mxf,nistsphere,nut,ogg,qcp,rm,tak,truehd,tta,voc,w64,wav,webm,wtv,wv"
)
"""Containers that hold media themselves: playlists, which name other files and hosts, are not among them."""
READING: Final = ("-max_streams", str(STREAMS_LIMIT), "-format_whitelist", FORMATS, "-protocol_whitelist", "file")
"""Options of both programs for their input."""
INPUT: Final = "file:/proc/self/fd/0"


def limited(max_bytes: int, timeout: float) -> tuple[str, ...]:
    """The command that runs the command after it within limits, and ends it when this process ends.

    `max_bytes` is the longest file that it may write, `timeout` the processor time in seconds.
    """
    limits = {
        "as": MEMORY_LIMIT,
        "core": 0,
        "cpu": max(1, int(timeout)),
        "fsize": max_bytes,
        "nofile": OPEN_FILES_LIMIT,
        "nproc": 0,
    }
    arguments = [f"--{name}={value}" for name, value in limits.items()]
    return ("prlimit", *arguments, "setpriv", "--no-new-privs", "--pdeathsig=KILL")


def environment() -> dict[str, str]:
    return {"PATH": os.environ.get("PATH", os.defpath)}
