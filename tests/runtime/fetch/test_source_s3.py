"""A checkpoint in a bucket of a real S3 server."""

from __future__ import annotations

import http.server
import json
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from testbed.cluster import binaries
from testbed.cluster.controlplane import free_ports
from tests.runtime.fetch.conftest import digest, fetched, visible
from tests.support.certificates import self_signed
from whisper_runtime.fetch.errors import FetchError, TransientFetchError
from whisper_runtime.fetch.source_s3 import object_address

pytestmark = pytest.mark.slow

KEYS = {"AWS_ACCESS_KEY_ID": "tester", "AWS_SECRET_ACCESS_KEY": "hunter2hunter2"}


@pytest.fixture(scope="module")
def endpoint(content: bytes, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a server that has `weights/some models/base.pt`."""
    root, accounts = tmp_path_factory.mktemp("s3"), tmp_path_factory.mktemp("accounts")
    (root / "weights/some models").mkdir(parents=True)
    (root / "weights/some models/base.pt").write_bytes(content)
    (port,) = free_ports(1)
    program = binaries.ensure("versitygw") / "versitygw"
    arguments = ("--access", KEYS["AWS_ACCESS_KEY_ID"], "--secret", KEYS["AWS_SECRET_ACCESS_KEY"])
    address = ("--port", f"127.0.0.1:{port}", "--region", "eu-north-1", "--iam-dir", str(accounts))
    with subprocess.Popen(
        (str(program), *arguments, *address, "posix", str(root)), stdout=subprocess.DEVNULL
    ) as server:
        try:
            wait_for(port, server)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()


def wait_for(port: int, server: subprocess.Popen[bytes]) -> None:
    ends = time.monotonic() + 30
    while time.monotonic() < ends and server.poll() is None:
        with socket.socket() as client:
            if client.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    pytest.fail("versitygw does not listen")


@pytest.fixture
def secret(endpoint: str, tmp_path: Path) -> Path:
    directory = tmp_path / "secret"
    directory.mkdir()
    for name, value in {**KEYS, "AWS_ENDPOINT_URL": endpoint, "AWS_REGION": "eu-north-1"}.items():
        (directory / name).write_text(value)
    return directory


def from_bucket(cache: Path, secret: Path, content: bytes, key: str = "some models/base.pt") -> Any:
    return fetched(cache, f"s3://weights/{key}", digest(content), model_credentials_dir=str(secret))


def test_it_is_fetched(cache: Path, secret: Path, content: bytes) -> None:
    report = from_bucket(cache, secret, content)
    assert (report.reason, report.digest) == ("Fetched", digest(content)), report.message
    assert "was fetched from s3://weights/some models/base.pt" in report.message


def test_a_partial_download_is_resumed(cache: Path, secret: Path, content: bytes) -> None:
    cache.mkdir()
    (cache / f".mine-{digest(content)[:12]}.pt.partial").write_bytes(content[:1000])
    assert from_bucket(cache, secret, content).reason == "Fetched"


@pytest.mark.parametrize(
    ("change", "key", "says"),
    [
        ({"AWS_SECRET_ACCESS_KEY": "wrong-wrong-wrong"}, "base.pt", "answered 403 Forbidden (SignatureDoesNotMatch)"),
        ({"AWS_ACCESS_KEY_ID": "nobody"}, "base.pt", "answered 403 Forbidden (InvalidAccessKeyId)"),
        ({}, "absent.pt", "answered 404 Not Found (NoSuchKey)"),
    ],
)
def test_a_refusal_is_reported_with_the_servers_own_code(
    cache: Path, secret: Path, content: bytes, change: dict[str, str], key: str, says: str
) -> None:
    for name, value in change.items():
        (secret / name).write_text(value)
    report = from_bucket(cache, secret, content, key)
    assert report.reason == "DownloadFailed"
    assert says in report.message
    assert not any(value in report.model_dump_json() for value in (*KEYS.values(), *change.values()))
    assert visible(cache) == []


def test_half_a_pair_of_keys_is_reported(cache: Path, secret: Path, content: bytes) -> None:
    (secret / "AWS_SECRET_ACCESS_KEY").unlink()
    assert "the Secret needs both AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY" in (
        from_bucket(cache, secret, content).message
    )


@pytest.mark.parametrize("url", ["s3://weights", "s3://weights/"])
def test_a_url_without_a_key_names_no_object(cache: Path, secret: Path, url: str) -> None:
    report = fetched(cache, url, "0" * 64, model_credentials_dir=str(secret))
    assert "does not name an object; for example s3://bucket/key" in report.message


def test_without_keys_the_address_is_that_of_a_public_bucket() -> None:
    assert object_address("s3://weights/some models/base.pt", {}) == (
        "https://s3.us-east-1.amazonaws.com/weights/some%20models/base.pt"
    )
    elsewhere = {"AWS_ENDPOINT_URL": "http://minio:9000/", "AWS_REGION": "eu-north-1"}
    assert object_address("s3://weights/base.pt", elsewhere) == "http://minio:9000/weights/base.pt"


def test_with_keys_the_address_is_presigned_and_does_not_hold_the_secret_one() -> None:
    found = object_address("s3://weights/base.pt", {**KEYS, "AWS_ENDPOINT_URL": "http://minio:9000"})
    assert found.startswith("http://minio:9000/weights/base.pt?")
    assert "X-Amz-Signature=" in found
    assert KEYS["AWS_SECRET_ACCESS_KEY"] not in found


class CredentialsHandler(http.server.BaseHTTPRequestHandler):
    """The agent of a cloud that gives a pod credentials for its ServiceAccount's token."""

    def do_GET(self) -> None:
        is_known = self.headers["Authorization"] == "the account's token"
        given = {"AccessKeyId": "ASIA1", "SecretAccessKey": "s", "Token": "t", "Expiration": "2099-01-01T00:00:00Z"}
        body = json.dumps(given).encode()
        self.send_response(200 if is_known else 403)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


@pytest.fixture
def identity(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """File of the account's token, in an environment such as EKS Pod Identity makes it."""
    token = tmp_path / "token"
    token.write_text("the account's token")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), CredentialsHandler) as agent:
        threading.Thread(target=agent.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{agent.server_port}/v1/credentials"
        monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", address)
        monkeypatch.setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", str(token))
        monkeypatch.setenv("AWS_REGION", "eu-west-1")
        yield token
        agent.shutdown()


@pytest.mark.usefixtures("identity")
def test_without_keys_the_pods_own_identity_signs() -> None:
    address = object_address("s3://weights/base.pt", {})
    assert address.startswith("https://s3.eu-west-1.amazonaws.com/weights/base.pt?")
    assert "X-Amz-Credential=ASIA1%2F" in address
    assert "X-Amz-Security-Token=t" in address


@pytest.mark.usefixtures("identity")
def test_keys_of_a_secret_come_before_the_pods_identity() -> None:
    assert "X-Amz-Credential=tester%2F" in object_address("s3://weights/base.pt", KEYS)


def test_an_identity_that_the_cloud_does_not_know_is_told_and_tried_again(identity: Path) -> None:
    identity.write_text("another token")
    with pytest.raises(TransientFetchError, match="the pod's ServiceAccount got no credentials from the cloud"):
        object_address("s3://weights/base.pt", {})


ASSUMED = """<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
<AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>ASIA2</AccessKeyId><SecretAccessKey>s</SecretAccessKey>
<SessionToken>t</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials>
</AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>"""


class TokenServiceHandler(http.server.BaseHTTPRequestHandler):
    """AWS's token service: https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html"""

    def do_POST(self) -> None:
        query = urlsplit(self.path).query or self.rfile.read(int(self.headers["Content-Length"])).decode()
        asked = {name: values[0] for name, values in parse_qs(query).items()}
        wanted = {
            "Action": "AssumeRoleWithWebIdentity",
            "RoleArn": "arn:aws:iam::111122223333:role/weights",
            "WebIdentityToken": "the account's token",
        }
        body = ASSUMED.encode()
        self.send_response(200 if wanted.items() <= asked.items() else 403)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


@pytest.fixture
def role(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """File of the account's token, in an environment such as EKS makes it for an account with a role."""
    token = tmp_path / "token"
    token.write_text("the account's token")
    certificate, key = self_signed(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), TokenServiceHandler) as service:
        service.socket = context.wrap_socket(service.socket, server_side=True)
        threading.Thread(target=service.serve_forever, daemon=True).start()
        monkeypatch.setenv("AWS_ROLE_ARN", "arn:aws:iam::111122223333:role/weights")
        monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(token))
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", f"https://127.0.0.1:{service.server_port}")
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        monkeypatch.setenv("AWS_REGION", "eu-west-1")
        yield token
        service.shutdown()


@pytest.mark.usefixtures("role")
def test_the_token_of_the_pods_account_is_exchanged_for_credentials_of_its_role() -> None:
    address = object_address("s3://weights/base.pt", {})
    assert address.startswith("https://s3.eu-west-1.amazonaws.com/weights/base.pt?")
    assert "X-Amz-Credential=ASIA2%2F" in address
    assert "X-Amz-Security-Token=t" in address


@pytest.mark.usefixtures("role")
def test_a_token_service_without_tls_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The client would fail without asking it, and name neither the address nor the reason."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", "http://minio:9000")
    with pytest.raises(FetchError, match=r"AWS_ENDPOINT_URL_STS is http://minio:9000: .* over https alone"):
        object_address("s3://weights/base.pt", {})


def test_a_role_that_may_not_be_assumed_is_told_and_tried_again(role: Path) -> None:
    role.write_text("another token")
    with pytest.raises(TransientFetchError, match="the pod's ServiceAccount got no credentials from the cloud") as told:
        object_address("s3://weights/base.pt", {})
    assert "another token" not in str(told.value)
