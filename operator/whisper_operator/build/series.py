"""The series of one service in PromQL, as a ServiceMonitor labels them: namespace, the metrics Service's name, pod."""

from __future__ import annotations

from dataclasses import dataclass

from whisper_operator.api.v1alpha1 import WhisperService
from whisper_operator.objects import names


@dataclass(frozen=True)
class Series:
    matchers: str
    """The label matchers that select every series of the service's pods."""

    def of(self, metric: str, more: str = "") -> str:
        """The service's series of `metric`; `more`: further matchers."""
        return f"{metric}{{{self.matchers},{more}}}" if more else f"{metric}{{{self.matchers}}}"


def series_of_front(service: WhisperService) -> Series:
    """Those of its front's pods."""
    namespace, name = service.metadata.namespace, names.front_metrics(service.metadata.name)
    return Series(f'namespace="{namespace}",service="{name}"')


def series_of(service: WhisperService) -> Series:
    namespace, name = service.metadata.namespace, names.metrics_service(service.metadata.name)
    return Series(f'namespace="{namespace}",service="{name}"')
