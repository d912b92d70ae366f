"""Given the environment, the settings; or a sentence for each variable that is missing or wrong."""

from __future__ import annotations

import socket

import pytest

from whisper_operator.observe.defaults import NO_DEFAULTS, Defaults
from whisper_operator.observe.policy import Policy
from whisper_operator.process.settings import Settings

REQUIRED = {"RUNTIME_IMAGE": "runtime:1", "NAMESPACE": "system"}


def settings(monkeypatch: pytest.MonkeyPatch, **variables: str) -> Settings:
    """Given these environment variables, by their names without the prefix."""
    for name, value in variables.items():
        monkeypatch.setenv(f"WHISPER_OPERATOR_{name}", value)
    return Settings.from_env()


def test_two_variables_are_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    assert settings(monkeypatch, **REQUIRED).model_dump() == {
        "runtime_image": "runtime:1",
        "namespace": "system",
        "lease_name": "whisper-operator",
        "identity": socket.gethostname(),
        "watch_namespaces": (),
        "cluster_networks": (),
        "service_class": "",
        "workers": 8,
        "fs_group": 65532,
        "host": "",
        "metrics_port": 8080,
        "health_port": 8081,
        "log_level": "info",
        "policy": Policy().model_dump(),
        "defaults": NO_DEFAULTS.model_dump(),
        "discovery_seconds": 60.0,
        "resync_seconds": 600.0,
        "standstill_seconds": 180.0,
    }


@pytest.mark.parametrize(
    ("variable", "text", "field", "value"),
    [
        ("IDENTITY", "one", "identity", "one"),
        ("WATCH_NAMESPACES", "", "watch_namespaces", ()),
        ("WATCH_NAMESPACES", "a,b,", "watch_namespaces", ("a", "b")),
        ("CLUSTER_NETWORKS", "20.1.2.3/16,2600:1::/32", "cluster_networks", ("20.1.0.0/16", "2600:1::/32")),
        ("LEASE_NAME", "second", "lease_name", "second"),
        ("SERVICE_CLASS", "canary", "service_class", "canary"),
        ("WORKERS", "2", "workers", 2),
        ("FS_GROUP", "1000", "fs_group", 1000),
        ("FS_GROUP", "", "fs_group", None),
        ("HOST", "127.0.0.1", "host", "127.0.0.1"),
        ("METRICS_PORT", "9080", "metrics_port", 9080),
        ("HEALTH_PORT", "9081", "health_port", 9081),
        ("LOG_LEVEL", "debug", "log_level", "debug"),
        ("DEFAULTS", '{"storageClassName": "fast"}', "defaults", Defaults(storage_class_name="fast")),
        ("POLICY", '{"podTemplate": "Full", "claims": []}', "policy", Policy(pod_template="Full", claims=())),
        ("DISCOVERY_SECONDS", "1", "discovery_seconds", 1.0),
        ("RESYNC_SECONDS", "0.5", "resync_seconds", 0.5),
        ("STANDSTILL_SECONDS", "20", "standstill_seconds", 20.0),
    ],
)
def test_each_variable_is_a_setting(
    monkeypatch: pytest.MonkeyPatch, variable: str, text: str, field: str, value: object
) -> None:
    assert getattr(settings(monkeypatch, **REQUIRED, **{variable: text}), field) == value


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        ({"NAMESPACE": "system"}, "environment variable WHISPER_OPERATOR_RUNTIME_IMAGE is not set: set it"),
        ({"RUNTIME_IMAGE": "runtime:1"}, "environment variable WHISPER_OPERATOR_NAMESPACE is not set: set it"),
        (
            REQUIRED | {"WORKERS": "many"},
            "WHISPER_OPERATOR_WORKERS is 'many', which is not a valid number; for example 8",
        ),
        (
            REQUIRED | {"CLUSTER_NETWORKS": "20.1.0.0/16,all"},
            "WHISPER_OPERATOR_CLUSTER_NETWORKS has 'all', which is not a network; for example 192.0.2.0/24: correct",
        ),
        (REQUIRED | {"FS_GROUP": "staff"}, "WHISPER_OPERATOR_FS_GROUP is 'staff', which is not a valid number"),
        (
            REQUIRED | {"POLICY": '{"podTemplate": "Some"}'},
            "WHISPER_OPERATOR_POLICY: policy.podTemplate: Input should be 'Off', 'Restricted' or 'Full': correct it",
        ),
        (
            REQUIRED | {"DEFAULTS": '{"podMetadata": {"labels": {"whisper-operator.io/service": "x"}}}'},
            "WHISPER_OPERATOR_DEFAULTS: defaults.podMetadata: ",
        ),
        (REQUIRED | {"DEFAULTS": '{"storageClass": "x"}'}, "WHISPER_OPERATOR_DEFAULTS: defaults.storageClass: "),
        (REQUIRED | {"POLICY": "{"}, "WHISPER_OPERATOR_POLICY: policy: Value error, Expecting property name"),
        (REQUIRED | {"RESYNC_SECONDS": ""}, "WHISPER_OPERATOR_RESYNC_SECONDS is '', which is not a valid number"),
    ],
)
def test_a_variable_that_is_missing_or_wrong_is_named(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], sentence: str
) -> None:
    with pytest.raises(SystemExit, match=sentence):
        settings(monkeypatch, **variables)
