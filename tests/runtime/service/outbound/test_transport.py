"""Each request goes to an allowed server, at an address that was judged; what is refused is not connected to."""

from __future__ import annotations

import http.server
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.fakes.mirror import Mirror, MirrorRequest, whole
from tests.fakes.resolver import FakeResolver
from tests.runtime.service.outbound.conftest import LOOPBACK, TransportOf
from tests.runtime.service.outbound.test_addresses import REFUSED
from tests.support.certificates import self_signed
from tests.support.counted_socket import counted_socket, was_connected_to
from whisper_runtime.service.outbound.errors import OutboundError, OutboundReason
from whisper_runtime.service.outbound.transport import GuardedTransport

IMPATIENT = {"timeout": {"connect": 0.05, "read": 0.05, "write": 0.05, "pool": 0.05}}


def port_of(server: Mirror) -> int:
    return httpx.URL(server.url).port or 0


async def body(transport: GuardedTransport, url: str, extensions: dict[str, dict[str, float]] | None = None) -> bytes:
    response = await transport.handle_async_request(httpx.Request("GET", url, extensions=extensions))
    try:
        return b"".join([block async for block in response.aiter_raw()])
    finally:
        await response.aclose()


async def refusal(
    transport: GuardedTransport, url: str, extensions: dict[str, dict[str, float]] | None = None
) -> tuple[OutboundReason, str]:
    with pytest.raises(OutboundError) as refused:
        await body(transport, url, extensions)
    return refused.value.reason, refused.value.problem


async def test_the_server_is_asked_by_its_name_at_the_address_that_was_found(
    server: Mirror, transport_of: TransportOf
) -> None:
    resolver, port = FakeResolver(files_test=["127.0.0.1"]), port_of(server)
    transport = transport_of(f"http://files.test:{port}", resolve=resolver)
    assert await body(transport, f"http://files.test:{port}/a%20b.mp3?signature=%2f") == b"speech"
    assert resolver.asked == ["files.test"]
    (request,) = server.requests
    assert (request["host"], request["path"]) == (f"files.test:{port}", "/a%20b.mp3?signature=%2f")


async def test_a_name_that_changes_its_address_is_looked_up_once(server: Mirror, transport_of: TransportOf) -> None:
    """The connection goes to the address that was judged, not to what a second look-up would give."""
    resolver, port = FakeResolver(files_test=[["127.0.0.1"], ["127.0.0.2"]]), port_of(server)
    transport = transport_of(f"http://files.test:{port}", resolve=resolver)
    with counted_socket("127.0.0.2", port) as other:
        assert await body(transport, f"http://files.test:{port}/") == b"speech"
        assert (len(resolver.asked), was_connected_to(other)) == (1, False)


async def test_each_request_is_judged_by_a_look_up_of_its_own(server: Mirror, transport_of: TransportOf) -> None:
    port = port_of(server)
    resolver = FakeResolver(files_test=[["127.0.0.1"], ["127.0.0.2"]])
    transport = transport_of(f"http://files.test:{port}", resolve=resolver, networks=("127.0.0.1/32",))
    with counted_socket("127.0.0.2", port) as other:
        assert await body(transport, f"http://files.test:{port}/") == b"speech"
        reason, _ = await refusal(transport, f"http://files.test:{port}/")
        assert (reason, was_connected_to(other)) == ("NotAllowed", False)


@pytest.mark.parametrize("address", REFUSED)
async def test_nothing_is_connected_to_at_an_address_that_is_not_public(
    transport_of: TransportOf, address: str, caplog: pytest.LogCaptureFixture
) -> None:
    with counted_socket("::") as listener:
        port = listener.getsockname()[1]
        resolver = FakeResolver(files_test=[address])
        transport = transport_of(f"http://files.test:{port}", resolve=resolver, networks=())
        reason, problem = await refusal(transport, f"http://files.test:{port}/secret?signature=1", IMPATIENT)
        assert (reason, was_connected_to(listener)) == ("NotAllowed", False)
    assert "files.test" in problem
    assert address not in problem
    assert "no connection: a URL is on files.test, at an address" in caplog.text
    assert "signature" not in caplog.text


async def test_the_clusters_own_addresses_are_refused_though_their_numbers_are_public(
    transport_of: TransportOf,
) -> None:
    resolver = FakeResolver(files_test=["20.1.0.1"])
    transport = transport_of("http://files.test", resolve=resolver, cluster=("20.1.0.0/16",))
    reason, _ = await refusal(transport, "http://files.test/a", IMPATIENT)
    assert reason == "NotAllowed"


@pytest.mark.parametrize("addresses", [["8.8.8.8", "127.0.0.1"], ["127.0.0.1", "8.8.8.8"], ["2a00::1", "::1"]])
async def test_one_address_that_is_not_public_refuses_the_name(transport_of: TransportOf, addresses: list[str]) -> None:
    with counted_socket("::") as listener:
        port = listener.getsockname()[1]
        resolver = FakeResolver(files_test=addresses)
        transport = transport_of(f"http://files.test:{port}", resolve=resolver, networks=())
        reason, _ = await refusal(transport, f"http://files.test:{port}/", IMPATIENT)
        assert (reason, was_connected_to(listener)) == ("NotAllowed", False)


