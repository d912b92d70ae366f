"""Given what is wanted and what is there, these are applied and those are deleted."""

from __future__ import annotations

import datetime
from dataclasses import replace

import pytest

from tests.operator.samples import ENV, children, claim, fetched, live, observed, one, pod, resolved, service
from whisper_operator.api.v1alpha1 import Manifest
from whisper_operator.objects.diff import Deviation, deviations
from whisper_operator.objects.kinds import DEPLOYMENT, JOB, PROMETHEUS_RULE
from whisper_operator.objects.names import ANNOTATION_APPLIED as APPLIED
from whisper_operator.reconcile.plan import ApplyPlan, is_ours, ours, plan, without

WANTED = service(ingress={}, cache={"type": "EmptyDir"})
MANIFESTS = children(WANTED)
LIVE = [live(body) for body in MANIFESTS]


def kinds(bodies: list[dict[str, object]]) -> list[object]:
    return [body["kind"] for body in bodies]


def test_nothing_to_do_where_all_is_as_wanted() -> None:
    assert plan(MANIFESTS, observed(*LIVE)).is_empty


def test_what_is_missing_is_applied_in_order() -> None:
    todo = plan(MANIFESTS, observed())
    assert kinds(todo.apply) == ["ServiceAccount", "Service", "Service", "Deployment", "Ingress"]


def test_a_changed_field_is_applied_again_and_an_added_one_is_not() -> None:
    service_live = one(LIVE, "Service")
    drifted = {**service_live, "spec": {**service_live["spec"], "type": "NodePort"}}
    assert plan([one(MANIFESTS, "Service")], observed(drifted)).apply == [one(MANIFESTS, "Service")]
    added = {**service_live, "spec": {**service_live["spec"], "clusterIP": "10.0.0.1"}}
    assert plan([one(MANIFESTS, "Service")], observed(added)).is_empty


def test_a_service_that_somebody_made_headless_makes_way() -> None:
    """The address is fixed. Where a policy does it, another one would be made for ever."""
    manifest, service_live = one(MANIFESTS, "Service"), one(LIVE, "Service")
    headless = {**service_live, "spec": {**service_live["spec"], "clusterIP": "None"}}
    assert plan([manifest], observed(headless)).is_empty
    edit = {"manager": "kubectl-replace", "operation": "Update", "fieldsV1": {"f:spec": {"f:clusterIP": {}}}}
    made = {**headless, "metadata": {**headless["metadata"], "managedFields": [edit]}}
    assert plan([manifest], observed(made)).delete == [made]


def test_what_is_no_longer_wanted_is_deleted_but_no_claim_and_no_deployment() -> None:
    there = [*LIVE, claim(service())]
    assert kinds(plan([], observed(*there)).delete) == ["ServiceAccount", "Service", "Service", "Ingress"]


