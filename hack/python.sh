#!/usr/bin/env bash
# Prints the interpreter of an environment, and makes the environment where it is not there yet: `dev`, in which people
# and tests work, or another lock of hack/requirements, of tools that nothing imports.
# It lies outside the checkout, keyed by what went in, so that a fresh clone finds it. Its packages are compiled once:
# make has nothing write bytecode here, and a process that compiles torch for itself starts 7 s later.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
cache=${WHISPER_OPERATOR_CACHE:-$HOME/.cache/whisper-operator}
uv=0.13.9
lock=$here/requirements/${1:-dev}.txt
key=$(python3 --version | cat - "$lock" | sha256sum | cut -c1-12)
venv=$cache/python/$key
if [[ ! -e $venv/.compiled ]]; then
    exec 9>"$cache.python.lock" && flock 9
fi
if [[ ! -e $venv/.compiled ]]; then
    echo "python: making $venv from $(basename "$lock") (dev.txt has torch and its libraries: 6 GB)" >&2
    rm -rf "$venv" && mkdir -p "$cache/python"
    python3 -m venv "$venv"
    "$venv/bin/python" -m pip install --quiet "uv==$uv" >&2
    UV_CACHE_DIR=$cache/uv "$venv/bin/uv" pip install --quiet --compile-bytecode --python "$venv/bin/python" \
        --require-hashes -r "$lock" >&2
    touch "$venv/.compiled"
fi
echo "$venv/bin/python"
