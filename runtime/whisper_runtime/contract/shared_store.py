"""The Valkey or Redis that the pods of a service share: what one of them reports on it to the operator, as JSON."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

StoreReason = Literal[
    "StoreInUse",
    "StoreBucketUnusable",
    "StoreEvicts",
    "StoreFull",
    "StoreLoginFailed",
    "StoreLostJobs",
    "StoreNotDurable",
    "StoreNotReplicated",
    "StoreReadOnly",
    "StoreRefused",
    "StoreRightsMissing",
    "StoreTlsFailed",
    "StoreTooOld",
    "StoreUnreachable",
    "StoreUntried",
    "StoreUrlInvalid",
]
USED: Final[frozenset[StoreReason]] = frozenset(
    {
        "StoreInUse",
        "StoreBucketUnusable",
        "StoreEvicts",
        "StoreLostJobs",
        "StoreNotDurable",
        "StoreNotReplicated",
    }
)
"""The reasons of a store that the pod counts in; with any other it counts for itself."""
MESSAGE_LENGTH: Final = 500


class SharedStoreReport(BaseModel):
    """The response at STORE_PATH; the operator puts it into a condition."""

    model_config = ConfigDict(frozen=True)

    reason: StoreReason
    message: Annotated[str, Field(max_length=MESSAGE_LENGTH)] = ""
    """What is wrong, and its remedy; empty where nothing is. It names no secret."""

    @property
    def is_used(self) -> bool:
        return self.reason in USED
