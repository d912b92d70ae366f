"""The series of one service in PromQL, as a ServiceMonitor labels them: namespace, the metrics Service's name, pod."""

from __future__ import annotations

from whisper_operator.api.v1alpha1 import WhisperService
from whisper_operator.objects import names


def matchers(service: WhisperService) -> str:
    """The label matchers that select every series of the service's pods."""
    return f'namespace="{service.metadata.namespace}",service="{names.metrics_service(service.metadata.name)}"'


def selector(metric: str, service: WhisperService, more: str = "") -> str:
    """The service's series of `metric`; `more`: further matchers."""
    return f"{metric}{{{','.join(filter(None, (matchers(service), more)))}}}"
