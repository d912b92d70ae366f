#!/usr/bin/env bash
# kube-apiserver 1.37.2: a ValidatingAdmissionPolicy's `messageExpression` may name a variable whose own expression asks
# the `authorizer`, though a messageExpression itself may not. The policy is stored without a warning, its validation
# works, and the message is then never evaluated: whoever is refused reads the short `message`, without the value that
# the expression would have shown, and no status, event or answer says why.
# Expected: that such a policy is refused as one whose messageExpression names `authorizer` itself is, or that it works.
# Seen: the lines below. Remedy: build the text from variables that do not ask the authorizer, and keep `message` good
# enough alone. Fails (exit 1) once the long text comes, or the policy is refused.
# shellcheck source=findings/kube-apiserver.sh
source "$(dirname "$0")/kube-apiserver.sh"
PYTHONPATH="$directory" python3 - <<'PYTHON'
import sys
import time

from api import NAMESPACE, ask

GROUP = "admissionregistration.k8s.io/v1"
MAY = "authorizer.group('').resource('secrets').namespace(request.namespace).name(object.data.secret).check('get')"
RULE = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["configmaps"]}


def make(name, variable, message):
    """A policy for the ConfigMap of that name which refuses it; the answers to policy and binding."""
    spec = {
        "failurePolicy": "Fail",
        "matchConstraints": {"resourceRules": [RULE]},
        "matchConditions": [{"name": "mine", "expression": f"object.metadata.name == '{name}'"}],
        "variables": [{"name": "told", "expression": variable}],
        "validations": [{"expression": "variables.told == ''", "message": "short", "messageExpression": message}],
    }
    binding = {"policyName": name, "validationActions": ["Deny"]}
    found = []
    for kind, plural, of in (
        ("ValidatingAdmissionPolicy", "validatingadmissionpolicies", spec),
        ("ValidatingAdmissionPolicyBinding", "validatingadmissionpolicybindings", binding),
    ):
        body = {"apiVersion": GROUP, "kind": kind, "metadata": {"name": name}, "spec": of}
        found.append(ask("POST", f"/apis/{GROUP}/{plural}", body)[0])
    return found


def refusal(name):
    """The end of the message with which the ConfigMap is refused; a policy comes into force after a moment."""
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"secret": "keys"}}
    for _ in range(100):
        status, answer = ask("POST", f"{NAMESPACE}/configmaps?dryRun=All", body)
        if status == 422:
            return answer["message"].rpartition("denied request: ")[2]
        time.sleep(0.3)
    sys.exit(f"not refused: {status} {answer}")


WITH_AUTHORIZER = f"!{MAY}.reason().contains('nothing') ? 'secret ' + object.data.secret : ''"
found = {}
for name, variable, message in (
    ("plain", "'secret ' + object.data.secret", "variables.told + ' is not yours'"),
    ("authorizer-in-a-variable", WITH_AUTHORIZER, "variables.told + ' is not yours'"),
    ("authorizer-in-the-message", "'secret'", f"{MAY}.allowed() ? 'a' : 'b'"),
):
    stored = make(name, variable, message)
    found[name] = (stored, refusal(name) if stored == [201, 201] else None)
    print(f"{name:26} stored {stored}, refused with {found[name][1]!r}")
wanted = {
    "plain": ([201, 201], "secret keys is not yours"),
    "authorizer-in-a-variable": ([201, 201], "short"),
    "authorizer-in-the-message": ([422, 201], None),
}
sys.exit(found != wanted)
PYTHON
