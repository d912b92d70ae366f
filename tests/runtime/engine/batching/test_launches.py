"""What a request costs the host of a GPU, counted at large-v3's size on tensors without content.

Operations that start something on the device are counted, those inside of what is captured as a CUDA graph are not:
they are replayed by one launch. Views cost nothing here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any

import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode
from whisper.model import AudioEncoder, ModelDimensions, TextDecoder

from tests.fakes.observer import CountingObserver
from tests.runtime.engine.conftest import hum, iterate_until, submit
from whisper_runtime.engine.batching import batch as batch_module
from whisper_runtime.engine.batching.batch import Batch
from whisper_runtime.engine.batching.runner import ModelRunner
from whisper_runtime.engine.batching.sampling import Sampler
from whisper_runtime.engine.batching.scheduler import Scheduler
from whisper_runtime.engine.batching.throughput import ThroughputMeter
from whisper_runtime.engine.interface import Samples
from whisper_runtime.engine.model.cuda_graphs import GraphedStep, Launch
from whisper_runtime.engine.model.decoder import Decoder
from whisper_runtime.engine.model.encoder import Encoder
from whisper_runtime.engine.model.linear import packing
from whisper_runtime.engine.model.load import WhisperModel
from whisper_runtime.engine.policy.queries import Pause
from whisper_runtime.engine.policy.tokenizer import ModelTokenizer
from whisper_runtime.engine.transcription import Options

pytestmark = pytest.mark.slow

CUDA = torch.device("cuda", 0)
LARGE = ModelDimensions(128, 1500, 1280, 20, 32, 51866, 448, 1280, 20, 32)
TOKENS = 22
"""Of a clip of 4.7 s."""
ROWS = 8
UPLOADS_OF_A_REQUEST = 3
"""Its samples, and what a spectrogram is made with."""


class LaunchCounter(TorchDispatchMode):
    """Counts operations on the device by the part of the engine that they belong to, and what waits for it."""

    def __init__(self) -> None:
        super().__init__()
        self.launches: Counter[str] = Counter()
        self.waits = self.uploads = 0
        self.part = "decoder"

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        found = func(*args, **(kwargs or {}))
        if starts_work(func, found):
            self.launches[self.part] += 1
        self.waits += crosses(args, found, "cuda", "cpu")
        self.uploads += crosses(args, found, "cpu", "cuda")
        return found

    @contextmanager
    def counting(self, part: str) -> Generator[None, None, None]:
        before, self.part = self.part, part
        yield
        self.part = before


def starts_work(func: Any, found: Any) -> bool:
    outputs = found if isinstance(found, tuple | list) else [found]
    on_device = any(isinstance(one, torch.Tensor) and one.device.type == "cuda" for one in outputs)
    is_view = any(one.alias_info is not None and not one.alias_info.is_write for one in func._schema.returns)
    allocates = func.overloadpacket.__name__ in {"empty", "empty_like", "empty_strided", "new_empty", "_unsafe_view"}
    return on_device and not is_view and not allocates


def crosses(args: tuple[Any, ...], found: Any, source: str, target: str) -> bool:
    """Whether it is a copy from `source` to `target`."""
    given = [one.device.type for one in args if isinstance(one, torch.Tensor)]
    return source in given and isinstance(found, torch.Tensor) and found.device.type == target


class CountedRunner(ModelRunner):
    """Counts what is no decoder's work apart."""

    counter: LaunchCounter

    def spectrogram(self, samples: Samples) -> Generator[Pause, None, torch.Tensor]:
        with self.counter.counting("spectrogram"):
            return (yield from super().spectrogram(samples))

    def encode(self, mels: torch.Tensor) -> torch.Tensor:
        with self.counter.counting("encoder"):
            return super().encode(mels)


class EndedEvent:
    """An event of CUDA that has come."""

    def __init__(self, *, enable_timing: bool) -> None:
        assert enable_timing

    def record(self) -> None: ...

    def query(self) -> bool:
        return True

    def elapsed_time(self, _: EndedEvent) -> float:
        return 5.0


