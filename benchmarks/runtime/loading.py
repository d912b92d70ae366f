"""python -m benchmarks.runtime.loading: how long a model of large-v3's size takes to load, and the memory it needs.

Weights are random: only their number matters. Each loader is a process of its own, and finds the file in the page
cache, as after the download.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import Final

LOADERS: Final = ("whisper.load_model", "float32", "bfloat16")
LAYERS: Final = 32


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--layers", type=int, default=LAYERS, help="fewer make a smaller model, for a first try")
    parser.add_argument("--load", choices=LOADERS, help=argparse.SUPPRESS)
    parser.add_argument("--checkpoint", type=Path, help=argparse.SUPPRESS)
    parsed = parser.parse_args()
    if parsed.load:
        _load(parsed.load, parsed.checkpoint)
        return
    with tempfile.TemporaryDirectory() as directory:
        checkpoint = Path(directory) / "random.pt"
        write_random(checkpoint, parsed.layers)
        print(
            f"checkpoint: {checkpoint.stat().st_size / 1024**2:.0f} MiB\n\n| loader | s | peak MiB | of which its own |"
        )
        print("|---|---|---|---|")
        for loader in LOADERS:
            command = (sys.executable, "-m", "benchmarks.runtime.loading", "--load", loader)
            subprocess.run((*command, "--checkpoint", str(checkpoint)), check=True)


def write_random(path: Path, layers: int) -> None:
    """A checkpoint of large-v3's dimensions but for the number of layers; its weights are all the same."""
    import torch
    from whisper.model import AudioEncoder, ModelDimensions, TextDecoder

    dims = ModelDimensions(128, 1500, 1280, 20, layers, 51866, 448, 1280, 20, layers)
    with torch.device("meta"):
        encoder = AudioEncoder(dims.n_mels, dims.n_audio_ctx, dims.n_audio_state, dims.n_audio_head, layers)
        decoder = TextDecoder(dims.n_vocab, dims.n_text_ctx, dims.n_text_state, dims.n_text_head, layers)
    shapes = {f"encoder.{name}": value.shape for name, value in encoder.state_dict().items()}
    shapes |= {f"decoder.{name}": value.shape for name, value in decoder.state_dict().items()}
    state = {name: torch.full(shape, 0.01, dtype=torch.float16) for name, shape in shapes.items()}
    torch.save({"dims": asdict(dims), "model_state_dict": state}, path)


def _load(loader: str, checkpoint: Path) -> None:
    """Loads, and prints a row: seconds, the peak of resident memory, and what of it is not the file's pages."""
    import whisper

    from whisper_runtime.engine.model import load

    before = _memory("RssAnon")
    started = time.perf_counter()
    if loader == "whisper.load_model":
        kept = whisper.load_model(str(checkpoint), device="cpu")
    else:
        kept = load.load(checkpoint, "cpu", loader)  # pyright: ignore[reportArgumentType]
    seconds = time.perf_counter() - started
    assert kept
    print(f"| {loader} | {seconds:.1f} | {_memory('VmHWM'):.0f} | {_memory('RssAnon') - before:.0f} |", flush=True)


def _memory(name: str) -> float:
    """MiB, of this process."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith(name))) / 1024


if __name__ == "__main__":
    main()
