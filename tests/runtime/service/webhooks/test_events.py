"""An event says which job ended, how and when, and nothing else."""

from __future__ import annotations

from tests.runtime.service.webhooks.conftest import delivery
from whisper_runtime.service.webhooks.events import event_body


def test_an_event_is_thin() -> None:
    wanted = b'{"id":"evt_1","object":"event","created_at":7,"type":"transcription.completed","data":{"id":"tr_1"}}'
    assert event_body(delivery(created=7.9)) == wanted
    assert event_body(delivery(created=7.9, attempt=5, failure="it answered 500")) == wanted
