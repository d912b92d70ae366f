"""What a server imports before it is ready, and what only its requests do."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytestmark = pytest.mark.slow

SERVING = """
import sys
from whisper_runtime.process.upstream import import_upstream
import_upstream()
import whisper_runtime.process.assemble, whisper_runtime.process.servers
"""
"""The imports of `serve`, in their order."""
NEVER_AT_START = (
    "numba",
    "llvmlite",
    "httpx",
    "triton",
    "torch._dynamo",
    "torch._inductor",
    "scipy",
    "sympy",
    "onnxruntime",
    "kaldi_native_fbank",
)


def run(program: str) -> str:
    done = subprocess.run((sys.executable, "-c", program), check=True, capture_output=True, text=True, timeout=300)
    return done.stdout.strip()


def test_a_server_imports_nothing_that_a_request_may_never_need() -> None:
    assert run(f"{SERVING}\nprint([name for name in {NEVER_AT_START} if name in sys.modules])") == "[]"


def test_without_a_gpu_torch_leaves_out_what_its_compiler_registers() -> None:
    """Two thousand functions for tensors without data; and NVIDIA's bindings, which another import still finds."""
    assert run(f"{SERVING}\nprint('torch._refs' in sys.modules, 'cuda' in sys.modules)") == "False False"
    assert run(f"{SERVING}\nimport cuda.bindings, torch\nprint(torch.cuda.is_available())") == "False"


def test_random_numbers_are_drawn_all_the_same() -> None:
    assert run(f"{SERVING}\nimport torch\nprint(torch.Generator().manual_seed(1).initial_seed())") == "1"


def test_words_are_aligned_by_compiled_functions_all_the_same() -> None:
    program = """
import numpy
from whisper_runtime.engine.batching import time_warping
print(*time_warping.cheapest_path(numpy.zeros((2, 2), numpy.float32)), "numba" in sys.modules)
"""
    assert run(SERVING + program) == "[0 1 1] [0 0 1] True"


def test_upstream_is_whole_where_numba_is_there_before() -> None:
    program = """
import numba
from whisper_runtime.process.upstream import import_upstream
import_upstream()
import whisper.timing
print(type(whisper.timing.dtw_cpu).__name__)
"""
    assert run(program) == "CPUDispatcher"
