"""Results of `whisper.transcribe`, computed once: kept outside the checkout, by all that they depend on."""

from __future__ import annotations

import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Any, Final

from benchmarks.parity.corpus import ParityCase
from testbed.inputs import CHECKPOINTS, weights
from testbed.paths import CACHE
from whisper_runtime.engine.transcription import Options

RESULTS: Final = CACHE / "upstream"
FIELDS: Final = ("task", "language", "condition_on_previous_text", "word_timestamps", "without_timestamps")
OPTIONAL: Final = ("beam_size", "patience", "best_of", "hallucination_silence_threshold")

UpstreamResult = dict[str, Any]


def result(case: ParityCase) -> UpstreamResult:
    """The JSON result for this case, in fp32 on the CPU."""
    kept = _path(case)
    if not kept.exists():
        found = _transcribe(case)
        RESULTS.mkdir(parents=True, exist_ok=True)
        partial = kept.with_suffix(".partial")
        partial.write_text(json.dumps(found))
        partial.rename(kept)
    return json.loads(kept.read_text())


def is_kept(case: ParityCase) -> bool:
    """Whether the result is there without any work."""
    return _path(case).exists()


def _path(case: ParityCase) -> Path:
    return RESULTS / f"{_key(case)}.json"


def _key(case: ParityCase) -> str:
    """Names the samples, the options, the weights and the version of openai-whisper."""
    import whisper

    facts = {"options": keywords(case.options), "weights": CHECKPOINTS[case.model], "whisper": whisper.__version__}
    return hashlib.sha256(case.samples.tobytes() + json.dumps(facts, sort_keys=True).encode()).hexdigest()[:32]


def keywords(options: Options) -> dict[str, Any]:
    """The keyword arguments of `whisper.transcribe` for these options."""
    chosen: dict[str, Any] = {name: getattr(options, name) for name in FIELDS}
    chosen |= {name: value for name in OPTIONAL if (value := getattr(options, name)) is not None}
    if options.clip_timestamps:
        chosen["clip_timestamps"] = list(options.clip_timestamps)
    if options.keywords:
        assert options.prompt is None  # upstream has one text for both
        chosen |= {"carry_initial_prompt": True}
    prompt = options.keywords or options.prompt
    return chosen | {"initial_prompt": prompt, "temperature": options.temperatures, "fp16": False}


def _transcribe(case: ParityCase) -> UpstreamResult:
    return _load(case.model).transcribe(case.samples, **keywords(case.options))


@cache
def _load(name: str) -> Any:
    """With the alignment heads that openai-whisper's own download of this name would have."""
    import whisper

    model: Any = whisper.load_model(str(weights.path(name)), device="cpu")
    model.set_alignment_heads(whisper._ALIGNMENT_HEADS[name])  # pyright: ignore[reportPrivateUsage]
    return model
