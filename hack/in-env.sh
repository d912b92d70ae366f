#!/usr/bin/env bash
# Runs a command of the development environment's interpreter.
set -euo pipefail
exec "$("$(dirname "$0")/python.sh")" "$@"