def test_a_claim_that_is_given_up_is_deleted_last_and_once() -> None:
    gone, going = claim(service()), claim(service())
    going["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    assert kinds(plan([], observed(*LIVE, gone), given_up=[gone]).delete)[-1] == "PersistentVolumeClaim"
    assert plan([], observed(going), given_up=[going]).is_empty


def test_what_cannot_be_built_for_want_of_its_api_is_not_deleted() -> None:
    """An API server that starts says for a moment that it serves no custom resources."""
    wanted = service(monitoring={"alerts": {}}, cache={"type": "EmptyDir"})
    there = observed(*map(live, children(wanted)))
    without = replace(ENV, kinds=ENV.kinds - {PROMETHEUS_RULE})
    assert plan(children(wanted, there, without), there, without.kinds).is_empty


def test_what_another_controls_is_not_among_what_is_there() -> None:
    foreign = live(one(MANIFESTS, "Service"))
    foreign["metadata"]["ownerReferences"] = [{"kind": "Other", "name": "x", "uid": "y", "controller": True}]
    others = [body for body in LIVE if body["metadata"]["name"] != "speech"]
    there = ours(WANTED, observed(foreign, *others))
    assert ("Service", "speech") not in there.objects
    assert ("Service", "speech-metrics") in there.objects
    assert plan([], there).delete == others


def test_what_a_deleted_service_of_the_same_name_controlled_is_told_apart() -> None:
    of_predecessor, of_other = live(one(MANIFESTS, "Service")), live(one(MANIFESTS, "Deployment"))
    for body, name in ((of_predecessor, "speech"), (of_other, "other")):
        body["metadata"]["ownerReferences"] = [{"kind": "WhisperService", "name": name, "uid": "x", "controller": True}]
    there = ours(WANTED, observed(of_predecessor, of_other))
    assert there.objects == {}
    assert there.predecessors == {("Service", "speech")}


def test_what_we_applied_is_adopted_without_labels_where_nobody_controls_it() -> None:
    """As a retained claim, or what a backup brought back."""
    orphan = live(one(MANIFESTS, "Service"))
    bare = {**orphan["metadata"], "labels": {}, "ownerReferences": []}
    assert is_ours(WANTED, {**orphan, "metadata": bare})
    assert not is_ours(WANTED, {**orphan, "metadata": {**bare, "annotations": {}}})


def test_kinds_that_are_held_back_are_neither_applied_nor_deleted() -> None:
    todo = plan(MANIFESTS, observed(live(fetched(service(), claim(service())))))
    assert kinds(todo.delete) == ["Job"]
    held = without(todo, {JOB, DEPLOYMENT})
    assert kinds(held.apply) == ["ServiceAccount", "Service", "Service", "Ingress"]
    assert held.delete == []
    assert held.wanted == todo.wanted


def test_a_claim_of_ours_that_nobody_controls_is_adopted() -> None:
    orphan = claim(service())
    del orphan["metadata"]["ownerReferences"]
    manifests = [one(children(service(), observed(orphan)), "PersistentVolumeClaim", "speech-models")]
    assert kinds(plan(manifests, observed(orphan)).apply) == ["PersistentVolumeClaim"]


def test_a_fetch_that_has_succeeded_stays_and_another_makes_way() -> None:
    wanted = service()
    done = fetched(wanted, claim(wanted))
    changed = {**done, "metadata": {**done["metadata"], "annotations": {}}}
    manifest = [{**done, "status": {}}]
    assert plan(manifest, observed(changed)).is_empty
    running = {**changed, "status": {}}
    assert kinds(plan(manifest, observed(running)).delete) == ["Job"]


@pytest.mark.parametrize("kind", ["Ingress", "Deployment"])
def test_what_is_wanted_and_being_deleted_is_waited_for(kind: str) -> None:
    found = one(LIVE, kind)
    ending = {**found, "metadata": {**found["metadata"], "deletionTimestamp": "now"}}
    todo = plan(MANIFESTS, observed(*(ending if body is found else body for body in LIVE)))
    assert todo.is_empty
    assert todo.ending == [ending]


def test_what_is_not_wanted_may_take_half_a_minute_to_go() -> None:
    """As a controller that still has to give back a load balancer; after that nobody answers for its finalizer."""
    found = one(LIVE, "Ingress")
    leaving = {**found, "metadata": {**found["metadata"], "deletionTimestamp": "2026-01-01T00:00:00Z"}}
    since = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC).timestamp()
    in_time, late = (plan([], observed(leaving, now=since + seconds)) for seconds in (29, 30))
    assert in_time == ApplyPlan()
    assert late == ApplyPlan(overdue=[leaving])
    assert plan([], observed(leaving, now=since + 30), served=()).overdue == [], "the cluster has lost its API"


def test_what_others_have_made_of_a_child_is_named_as_long_as_it_is_so() -> None:
    """Given answers of the API server that dropped a `false`, added a container, and replaced a label since mended."""
    wanted = {**one(MANIFESTS, "Deployment"), "spec": {"paused": False, "template": {"spec": {"containers": []}}}}
    there = {**live(wanted), "spec": {"template": {"spec": {"containers": [{"name": "proxy"}]}}}}
    mended = Deviation("metadata.labels.a", '"b"', '"c"')
    let_be = frozenset({*deviations(wanted, there), mended})
    seen = replace(observed(there), accepted={("Deployment", "speech"): let_be})
    assert plan([wanted], seen) == ApplyPlan(
        wanted=frozenset({("Deployment", "speech")}),
        mutated={("Deployment", "speech"): ["spec.template.spec.containers[proxy]"]},
    )
    assert plan([wanted], observed(there)).mutated == {}, "it is put right"


