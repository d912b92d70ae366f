#!/usr/bin/env bash
# Pins every dependency by hash, from pyproject.toml, for the images, the plugin's archives, the development environment
# and those of tools.
set -euo pipefail
cd "$(dirname "$0")/.."
uv="$(dirname "$(hack/python.sh)")/uv"
lock() {
    "$uv" pip compile --quiet --universal --generate-hashes --python-version 3.11 --no-annotate \
        --custom-compile-command "make requirements" pyproject.toml "$@"
}
lock --extra operator -o hack/requirements/operator.txt
lock --extra runtime --extra onnx --override hack/requirements/runtime-excluded.txt -o hack/requirements/runtime.txt
lock --extra kubectl --extra operator --extra runtime --extra onnx --extra dev -o hack/requirements/dev.txt
lock --extra kubectl -o hack/requirements/kubectl.txt
tools() {
    "$uv" pip compile --quiet --universal --generate-hashes --python-version 3.11 --no-annotate \
        --custom-compile-command "make requirements" --group "$1" -o "hack/requirements/$1.txt"
}
tools site
tools sbom
