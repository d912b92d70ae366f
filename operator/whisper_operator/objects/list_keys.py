"""The fields by which the API server tells the items of a list from each other, for lists of a pod's template. Pure.

Source: the `listMapKeys` and `patchMergeKey` of core/v1 in
https://github.com/kubernetes/kubernetes/tree/master/staging/src/k8s.io/api
"""

from __future__ import annotations

from typing import Final

POD_LISTS: Final = {
    "containers": ("name",),
    "initContainers": ("name",),
    "volumes": ("name",),
    "env": ("name",),
    "imagePullSecrets": ("name",),
    "volumeMounts": ("mountPath",),
    "hostAliases": ("ip",),
    "resourceClaims": ("name",),
    "claims": ("name",),
    "topologySpreadConstraints": ("topologyKey", "whenUnsatisfiable"),
}
KEY_DEFAULTS: Final = {"protocol": "TCP"}
"""Values that Kubernetes assumes for a key that an item leaves out."""
