"""The API server is asked with the rights of the context's user, and its refusals are told as they are."""

from __future__ import annotations

from pathlib import Path

import pytest
from kubectl_whisper.kube_api import Failure, KubeApi

from tests.plugin.conftest import CannedAnswer, PlannedServer, as_json


def test_the_services_of_the_contexts_namespace_page_by_page(api_server: PlannedServer) -> None:
    api_server.answers = [
        as_json({"items": [{"n": 1}], "metadata": {"continue": "more"}}),
        as_json({"items": [{"n": 2}], "metadata": {}}),
    ]
    assert list(KubeApi(None, None).whisper_services()) == [{"n": 1}, {"n": 2}]
    path = "/apis/whisper-operator.io/v1alpha1/namespaces/team/whisperservices?limit=500"
    assert [request[0] for request in api_server.requests] == [path, f"{path}&continue=more"]
    assert api_server.requests[0][1]["authorization"] == "Bearer token-of-the-cluster"


def test_the_services_of_all_namespaces(api_server: PlannedServer) -> None:
    api_server.answers = [as_json({"items": [], "metadata": {}})]
    assert list(KubeApi(None, None).whisper_services(everywhere=True)) == []
    assert api_server.requests[0][0] == "/apis/whisper-operator.io/v1alpha1/whisperservices?limit=500"


def test_one_service_of_another_namespace(api_server: PlannedServer) -> None:
    api_server.answers = [as_json({"kind": "WhisperService"})]
    assert KubeApi(None, "others").whisper_service("speech") == {"kind": "WhisperService"}
    assert api_server.requests[0][0].endswith("/namespaces/others/whisperservices/speech")


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (as_json({"kind": "Status", "message": 'whisperservices "x" not found'}, 404), '404: whisperservices "x" not'),
        (as_json({"error": {"message": "too large"}}, 413), "413: too large"),
        (CannedAnswer(b"<html>", 502), "502: Bad Gateway"),
        (as_json([], 500), "500: Internal Server Error"),
    ],
    ids=["the API server's", "the service's", "a proxy's", "of another shape"],
)
def test_a_refusal_is_told_as_it_is(api_server: PlannedServer, answer: CannedAnswer, message: str) -> None:
    api_server.answers = [answer]
    with pytest.raises(Failure, match=message):
        KubeApi(None, None).whisper_service("x")


def test_a_kubeconfig_that_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("kubernetes.config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION", str(tmp_path / "none"))
    with pytest.raises(Failure, match="set KUBECONFIG, or --context"):
        KubeApi(None, None)


def test_a_server_that_is_not_there_is_told(api_server: PlannedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    api = KubeApi(None, None)
    api.http.base_url = "http://127.0.0.1:1"
    with pytest.raises(Failure, match="cannot be reached"):
        api.whisper_service("x")


def test_a_request_goes_to_the_clients_port_of_the_service(api_server: PlannedServer) -> None:
    assert KubeApi(None, None).proxied("speech", "/x") == "/api/v1/namespaces/team/services/speech:http/proxy/x"


def test_the_pods_that_serve_and_what_one_reports(api_server: PlannedServer) -> None:
    pod = {"metadata": {"namespace": "team", "name": "speech-1"}}
    api_server.answers = [as_json({"items": [pod], "metadata": {}}), as_json({"speed": 2.0})]
    api = KubeApi(None, None)
    assert list(api.server_pods()) == [pod]
    assert api.load_of(pod) == {"speed": 2.0}
    listed, asked = (request[0] for request in api_server.requests)
    assert listed.startswith("/api/v1/namespaces/team/pods?labelSelector=whisper-operator.io%2Fservice%2Capp")
    assert asked == "/api/v1/namespaces/team/pods/speech-1:9000/proxy/load"
