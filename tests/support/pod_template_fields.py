"""Pod templates that set one field each, for every field of the API server's own schema, and each plain value of it.

Nothing here names a field but SAMPLES: the fields without which the API server takes no object of that type.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from whisper_operator.api.crd import Schema

Path = tuple[str, ...]
"""Names of fields; ITEM: into the one item of a list."""

ITEM: Final = "[]"
POD_TEMPLATE: Final = "io.k8s.api.core.v1.PodTemplateSpec"
SELECTOR: Final = {"matchLabels": {"a": "b"}}
CLAIM: Final = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
SAMPLES: Final[dict[str, Schema]] = {
    "PodSpec": {},
    "Container": {"name": "more", "image": "more"},
    "Volume": {"name": "more"},
    "VolumeMount": {"name": "more", "mountPath": "/more"},
    "ContainerPort": {"name": "more", "containerPort": 7000},
    "Probe": {"exec": {"command": ["true"]}},
    "Lifecycle": {"postStart": {"exec": {"command": ["true"]}}},
    "LifecycleHandler": {"exec": {"command": ["true"]}},
    "EnvVar": {"name": "MORE"},
    "EnvFromSource": {"configMapRef": {"name": "more"}},
    "EnvVarSource": {"fieldRef": {"fieldPath": "metadata.name"}},
    "ResourceFieldSelector": {"containerName": "server", "resource": "limits.cpu"},
    "ObjectFieldSelector": {"fieldPath": "metadata.name"},
    "DownwardAPIVolumeFile": {"path": "more", "fieldRef": {"fieldPath": "metadata.name"}},
    "SecretVolumeSource": {"secretName": "more"},
    "ConfigMapVolumeSource": {"name": "more"},
    "SecretProjection": {"name": "more"},
    "ConfigMapProjection": {"name": "more"},
    "VolumeProjection": {"secret": {"name": "more"}},
    "ClusterTrustBundleProjection": {"name": "more", "path": "more"},
    "ContainerRestartRule": {"action": "Restart", "exitCodes": {"operator": "In", "values": [1]}},
    "EphemeralVolumeSource": {"volumeClaimTemplate": {"spec": CLAIM}},
    "PersistentVolumeClaimTemplate": {"spec": CLAIM},
    "PersistentVolumeClaimSpec": CLAIM,
    "TypedLocalObjectReference": {"kind": "PersistentVolumeClaim", "name": "more"},
    "TypedObjectReference": {"kind": "PersistentVolumeClaim", "name": "more"},
    "ISCSIVolumeSource": {"targetPortal": "192.0.2.1", "iqn": "iqn.2001-04.com.example:a", "lun": 0},
    "FCVolumeSource": {"targetWWNs": ["a"], "lun": 0},
    "ScaleIOVolumeSource": {
        "gateway": "https://a",
        "system": "a",
        "secretRef": {"name": "a"},
        "storagePool": "a",
        "protectionDomain": "a",
        "volumeName": "a",
    },
    "RBDVolumeSource": {"image": "a", "monitors": ["a"]},
    "FlexVolumeSource": {"driver": "example.com/a"},
    "QuobyteVolumeSource": {"registry": "a:1", "volume": "a"},
    "AzureDiskVolumeSource": {"diskName": "a", "diskURI": "https://a"},
    "GitRepoVolumeSource": {"repository": "https://a"},
    "NFSVolumeSource": {"server": "a", "path": "/a"},
    "StorageOSVolumeSource": {"volumeName": "a"},
    "HostPathVolumeSource": {"path": "/a"},
    "Toleration": {"key": "a"},
    "TopologySpreadConstraint": {
        "maxSkew": 1,
        "topologyKey": "a",
        "whenUnsatisfiable": "DoNotSchedule",
        "labelSelector": SELECTOR,
    },
    "NodeSelectorTerm": {"matchExpressions": [{"key": "a", "operator": "Exists"}]},
    "NodeSelectorRequirement": {"key": "a", "operator": "Exists"},
    "LabelSelectorRequirement": {"key": "a", "operator": "Exists"},
    "PreferredSchedulingTerm": {"weight": 1, "preference": {"matchExpressions": [{"key": "a", "operator": "Exists"}]}},
    "PodAffinityTerm": {"topologyKey": "a", "labelSelector": SELECTOR},
    "WeightedPodAffinityTerm": {"weight": 1, "podAffinityTerm": {"topologyKey": "a", "labelSelector": SELECTOR}},
    "SeccompProfile": {"type": "RuntimeDefault"},
    "AppArmorProfile": {"type": "RuntimeDefault"},
    "HTTPGetAction": {"port": 8000},
    "PodOS": {"name": "linux"},
    "HostAlias": {"ip": "192.0.2.1", "hostnames": ["a"]},
    "PodResourceClaim": {"name": "a", "resourceClaimTemplateName": "a"},
    "PodReadinessGate": {"conditionType": "example.com/a"},
}
"""By the type's name: fields of an object that the API server takes."""
UNIONS: Final = frozenset(
    {"Probe", "LifecycleHandler", "EnvFromSource", "EnvVarSource", "VolumeProjection", "DownwardAPIVolumeFile"}
)
"""Types of which one field stands in the place of another, where it is an object itself."""
TEXTS: Final = ("", "a", "1000m")
AMOUNTS: Final[tuple[Schema, ...]] = (
    {},
    {"cpu": "1000m"},
    {"cpu": "0.5"},
    {"cpu": 0},
    {"cpu": 1},
    {"memory": "0.5Gi"},
    {"memory": "1024Mi", "hugepages-2Mi": "2048Ki"},
    {"ephemeral-storage": "1e3Mi"},
    {"example.com/a": "1"},
)
"""Of a map without a schema: labels and quantities alike."""


