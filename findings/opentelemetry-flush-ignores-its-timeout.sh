#!/usr/bin/env bash
# opentelemetry-sdk 1.45.2: TracerProvider.force_flush(timeout_millis) of a BatchSpanProcessor waits as long as the
# exporter takes, and returns True, whatever the time-out says: it exports in the calling thread
# (BatchProcessor.force_flush in sdk/_shared_internal). shutdown() of the provider has no time-out to give, and waits up
# to 30 s for an export that is under way, which is as long as Kubernetes lets a pod take for its end by default.
# Expected: that force_flush returns False after its time-out, as the specification of OpenTelemetry's SDK has it.
# Seen: 3 s instead of 0.2 s, and True; 3 s for shutdown. Remedy: call both in a thread of your own, with a bound, and
# let the process end without it. Fails (exit 1) once force_flush ends with its time-out.
set -euo pipefail
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
python3 -m venv "$directory/venv"
"$directory/venv/bin/pip" install --quiet opentelemetry-sdk==1.45.2
"$directory/venv/bin/python" - <<'PYTHON'
import sys
import time

from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult


class SlowExporter(SpanExporter):
    """As one whose collector answers after three seconds."""

    def export(self, spans):
        time.sleep(3)
        return SpanExportResult.SUCCESS


def seconds(do):
    started = time.monotonic()
    return do(), round(time.monotonic() - started, 1)


def provider_with_a_span():
    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(SlowExporter()))
    provider.get_tracer("example").start_span("pass").end()
    return provider


flushed, flush = seconds(lambda: provider_with_a_span().force_flush(timeout_millis=200))
_, shutdown = seconds(provider_with_a_span().shutdown)
print(f"force_flush(200) took {flush} s and returned {flushed}; shutdown() took {shutdown} s")
sys.exit(not (flush >= 3 and flushed is True and shutdown >= 3))
PYTHON
