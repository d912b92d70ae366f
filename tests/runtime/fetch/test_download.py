"""A download resumes where it ended, in this process or the next, and gives up on a file that cannot be right."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fakes.mirror import Mirror, MirrorRequest, Responder, cut, other, refusing, stalling, whole, without_ranges
from tests.runtime.fetch.conftest import digest, fetched, name_of, saved, visible, weights
from whisper_runtime.contract.config import RuntimeConfig
from whisper_runtime.fetch.download import RetryPolicy
from whisper_runtime.fetch.fetch import fetch


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.99])
def test_a_cut_connection_is_resumed(mirror: Mirror, cache: Path, share: float) -> None:
    mirror.answers = [cut(share), whole]
    assert fetched(cache, mirror.url, digest(mirror.content)).reason == "Fetched"
    done = int(share * len(mirror.content))
    assert mirror.ranges == [None, f"bytes={done}-" if done else None]
    assert mirror.requests[1].get("if-range") == ('"v1"' if done else None)


def test_a_server_that_knows_no_ranges_sends_it_all_again(mirror: Mirror, cache: Path) -> None:
    mirror.answers = [cut(0.5), without_ranges]
    assert fetched(cache, mirror.url, digest(mirror.content)).reason == "Fetched"
    assert (cache / name_of(mirror.content)).read_bytes() == mirror.content


def test_a_file_that_changes_meanwhile_is_taken_from_its_start(mirror: Mirror, cache: Path) -> None:
    newer = saved(weights(n_text_layer=2))
    mirror.answers = [cut(0.5), other(newer)]
    assert fetched(cache, mirror.url, digest(newer)).reason == "Fetched"


def test_the_next_process_resumes_where_this_one_gave_up(mirror: Mirror, cache: Path) -> None:
    mirror.answers = [cut(0.5), refusing(503)]
    assert fetched(cache, mirror.url, digest(mirror.content)).reason == "DownloadFailed"
    assert visible(cache) == []
    mirror.answers, mirror.requests = [whole], []
    assert fetched(cache, mirror.url, digest(mirror.content)).reason == "Fetched"
    assert mirror.ranges == [f"bytes={len(mirror.content) // 2}-"]


def test_leftovers_of_another_file_are_detected_and_dropped(mirror: Mirror, cache: Path) -> None:
    cache.mkdir()
    (cache / f".{name_of(mirror.content)}.partial").write_bytes(b"PK\x03\x04 of another file")
    mirror.answers = [lambda request: request.send(request.mirror.content, request.offset, None)]
    assert fetched(cache, mirror.url, digest(mirror.content)).reason == "Fetched"
    assert mirror.ranges == ["bytes=20-", None]


def test_leftovers_longer_than_the_file_are_dropped(mirror: Mirror, cache: Path) -> None:
    cache.mkdir()
    (cache / f".{name_of(mirror.content)}.partial").write_bytes(b"PK\x03\x04" + bytes(len(mirror.content)))
    mirror.answers = [refusing(416), whole]
    assert fetched(cache, mirror.url, digest(mirror.content)).reason == "Fetched"


def test_transient_failures_are_tried_again_at_once(mirror: Mirror, cache: Path) -> None:
    mirror.answers = [refusing(500), refusing(429), stalling(0.3), cut(0.6), whole]
    assert fetched(cache, mirror.url, digest(mirror.content)).reason == "Fetched"
    assert len(mirror.requests) == 5


def test_the_time_until_giving_up_begins_with_the_first_failure(mirror: Mirror, cache: Path) -> None:
    """A registry's layer may be read for minutes before its file's first byte, and break off then."""
    mirror.answers = [refusing(503), whole]
    impatient = RetryPolicy(give_up_seconds=0.0, first_delay_seconds=0.0)
    config = RuntimeConfig(
        model="mine", model_dir=str(cache), model_url=mirror.url, model_sha256=digest(mirror.content)
    )
    assert fetch(config, policy=impatient).reason == "Fetched"


def changed(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


def claiming(length: int) -> Responder:
    """Promises `length` bytes, and sends four."""

    def respond(request: MirrorRequest) -> None:
        request.send_response(200)
        request.send_header("Content-Length", str(length))
        request.send_header("Connection", "close")
        request.end_headers()
        request.wfile.write(b"PK\x03\x04")
        request.close_connection = True

    return respond


@pytest.mark.parametrize(
    ("answer", "reason", "says"),
    [
        (lambda request: other(changed(request.mirror.content))(request), "ChecksumMismatch", "has sha256 "),
        (lambda request: other(request.mirror.content + b"more")(request), "ChecksumMismatch", "has sha256 "),
        (other(b"no checkpoint at all"), "NotACheckpoint", "begins with b'no check'"),
        (claiming(1 << 50), "NotACheckpoint", "no checkpoint of a Whisper is larger than"),
        (cut(0.0), "DownloadFailed", "ended after 0 of "),
    ],
)
def test_a_file_that_cannot_be_right_is_reported_and_never_published(
    mirror: Mirror, cache: Path, answer: Responder, reason: str, says: str
) -> None:
    mirror.answers = [answer]
    report = fetched(cache, mirror.url, digest(mirror.content))
    assert report.reason == reason
    assert says in report.message
    assert visible(cache) == []
    mirror.answers = [whole]
    assert fetched(cache, mirror.url, digest(mirror.content)).reason == "Fetched"


def test_a_fetch_that_gave_up_leaves_the_start_of_the_file(mirror: Mirror, cache: Path) -> None:
    mirror.answers = [stalling(0.5)]
    assert fetched(cache, mirror.url, digest(mirror.content)).reason == "DownloadFailed"
    assert [file.name for file in cache.iterdir()] == [f".{name_of(mirror.content)}.partial"]
