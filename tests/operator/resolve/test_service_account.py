"""The account that pods run as."""

from __future__ import annotations

from tests.operator.samples import service
from whisper_operator.resolve.service_account import account_name


def test_it_has_the_services_name_unless_the_spec_gives_one() -> None:
    assert account_name(service()) == "speech"
    assert account_name(service(serviceAccount={"name": "models"})) == "models"
