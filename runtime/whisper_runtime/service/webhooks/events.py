"""An event as its receiver gets it: thin, so that an address which was meant for another learns nothing; pure."""

from __future__ import annotations

import json

from whisper_runtime.service.jobs.outbox import Delivery


def event_body(delivery: Delivery) -> bytes:
    """OpenAI's shape: what happened to which job, and when. Byte for byte the same for each attempt."""
    event = {
        "id": delivery.event_id,
        "object": "event",
        "created_at": int(delivery.created),
        "type": delivery.type,
        "data": {"id": delivery.job_id},
    }
    return json.dumps(event, separators=(",", ":")).encode()
