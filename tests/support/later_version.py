"""The API of a later version than the operator that runs, in a cluster whose definition is already that one's."""

from __future__ import annotations

import json
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, Final

from testbed.paths import REPOSITORY
from tests.support.kubectl import Kubectl, KubectlError
from tests.support.services import service
from tests.support.waiting import eventually
from whisper_operator.api.v1alpha1 import Manifest

CRD: Final = "customresourcedefinition/whisperservices.whisper-operator.io"
OF_LATER_VERSION: Final[dict[str, Any]] = {"future": "x"}
"""The field of a spec that this operator does not know, and so refuses."""


@contextmanager
def of_later_version(kubectl: Kubectl) -> Generator[None, None, None]:
    """The API server knows OF_LATER_VERSION meanwhile."""
    path = "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/future"
    field = [{"op": "add", "path": path, "value": {"type": "string"}}]
    kubectl("patch", CRD, "--type=json", "-p", json.dumps(field))
    eventually("the field is served", lambda: is_taken(kubectl, service("probe", **OF_LATER_VERSION)))
    yield
    kubectl("apply", "--server-side", "--force-conflicts", "-f", str(REPOSITORY / "crds"))
    eventually("the field is gone", lambda: not is_taken(kubectl, service("probe", **OF_LATER_VERSION)))


def is_taken(kubectl: Kubectl, body: Manifest) -> bool:
    """Whether the API server knows every field of `body`."""
    try:
        kubectl("create", "--dry-run=server", "--validate=strict", "-f", "-", stdin=json.dumps(body))
    except KubectlError:
        return False
    return True
