"""Checks of security: a server without keys, without a body limit, or open to every page is reported."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fakes.engine import FakeEngine
from tests.runtime.verify.conftest import KEYS, CannedClient, decode, options, outcomes, target
from tests.support.runtime_server import fake_server
from whisper_runtime.verify import security
from whisper_runtime.verify.checks import CheckFailed
from whisper_runtime.verify.run import verify


def test_a_server_that_demands_no_key_fails(golden: str, key_file: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(security, "POURED_BYTES", 1024**2)
    with fake_server(FakeEngine(), decode) as url:
        assert outcomes(verify(options(url, golden, api_key_file=key_file)), False) == KEYS


def test_a_wrong_key_is_refused_before_the_body_is_read(golden: str, key_file: str) -> None:
    with fake_server(FakeEngine(), decode, api_keys_dir=str(Path(key_file).parent)) as url:
        report = verify(options(url, golden, api_key_file=key_file))
    [check] = [check for check in report.checks if check.name == "wrong-key-at-once"]
    assert check.passed
    assert check.message.startswith("401 after ")


def test_a_server_without_a_body_limit_fails(golden: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(security, "REFUSAL_SECONDS", 0.5)
    with fake_server(FakeEngine(), decode, max_upload_bytes=1 << 50, max_scratch_bytes=1 << 51) as url:
        assert outcomes(verify(options(url, golden)), False) == {"body-limit"}


def test_every_origin_is_noted_where_it_is_configured(golden: str) -> None:
    with fake_server(FakeEngine(), decode, cors_allow_origins=("*",)) as url:
        [check] = [check for check in verify(options(url, golden)).checks if check.name == "cors"]
    assert (check.passed, check.message) == (True, "pages of every origin are allowed, as configured")


@pytest.mark.parametrize(
    ("headers", "says"),
    [
        (
            {"access-control-allow-origin": "*", "access-control-allow-credentials": "true"},
            "pages of any origin may send requests with their visitors' credentials",
        ),
        (
            {"access-control-allow-origin": "https://stranger.invalid"},
            "the unknown origin https://stranger.invalid is allowed by name",
        ),
    ],
)
def test_a_server_that_allows_an_unknown_origin_fails(headers: dict[str, str], says: str) -> None:
    with pytest.raises(CheckFailed, match=says):
        security.refuses_unknown_origins(target(CannedClient(headers=headers)))
