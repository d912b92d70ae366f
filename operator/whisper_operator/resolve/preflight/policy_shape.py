"""Fields that a patch of a pod template may set under `policy.podTemplate: Restricted`: what is allowed. Pure.

A list of what is forbidden would miss the next field of a pod by which its author reaches the node, a Secret or
another account. What is not listed may still say false, null or nothing, as many tools write it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from whisper_operator.resolve.preflight.policy_rules import TAG_OR_DIGEST

OURS: Final = (
    "api-key",
    "api-keys",
    "front-spool",
    "job-bucket",
    "golden",
    "job-store",
    "webhook-secrets",
    "models",
    "scratch",
    "shared-store",
    "shared-store-ca",
    "source",
    "source-ca",
    "source-claim",
    "source-url",
)
"""Names of the operator's own volumes."""
NOTHING: Final[tuple[Any, ...]] = (None, False, "", 0, [], {})
"""Values that ask for nothing."""
SHARED_MEMORY: Final = "/dev/shm"
PLAIN_MOUNT: Final = "^(/[A-Za-z0-9_-][-A-Za-z0-9_.]*)+/?$"
"""Absolute, and without a segment that begins with a dot, such as `..`."""
OF_IMAGES: Final = (
    "^/(app|bin|boot|dev|etc|home|lib|lib32|lib64|libx32|opt|proc|root|run|sbin|source|sys|tmp|usr|var)(/|$)"
)
"""Paths below which images have programs, and the operator mounts Secrets."""


@dataclass(frozen=True)
class Anything:
    """No limit."""


@dataclass(frozen=True)
class OneOf:
    """One of these values; null, which removes the operator's own, only where it is among them."""

    values: tuple[Any, ...]


@dataclass(frozen=True)
class Positive:
    """A whole number above 0: a user that is not root."""


@dataclass(frozen=True)
class Matching:
    """A text that a pattern of the setting matches."""

    setting: str
    after: str = ""


@dataclass(frozen=True)
class NotMatching:
    """A text that no pattern of the setting matches, and that is not empty."""

    setting: str


@dataclass(frozen=True)
class NotOurs:
    """A name that no volume of the operator has."""


@dataclass(frozen=True)
class OwnVolume:
    """The name of a volume that the same template adds."""


@dataclass(frozen=True)
class UnusedPath:
    """A path at which images have nothing: a file that is fetched onto a volume could stand for a program of theirs."""


@dataclass(frozen=True)
class Keys:
    """An object whose keys with a prefix match a pattern of the setting."""

    setting: str


@dataclass(frozen=True)
class DeniedKeys:
    """An object none of whose keys matches a pattern of the setting."""

    setting: str


@dataclass(frozen=True)
class Fields:
    """An object with these fields alone."""

    of: Mapping[str, Shape]
    is_hardened: bool = False
    """Whether the operator sets some of them for safety: then null, which would remove those, is refused."""
    required: str = ""
    """A field that may not be absent, for its absence would stand for everything."""


@dataclass(frozen=True)
class ListOf:
    """A list of such items."""

    of: Fields


Shape = (
    Anything
    | OneOf
    | Positive
    | Matching
    | NotMatching
    | NotOurs
    | OwnVolume
    | UnusedPath
    | Keys
    | DeniedKeys
    | Fields
    | ListOf
)


def _any(*names: str) -> dict[str, Shape]:
    return dict.fromkeys(names, Anything())


