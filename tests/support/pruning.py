"""What GitOps tools take for theirs and would delete: the rules of Argo CD and of Flux's kustomize-controller, as read.

Sources, at Argo CD 37ee0097cf: gitops-engine/pkg/cache/cluster.go (`GetManagedLiveObjs`: what has an owner is nobody's;
gitops-engine/pkg/cache/references.go: Endpoints have their Service for one), controller/cache/cache.go and
util/argo/resource_tracking.go (`GetAppName`), controller/state.go (`isSelfReferencedObj`),
gitops-engine/pkg/sync/sync_context.go (`isPruningDisabled`), controller/appcontroller.go (`shouldBeDeleted`).
At kustomize-controller 186fb3b: internal/controller/kustomization_controller.go (`deleteObjects`), of what its
inventory holds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from whisper_operator.api.v1alpha1 import Manifest

TRACKING_ID: Final = "argocd.argoproj.io/tracking-id"
INSTALLATION_ID: Final = "argocd.argoproj.io/installation-id"
SYNC_OPTIONS: Final = "argocd.argoproj.io/sync-options"
HELM_POLICY: Final = "helm.sh/resource-policy"
FLUX: Final = "kustomize.toolkit.fluxcd.io"


@dataclass(frozen=True)
class ArgoTracking:
    """How Argo CD tells what belongs to an Application: `application.resourceTrackingMethod` and its companions."""

    method: Literal["label", "annotation", "annotation+label"]
    label: str = "app.kubernetes.io/instance"
    """The setting `application.instanceLabelKey`."""
    installation: str = ""

    def tracked(self, body: Manifest, application: str) -> Manifest:
        """`body` as a sync of the Application writes it, in the namespace that it names."""
        metadata: Manifest = body["metadata"]
        labels, annotations = dict(metadata.get("labels", {})), dict(metadata.get("annotations", {}))
        if self.method != "annotation":
            labels[self.label] = application
        if self.method != "label":
            annotations[TRACKING_ID] = f"{application}:{_id_of(body)}"
        if self.method != "label" and self.installation:
            annotations[INSTALLATION_ID] = self.installation
        return {**body, "metadata": {**metadata, "labels": labels, "annotations": annotations}}

    def takes(self, body: Manifest, application: str) -> bool:
        """Whether the live object belongs to the Application, as its page and its diff show."""
        metadata: Manifest = body["metadata"]
        if metadata.get("ownerReferences") or body["kind"] == "Endpoints":
            return False
        if self.method == "label":
            return metadata.get("labels", {}).get(self.label) == application
        annotations: dict[str, str] = metadata.get("annotations", {})
        if self.installation and annotations.get(INSTALLATION_ID) != self.installation:
            return False
        return annotations.get(TRACKING_ID) == f"{application}:{_id_of(body)}"

    def prunes(self, body: Manifest, application: str) -> bool:
        """Whether a sync with `prune: true` deletes the object, of which git knows nothing."""
        return self.takes(body, application) and "Prune=false" not in _sync_options(body)

    def deletes(self, body: Manifest, application: str) -> bool:
        """Whether the object goes with the Application."""
        is_kept = body["metadata"].get("annotations", {}).get(HELM_POLICY) == "keep"
        return self.takes(body, application) and "Delete=false" not in _sync_options(body) and not is_kept


def flux_prunes(body: Manifest, kustomization: str, namespace: str) -> bool:
    """Whether Flux deletes an object that the inventory of a Kustomization had and git has no more."""
    metadata: Manifest = body["metadata"]
    labels, annotations = metadata.get("labels", {}), metadata.get("annotations", {})
    is_its = (labels.get(f"{FLUX}/name"), labels.get(f"{FLUX}/namespace")) == (kustomization, namespace)
    excluded = {f"{FLUX}/prune": "disabled", f"{FLUX}/reconcile": "disabled", f"{FLUX}/ssa": "ignore"}
    both = {**labels, **annotations}
    return is_its and not any(both.get(name, "").lower() == value for name, value in excluded.items())


def _id_of(body: Manifest) -> str:
    group = body["apiVersion"].rpartition("/")[0]
    return f"{group}/{body['kind']}:{body['metadata'].get('namespace', '')}/{body['metadata']['name']}"


def _sync_options(body: Manifest) -> list[str]:
    return [one.strip() for one in body["metadata"].get("annotations", {}).get(SYNC_OPTIONS, "").split(",")]
