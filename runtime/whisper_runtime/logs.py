"""One JSON object per line, ready for Loki or ELK; no transcript text, no keys, no query strings."""

from __future__ import annotations

import json
import logging
import sys
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Final, TextIO

from whisper_runtime.contract.config_types import LogFormat, LogLevel

request_id: Final[ContextVar[str | None]] = ContextVar("request_id", default=None)
"""Id of the request that the current task serves; None outside of a request."""

trace_id: Final[ContextVar[str | None]] = ContextVar("trace_id", default=None)
"""Id of the trace that this request is a part of, 32 hexadecimal digits; None: neither client nor server has one."""

TEXT_FORMAT: Final = "%(asctime)s %(levelname)s %(module)s.%(funcName)s:%(lineno)d %(message)s"


class JsonFormatter(logging.Formatter):
    """A record as one line of JSON: timestamp, level, message, module, function, line, and request_id and trace_id."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, str | int] = {
            "timestamp": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "message": _message(self, record),
            "module": record.module,
            "function": record.funcName or "",
            "line": record.lineno,
        }
        if (current := request_id.get()) is not None:
            line["request_id"] = current
        if (trace := trace_id.get()) is not None:
            line["trace_id"] = trace
        return json.dumps(line, ensure_ascii=False)


def _message(formatter: logging.Formatter, record: logging.LogRecord) -> str:
    message = record.getMessage()
    return f"{message}\n{formatter.formatException(record.exc_info)}" if record.exc_info else message


def configure(level: LogLevel, style: LogFormat, stream: TextIO | None = None) -> None:
    """Sends every logger of the process to `stream` (None: standard error) in one style; libraries log warnings."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonFormatter() if style == "json" else logging.Formatter(TEXT_FORMAT))
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    logging.captureWarnings(True)
    for noisy in ("uvicorn", "numba", "asyncio", "python_multipart", "httpx", "httpcore"):  # httpx: whole URLs, at INFO
        logging.getLogger(noisy).setLevel(logging.WARNING)
    logging.getLogger("opentelemetry.exporter").setLevel(logging.ERROR)  # each failure, and not each try before it
    # They warn of each wrong header of a client, and quote the headers for a collector, which are keys.
    for indiscreet in ("opentelemetry.trace", "opentelemetry.util.re"):
        logging.getLogger(indiscreet).setLevel(logging.CRITICAL)
