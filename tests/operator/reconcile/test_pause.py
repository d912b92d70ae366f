"""What a pause holds back."""

from __future__ import annotations

from typing import cast

from tests.fakes.cluster import FakeCluster
from tests.operator.samples import children, live, observed, one, service
from whisper_operator.kube.client import Cluster
from whisper_operator.reconcile.answers import Answers
from whisper_operator.reconcile.pause import changes_held_back
from whisper_operator.reconcile.plan import ApplyPlan

KEY = ("team", "speech")


async def test_each_change_is_named() -> None:
    account, ingress = one(children(service()), "ServiceAccount"), one(children(service(ingress={})), "Ingress")
    todo = ApplyPlan(apply=[account], delete=[live(ingress)])
    cluster = FakeCluster()
    found = await changes_held_back(cast(Cluster, cluster), Answers(), KEY, todo, observed())
    assert found == ("apply ServiceAccount/speech", "delete Ingress/speech")
    assert cluster.writes == []


async def test_what_a_policy_made_of_an_earlier_apply_does_not_wait() -> None:
    """A process that has just started does not remember it: the child is read with its field managers."""
    wanted = one(children(service()), "Service")
    managers = [{"manager": "whisper-operator", "operation": "Apply", "fieldsV1": {"f:spec": {"f:type": {}}}}]
    mutated = live({**wanted, "spec": {**wanted["spec"], "type": "NodePort"}})
    mutated["metadata"]["managedFields"] = managers
    cluster = FakeCluster(mutated)
    todo = ApplyPlan(apply=[wanted])
    answers = Answers()
    asked = cast(Cluster, cluster)
    found = await changes_held_back(asked, answers, KEY, todo, observed(cluster.objects["Service", "team", "speech"]))
    assert found == ()
    answers.complete(KEY)
    again = await changes_held_back(asked, answers, KEY, todo, observed(mutated))
    assert again == ("apply Service/speech",), "a whole pass remembers what was an answer"
