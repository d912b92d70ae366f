"""One JSON object for each log line. Its keys are those of the runtime's lines; `module` is the logger's name here."""

from __future__ import annotations

import datetime
import json
import logging
import sys
from collections.abc import Mapping
from contextvars import ContextVar
from types import MappingProxyType, TracebackType
from typing import Final, TextIO

PASS: ContextVar[Mapping[str, str]] = ContextVar("PASS", default=MappingProxyType({}))
"""The object that the running pass works on, and the pass's id: in every line that the pass logs."""

QUIET: Final = {
    # kopf logs for each event that its handler succeeded.
    "kopf.objects": logging.WARNING,
    "kopf._core": logging.WARNING,
    # It warns that it leaves the signals alone, as it should: the process handles them.
    "kopf._core.reactor.running": logging.ERROR,
    # It warns of each try to reach a collector, and then once more when it has given up.
    "opentelemetry.exporter": logging.ERROR,
    # It quotes the headers for a collector, which are keys; contract/otlp.py has checked them.
    "opentelemetry.util.re": logging.CRITICAL,
}
log = logging.getLogger(__name__)


class JsonLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line = {
            "timestamp": datetime.datetime.fromtimestamp(record.created, datetime.UTC).isoformat(
                timespec="milliseconds"
            ),
            "level": record.levelname,
            "message": record.getMessage(),
            "module": record.name,
            "function": record.funcName,
            "line": record.lineno,
        }
        line |= PASS.get()
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line)


def configure(level: str, stream: TextIO | None = None) -> None:
    """Sends every line to `stream` (None: standard error), warnings and an uncaught error included.

    `level`: the least that is logged: debug, info, warning or error.
    """
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    logging.captureWarnings(True)
    sys.excepthook = _log_uncaught
    for name, least in QUIET.items():
        logging.getLogger(name).setLevel(least)


def _log_uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    log.critical("the process ends: %s", error, exc_info=(kind, error, trace))
