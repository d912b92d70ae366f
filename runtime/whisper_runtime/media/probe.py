"""Asks ffprobe for a file's tracks, within the limits that hold ffmpeg."""

from __future__ import annotations

import asyncio
from asyncio.subprocess import DEVNULL, PIPE
from typing import IO, Final

from whisper_runtime.media.cage import INPUT, READING, environment, limited

SECONDS: Final = 20.0
LONGEST_ANSWER: Final = 4 * 1024**2
"""Bytes of JSON: a stream takes some 600, and there are at most cage.STREAMS_LIMIT."""
ENTRIES: Final = (
    "stream=index,codec_type,codec_name,codec_tag_string,codec_tag,channels,channel_layout:stream_tags=language,title"
    ":stream_disposition=default,comment,visual_impaired,descriptions,karaoke,clean_effects"
)


async def probe(media: IO[bytes], options: tuple[str, ...] = ()) -> bytes:
    """ffprobe's JSON on the streams of `media`; what is not JSON, where it is no media, or takes too long to read.

    `options`: more of them, for the input.
    """
    process = await asyncio.create_subprocess_exec(
        *limited(0, SECONDS),
        *("ffprobe", "-loglevel", "quiet", *READING, *options),
        *("-show_entries", ENTRIES, "-of", "json=compact=1", INPUT),
        stdin=media,
        stdout=PIPE,
        stderr=DEVNULL,
        start_new_session=True,
        env=environment(),
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(SECONDS):
            answer = await _read(process.stdout)
            await process.wait()
    except TimeoutError:
        return b""
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return answer


async def _read(output: asyncio.StreamReader) -> bytes:
    """All of it; nothing where that is too long."""
    answer = b""
    while chunk := await output.read(64 * 1024):
        answer += chunk
        if len(answer) > LONGEST_ANSWER:
            return b""
    return answer
