"""Without a model there is the text that is kept, which costs its client a request, and no other."""

from __future__ import annotations

import io
from dataclasses import dataclass

import pytest
from prometheus_client import CollectorRegistry

from tests.fakes.engine import MULTILINGUAL, SPOKEN, FakeEngine
from whisper_runtime.contract.config import RuntimeConfig
from whisper_runtime.engine.transcription import Options
from whisper_runtime.errors import HttpError
from whisper_runtime.service.admitted import Admitted
from whisper_runtime.service.audio_loading import DEFAULT_AUDIO, MediaFile
from whisper_runtime.service.disk_quota import DiskQuota
from whisper_runtime.service.downloads import RemoteFile
from whisper_runtime.service.fair_share import FairShare
from whisper_runtime.service.model_info import ServedModel
from whisper_runtime.service.rate_limits import RateLimits
from whisper_runtime.service.result_cache.cache import ResultCache
from whisper_runtime.service.result_cache.content import KnownAudio
from whisper_runtime.service.result_cache.directives import NO_DIRECTIVES, CacheDirectives
from whisper_runtime.service.result_cache.kept_transcriber import KeptTranscriber
from whisper_runtime.service.result_cache.metrics import CacheMetrics
from whisper_runtime.service.result_cache.store import MemoryStore
from whisper_runtime.service.transcribe import SegmentStream

DIGEST = "f" * 64


@dataclass
class KeptText:
    """A cache in which SPOKEN is kept for Alice's upload."""

    cache: ResultCache
    rates: RateLimits

    def by(self, directives: CacheDirectives = NO_DIRECTIVES, digest: str | None = DIGEST) -> KeptTranscriber:
        return KeptTranscriber(self.cache, self.cache.metrics, self.rates, directives, digest)


@pytest.fixture
async def kept() -> KeptText:
    store, model = MemoryStore(1024**2, 60), ServedModel(RuntimeConfig(model="base"), MULTILINGUAL)
    model.has_digest("c" * 64)
    metrics = CacheMetrics(CollectorRegistry(), float)
    cache = ResultCache(store, store, model, FakeEngine(), metrics, is_shared=False)
    upload = cache.upload_key("alice", DIGEST, recording(), Options(), DEFAULT_AUDIO)
    assert upload
    await cache.keep_audio(upload, KnownAudio("d" * 64, None))
    await cache.keep(cache.key("alice", "d" * 64, Options(), DEFAULT_AUDIO), SPOKEN, (1,))
    return KeptText(cache, RateLimits(1, None))


def recording() -> MediaFile:
    return MediaFile(io.BytesIO(b"x"))


def admitted(client: str = "alice") -> Admitted:
    shares = FairShare()
    return Admitted(shares.take(client, 1), shares, RateLimits(None, None), DiskQuota(1000, lambda: 1), 1000)


async def refusal(of: KeptTranscriber, let_in: Admitted, options: Options) -> int:
    with pytest.raises(HttpError) as caught:
        await of.transcribe(recording(), let_in, options)
    return caught.value.status_code


async def test_it_is_the_kept_text_with_its_segments(kept: KeptText) -> None:
    let_in, stream = admitted(), SegmentStream()
    assert await kept.by().transcribe(recording(), let_in, Options(), stream) == SPOKEN
    assert stream.accepted.is_set()
    assert await stream.next_window() == SPOKEN.segments
    assert let_in.headers["Cache-Status"].startswith("whisper; hit; ttl=")
    assert let_in.headers["x-ratelimit-remaining-requests"] == "0"


async def test_one_request_more_than_its_client_may_send_is_refused(kept: KeptText) -> None:
    await kept.by().transcribe(recording(), admitted(), Options())
    assert await refusal(kept.by(), admitted(), Options()) == 429


@pytest.mark.parametrize("directives", [CacheDirectives(no_store=True), CacheDirectives(no_cache=True)], ids=str)
async def test_who_wants_nothing_that_is_kept_gets_nothing_and_pays_nothing(
    kept: KeptText, directives: CacheDirectives
) -> None:
    let_in = admitted()
    assert await refusal(kept.by(directives), let_in, Options()) == 504
    assert let_in.headers == {}
    assert kept.rates.headers("alice")["x-ratelimit-remaining-requests"] == "1"


async def test_neither_does_another_client_another_file_or_another_wish(kept: KeptText) -> None:
    assert await refusal(kept.by(), admitted("bob"), Options()) == 504
    assert await refusal(kept.by(digest="e" * 64), admitted(), Options()) == 504
    assert await refusal(kept.by(), admitted(), Options(prompt="Kennedy")) == 504
    assert await refusal(kept.by(), admitted(), Options(temperatures=(0.5,))) == 504


async def test_what_is_on_another_server_is_not_known(kept: KeptText) -> None:
    assert not kept.by().takes_urls
    with pytest.raises(HttpError):
        await kept.by(digest=None).transcribe(RemoteFile("https://a.example.com/b"), admitted(), Options())