@pytest.mark.parametrize("url", ["http://127.0.0.1:{}/", "http://[::1]:{}/", "http://localhost:{}/", "http://0:{}/"])
async def test_a_host_that_is_not_listed_is_not_looked_up(transport_of: TransportOf, url: str) -> None:
    with counted_socket("::") as listener:
        port = listener.getsockname()[1]
        resolver = FakeResolver()
        transport = transport_of(f"http://files.test:{port}", resolve=resolver)
        assert (await refusal(transport, url.format(port)))[0] == "NotAllowed"
        assert (resolver.asked, was_connected_to(listener)) == ([], False)


async def test_the_next_address_is_tried_where_one_cannot_be_reached(server: Mirror, transport_of: TransportOf) -> None:
    resolver, port = FakeResolver(files_test=["127.0.0.3", "127.0.0.1"]), port_of(server)
    transport = transport_of(f"http://files.test:{port}", resolve=resolver)
    assert await body(transport, f"http://files.test:{port}/") == b"speech"


async def test_proxies_of_the_environment_are_not_asked(
    server: Mirror, transport_of: TransportOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    with counted_socket() as proxy:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy", "HTTPS_PROXY", "https_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.getsockname()[1]}")
        port = port_of(server)
        assert await body(transport_of(f"http://files.test:{port}"), f"http://files.test:{port}/") == b"speech"
        assert not was_connected_to(proxy)


async def test_a_server_that_cannot_be_reached_or_is_none(transport_of: TransportOf) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    transport = transport_of(f"http://files.test:{port}")
    reason, problem = await refusal(transport, f"http://files.test:{port}/")
    assert (reason, problem) == ("Failed", "is on files.test, which cannot be reached")


async def test_a_server_that_says_nothing(transport_of: TransportOf) -> None:
    with counted_socket() as silent:
        port = silent.getsockname()[1]
        transport = transport_of(f"http://files.test:{port}")
        reason, problem = await refusal(transport, f"http://files.test:{port}/", IMPATIENT)
        assert (reason, problem) == ("TooSlow", "is on files.test, which did not answer in time")


async def test_a_server_that_does_not_speak_http(server: Mirror, transport_of: TransportOf) -> None:
    def babbles(request: MirrorRequest) -> None:
        request.wfile.write(b"220 smtp.internal ESMTP\r\n")
        request.close_connection = True

    server.answers, port = [babbles], port_of(server)
    reason, problem = await refusal(transport_of(f"http://files.test:{port}"), f"http://files.test:{port}/")
    assert (reason, problem) == ("Failed", "is on files.test, which broke the connection off")


def keeping_the_connection(request: MirrorRequest) -> None:
    request.send_response(200)
    request.send_header("Content-Length", "6")
    request.end_headers()
    request.wfile.write(b"speech")


@pytest.fixture
def certified(tmp_path: Path) -> Iterator[tuple[int, str, list[str | None]]]:
    """A server with a certificate for files.test: its port, the authority's certificate, and the names asked of it."""
    certificate, key = self_signed(tmp_path, "DNS:files.test")
    asked: list[str | None] = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    context.sni_callback = lambda _socket, name, _context: asked.append(name)
    handler = type("Handler", (MirrorRequest,), {"mirror": Mirror(b"speech", [keeping_the_connection])})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield server.server_port, str(certificate), asked
    server.shutdown()
    server.server_close()
    thread.join()


async def test_tls_is_verified_for_the_name(
    certified: tuple[int, str, list[str | None]], transport_of: TransportOf
) -> None:
    port, ca, asked = certified
    transport = transport_of(f"files.test:{port}", ca=ca)
    assert await body(transport, f"https://files.test:{port}/") == b"speech"
    assert asked == ["files.test"]


async def test_a_certificate_for_another_name_is_refused_though_the_address_was_verified_before(
    certified: tuple[int, str, list[str | None]], transport_of: TransportOf
) -> None:
    """A connection that was verified for one name is used for no other name at its address."""
    port, ca, asked = certified
    resolver = FakeResolver(files_test=["127.0.0.1"], other_test=["127.0.0.1"])
    transport = transport_of(f"files.test:{port}", f"other.test:{port}", resolve=resolver, ca=ca)
    assert await body(transport, f"https://files.test:{port}/") == b"speech"
    reason, problem = await refusal(transport, f"https://other.test:{port}/")
    assert (reason, problem) == ("Failed", "is on other.test, whose certificate is not trusted")
    assert asked == ["files.test", "other.test"]


async def test_a_certificate_that_no_authority_signed_is_refused(
    certified: tuple[int, str, list[str | None]], transport_of: TransportOf
) -> None:
    port, _, _ = certified
    reason, problem = await refusal(transport_of(f"files.test:{port}"), f"https://files.test:{port}/")
    assert (reason, problem) == ("Failed", "is on files.test, whose certificate is not trusted")


async def test_an_ipv6_address_is_connected_to(transport_of: TransportOf) -> None:
    handler = type("Handler", (MirrorRequest,), {"mirror": Mirror(b"speech", [whole])})
    server_class = type("Server", (http.server.ThreadingHTTPServer,), {"address_family": socket.AF_INET6})
    server = server_class(("::1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        port, resolver = server.server_port, FakeResolver(files_test=["::1"])
        transport = transport_of(f"http://files.test:{port}", resolve=resolver, networks=LOOPBACK)
        assert await body(transport, f"http://files.test:{port}/") == b"speech"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