@pytest.fixture(scope="module")
def counter() -> LaunchCounter:
    return LaunchCounter()


@pytest.fixture(scope="module")
def observer() -> CountingObserver:
    return CountingObserver()


@pytest.fixture(scope="module")
def scheduler(counter: LaunchCounter, observer: CountingObserver) -> Iterator[Scheduler]:
    def read(found: torch.Tensor) -> list[list[float]]:
        """Each row's token is the same text, and its language the first one, certainly."""
        counter.waits += 1
        return [[400.0, -0.1, 0.0, 0.0, 0.95]] * len(found)

    with pytest.MonkeyPatch.context() as patch, torch.inference_mode(), FakeTensorMode(allow_non_fake_inputs=True):
        patch.setattr(torch.cuda, "Event", EndedEvent)
        patch.setattr(batch_module, "to_list", read)
        runner = counted_runner(observer, counter)
        with counter:
            yield Scheduler(runner, observer, ThroughputMeter())


def counted_runner(observer: CountingObserver, counter: LaunchCounter) -> CountedRunner:
    dims, packed = LARGE, packing(CUDA, "float16")
    encoder = AudioEncoder(dims.n_mels, dims.n_audio_ctx, dims.n_audio_state, dims.n_audio_head, dims.n_audio_layer)
    decoder = TextDecoder(dims.n_vocab, dims.n_text_ctx, dims.n_text_state, dims.n_text_head, dims.n_text_layer)
    model = WhisperModel(
        dims,
        Encoder(encoder, packed.many_rows, CUDA, torch.float16),
        Decoder(decoder, packed, CUDA, torch.float16),
        (),
        CUDA,
        "float16",
    )
    tokenizer = ModelTokenizer(True, model.num_languages, dims.n_vocab, dims.n_text_ctx)
    sampler = Sampler(tokenizer, CUDA, TOKENS)
    cache = model.decoder.new_cache(ROWS, dims.n_audio_ctx)

    def capture(launch: Launch) -> Launch:
        with LaunchCounter() as inside:
            outputs = launch()
        assert (inside.waits, inside.uploads) == (0, 0), "a graph neither reads from the host nor writes to it"

        def replay() -> tuple[torch.Tensor, torch.Tensor]:
            counter.launches["replays"] += 1
            return outputs

        return replay

    step = GraphedStep(model.decoder, cache, sampler.choose, sampler.num_rules, capture, pinned=False)
    runner = CountedRunner(model, tokenizer, sampler, Batch(model.decoder, tokenizer, sampler, cache, step), observer)
    runner.counter = counter
    return runner


def transcribed(scheduler: Scheduler, options: Sequence[Options]) -> None:
    futures: list[Future[Any]] = [submit(scheduler, hum(4.7), one) for one in options]
    iterate_until(scheduler, lambda: all(future.done() for future in futures))
    assert [len(future.result().segments) for future in futures] == [1] * len(futures)


@pytest.mark.parametrize("language", ["en", None])
@pytest.mark.parametrize("requests", [1, ROWS])
def test_a_request_launches_little_outside_of_graphs_and_a_step_waits_once(
    scheduler: Scheduler, counter: LaunchCounter, observer: CountingObserver, language: str | None, requests: int
) -> None:
    """Given clips of one window, with and without a language; all that is joined together is shared."""
    counter.launches.clear()
    counter.waits = counter.uploads = 0
    observer.launches.clear()
    transcribed(scheduler, [Options(language=language, temperatures=(0.0,))] * requests)
    steps = counter.launches["replays"]
    assert len(observer.launches) == steps
    assert set(observer.launches) == {True}
    assert steps == TOKENS + (3 if language is None else 2)
    assert counter.waits <= steps
    assert counter.uploads <= steps + UPLOADS_OF_A_REQUEST * requests
    assert counter.launches["decoder"] / requests <= 150
