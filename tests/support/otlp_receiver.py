"""A collector of traces and logs: takes OTLP over HTTP, and parses it by OpenTelemetry's own protobuf."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.support.waiting import eventually

TRACES_PATH = "/v1/traces"
LOGS_PATH = "/v1/logs"


@dataclass(frozen=True)
class ReceivedSpan:
    """A span with its resource's attributes."""

    resource: Mapping[str, str | int]
    span: Span

    @property
    def name(self) -> str:
        return self.span.name

    @property
    def trace_id(self) -> str:
        return self.span.trace_id.hex()

    @property
    def attributes(self) -> dict[str, str | int]:
        return _plain(self.span.attributes)

    def is_within(self, parent: ReceivedSpan) -> bool:
        """Whether it is a child of `parent`, and lies within its time."""
        child, around = self.span, parent.span
        times = (around.start_time_unix_nano, child.start_time_unix_nano, child.end_time_unix_nano)
        return child.parent_span_id == around.span_id and sorted((*times, around.end_time_unix_nano)) == [
            *times,
            around.end_time_unix_nano,
        ]


@dataclass(frozen=True)
class ReceivedRecord:
    """A line of a log with its resource's attributes."""

    resource: Mapping[str, str | int]
    record: LogRecord

    @property
    def body(self) -> str:
        return self.record.body.string_value

    @property
    def attributes(self) -> dict[str, str | int]:
        return _plain(self.record.attributes)


@dataclass
class OtlpReceiver:
    url: str
    """For OTEL_EXPORTER_OTLP_ENDPOINT."""
    spans: list[ReceivedSpan] = field(default_factory=list)
    records: list[ReceivedRecord] = field(default_factory=list)
    headers: list[Mapping[str, str]] = field(default_factory=list)
    """Those of each request, by lower-case name."""
    bodies: list[bytes] = field(default_factory=list)
    """Of each request, not compressed."""
    status: int = 200
    """What each request is answered."""
    may_answer: threading.Event = field(default_factory=threading.Event)
    """Cleared: requests wait."""

    def wait_for(self, name: str, count: int = 1) -> list[ReceivedSpan]:
        """The spans of that name, once there are so many."""
        eventually(f"{count} spans named {name}", lambda: len(self.named(name)) >= count)
        return self.named(name)

    def wait_for_records(self, count: int) -> list[ReceivedRecord]:
        """The lines of logs, once there are so many."""
        eventually(f"{count} lines of logs", lambda: len(self.records) >= count)
        return self.records

    def named(self, name: str) -> list[ReceivedSpan]:
        return [one for one in self.spans if one.name == name]

    def children_of(self, parent: ReceivedSpan) -> list[ReceivedSpan]:
        return [one for one in self.spans if one.span.parent_span_id == parent.span.span_id]


@contextmanager
def receiving() -> Generator[OtlpReceiver]:
    """A collector on a port of its own, until the block ends."""

    class TracesHandler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            receiver.headers.append({name.lower(): value for name, value in self.headers.items()})
            receiver.may_answer.wait()
            take = TAKEN.get(self.path)
            if receiver.status == 200 and take:
                take(receiver, gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body)
            self.send_response(receiver.status if take else 404)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None: ...

    class TracesServer(ThreadingHTTPServer):
        daemon_threads = True

    with TracesServer(("127.0.0.1", 0), TracesHandler) as server:
        receiver = OtlpReceiver(f"http://127.0.0.1:{server.server_port}")
        receiver.may_answer.set()
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield receiver
        finally:
            receiver.may_answer.set()
            server.shutdown()
            thread.join()


def _take(receiver: OtlpReceiver, body: bytes) -> None:
    receiver.bodies.append(body)
    for of_resource in ExportTraceServiceRequest.FromString(body).resource_spans:
        resource = _plain(of_resource.resource.attributes)
        for scope in of_resource.scope_spans:
            receiver.spans += [ReceivedSpan(resource, span) for span in scope.spans]


def _take_logs(receiver: OtlpReceiver, body: bytes) -> None:
    receiver.bodies.append(body)
    for of_resource in ExportLogsServiceRequest.FromString(body).resource_logs:
        resource = _plain(of_resource.resource.attributes)
        for scope in of_resource.scope_logs:
            receiver.records += [ReceivedRecord(resource, record) for record in scope.log_records]


TAKEN = {TRACES_PATH: _take, LOGS_PATH: _take_logs}
"""What takes the body of a request, by its path."""


def _plain(attributes: list[KeyValue]) -> dict[str, str | int]:
    return {one.key: getattr(one.value, str(one.value.WhichOneof("value"))) for one in attributes}
