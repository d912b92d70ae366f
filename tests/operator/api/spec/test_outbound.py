"""Each part of a spec by which clients name servers has the same rules, in its own words."""

from __future__ import annotations

from whisper_operator.api.spec.outbound import outbound_rules


def test_each_rule_names_the_part() -> None:
    rules = outbound_rules("spec.jobs.webhooks", nothing="sent", example="hooks.example.com")
    assert all(rule.message.startswith("spec.jobs.webhooks.") for rule in rules)
    assert "nothing may be sent: name a host, for example hooks.example.com; or remove" in rules[0].message