_PROFILE: Final = Fields({"type": OneOf(("RuntimeDefault",))}, is_hardened=True)
_USER: Final[dict[str, Shape]] = {
    "runAsNonRoot": OneOf((True,)),
    "runAsUser": Positive(),
    **_any("runAsGroup"),
    "seccompProfile": _PROFILE,
    "appArmorProfile": Fields({"type": OneOf(("RuntimeDefault",))}),
}
_PROBE: Final = Fields(
    {
        **_any("initialDelaySeconds", "periodSeconds", "timeoutSeconds", "successThreshold", "failureThreshold"),
        **_any("terminationGracePeriodSeconds", "grpc"),
        # Without `host`: the kubelet would ask any host in the tenant's name.
        "httpGet": Fields(_any("path", "port", "scheme", "httpHeaders")),
        "tcpSocket": Fields(_any("port")),
    }
)
_POD_FIELDS: Final = Fields(_any("fieldRef", "resourceFieldRef"))
_AMOUNTS: Final = Keys("gpuResources")
CONTAINER: Final = Fields(
    {
        **_any("name", "imagePullPolicy", "terminationMessagePolicy"),
        **_any("resizePolicy", "restartPolicy"),
        "image": Matching("imageRepositories", TAG_OR_DIGEST),
        "env": ListOf(
            Fields(
                {"name": Matching("env"), **_any("value"), "valueFrom": Fields(_any("fieldRef", "resourceFieldRef"))}
            )
        ),
        "ports": ListOf(Fields(_any("name", "containerPort", "protocol"))),
        "resources": Fields({"requests": _AMOUNTS, "limits": _AMOUNTS}),
        "livenessProbe": _PROBE,
        "readinessProbe": _PROBE,
        "startupProbe": _PROBE,
        "volumeMounts": ListOf(
            Fields({"name": OwnVolume(), "mountPath": UnusedPath(), **_any("readOnly", "recursiveReadOnly", "subPath")})
        ),
        "securityContext": Fields(
            {
                **_USER,
                "privileged": OneOf((False, None)),
                "allowPrivilegeEscalation": OneOf((False,)),
                "readOnlyRootFilesystem": OneOf((True, False)),
                "capabilities": Fields({"drop": OneOf((["ALL"],))}, is_hardened=True),
                "procMount": OneOf(("Default", None)),
            },
            is_hardened=True,
        ),
    }
)
_TERM: Final = Fields(
    {
        **_any("labelSelector", "topologyKey", "matchLabelKeys", "mismatchLabelKeys"),
        "namespaces": OneOf((None, [])),
        "namespaceSelector": OneOf((None,)),
    }
)
"""Of pods of the service's own namespace: a required term keeps others' pods off the same nodes as well, and where a
pod comes to lie tells where those are that it asks for. An empty selector is every namespace."""
_TERMS: Final = Fields(
    {
        "requiredDuringSchedulingIgnoredDuringExecution": ListOf(_TERM),
        "preferredDuringSchedulingIgnoredDuringExecution": ListOf(Fields({**_any("weight"), "podAffinityTerm": _TERM})),
    }
)
AFFINITY: Final = Fields({**_any("nodeAffinity"), "podAffinity": _TERMS, "podAntiAffinity": _TERMS})
SHAPE: Final = Fields(
    {
        "metadata": Fields({"labels": DeniedKeys("deniedPodLabels"), "annotations": Keys("podAnnotations")}),
        "spec": Fields(
            {
                **_any("terminationGracePeriodSeconds", "nodeSelector", "topologySpreadConstraints"),
                "affinity": AFFINITY,
                **_any("enableServiceLinks", "readinessGates", "restartPolicy", "preemptionPolicy", "hostname"),
                "tolerations": ListOf(
                    Fields(
                        {
                            "key": NotMatching("deniedTolerations"),
                            **_any("operator", "value", "effect", "tolerationSeconds"),
                        },
                        required="key",
                    )
                ),
                "priorityClassName": NotMatching("deniedPriorityClasses"),
                "runtimeClassName": Matching("runtimeClasses"),
                "serviceAccountName": OneOf(()),
                "serviceAccount": OneOf(()),
                "automountServiceAccountToken": OneOf((False,)),
                "securityContext": Fields({**_USER, **_any("fsGroup", "fsGroupChangePolicy")}, is_hardened=True),
                "volumes": ListOf(Fields({"name": NotOurs(), **_any("emptyDir", "downwardAPI")})),
                "containers": ListOf(CONTAINER),
                "initContainers": ListOf(CONTAINER),
            }
        ),
    }
)
