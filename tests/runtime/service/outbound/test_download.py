"""A file comes block by block; redirects are followed where each target is allowed; what is no file is refused."""

from __future__ import annotations

import httpx
import pytest

from tests.fakes.mirror import Mirror, MirrorRequest, Responder, cut, refusing, serving, web_page, whole
from tests.fakes.resolver import FakeResolver
from tests.runtime.service.outbound.conftest import TransportOf
from tests.support.counted_socket import counted_socket, was_connected_to
from whisper_runtime.service.outbound.download import Download, download
from whisper_runtime.service.outbound.errors import OutboundError, OutboundReason
from whisper_runtime.service.outbound.transport import GuardedTransport


def files_test(server: Mirror, path: str = "/a.mp3") -> str:
    return f"http://files.test:{httpx.URL(server.url).port}{path}"


def redirecting(location: str, status: int = 302) -> Responder:
    return refusing(status, Location=location, Set_Cookie="session=secret")


def chunked(request: MirrorRequest) -> None:
    request.send_response(200)
    request.send_header("Transfer-Encoding", "chunked")
    request.end_headers()
    request.wfile.write(b"3\r\nspe\r\n3\r\nech\r\n0\r\n\r\n")


async def fetched(transport: GuardedTransport, url: str) -> tuple[Download, bytes]:
    async with download(transport, url) as found:
        return found, b"".join([block async for block in found.blocks])


async def refusal(transport: GuardedTransport, url: str) -> tuple[OutboundReason, str]:
    with pytest.raises(OutboundError) as refused:
        await fetched(transport, url)
    return refused.value.reason, refused.value.problem


@pytest.fixture
def transport(server: Mirror, transport_of: TransportOf) -> GuardedTransport:
    return transport_of(files_test(server, ""))


async def test_a_file_with_what_its_server_says_of_it(server: Mirror, transport: GuardedTransport) -> None:
    def typed(request: MirrorRequest) -> None:
        request.send_response(200)
        request.send_header("Content-Type", "audio/mpeg")
        request.send_header("Content-Length", "6")
        request.end_headers()
        request.wfile.write(b"speech")

    server.answers = [typed]
    found, content = await fetched(transport, files_test(server, "/calls/a%20b.mp3?signature=1"))
    assert (found.host, found.content_type, found.name, found.size) == ("files.test", "audio/mpeg", "a b.mp3", 6)
    assert content == b"speech"


async def test_a_server_need_not_say_anything_of_it(server: Mirror, transport: GuardedTransport) -> None:
    server.answers = [chunked]
    found, content = await fetched(transport, files_test(server, "/"))
    assert (found.content_type, found.name, found.size, content) == ("", "", None, b"speech")


async def test_a_request_has_no_credentials_and_no_cookies(server: Mirror, transport: GuardedTransport) -> None:
    server.answers = [redirecting("/b.mp3"), whole]
    await fetched(transport, files_test(server))
    first, second = server.requests
    assert first.keys() == {"path", "host", "accept-encoding", "connection", "user-agent"} == second.keys()
    assert (first["accept-encoding"], second["path"]) == ("identity", "/b.mp3")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_within_the_server(server: Mirror, transport: GuardedTransport, status: int) -> None:
    server.answers = [redirecting("../b.mp3?c", status), whole]
    found, content = await fetched(transport, files_test(server, "/calls/a.mp3"))
    assert (found.name, content, server.requests[1]["path"]) == ("b.mp3", b"speech", "/b.mp3?c")


async def test_a_redirect_to_another_allowed_server(server: Mirror, transport_of: TransportOf) -> None:
    with serving(Mirror(b"other", [whole])) as other:
        port = httpx.URL(other.url).port
        resolver = FakeResolver(files_test=["127.0.0.1"], cdn_test=["127.0.0.1"])
        transport = transport_of(files_test(server, ""), f"http://cdn.test:{port}", resolve=resolver)
        server.answers = [redirecting(f"http://cdn.test:{port}/b")]
        found, content = await fetched(transport, files_test(server))
        assert (found.host, content, resolver.asked) == ("cdn.test", b"other", ["files.test", "cdn.test"])


