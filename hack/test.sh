#!/usr/bin/env bash
# Runs every test, in seven groups at the same time: those on a cluster or a control plane mostly wait, the others
# compute, in four processes of about the same length, so that two processors have work to the end. They are niced, so
# that pods and operators get the processors first. Each line of output begins with its group. Exits with 1 when a group
# fails, and says last which tests failed and by what.
set -euo pipefail
cd "$(dirname "$0")/.."
python=$(hack/python.sh)
export PYTHONUNBUFFERED=1
# By default threads of torch that wait spin, and take the processors from those that compute: where two such programs
# share two processors, a recording of 11 s takes 12 s with spinning and 5 s without.
export OMP_WAIT_POLICY=passive
# What is imported is compiled once, outside the checkout: the tests alone, with their assertions rewritten, take 20 s.
unset PYTHONDONTWRITEBYTECODE
export PYTHONPYCACHEPREFIX=${WHISPER_OPERATOR_CACHE:-$HOME/.cache/whisper-operator}/pycache
outputs=$(mktemp --directory)
trap 'rm -rf "$outputs"' EXIT
set -m # each group is a process group, which Ctrl-C ends as pytest ends: with what its fixtures started
stop() {
    for group in $(jobs -p); do kill -INT -- "-$group" || true; done
    wait
    exit 130
}
trap stop INT TERM

# NAME NICENESS ARGUMENT...
run() {
    nice -n "$2" "$python" -m pytest -m "not long" --durations 20 --durations-min 5 "${@:3}" 2>&1 |
        tee "$outputs/$1" | sed --unbuffered "s/^/$1 | /"
}

# What needs neither a cluster nor a control plane, and starts servers.
served=(tests/contract tests/benchmarks tests/compose)

run e2e 0 tests/e2e & e2e=$!
run installation 5 tests/controlplane/installation & installation=$!
run service 5 tests/controlplane/service & service=$!
run runtime 10 tests/runtime tests/gpu --ignore tests/runtime/media & runtime=$!
run media 10 tests/runtime/media & media=$!
run contract 10 "${served[@]}" & contract=$!
run others 10 tests --ignore tests/e2e --ignore tests/controlplane --ignore tests/neighbours \
    --ignore tests/runtime --ignore tests/gpu "${served[@]/#/--ignore=}" & others=$!

failed=()
for group in e2e installation service runtime media contract others; do
    wait "${!group}" || failed+=("$group")
done
for group in "${failed[@]}"; do
    grep -E "^(E  |FAILED |ERROR )" "$outputs/$group" | tail -n 60 | sed "s/^/$group | /" || true
done
if [[ ${#failed[@]} -gt 0 ]]; then
    echo "failed: ${failed[*]}" >&2
    exit 1
fi
