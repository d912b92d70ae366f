"""OpenAI's client verifies what is signed, by each secret of a rotation; a secret that is none is named."""

from __future__ import annotations

import base64
import time
from pathlib import Path

import openai
import pytest

from tests.fakes.webhook_receiver import SECRET
from whisper_runtime.service.webhooks.signature import (
    LEAST_KEY_BYTES,
    MOST_SECRETS,
    PREFIX,
    BadSecret,
    read_secrets,
    signed_headers,
)

BODY = b'{"id":"evt_1","object":"event","created_at":1,"type":"transcription.completed","data":{"id":"tr_1"}}'


def secret(content: bytes) -> str:
    return PREFIX + base64.b64encode(content).decode()


def written(directory: Path, **secrets: str) -> Path:
    for name, content in secrets.items():
        (directory / name).write_text(content)
    return directory


def test_the_signature_is_the_one_of_the_specification() -> None:
    """Of its own example: https://github.com/standard-webhooks/standard-webhooks, the libraries' tests."""
    (key,) = [base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")]
    headers = signed_headers([key], "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


@pytest.mark.parametrize("known", ["a" * 32, "b" * 32])
def test_a_receiver_that_has_either_secret_of_a_rotation_believes_it(tmp_path: Path, known: str) -> None:
    keys = read_secrets(written(tmp_path, old=secret(b"a" * 32), new=secret(b"b" * 32) + "\n"))
    headers = signed_headers(keys, "evt_1", int(time.time()), BODY)
    assert headers["webhook-signature"].count(" ") == 1
    with openai.OpenAI(api_key="none", webhook_secret=secret(known.encode())) as client:
        event = client.webhooks.unwrap(BODY, headers)
        assert (event.id, event.type, event.data.id) == ("evt_1", "transcription.completed", "tr_1")


def test_what_was_changed_or_signed_by_another_is_not_believed() -> None:
    headers = signed_headers([b"a" * 32], "evt_1", int(time.time()), BODY)
    with openai.OpenAI(api_key="none", webhook_secret=secret(b"a" * 32)) as client:
        client.webhooks.verify_signature(BODY, headers)
        for body, changed in (
            (BODY.replace(b"tr_1", b"tr_2"), {}),
            (BODY, {"webhook-id": "evt_2"}),
            (BODY, {"webhook-signature": signed_headers([b"b" * 32], "evt_1", 1, BODY)["webhook-signature"]}),
        ):
            with pytest.raises(openai.InvalidWebhookSignatureError):
                client.webhooks.verify_signature(body, {**headers, **changed})


def test_secrets_are_the_files_of_a_mounted_secret(tmp_path: Path) -> None:
    """Kubernetes' own links begin with a dot."""
    written(tmp_path, a=SECRET, **{"..data": "x"})
    assert read_secrets(tmp_path) == [b"01234567890123456789012345678901"]
    written(tmp_path, **{f"b{number}": SECRET for number in range(MOST_SECRETS)})
    assert len(read_secrets(tmp_path)) == MOST_SECRETS


@pytest.mark.parametrize(
    "content",
    [
        "",
        "secret",
        PREFIX,
        f"{PREFIX}not base64!",
        secret(b"a" * (LEAST_KEY_BYTES - 1)),
        base64.b64encode(b"a" * 32).decode(),
        secret(b"a" * 4096),
        "ä",
    ],
)
def test_a_file_that_is_no_secret_is_named_and_not_shown(tmp_path: Path, content: str) -> None:
    written(tmp_path, a=SECRET, b=content)
    with pytest.raises(BadSecret, match=r"'b' is not whsec_.*make one by echo") as refused:
        read_secrets(tmp_path)
    assert len(content) < 8 or content not in str(refused.value)


def test_a_directory_without_secrets_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadSecret, match=f"no secret of webhooks in {tmp_path}: mount"):
        read_secrets(tmp_path)
    with pytest.raises(BadSecret, match="cannot be read in /nowhere"):
        read_secrets(Path("/nowhere"))
