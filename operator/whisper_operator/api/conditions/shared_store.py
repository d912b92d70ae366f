"""Reasons of StoreUsable: the Valkey or Redis that the pods share."""

from __future__ import annotations

from typing import Final

from whisper_operator.api.conditions import types
from whisper_operator.api.registry import declare_reason

STORE_IN_USE: Final = declare_reason(
    "StoreInUse",
    types.STORE_USABLE,
    meaning="The pods that were asked count in the store, and nothing is wrong with it.",
)
STORE_EVICTS: Final = declare_reason(
    "StoreEvicts",
    types.STORE_USABLE,
    meaning="The store is used, and forgets counts when its memory is full, by its `maxmemory-policy`.",
    remedy="Set `maxmemory-policy noeviction`, or give it a store of its own.",
)
STORE_FULL: Final = declare_reason(
    "StoreFull",
    types.STORE_USABLE,
    meaning="The store has no memory left; each pod counts for itself.",
    remedy="Raise its `maxmemory`, or use another one.",
)
STORE_LOGIN_FAILED: Final = declare_reason(
    "StoreLoginFailed",
    types.STORE_USABLE,
    meaning="The store does not take the user and password of the URL; each pod counts for itself.",
    remedy="Correct them in the Secret that `spec.redis.secretKeyRef` names; no pod restarts.",
)
STORE_BUCKET_UNUSABLE: Final = declare_reason(
    "StoreBucketUnusable",
    types.STORE_USABLE,
    meaning="The bucket of `spec.jobs.storage.s3` cannot be reached, or an object cannot be written, read, listed or "
    "deleted there: new jobs get 503 with `Retry-After`, those that are there wait, and other requests are served.",
    remedy="See that its server runs, that `spec.networkPolicy.allowTo` lets the pods reach it, and that the bucket, "
    "the endpoint and the Secret's keys are right; pods read the Secret again every five seconds.",
)
STORE_LOST_JOBS: Final = declare_reason(
    "StoreLostJobs",
    types.STORE_USABLE,
    meaning="The store has fewer jobs than it had said to have: it was restarted without what it had, or a replica "
    "became the primary that had not got it. A pod that took one of them says so for a day.",
    remedy="Set `appendonly yes`; with replicas `min-replicas-to-write 1`, too. The clients' jobs get 404: they send "
    "the recordings again.",
)
STORE_NOT_REPLICATED: Final = declare_reason(
    "StoreNotReplicated",
    types.STORE_USABLE,
    meaning="The primary that sentinels name, or that of a cluster, has no replica: new jobs, files and batches get "
    "503 with `Retry-After`, since they would be lost with it. Those that are there are done, and other requests are "
    "served.",
    remedy="Start a replica, or let the URL name a server that is alone, without sentinels and in no cluster.",
)
STORE_NOT_DURABLE: Final = declare_reason(
    "StoreNotDurable",
    types.STORE_USABLE,
    meaning="The store is used, and has jobs that it loses when it is restarted: it has no append-only file.",
    remedy="Set `appendonly yes`.",
)
STORE_NOT_REPORTED: Final = declare_reason(
    "StoreNotReported",
    types.STORE_USABLE,
    meaning="No pod is ready, or none answers the operator on port 9000.",
    remedy="With `spec.networkPolicy`: add the operator's namespace to `metricsFrom`.",
)
STORE_READ_ONLY: Final = declare_reason(
    "StoreReadOnly",
    types.STORE_USABLE,
    meaning="The URL leads to a replica, as after a failover; each pod counts for itself.",
    remedy="Let it name the primary, by the Service that follows it.",
)
STORE_REFUSED: Final = declare_reason(
    "StoreRefused",
    types.STORE_USABLE,
    meaning="The store refuses what pods ask of it, or is none; each pod counts for itself.",
    remedy="Read the message, which has its answer.",
)
STORE_RIGHTS_MISSING: Final = declare_reason(
    "StoreRightsMissing",
    types.STORE_USABLE,
    meaning="The user of the URL may not do all that is needed; each pod counts for itself.",
    remedy="Give it the rights that the message names.",
)
STORE_TLS_FAILED: Final = declare_reason(
    "StoreTlsFailed",
    types.STORE_USABLE,
    meaning="No TLS came about with the store, or its certificate is not trusted; each pod counts for itself.",
    remedy="Name its authority in `spec.redis.caConfigMapKeyRef`, and in the URL the host that it is for.",
)
STORE_TOO_OLD: Final = declare_reason(
    "StoreTooOld",
    types.STORE_USABLE,
    meaning="The store is older than Valkey 8 or Redis 7; each pod counts for itself.",
    remedy="Use a later version.",
)
STORE_UNREACHABLE: Final = declare_reason(
    "StoreUnreachable",
    types.STORE_USABLE,
    meaning="The store cannot be reached, or does not answer in time; each pod counts for itself until it does.",
    remedy="See that it runs, and that `spec.networkPolicy.allowTo` lets pods reach it.",
)
STORE_URL_INVALID: Final = declare_reason(
    "StoreUrlInvalid",
    types.STORE_USABLE,
    meaning="The Secret's key does not hold the URL of a store; each pod counts for itself.",
    remedy="Write `rediss://user:password@host:6379/0`; no pod restarts.",
)
