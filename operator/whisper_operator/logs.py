"""One JSON object for each log line, with the keys that the runtime's lines have too."""

from __future__ import annotations

import datetime
import json
import logging
import sys
from collections.abc import Mapping
from contextvars import ContextVar
from types import MappingProxyType

PASS: ContextVar[Mapping[str, str]] = ContextVar("PASS", default=MappingProxyType({}))
"""The object that the running pass works on, and the pass's id: in every line that the pass logs."""


class JsonLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line = {
            "timestamp": datetime.datetime.fromtimestamp(record.created, datetime.UTC).isoformat(
                timespec="milliseconds"
            ),
            "level": record.levelname.lower(),
            "message": record.getMessage(),
            "module": record.name,
            "function": record.funcName,
            "line": record.lineno,
        }
        line |= PASS.get()
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line)


def configure(level: str) -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    # kopf says for each event that its handler succeeded.
    logging.getLogger("kopf.objects").setLevel(logging.WARNING)
    logging.getLogger("kopf._core").setLevel(logging.WARNING)
    # It warns that it leaves the signals alone, as it should: the process handles them.
    logging.getLogger("kopf._core.reactor.running").setLevel(logging.ERROR)
