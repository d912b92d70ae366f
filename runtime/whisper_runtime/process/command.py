"""The command line: `serve`, `front`, `fetch`, `calibrate` and `verify`, each with what it needs of the environment."""

from __future__ import annotations

import argparse
import contextlib
import logging
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from types import FrameType
from typing import Any, Final

from pydantic import ValidationError

from whisper_runtime import logs
from whisper_runtime.contract.config import ENV_NAMES, RuntimeConfig, env_name
from whisper_runtime.contract.files import TERMINATION_LOG, TERMINATION_MESSAGE_LIMIT
from whisper_runtime.contract.version import VERSION
from whisper_runtime.process.threads import ThreadCount, granted_threads

log = logging.getLogger(__name__)

FAILED: Final = 1
MISCONFIGURED: Final = 2
TERMINATED: Final = 128 + signal.SIGTERM
LONGEST_SHOWN: Final = 200
MAX_COUNT: Final = 1000
"""Requests of a verification, and how many of them at once."""

OF_UVICORN: Final = ("FORWARDED_ALLOW_IPS",)
"""Variables that uvicorn would read, and that this program sets itself: by WHISPER_TRUSTED_PROXIES."""
OVERRIDES: Final = {
    "model": "name of openai-whisper, or any name together with --url and --sha256",
    "url": "URL to download from, instead of openai-whisper's own",
    "sha256": "the digest that the file must have",
    "model-dir": "directory of the cache",
}
"""Arguments of `fetch` with their help; each stands for one environment variable."""


def main(arguments: Sequence[str], environment: Mapping[str, str], threads: ThreadCount | None = None) -> int:
    """Runs one command; returns the exit code: 0, FAILED, or MISCONFIGURED for wrong arguments or variables.

    `threads`: those that compute, as `__main__` has told OpenMP; None: by the environment.
    """
    parsed = _parser().parse_args(arguments)
    logs.configure("info", "text" if environment.get(env_name("log_format")) == "text" else "json")
    try:
        config = RuntimeConfig.from_env({**environment, **_overridden(vars(parsed))})
    except ValidationError as error:
        return _end(MISCONFIGURED, "; ".join(_problems(error)))
    logs.configure(config.log_level, config.log_format)
    for name in sorted(environment.keys() - ENV_NAMES):
        if name.startswith("WHISPER_") or name in OF_UVICORN:
            log.warning("%s is not a variable of this program and has no effect: correct or unset it", name)
    match parsed.command:
        case "serve":
            return _serve(config, threads or granted_threads(environment))
        case "front":
            return _front(config)
        case "calibrate":
            return _calibrate(parsed)
        case "fetch":
            return _fetch(config, is_encoder=parsed.encoder)
        case _:
            return _verify(config, parsed)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m whisper_runtime")
    parser.add_argument("--version", action="version", version=VERSION)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("serve", help="serve HTTP; configured by environment variables alone")
    commands.add_parser("front", help="hold requests and pass them on to servers; configured by environment variables")
    fetch = commands.add_parser("fetch", help="put a checkpoint into the cache, verified")
    for name, text in OVERRIDES.items():
        dest = f"fetch_{name.replace('-', '_')}"
        fetch.add_argument(f"--{name}", help=text, dest=dest, metavar=name.upper())
    fetch.add_argument("--encoder", action="store_true", help="it is a speaker encoder, and no model of Whisper's")
    measured = commands.add_parser("calibrate", help="measure the thresholds of a speaker encoder, an ONNX file")
    measured.add_argument("encoder", help="the file")
    measured.add_argument("recordings", help="a folder with a folder of recordings for each speaker")
    measured.add_argument("--to", required=True, help="where the file is written with its thresholds")
    verify = commands.add_parser("verify", help="send real requests to a server and report; exit code 1: it failed")
    verify.add_argument("--url", required=True, help="address for clients, such as http://meetings.default.svc")
    verify.add_argument("--metrics-url", help="address for probes and metrics, such as http://meetings-metrics:9000")
    verify.add_argument("--api-key-file", help="file that holds an API key; none: the server asks for no key")
    verify.add_argument("--requests", type=_count, default=5, help="transcriptions to measure (5)")
    verify.add_argument("--concurrency", type=_count, default=1, help="how many of them at once (1)")
    verify.add_argument("--json", action="store_true", help="print the report as JSON, not as a table")
    return parser


