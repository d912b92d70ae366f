"""python gpu_stand_ins.py [DIRECTORY]: stand-ins for NVIDIA's libraries, for a process that computes on a CPU.

torch's usual build for Linux is linked against them and loads them all, GPU or not: 250 MiB of each process, tables
that libcublasLt fills and code that constructors touch. A stand-in has the same name, and the symbols that torch's own
libraries ask for. None is called where there is no GPU: torch asks libcudart, which stays the real one, how many there
are, and goes no further. One that is called ends the process, with a sentence.

torch itself looks for the libraries along `sys.path` before the linker does (torch/__init__.py, _preload_cuda_deps), so
that a directory in front of it is enough. Built once, with the image: it takes `gcc` and `nm`.
"""

from __future__ import annotations

import ctypes
import importlib.util
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

BESIDE_TORCH: Final = Path(sys.prefix) / "gpu-stand-ins"
"""Where the image has them: in the environment whose torch they are made for."""
DRIVER: Final = "libcuda.so.1"
"""What the node's driver brings into a container that may use a GPU."""
KEPT: Final = ("libcudart.",)
_BODY: Final = r"""
extern long write(int, const void *, unsigned long);
extern void abort(void);
static void call(void) {
    static const char problem[] = "a library of NVIDIA's was called in a process that began without a GPU\n";
    write(2, problem, sizeof problem - 1);
    abort();
}
"""


def gpu_is_out_of_reach() -> bool:
    """Whether torch cannot find a GPU, whatever it loads: no process can use one without NVIDIA's driver."""
    try:
        ctypes.CDLL(DRIVER)
    except OSError:
        return True
    return False


@contextmanager
def in_front(directory: Path) -> Generator[None]:
    """Let torch, if it is imported in the block, find the stand-ins in `directory` before the real libraries."""
    sys.path.insert(0, str(directory))
    try:
        yield
    finally:
        sys.path.remove(str(directory))


def build(directory: Path) -> None:
    """Write a stand-in for each library, at its path below site-packages.

    Nothing is written where torch is built without CUDA. Raises CalledProcessError where `nm` or `gcc` fails.
    """
    spec = importlib.util.find_spec("torch")
    assert spec
    assert spec.origin
    torch = Path(spec.origin).parent
    needed = {name for library in torch.glob("lib/*.so") for name, _ in _symbols(library, "--undefined-only")}
    for real in sorted(torch.parent.glob("nvidia/*/lib/*.so.*")):
        if real.name.startswith(KEPT):
            continue
        versions = {name: version for name, version in _symbols(real, "--defined-only") if name in needed}
        path = directory / real.relative_to(torch.parent)
        path.parent.mkdir(parents=True, exist_ok=True)
        _compile(path, versions)


def _symbols(library: Path, which: str) -> Iterable[tuple[str, str]]:
    """Dynamic symbols with their versions; "" for one that has none."""
    command = ("nm", "--dynamic", which, "--with-symbol-versions", str(library))
    listed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    for line in listed.splitlines():
        name, _, version = line.split()[-1].partition("@")
        yield name, version.lstrip("@")


def _compile(path: Path, versions: Mapping[str, str]) -> None:
    """Write a shared library with these symbols, each of its version."""
    names = defaultdict[str, list[str]](list)
    for name, version in versions.items():
        names[version].append(name)
    aliases = "".join(f'void {name}(void) __attribute__((alias("call")));\n' for name in versions)
    script = "".join(f"{version} {{ {'; '.join(found)}; }};\n" for version, found in names.items() if version)
    command = ["gcc", "-shared", "-fPIC", "-nostdlib", "-w", "-s", f"-Wl,-soname,{path.name}", "-o", str(path)]
    with tempfile.TemporaryDirectory() as scratch:
        source, map_file = Path(scratch, "stand_in.c"), Path(scratch, "versions.map")
        source.write_text(_BODY + aliases)
        map_file.write_text(script)
        subprocess.run([*command, *([f"-Wl,--version-script={map_file}"] if script else []), str(source)], check=True)


if __name__ == "__main__":
    build(Path(sys.argv[1]) if sys.argv[1:] else BESIDE_TORCH)
