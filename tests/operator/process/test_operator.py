"""A resync takes in what no watch has shown, in an order in which nothing is made again that has gone."""

from __future__ import annotations

from whisper_operator.objects.kinds import CLAIM, DEPLOYMENT, POD, WHISPER_SERVICE
from whisper_operator.process.operator import services_first


def test_services_are_listed_before_their_children() -> None:
    assert services_first({CLAIM, POD, WHISPER_SERVICE, DEPLOYMENT})[0] == WHISPER_SERVICE