@pytest.mark.parametrize("annotations", [{}, None], ids=["one annotation", "all of them"])
def test_what_a_policy_took_away_of_the_hash_makes_nobody_another(annotations: dict[str, str] | None) -> None:
    """Given a Deployment and a Job whose own applies ended so."""
    wanted = service()
    (begun,) = (body for body in children(wanted, observed(claim(wanted))) if body["kind"] == "Job")
    manifests = [one(MANIFESTS, "Deployment"), begun]
    stripped: list[Manifest] = [with_annotations(live(body), annotations) for body in manifests]
    accepted = {
        (body["kind"], body["metadata"]["name"]): frozenset(deviations(body, there))
        for body, there in zip(manifests, stripped, strict=True)
    }
    seen = replace(observed(*stripped), accepted=accepted)
    assert plan(manifests, seen).is_empty
    before_any_answer = plan(manifests, observed(*stripped))
    assert (kinds(before_any_answer.apply), kinds(before_any_answer.delete)) == (["Deployment"], ["Job"])
    later = [with_annotations(body, {APPLIED: "another"}) for body in manifests]
    assert (kinds(plan(later, seen).apply), kinds(plan(later, seen).delete)) == (["Deployment"], ["Job"])


def with_annotations(body: Manifest, annotations: dict[str, str] | None) -> Manifest:
    return {**body, "metadata": {**body["metadata"], "annotations": annotations}}


def test_a_claim_makes_way_only_while_it_has_no_volume() -> None:
    """Given a claim that was made for another class."""
    wanted = service(cache={"storageClassName": "fast"})
    made = claim(service(cache={"storageClassName": "broken"}))
    for status, deletes in (({"phase": "Pending"}, True), ({"phase": "Bound"}, False), ({"phase": "Lost"}, False)):
        live = {**made, "status": status}
        found = plan(children(wanted, observed(live)), observed(live))
        assert (live in found.delete) is deletes
        assert "PersistentVolumeClaim" not in kinds(found.apply)


def test_a_job_that_a_sidecar_outlives_is_ended_once_and_then_stays() -> None:
    wanted = service()
    its_claim = claim(wanted)
    name = resolved(wanted, observed(its_claim)).prefetch.job_name or ""
    begun = live(one(children(wanted, observed(its_claim)), "Job", name))
    report = '{"model": "base", "reason": "Fetched", "message": ""}'
    done = {"state": {"terminated": {"exitCode": 0, "message": report}}}
    fetcher = pod("prefetch", containerStatuses=[done, {"name": "proxy", "state": {"running": {}}}])
    manifest = one(children(wanted, observed(its_claim, begun, fetcher)), "Job", name)
    assert manifest["spec"]["suspend"] is True
    todo = plan([manifest], observed(begun))
    assert (todo.apply, todo.delete) == ([manifest], [])
    kept = live(manifest)
    assert plan([one(children(wanted, observed(its_claim, kept)), "Job", name)], observed(kept)).is_empty
    other = {**manifest, "metadata": {**manifest["metadata"], "annotations": {"whisper-operator.io/applied": "other"}}}
    assert plan([other], observed(kept)).is_empty, "as a Job that is complete"


def test_a_job_that_runs_something_else_under_the_same_hash_is_written_and_nodes_of_a_queue_are_let_be() -> None:
    wanted = service()
    its_claim = claim(wanted)
    name = resolved(wanted, observed(its_claim)).prefetch.job_name or ""
    manifest = one(children(wanted, observed(its_claim)), "Job", name)
    template = manifest["spec"]["template"]
    (container,) = template["spec"]["containers"]
    rows = [({"containers": [{**container, "image": "evil:1"}]}, [manifest]), ({"nodeSelector": {"pool": "a"}}, [])]
    for more, applied in rows:
        spec = {**manifest["spec"], "template": {**template, "spec": {**template["spec"], **more}}}
        assert plan([manifest], observed(live({**manifest, "spec": spec}))).apply == applied
