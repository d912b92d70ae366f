"""Which children are wanted, and what each waits for."""

from __future__ import annotations

from tests.operator.samples import children, claim, fetched, kinds, observed, service

EMPTY_DIR = {"cache": {"type": "EmptyDir"}}


def test_the_fetch_waits_for_the_claim_and_the_pods_for_the_fetch() -> None:
    wanted = service()
    assert "Job" not in kinds(wanted, observed())
    assert "Deployment" not in kinds(wanted, observed(claim(wanted)))
    assert "Job" in kinds(wanted, observed(claim(wanted)))
    assert "Deployment" in kinds(wanted, observed(claim(wanted), fetched(wanted, claim(wanted))))


def test_a_missing_secret_holds_the_deployment() -> None:
    wanted = service(auth={"secretRef": {"name": "keys"}}, **EMPTY_DIR)
    assert "Deployment" in kinds(wanted, observed())
    assert "Deployment" not in kinds(wanted, observed(secrets={"keys": None}))


def test_every_pod_is_restricted() -> None:
    wanted = service()
    there = [claim(wanted), fetched(wanted, claim(wanted))]
    for body in children(wanted, observed(*there)):
        template = body.get("spec", {}).get("template")
        if not template:
            continue
        assert template["spec"]["securityContext"]["runAsNonRoot"] is True
        for container in template["spec"]["containers"]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
