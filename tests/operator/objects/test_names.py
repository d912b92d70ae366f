"""Names and labels stay within Kubernetes' limits and never meet."""

from __future__ import annotations

from whisper_operator.objects import names

LONGEST = "s" * 40
"""The longest name that a WhisperService may have."""


def test_every_name_is_a_dns_label() -> None:
    made = [names.models_claim(LONGEST), names.jobs_claim(LONGEST), names.metrics_service(LONGEST)]
    jobs = [of(LONGEST, "0123456789abcdef") for of in (names.prefetch_job, names.verify_job)]
    assert all(len(name) <= 63 for name in (*made, *jobs))
    assert [name.rsplit("-", 1)[1] for name in jobs] == ["01234567", "01234567"]


def test_the_selector_is_part_of_the_labels_of_pods_that_serve_and_of_no_others() -> None:
    selector = names.selector("speech").items()
    assert selector <= names.labels("speech", names.SERVER).items()
    for component in (names.PREFETCH, names.VERIFY):
        assert not selector <= names.labels("speech", component).items()


def test_no_other_charts_pods_match_the_selector() -> None:
    """Helm's convention gives a chart "whisper", released as "speech", these labels."""
    others = {"app.kubernetes.io/name": "whisper", "app.kubernetes.io/instance": "speech"}
    others |= {"app.kubernetes.io/component": "server", "app.kubernetes.io/managed-by": "Helm"}
    for component in (names.SERVER, names.VERIFY):
        assert not names.selector("speech", component).items() <= others.items()
        assert names.selector("speech", component).items() <= names.labels("speech", component).items()
    assert names.first_selector("speech").items() <= others.items(), "which 0.1.0 did not see"


def test_the_claim_of_jobs_is_told_from_that_of_checkpoints_whatever_the_service_is_called() -> None:
    for service in ("speech", "speech-jobs"):
        assert names.is_jobs_claim(names.jobs_claim(service))
        assert not names.is_jobs_claim(names.models_claim(service))