@pytest.mark.parametrize(
    "location",
    [
        *("http://127.0.0.1:{}/", "http://localhost:{}/", "http://[::1]:{}/", "http://internal.test:{}/"),
        *("https://files.test:{}/", "//files.test:{}/", "http://user:secret@files.test:{}/"),
    ],
)
async def test_a_redirect_to_another_server_is_not_followed(
    server: Mirror, transport: GuardedTransport, location: str
) -> None:
    """Nor is it said which one it is: the client named another one."""
    with counted_socket() as internal:
        server.answers = [redirecting(location.format(internal.getsockname()[1]))]
        reason, problem = await refusal(transport, files_test(server))
        assert (reason, was_connected_to(internal)) == ("NotAllowed", False)
    assert problem == "is redirected to a place from which this server does not fetch"


async def test_the_log_says_which_server_a_redirect_led_to(
    server: Mirror, transport: GuardedTransport, caplog: pytest.LogCaptureFixture
) -> None:
    """And nothing else of its URL: whoever lists the hosts has to know."""
    server.answers = [redirecting("https://cdn.test/secret?signature=1")]
    await refusal(transport, files_test(server))
    assert "no connection: a URL is on cdn.test, to which" in caplog.text
    assert "secret" not in caplog.text


@pytest.mark.parametrize("location", ["ftp://files.test/", "file:///etc/passwd", "http://files.test:abc/", "http://[/"])
async def test_a_redirect_to_what_is_no_server(server: Mirror, transport: GuardedTransport, location: str) -> None:
    server.answers = [redirecting(location)]
    assert (await refusal(transport, files_test(server)))[0] == "NotAllowed"


async def test_a_redirect_to_an_allowed_name_at_a_private_address(server: Mirror, transport_of: TransportOf) -> None:
    with counted_socket("127.0.0.2") as internal:
        port = internal.getsockname()[1]
        resolver = FakeResolver(files_test=["127.0.0.1"], cdn_test=["127.0.0.2"])
        hosts = (files_test(server, ""), f"http://cdn.test:{port}")
        transport = transport_of(*hosts, resolve=resolver, networks=("127.0.0.1/32",))
        server.answers = [redirecting(f"http://cdn.test:{port}/")]
        reason, _ = await refusal(transport, files_test(server))
        assert (reason, was_connected_to(internal)) == ("NotAllowed", False)


async def test_three_redirects_are_followed_and_no_fourth(server: Mirror, transport: GuardedTransport) -> None:
    server.answers = [redirecting("/1"), redirecting("/2"), redirecting("/3"), whole]
    assert (await fetched(transport, files_test(server)))[1] == b"speech"
    server.answers, server.requests[:] = [redirecting("/1")], []
    assert await refusal(transport, files_test(server)) == ("NotReadable", "is redirected more than 3 times")
    assert len(server.requests) == 4


@pytest.mark.parametrize(
    ("answer", "reason", "problem"),
    [
        *((refusing(status), "NotReadable", f"answers {status}") for status in (401, 403, 404, 410, 204, 206, 304)),
        *((refusing(status), "Failed", f"answers {status}") for status in (429, 500, 503)),
        (web_page, "NotReadable", "leads to a web page"),
        (refusing(200, Content_Encoding="gzip"), "Failed", "compresses"),
        (cut(0.5), "Failed", "broke the connection off"),
    ],
)
async def test_any_other_answer_than_a_whole_file(
    server: Mirror, transport: GuardedTransport, answer: Responder, reason: OutboundReason, problem: str
) -> None:
    server.answers = [answer]
    found = await refusal(transport, files_test(server))
    assert found[0] == reason
    assert problem in found[1]


@pytest.mark.parametrize("url", ["", "a.mp3", "https://files.test:port/", "https://files.test\x00/"])
async def test_what_is_no_url(transport: GuardedTransport, url: str) -> None:
    assert (await refusal(transport, url))[0] == "Invalid"
