#!/usr/bin/env bash
# Sourced by the kube-apiserver-*.sh scripts: runs etcd 3.7.3 and kube-apiserver 1.37.2 on loopback until the script
# ends, and writes $directory/api.py, a client of them. Both are built from their Go modules with the Go that is
# installed (1.26 or newer), which takes some ten minutes on two processors and 3 GB of Go's caches the first time;
# where KUBEBUILDER_ASSETS names a folder that has both programs (envtest's), those are run. The version is checked.
set -euo pipefail
directory=$(mktemp -d)
# Without its etcd, kube-apiserver takes minutes to end on SIGTERM.
trap 'kill -KILL $(jobs -p) 2>/dev/null; wait 2>/dev/null; rm -rf "$directory"' EXIT

build() {
    export GOFLAGS=-mod=mod CGO_ENABLED=0 GOTMPDIR="$directory"
    local declared started_in=$PWD stamp=k8s.io/component-base/version
    mkdir "$directory/etcd.module" "$directory/kubernetes.module"
    cd "$directory/etcd.module"
    go mod init etcd.example 2>/dev/null
    go mod edit -require go.etcd.io/etcd/server/v3@v3.7.3
    go build -o "$directory/etcd" -ldflags "-s -w" go.etcd.io/etcd/server/v3
    cd "$directory/kubernetes.module"
    go mod init kubernetes.example 2>/dev/null
    declared=$(go mod download -json k8s.io/kubernetes@v1.37.2 | sed -n 's/^\t"GoMod": "\(.*\)",$/\1/p')
    # The staging modules are replaced by folders there, and by their releases here.
    sed -n 's|^\t\(k8s.io/[a-z-]*\) => ./staging.*|replace \1 => \1 v0.37.2|p' "$declared" >>go.mod
    go mod edit -require k8s.io/kubernetes@v1.37.2
    go build -o "$directory/kube-apiserver" \
        -ldflags "-s -w -X $stamp.gitVersion=v1.37.2 -X $stamp.gitMajor=1 -X $stamp.gitMinor=37" \
        k8s.io/kubernetes/cmd/kube-apiserver
    cd "$started_in"
}

free_port() {
    python3 -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

programs=${KUBEBUILDER_ASSETS:-$directory}
if [ "$programs" = "$directory" ]; then build; fi
"$programs/kube-apiserver" --version | grep -Fx "Kubernetes v1.37.2"

etcd=http://127.0.0.1:$(free_port) peer=http://127.0.0.1:$(free_port) port=$(free_port)
openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=localhost -addext subjectAltName=IP:127.0.0.1 \
    -keyout "$directory/key.pem" -out "$directory/certificate.pem" 2>/dev/null
echo 'unused,admin,admin,"system:masters"' >"$directory/tokens.csv"
"$programs/etcd" --data-dir "$directory/data" --unsafe-no-fsync --log-level fatal --listen-client-urls "$etcd" \
    --advertise-client-urls "$etcd" --listen-peer-urls "$peer" --initial-advertise-peer-urls "$peer" \
    --initial-cluster "default=$peer" >"$directory/etcd.log" 2>&1 &
"$programs/kube-apiserver" --etcd-servers="$etcd" --bind-address=127.0.0.1 --advertise-address=127.0.0.1 \
    --secure-port="$port" --service-cluster-ip-range=10.96.0.0/16 --endpoint-reconciler-type=none \
    --tls-cert-file="$directory/certificate.pem" --tls-private-key-file="$directory/key.pem" \
    --service-account-key-file="$directory/key.pem" --service-account-signing-key-file="$directory/key.pem" \
    --service-account-issuer=https://localhost --authorization-mode=RBAC \
    --token-auth-file="$directory/tokens.csv" >"$directory/kube-apiserver.log" 2>&1 &

cat >"$directory/api.py" <<PYTHON
import http.client
import json
import ssl

NAMESPACE = "/api/v1/namespaces/default"
APPLY, MERGE = "application/apply-patch+yaml", "application/merge-patch+json"
context = ssl.create_default_context(cafile="$directory/certificate.pem")
connection = http.client.HTTPSConnection("127.0.0.1", $port, context=context)


def ask(method, path, body=None, content_type="application/json"):
    """Status and body of the API server's answer; \`body\`: an object, or its JSON as bytes."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {"Authorization": "Bearer unused", "Content-Type": content_type}
    connection.request(method, path, content, headers)
    answer = connection.getresponse()
    return answer.status, json.loads(answer.read())


def text(path):
    connection.request("GET", path, headers={"Authorization": "Bearer unused"})
    return connection.getresponse().read().decode()
PYTHON
for _ in $(seq 300); do
    if curl --silent --cacert "$directory/certificate.pem" --header "Authorization: Bearer unused" \
        "https://127.0.0.1:$port/api/v1/namespaces/default" | grep -q '"Active"'; then break; fi
    sleep 0.5
done
