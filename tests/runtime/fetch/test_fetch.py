"""A checkpoint is in the cache only when it is whole and right; what went wrong is said."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.fakes.mirror import Answer, Asked, Mirror, cut, other, refusing, stalling, web_page, whole, without_ranges
from tests.runtime.fetch.conftest import IMPATIENT, digest, fetched, saved, visible, weights
from whisper_runtime.contract.config import RuntimeConfig
from whisper_runtime.contract.files import TERMINATION_MESSAGE_LIMIT
from whisper_runtime.contract.reports import FetchReport
from whisper_runtime.fetch.fetch import fetch


def name_of(content: bytes) -> str:
    return f"mine-{digest(content)[:12]}.pt"


def test_what_is_right_is_kept_under_its_digest(mirror: Mirror, cache: Path) -> None:
    report = fetched(cache, mirror.url, digest(mirror.content))
    assert (report.reason, report.digest, report.bytes) == ("Fetched", digest(mirror.content), len(mirror.content))
    assert os.listdir(cache) == [name_of(mirror.content)]
    assert (cache / name_of(mirror.content)).read_bytes() == mirror.content


def test_what_is_there_is_not_fetched_again(mirror: Mirror, cache: Path) -> None:
    fetched(cache, mirror.url, digest(mirror.content))
    assert fetched(cache, mirror.url, digest(mirror.content)).reason == "AlreadyCached"
    assert len(mirror.asked) == 1


def test_what_is_there_is_served_from_a_volume_that_cannot_be_written(mirror: Mirror, cache: Path) -> None:
    fetched(cache, mirror.url, digest(mirror.content))
    cache.rename(cache.with_name("elsewhere"))
    cache.symlink_to(f"/proc/self/cwd/{os.path.relpath(cache.with_name('elsewhere'))}")  # nothing of ours is made in it
    assert fetched(cache, "http://nobody.invalid/x.pt", digest(mirror.content)).reason == "AlreadyCached"


def test_what_has_rotted_is_set_aside_and_fetched_anew(mirror: Mirror, cache: Path) -> None:
    cache.mkdir()
    (cache / name_of(mirror.content)).write_bytes(b"rotten")
    assert fetched(cache, mirror.url, digest(mirror.content)).reason == "Fetched"
    assert (cache / name_of(mirror.content)).read_bytes() == mirror.content
    assert (cache / ".quarantine" / name_of(mirror.content)).read_bytes() == b"rotten"


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.99])
def test_a_cut_connection_is_gone_on_with(mirror: Mirror, cache: Path, share: float) -> None:
    mirror.answers = [cut(share), whole]
    assert fetched(cache, mirror.url, digest(mirror.content)).reason == "Fetched"
    done = int(share * len(mirror.content))
    assert mirror.ranges == [None, f"bytes={done}-" if done else None]
    assert mirror.asked[1].get("if-range") == ('"v1"' if done else None)


def test_a_server_that_knows_no_ranges_sends_it_all_again(mirror: Mirror, cache: Path) -> None:
    mirror.answers = [cut(0.5), without_ranges]
    assert fetched(cache, mirror.url, digest(mirror.content)).reason == "Fetched"
    assert (cache / name_of(mirror.content)).read_bytes() == mirror.content


def test_a_file_that_changes_meanwhile_is_taken_from_its_start(mirror: Mirror, cache: Path) -> None:
    newer = saved(weights(n_text_layer=2))
    mirror.answers = [cut(0.5), other(newer)]
    assert fetched(cache, mirror.url, digest(newer)).reason == "Fetched"


def test_the_next_process_goes_on_where_this_one_gave_up(mirror: Mirror, cache: Path) -> None:
    mirror.answers = [cut(0.5), refusing(503)]
    assert fetched(cache, mirror.url, digest(mirror.content)).reason == "DownloadFailed"
    assert visible(cache) == []
    mirror.answers, mirror.asked = [whole], []
    assert fetched(cache, mirror.url, digest(mirror.content)).reason == "Fetched"
    assert mirror.ranges == [f"bytes={len(mirror.content) // 2}-"]


def test_a_piece_of_another_file_is_found_out_and_left(mirror: Mirror, cache: Path) -> None:
    cache.mkdir()
    (cache / f".{name_of(mirror.content)}.partial").write_bytes(b"PK\x03\x04 of another file")
    mirror.answers = [lambda asked: asked.send(asked.mirror.content, asked.offset, None)]
    assert fetched(cache, mirror.url, digest(mirror.content)).reason == "Fetched"
    assert mirror.ranges == ["bytes=20-", None]


def test_a_piece_longer_than_the_file_is_left(mirror: Mirror, cache: Path) -> None:
    cache.mkdir()
    (cache / f".{name_of(mirror.content)}.partial").write_bytes(b"PK\x03\x04" + bytes(len(mirror.content)))
    mirror.answers = [refusing(416), whole]
    assert fetched(cache, mirror.url, digest(mirror.content)).reason == "Fetched"


def changed(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


def claiming(extent: str = "", length: int = 4) -> Answer:
    """Says what it likes of the file's size."""

    def answer(asked: Asked) -> None:
        asked.send_response(206 if extent else 200)
        asked.send_header("Content-Length", str(length))
        if extent:
            asked.send_header("Content-Range", extent)
        asked.send_header("Connection", "close")
        asked.end_headers()
        asked.wfile.write(b"PK\x03\x04")
        asked.close_connection = True

    return answer


