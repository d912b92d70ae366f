#!/usr/bin/env bash
# The whole run on this machine's CPU, with the versions of the machine with the card and a model of seconds: the
# minutes on a card are not spent on typing errors. CUDA's libraries, which torch loads and nothing here computes with,
# are the development environment's, but for one that its newer torch does without.
set -euo pipefail
cd "$(dirname "$0")/../.."
cache=${WHISPER_OPERATOR_CACHE:-$HOME/.cache/whisper-operator}
development=$(hack/python.sh)
site() { "$1" -c 'import sysconfig; print(sysconfig.get_path("purelib"))'; }
venv=$cache/python/gpu-rehearsal
if [[ ! -e $venv/.complete ]]; then
    rm -rf "$venv"
    "${PYTHON312:-python3.12}" -m venv "$venv"
    install() {
        UV_CACHE_DIR=$cache/uv "$(dirname "$development")/uv" pip install --quiet --python "$venv/bin/python" "$@"
    }
    install --no-deps torch==2.11.0
    install numpy numba tiktoken pytest tqdm filelock typing-extensions sympy networkx jinja2 fsspec setuptools
    install --no-deps nvidia-curand
    cp --recursive --symbolic-link --no-clobber "$(site "$development")/nvidia" "$(site "$venv/bin/python")"
    touch "$venv/.complete"
fi
"$venv/bin/python" -m benchmarks.gpu --device cpu --size small "$@"
