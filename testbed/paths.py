"""Paths: the checkout, and the cache outside it that a fresh clone finds again."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

REPOSITORY: Final = Path(__file__).resolve().parents[1]
CACHE: Final = Path(os.environ.get("WHISPER_OPERATOR_CACHE") or Path.home() / ".cache/whisper-operator")
CLUSTER: Final = CACHE / "cluster"
"""State of the running cluster; gone when it is down."""
KUBECONFIG: Final = CLUSTER / "kubeconfig"
AUDIT_LOG: Final = CLUSTER / "audit.log"
