"""A resolver that knows the names of a test, and what each look-up gives."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import ip_address

from whisper_runtime.service.outbound.addresses import IPAddress


class FakeResolver:
    def __init__(self, **names: Sequence[str] | Sequence[Sequence[str]]) -> None:
        """The addresses of each name, with `_` for its dots; a list of lists: those of each look-up in turn."""
        self._names = {name.replace("_", "."): list(found) for name, found in names.items()}
        self.asked: list[str] = []
        """The names that were looked up."""

    async def __call__(self, host: str) -> Sequence[IPAddress]:
        self.asked.append(host)
        found = self._names[host]
        addresses = found.pop(0) if isinstance(found[0], list) else found
        return [ip_address(str(one)) for one in addresses]
