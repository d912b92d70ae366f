"""The installation's settings, from the environment that the chart sets."""

from __future__ import annotations

import json
import socket
from ipaddress import ip_network
from typing import Annotated, Any, ClassVar, Final

from pydantic import AfterValidator, Field, ValidationError, field_validator
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from whisper_operator.observe.defaults import NO_DEFAULTS, Defaults
from whisper_operator.observe.policy import Policy

PREFIX: Final = "WHISPER_OPERATOR_"


def _network(value: str) -> str:
    return str(ip_network(value, strict=False))


ClusterNetwork = Annotated[str, AfterValidator(_network)]


class Settings(BaseSettings):
    """Each field is the environment variable of its name in capitals, after PREFIX."""

    model_config: ClassVar[SettingsConfigDict] = SettingsConfigDict(env_prefix=PREFIX, frozen=True)

    runtime_image: str
    """Image of the runtime where a WhisperService names none."""
    namespace: str
    """The operator's own, where its Lease is."""
    lease_name: str = "whisper-operator"
    """Name of the Lease that its replicas share; another installation in the namespace has another."""
    identity: str = Field(default_factory=socket.gethostname)
    """This replica's name in the Lease."""
    watch_namespaces: Annotated[tuple[str, ...], NoDecode] = ()
    """Namespaces to watch, separated by commas; empty: all."""
    cluster_networks: Annotated[tuple[ClusterNetwork, ...], NoDecode] = ()
    """Networks of pods, services and nodes whose addresses are public, separated by commas."""
    service_class: str = ""
    """Value of the label of the WhisperServices to reconcile; empty: those without the label."""
    workers: int = 8
    """Passes that may run at once."""
    fs_group: int | None = 65532
    """Group of the model cache's files; empty where the platform assigns one (OpenShift)."""
    host: str = ""
    """Address that metrics and health are served on; empty: every one, of IPv4 and of IPv6."""
    metrics_port: int = 8080
    health_port: int = 8081
    log_level: str = "info"
    policy: Annotated[Policy, NoDecode] = Policy()
    """Limits of what specs may ask for, as JSON of the chart's value `policy`."""
    defaults: Annotated[Defaults, NoDecode] = NO_DEFAULTS
    """Defaults for all services, as JSON of the chart's value `defaults`."""
    discovery_seconds: float = 60.0
    """Between two looks at which APIs the cluster serves."""
    resync_seconds: float = 600.0
    """Between two complete lists, which show what the watches missed."""
    standstill_seconds: float = 180.0
    """After which what does not move is unhealthy; longer than any pass may take."""

    @classmethod
    def from_env(cls) -> Settings:
        """The settings in the environment; raises SystemExit, which names each variable that is missing or wrong."""
        try:
            return cls.model_validate({})
        except ValidationError as error:
            raise SystemExit("\n".join(_explained(one) for one in error.errors())) from None

    @field_validator("watch_namespaces", "cluster_networks", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        return tuple(filter(None, value.split(","))) if isinstance(value, str) else value

    @field_validator("fs_group", mode="before")
    @classmethod
    def _none_if_empty(cls, value: Any) -> Any:
        return None if value == "" else value

    @field_validator("policy", "defaults", mode="before")
    @classmethod
    def _from_json(cls, value: Any) -> Any:
        return json.loads(value) if isinstance(value, str) else value


def _explained(error: ErrorDetails) -> str:
    field = str(error["loc"][0])
    variable = f"environment variable {PREFIX}{field.upper()}"
    if error["type"] == "missing":
        return f"{variable} is not set: set it as the chart does"
    if field in ("policy", "defaults"):
        return f"{variable}: {'.'.join(map(str, error['loc']))}: {error['msg']}: correct it in the chart's values"
    if field == "cluster_networks":
        wrong = f"{variable} has {error['input']!r}, which is not a network"
        return f"{wrong}; for example 192.0.2.0/24: correct clusterNetworks in the chart's values"
    example = Settings.model_fields[field].default
    return f"{variable} is {error['input']!r}, which is not a valid number; for example {example}"