@pytest.mark.parametrize(
    ("answer", "reason", "says"),
    [
        (lambda asked: other(changed(asked.mirror.content))(asked), "ChecksumMismatch", "has sha256 "),
        (lambda asked: other(asked.mirror.content + b"more")(asked), "ChecksumMismatch", "has sha256 "),
        (other(b"no checkpoint at all"), "NotACheckpoint", "begins with b'no check'"),
        (web_page, "DownloadFailed", "a web page, no checkpoint: is a login or a proxy in between?"),
        (refusing(401), "DownloadFailed", "answered 401 Unauthorized: put credentials"),
        (refusing(403), "DownloadFailed", "answered 403 Forbidden: put credentials"),
        (refusing(404), "DownloadFailed", "answered 404 Not Found: correct spec.model.source.url"),
        (refusing(429, Retry_After="3600"), "DownloadFailed", "answered 429 Too Many Requests"),
        (refusing(500), "DownloadFailed", "answered 500 Internal Server Error"),
        (refusing(302, Location="ftp://elsewhere/base.pt"), "DownloadFailed", "leads to ftp://"),
        (refusing(302, Location="http://[elsewhere/base.pt"), "DownloadFailed", "leads to no address"),
        (refusing(503, Retry_After="\u00b2"), "DownloadFailed", "answered 503 Service Unavailable"),
        (claiming("bytes 0-1/" + "9" * 5000), "DownloadFailed", "answered with another range"),
        (claiming(length=1 << 50), "NotACheckpoint", "no checkpoint is larger than"),
        (cut(0.0), "DownloadFailed", "ended after 0 of "),
        (stalling(0.0), "DownloadFailed", "sent nothing for 0.5 s"),
    ],
)
def test_what_goes_wrong_is_told_and_no_model_is_seen(
    mirror: Mirror, cache: Path, answer: Answer, reason: str, says: str
) -> None:
    mirror.answers = [answer]
    report = fetched(cache, mirror.url, digest(mirror.content))
    assert report.reason == reason
    assert says in report.message
    assert visible(cache) == []
    mirror.answers = [whole]
    assert fetched(cache, mirror.url, digest(mirror.content)).reason == "Fetched"


def test_what_may_pass_is_tried_again_at_once(mirror: Mirror, cache: Path) -> None:
    mirror.answers = [refusing(500), refusing(429), stalling(0.3), cut(0.6), whole]
    assert fetched(cache, mirror.url, digest(mirror.content)).reason == "Fetched"
    assert len(mirror.asked) == 5


def test_the_wrong_file_is_set_aside_for_whoever_asks_why(mirror: Mirror, cache: Path) -> None:
    mirror.answers = [other(mirror.content + b"more")]
    fetched(cache, mirror.url, digest(mirror.content))
    assert (cache / ".quarantine" / name_of(mirror.content)).read_bytes() == mirror.content + b"more"


def test_what_is_right_and_no_checkpoint_is_downloaded_once(mirror: Mirror, cache: Path) -> None:
    """The kubelet tries again and again: no attempt can make another file of it."""
    mirror.content = saved({**weights(), "dims": {}})
    for _ in range(3):
        report = fetched(cache, mirror.url, digest(mirror.content))
        assert report.reason == "NotACheckpoint"
    assert len(mirror.asked) == 1
    assert visible(cache) == []
    assert (cache / ".quarantine" / name_of(mirror.content)).exists()


def test_a_server_that_is_not_there(cache: Path) -> None:
    report = fetched(cache, "http://127.0.0.1:9/base.pt", "0" * 64)
    assert report.reason == "DownloadFailed"
    assert "http://127.0.0.1:9/base.pt could not be reached" in report.message


def test_an_address_that_is_none(cache: Path) -> None:
    assert "is no URL: Port out of range" in fetched(cache, "http://127.0.0.1:99999/base.pt", "0" * 64).message


@pytest.mark.parametrize(("message", "count"), [("x" * 9000, 0), ("ü" * 3000, 20), ("x", 20), ("x" * 3000, 20)])
def test_a_report_always_fits_a_termination_message(message: str, count: int) -> None:
    files = {f"{'m' * 63}-{number:012}.pt": 1 << 40 for number in range(count)}
    found = FetchReport(model="mine", reason="NoSpace", message=message, files=files).to_json()
    assert len(found.encode()) <= TERMINATION_MESSAGE_LIMIT
    assert FetchReport.model_validate_json(found).reason == "NoSpace"


def test_a_servers_own_words_do_not_drown_the_remedy(mirror: Mirror, cache: Path) -> None:
    def talkative(asked: Asked) -> None:
        asked.send_response(403, "x" * 5000)
        asked.send_header("Content-Length", "0")
        asked.end_headers()

    mirror.answers = [talkative]
    message = fetched(cache, mirror.url, digest(mirror.content)).message
    assert len(message) < 300
    assert message.endswith("spec.model.source.secretRef")


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://example.com/base.pt"])
def test_other_schemes_are_refused(cache: Path, url: str) -> None:
    assert "only http://, https://, s3:// and pvc://" in fetched(cache, url, "0" * 64).message


def test_no_secret_of_the_url_is_told(cache: Path) -> None:
    for url in ("http://me:hunter2@127.0.0.1:9/base.pt", "http://127.0.0.1:9/base.pt?token=hunter2"):
        report = fetched(cache, url, "0" * 64)
        assert report.reason == "DownloadFailed"
        assert "hunter2" not in report.model_dump_json()


def test_a_name_of_nobody_needs_a_digest(cache: Path) -> None:
    def unknown(**more: str) -> FetchReport:
        return fetch(RuntimeConfig(model="mine", model_dir=str(cache), **more), patience=IMPATIENT)

    assert unknown().reason == "UnknownModel"
    assert unknown(model_sha256="0" * 64).reason == "UnknownModel"
    assert unknown(model_url="https://example.com/mine.pt").reason == "UnknownModel"
