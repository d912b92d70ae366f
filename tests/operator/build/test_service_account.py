"""The account of the pods."""

from __future__ import annotations

from typing import Any

from tests.operator.samples import children, deployment, live, observed, one, service
from whisper_operator.api.v1alpha1 import Manifest, WhisperService

BAKED = {"cache": {"type": "Image"}}
ROLE = {"eks.amazonaws.com/role-arn": "arn:aws:iam::1:role/models"}


def accounts(of: WhisperService, *there: Manifest, **facts: Any) -> list[str]:
    wanted = children(of, observed(*there, **facts))
    return [body["metadata"]["name"] for body in wanted if body["kind"] == "ServiceAccount"]


def account_of_pods(of: WhisperService, kind: str) -> str:
    (found,) = {body["spec"]["template"]["spec"]["serviceAccountName"] for body in children(of) if body["kind"] == kind}
    return found


def test_its_token_is_mounted_nowhere() -> None:
    assert one(children(service()), "ServiceAccount")["automountServiceAccountToken"] is False


def test_it_carries_the_annotations_by_which_a_cloud_knows_it() -> None:
    found = one(children(service(serviceAccount={"annotations": ROLE})), "ServiceAccount")
    assert ROLE.items() <= found["metadata"]["annotations"].items()


def test_it_may_have_another_name_which_the_pods_run_as() -> None:
    named = service(serviceAccount={"name": "models"}, **BAKED)
    assert accounts(named) == ["models"]
    assert account_of_pods(named, "Deployment") == "models"


def test_one_that_exists_is_not_ours() -> None:
    existing = service(serviceAccount={"create": False, "name": "models"}, **BAKED)
    assert accounts(existing) == []
    assert account_of_pods(existing, "Deployment") == "models"


def test_the_former_one_stays_as_long_as_the_live_pods_run_as_it() -> None:
    before, after = service(**BAKED), service(serviceAccount={"create": False, "name": "typo"}, **BAKED)
    own = live(one(children(before), "ServiceAccount"))
    assert accounts(after, own, deployment(before), accounts={"typo": None}) == ["speech"]
    assert accounts(after, own, deployment(after)) == []