class OneField(NamedTuple):
    path: Path
    value: Any
    template: dict[str, Any]
    """With that value at that path, and else with what its neighbours need."""

    def __str__(self) -> str:
        return f"{'.'.join(self.path)} = {self.value!r}"


def each_field(schemas: dict[str, Schema]) -> Iterator[OneField]:
    """`schemas`: of the API server's document of apps/v1, by type. A field of a type comes where that comes first."""
    seen: set[str] = set()
    for path, value in _values(schemas, schemas[POD_TEMPLATE], (), seen):
        yield OneField(path, value, _built(schemas, schemas[POD_TEMPLATE], path, value))


def _values(schemas: dict[str, Schema], schema: Schema, path: Path, seen: set[str]) -> Iterator[tuple[Path, Any]]:
    name, schema = _resolved(schemas, schema)
    if "properties" in schema:
        if name in seen:
            return
        seen.add(name)
        yield path, {}
        for field, of_field in schema["properties"].items():
            yield from _values(schemas, of_field, (*path, field), seen)
    elif schema.get("type") == "array":
        yield path, []
        yield from _values(schemas, schema["items"], (*path, ITEM), seen)
    else:
        yield from ((path, value) for value in _plain(schema))


def _plain(schema: Schema) -> tuple[Any, ...]:
    if schema.get("format") == "int-or-string" or "oneOf" in schema:
        return 0, 1, "", "1", "http", "1000m"
    match schema.get("type"):
        case "integer":
            return 0, 1
        case "boolean":
            return False, True
        case "object":
            return AMOUNTS
        case _:
            return (*TEXTS, *schema.get("enum", ())[:1])


def _built(schemas: dict[str, Schema], schema: Schema, path: Path, value: Any) -> Any:
    if not path:
        return value
    name, schema = _resolved(schemas, schema)
    if path[0] == ITEM:
        return [_built(schemas, schema["items"], path[1:], value)]
    inner = _built(schemas, schema["properties"][path[0]], path[1:], value)
    sample = SAMPLES.get(name.rpartition(".")[2], {field: "a" for field in schema.get("required", ())})
    replaces = name.rpartition(".")[2] in UNIONS and isinstance(inner, dict)
    built: Schema = {path[0]: inner}
    return built if replaces else sample | built


def _resolved(schemas: dict[str, Schema], schema: Schema) -> tuple[str, Schema]:
    """The schema that is referred to, and the name of its type; empty where it has none."""
    name = ""
    if len(inner := schema.get("allOf", ())) == 1:
        schema = inner[0]
    while "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        schema = schemas[name]
    return name, schema


def renamed(template: dict[str, Any], place: int) -> dict[str, Any]:
    """`template` with its added container and volume under names of their own, so that it goes beside others."""
    spec: dict[str, Any] = template.get("spec", {})
    own: dict[str, Any] = {
        name: [{**one, "name": f"more{place}"} for one in spec[name]]
        for name in ("containers", "initContainers", "volumes")
        if spec.get(name)
    }
    return {**template, "spec": {**spec, **own}} if "spec" in template else template