def _count(text: str) -> int:
    if not 1 <= (number := int(text)) <= MAX_COUNT:
        raise argparse.ArgumentTypeError(f"{text} is not from 1 to {MAX_COUNT}")
    return number


def _overridden(parsed: Mapping[str, Any]) -> dict[str, str]:
    fields = {"model": "model", "url": "model_url", "sha256": "model_sha256", "model_dir": "model_dir"}
    return {env_name(field): value for name, field in fields.items() if (value := parsed.get(f"fetch_{name}"))}


def _problems(error: ValidationError) -> list[str]:
    """Each wrong variable with its value, the fault and the remedy."""
    return [
        f"{env_name(str(found['loc'][0]))}={_shown(found['input'])} is wrong: {found['msg']}; correct or unset it"
        for found in error.errors()
    ]


def _shown(value: object) -> str:
    """A variable's value as a message repeats it: cut, for it may be of any length."""
    text = repr(value)
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}…"


def _exit_at_once(_number: int, _frame: FrameType | None) -> None:
    os._exit(0)


def _serve(config: RuntimeConfig, threads: ThreadCount) -> int:
    for number in (signal.SIGTERM, signal.SIGINT):  # until the server handles them
        signal.signal(number, _exit_at_once)
    log.info("threads that compute: %d, for %s", threads.count, threads.why)
    from whisper_runtime.process.upstream import import_upstream

    import_upstream()
    from whisper_runtime.process.assemble import run  # torch takes seconds to import, and `fetch` has no use for it

    return _end(FAILED, problem) if (problem := run(config, threads)) else 0


def _front(config: RuntimeConfig) -> int:
    from whisper_runtime.process.front import run_front

    return _end(FAILED, problem) if (problem := run_front(config)) else 0


def _fetch(config: RuntimeConfig, *, is_encoder: bool) -> int:
    from whisper_runtime.fetch.fetch import fetch
    from whisper_runtime.fetch.kind import ENCODER, WHISPER
    from whisper_runtime.fetch.progress import ProgressTracker
    from whisper_runtime.fetch.progress_server import serve_progress

    signal.signal(signal.SIGTERM, _exit)  # by an exception, for `fetch` has a lock to release
    progress = ProgressTracker(config.model)
    with serve_progress(progress, config.metrics_port):
        report = fetch(config, progress, kind=ENCODER if is_encoder else WHISPER)
    line = report.to_json()
    print(line)
    _write_termination_message(line)
    return 0 if report.succeeded else FAILED


def _calibrate(parsed: argparse.Namespace) -> int:
    from whisper_runtime.process.calibrate import CannotCalibrate, calibrate_encoder

    try:
        print(calibrate_encoder(parsed.encoder, parsed.recordings, parsed.to))
    except CannotCalibrate as error:
        return _end(MISCONFIGURED, str(error))
    return 0


def _exit(_number: int, _frame: FrameType | None) -> None:
    sys.exit(TERMINATED)


def _verify(config: RuntimeConfig, parsed: argparse.Namespace) -> int:
    from whisper_runtime.verify.run import CannotVerify, VerifyOptions, table, verify

    options = VerifyOptions(
        url=parsed.url,
        metrics_url=parsed.metrics_url,
        api_key_file=parsed.api_key_file,
        golden_dir=config.clip_dir,
        max_word_error_rate=config.golden_max_word_error_rate,
        clip_language=config.clip_language,
        default_language=config.language,
        requests=parsed.requests,
        concurrency=parsed.concurrency,
        no_egress=config.no_egress,
        keeps_jobs=config.keeps_jobs,
        tells_speakers=config.diarization_model is not None,
    )
    try:
        report = verify(options)
    except CannotVerify as error:
        return _end(MISCONFIGURED, str(error))
    print(report.model_dump_json(exclude_none=True) if parsed.json else table(report))
    _write_termination_message(report.to_json())
    return 0 if report.passed else FAILED


def _end(code: int, problem: str) -> int:
    """Logs why the process ends, writes it as the termination message, and returns `code`."""
    log.critical("%s", problem)
    _write_termination_message(problem)
    return code


def _write_termination_message(message: str) -> None:
    """Writes the container's termination message, where the kubelet has made the file for it."""
    with contextlib.suppress(OSError), open(TERMINATION_LOG, "r+", encoding="utf-8") as file:
        file.write(message.encode()[:TERMINATION_MESSAGE_LIMIT].decode(errors="ignore"))
        file.truncate()
