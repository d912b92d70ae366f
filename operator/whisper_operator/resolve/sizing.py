"""The resources of our containers where the spec does not set them; a server's by model and device."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from whisper_operator.api.spec.front import FrontSpec
from whisper_operator.api.spec.jobs import JobResourcesSpec
from whisper_operator.api.spec.pods import ResourcesSpec
from whisper_operator.api.units import any_quantity, size_bytes
from whisper_operator.api.v1alpha1 import Spec
from whisper_operator.resolve.model import ModelRef, named_model

Resources = dict[str, dict[str, str | int]]
"""A container's requests and limits, as a pod has them."""


@dataclass(frozen=True)
class Footprint:
    """Requests of a server pod, and the memory that long recordings may take beyond them."""

    cpu: str
    memory_mib: int

    @property
    def limit_mib(self) -> int:
        return self.memory_mib + RECORDING_MIB


MEBIBYTE: Final = 1024**2
RECORDING_MIB: Final = 4096
"""Four hours of audio as samples and as a mel spectrogram, and the decoder's own process."""

DIARIZATION_MIB: Final = 256
"""About twice what telling speakers apart takes beside the model, as in ON_CPU: 30 MiB once resemblyzer's encoder is
loaded, and 94 MiB more at the most while it hears a recording of an hour, whose samples RECORDING_MIB has."""

ON_CPU: Final = {
    "tiny": Footprint("250m", 1792),
    "base": Footprint("250m", 2304),
    "small": Footprint("1", 3840),
    "medium": Footprint("2", 7680),
    "large": Footprint("4", 14336),
    "turbo": Footprint("2", 7680),
}
"""Weights in float32. The memory is about twice what a pod holds (tiny.en 860 to 950 MiB with its batch's caches, after
16 requests, eight at a time): an autoscaler that aims at 80 % then never scales up for resident weights. Two pods come
down to one only where each holds less than 40 %: with `minReplicas: 1` ask for 2.5 times as much in `spec.resources`.
"""

ON_GPU: Final = {
    "tiny": Footprint("500m", 3072),
    "base": Footprint("500m", 3072),
    "small": Footprint("1", 4096),
    "medium": Footprint("1", 5120),
    "large": Footprint("1", 6144),
    "turbo": Footprint("1", 5120),
}
"""The weights are on the GPU; what is left is CUDA's host side, and the checkpoint's pages while it loads."""


CHECKPOINT_MIB: Final = {"tiny": 73, "base": 139, "small": 462, "medium": 1458, "large": 2945, "turbo": 1544}
"""Sizes of openai-whisper's checkpoints, which hold half precision."""

ENCODER_MIB: Final = 32
"""Room in the cache for a fetched encoder: ResNet34, ECAPA and CAM++ have 25 to 28 as ONNX files."""

GPU_WORK_MIB: Final = {"tiny": 1024, "base": 1024, "small": 1536, "medium": 2048, "large": 3072, "turbo": 2048}
"""CUDA's context, the caches of a full batch and the encoder's activations, beside the weights; estimated."""


FETCH: Final[Resources] = {"requests": {"cpu": "100m", "memory": "256Mi"}, "limits": {"memory": "1Gi"}}
"""Measured with large-v3's 2,944 MiB: 448 MiB of its own; the file's pages, read only, the kernel takes back."""
VERIFY: Final[Resources] = {"requests": {"cpu": "50m", "memory": "128Mi"}, "limits": {"memory": "512Mi"}}

FRONT: Final[Resources] = {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"memory": "512Mi"}}
"""It keeps no recording in memory, but for what is on its way to or from the disk."""


def result_cache_mib(spec: Spec) -> int:
    """Memory of a server pod for results that it keeps."""
    return -(-size_bytes(spec.result_cache.size) // MEBIBYTE) if spec.result_cache else 0


def cache_bytes(spec: Spec) -> int:
    """Least room of the checkpoints in the cache; a model of the user's own takes none, as nobody knows its size."""
    model = 0 if spec.model.source else CHECKPOINT_MIB[family(spec.model.name)]
    return (model + (ENCODER_MIB if spec.encoder_source else 0)) * MEBIBYTE


def gpu_precision(spec: Spec) -> str:
    """Precision on a GPU: half, unless the spec asks for more."""
    return "float32" if spec.compute_type == "float32" else "float16"


def gpu_memory_mib(spec: Spec) -> int:
    """Memory that one pod takes of its GPU: the weights in their precision, and room to work."""
    size = family(spec.model.name)
    weights = CHECKPOINT_MIB[size] * (2 if gpu_precision(spec) == "float32" else 1)
    return weights + GPU_WORK_MIB[size]


def family(model: str) -> str:
    """The table's row for a model's name; a name of the user's own counts as large."""
    if "turbo" in model:
        return "turbo"
    return next((size for size in ("tiny", "base", "small", "medium") if model.startswith(size)), "large")


def resources(spec: Spec, admitted: ModelRef | None = None) -> Resources:
    """Requests and limits of the server's container: the spec's, completed from the table's row of the model.

    `admitted`: None: the spec's model; until that is admitted, pods are as the live one needs them.
    """
    model = admitted or named_model(spec)
    row = (ON_GPU if spec.gpu else ON_CPU)[family(model.name)]
    beside = result_cache_mib(spec) + (DIARIZATION_MIB if model.encoder else 0)
    own: Resources = {
        "requests": {"cpu": row.cpu, "memory": _mebibytes(row.memory_mib + beside)},
        "limits": {"memory": _mebibytes(row.limit_mib + beside)},
    }
    found = _completed(spec.resources, own)
    if spec.gpu and not spec.gpu.claim:
        count = {spec.gpu.resource_name: str(spec.gpu.count)}
        return {"requests": found["requests"] | count, "limits": found.get("limits", {}) | count}
    return found


def fetch_resources(spec: Spec) -> Resources:
    """Requests and limits of the container that fetches the model."""
    return _completed(spec.prefetch.resources, FETCH)


def verify_resources(spec: Spec) -> Resources:
    """Requests and limits of the container that verifies."""
    return _completed(spec.verification.resources if spec.verification else None, VERIFY)


def front_resources(front: FrontSpec) -> Resources:
    """Requests and limits of the front's container."""
    return _completed(front.resources, FRONT)


def _completed(given: ResourcesSpec | JobResourcesSpec | None, own: Resources) -> Resources:
    """`given`, and of `own` what it leaves open: a request of the user's has no limit of ours, and no limit of theirs
    a request of ours beyond it."""
    if given is None:
        return own
    requests, limits = own["requests"] | given.requests, own["limits"] | given.limits
    if "memory" in given.requests and "memory" not in given.limits:
        del limits["memory"]
    for name in given.limits.keys() & requests.keys() - given.requests.keys():
        requests[name] = min(requests[name], limits[name], key=any_quantity)
    return {"requests": requests, "limits": limits} if limits else {"requests": requests}


def _mebibytes(count: int) -> str:
    return f"{count // 1024}Gi" if count % 1024 == 0 else f"{count}Mi"
