"""The installation's settings, from the environment that the chart sets."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

PREFIX: Final = "WHISPER_OPERATOR_"


@dataclass(frozen=True)
class Settings:
    runtime_image: str
    """Image of the runtime where a WhisperService names none."""
    namespace: str
    """The operator's own, where its Lease is."""
    identity: str
    """This replica's name in the Lease."""
    watch_namespaces: tuple[str, ...] = ()
    """Namespaces to watch; empty: all."""
    workers: int = 8
    fs_group: int | None = 65532
    host: str = "0.0.0.0"
    metrics_port: int = 8080
    health_port: int = 8081
    log_level: str = "info"
    discovery_seconds: float = 60.0
    """Between two looks at which APIs the cluster serves."""
    resync_seconds: float = 600.0
    """Between two complete lists, which show what the watches missed."""
    standstill_seconds: float = 180.0
    """After which what does not move is unhealthy; longer than any pass may take."""

    @classmethod
    def from_env(cls, env: Mapping[str, str] = os.environ) -> Settings:
        """The settings in `env`; raises SystemExit, which names the variable that is missing or wrong."""
        try:
            group = env.get(f"{PREFIX}FS_GROUP", "65532")
            return cls(
                runtime_image=env[f"{PREFIX}RUNTIME_IMAGE"],
                namespace=env[f"{PREFIX}NAMESPACE"],
                identity=env.get(f"{PREFIX}IDENTITY", socket.gethostname()),
                watch_namespaces=tuple(filter(None, env.get(f"{PREFIX}WATCH_NAMESPACES", "").split(","))),
                workers=int(env.get(f"{PREFIX}WORKERS", "8")),
                fs_group=int(group) if group else None,
                host=env.get(f"{PREFIX}HOST", "0.0.0.0"),
                metrics_port=int(env.get(f"{PREFIX}METRICS_PORT", "8080")),
                health_port=int(env.get(f"{PREFIX}HEALTH_PORT", "8081")),
                log_level=env.get(f"{PREFIX}LOG_LEVEL", "info"),
                discovery_seconds=float(env.get(f"{PREFIX}DISCOVERY_SECONDS", "60")),
                resync_seconds=float(env.get(f"{PREFIX}RESYNC_SECONDS", "600")),
                standstill_seconds=float(env.get(f"{PREFIX}STANDSTILL_SECONDS", "180")),
            )
        except KeyError as missing:
            raise SystemExit(f"environment variable {missing.args[0]} is not set: the chart sets it") from None
        except ValueError as error:
            raise SystemExit(f"an environment variable {PREFIX}* is no number: {error}") from None
