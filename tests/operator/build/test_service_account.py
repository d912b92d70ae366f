"""The account of the pods."""

from __future__ import annotations

from tests.operator.samples import children, one, service


def test_its_token_is_mounted_nowhere() -> None:
    assert one(children(service()), "ServiceAccount")["automountServiceAccountToken"] is False
