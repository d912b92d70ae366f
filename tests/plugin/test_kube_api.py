"""The API server is asked with the rights of the context's user, and its refusals are told as they are."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import unquote

import pytest
from kubectl_whisper.kube_api import Failure, KubeApi

from tests.plugin.conftest import CannedAnswer, PlannedServer, as_json, as_list, as_text


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
    assert api.report_of(pod, "/load") == {"speed": 2.0}
    listed, asked = (request[0] for request in api_server.requests)
    assert listed.startswith("/api/v1/namespaces/team/pods?labelSelector=whisper-operator.io%2Fservice%2Capp")
    assert asked == "/api/v1/namespaces/team/pods/speech-1:9000/proxy/load"


def test_what_a_service_has_of_a_kind(api_server: PlannedServer) -> None:
    api_server.answers = [as_list({"n": 1}), as_list({"n": 2})]
    api = KubeApi(None, None)
    assert list(api.children("batch/v1", "jobs", "speech", "verify")) == [{"n": 1}]
    assert list(api.children("v1", "services", "speech")) == [{"n": 2}]
    first, second = (unquote(request[0]) for request in api_server.requests)
    of_service = "labelSelector=whisper-operator.io/service=speech"
    component = "app.kubernetes.io/component=verify"
    assert first == f"/apis/batch/v1/namespaces/team/jobs?{of_service},{component}&limit=500"
    assert second == f"/api/v1/namespaces/team/services?{of_service}&limit=500"


def test_the_only_service_of_the_namespace(api_server: PlannedServer) -> None:
    named = [{"metadata": {"name": name}} for name in ("speech", "other")]
    api_server.answers = [as_list(named[0]), as_list(*named), as_list()]
    api = KubeApi(None, None)
    assert api.only_service() == "speech"
    with pytest.raises(Failure, match="namespace team has other, speech: name one of them"):
        api.only_service()
    with pytest.raises(Failure, match="no WhisperService in namespace team: name another by -n"):
        api.only_service()


def test_an_apply_that_stores_nothing(api_server: PlannedServer) -> None:
    api_server.answers = [as_json({}), as_json({"message": "spec.model is required"}, 422)]
    body = {"metadata": {"namespace": "others", "name": "speech"}}
    KubeApi(None, None).apply_dry(body, "example.com/v1", "things")
    path, headers, sent = api_server.requests[0]
    assert (api_server.methods[0], json.loads(sent)) == ("PATCH", body)
    assert path.startswith("/apis/example.com/v1/namespaces/others/things/speech?dryRun=All&")
    assert headers["content-type"] == "application/apply-patch+yaml"
    with pytest.raises(Failure, match=r"422: spec\.model is required"):
        KubeApi(None, None).apply_dry(body, "example.com/v1", "things")


def test_one_object_is_deleted_and_no_other_of_its_name(api_server: PlannedServer) -> None:
    api_server.answers = [as_json({"message": "the UID in the precondition is another"}, 409)]
    with pytest.raises(Failure, match="409: the UID"):
        KubeApi(None, None).delete("/api/v1/namespaces/team/things/one", "uid-1")
    assert api_server.methods == ["DELETE"]
    assert json.loads(api_server.requests[0][2])["preconditions"] == {"uid": "uid-1"}


def test_an_answer_that_is_read_as_it_comes(api_server: PlannedServer) -> None:
    api_server.answers = [as_text("one\ntwo\n"), as_json({"message": "no log"}, 400)]
    api = KubeApi(None, None)
    with api.streamed("/log", {"follow": "true"}) as response:
        assert list(response.iter_lines()) == ["one", "two"]
    with pytest.raises(Failure, match="400: no log"), api.streamed("/log"):
        pass
