"""The ServiceAccount that the spec names exists."""

from __future__ import annotations

from whisper_operator.api import conditions as c
from whisper_operator.resolve.preflight.finding import CheckInput, Finding


def service_account(given: CheckInput) -> Finding | None:
    """No pod can be created without its account; the pods that run as another one stay meanwhile."""
    wanted = given.spec.service_account
    if wanted.create or wanted.name is None or given.facts.accounts.get(wanted.name, {}) is not None:
        return None
    message = (
        f"ServiceAccount {given.namespace}/{wanted.name}, named in spec.serviceAccount.name, does not exist: create "
        "it, or remove spec.serviceAccount.create for the operator to create it"
    )
    return Finding(c.SERVICE_ACCOUNT_NOT_FOUND, message, holds=True)
