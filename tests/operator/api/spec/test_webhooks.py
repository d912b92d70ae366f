"""Addresses that are told of the end of a job: hosts by name, networks that are not all, and a Secret to sign by."""

from __future__ import annotations

from typing import Any

import pytest

from tests.operator.api.specs import accepted, refused

SECRET = {"secretRef": {"name": "hooks"}}


@pytest.mark.parametrize("host", ["hooks.example.com", "*.example.com", "http://api.team:8080"])
def test_events_are_sent_to_hosts_by_name(host: str) -> None:
    given = {"allowedHosts": [host], "privateNetworks": ["10.30.0.0/16"], **SECRET}
    jobs = accepted(jobs={"webhooks": given}).jobs
    assert jobs is not None
    assert jobs.webhooks is not None
    assert (jobs.webhooks.allowed_hosts, jobs.webhooks.secret_ref.name) == ((host,), "hooks")


@pytest.mark.parametrize(
    ("webhooks", "sentence"),
    [
        (SECRET, "spec.jobs.webhooks.allowedHosts is empty, so nothing may be sent: name a host"),
        ({"allowedHosts": [], **SECRET}, "spec.jobs.webhooks.allowedHosts is empty"),
        ({"allowedHosts": ["hooks.example.com"]}, "spec.jobs.webhooks.secretRef"),
        ({"allowedHosts": ["10.0.0.1"], **SECRET}, "is not a host that can be allowed"),
        ({"allowedHosts": ["api"], "privateNetworks": ["api"], **SECRET}, "is not an address or a network"),
        ({"allowedHosts": ["api"], "privateNetworks": ["::/0"], **SECRET}, "permits every address"),
    ],
)
def test_hosts_are_named_and_events_are_signed(webhooks: dict[str, Any], sentence: str) -> None:
    assert sentence in refused(jobs={"webhooks": webhooks})
