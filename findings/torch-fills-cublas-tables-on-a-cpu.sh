#!/usr/bin/env bash
# torch 2.15.0, the build for CUDA that PyPI has for Linux, on a machine without a GPU: `import torch` loads fifteen of
# NVIDIA's libraries, and one of them, libcublasLt, writes some 90 MiB of tables of its own as it is loaded, whether
# anything of it is called or not. Two more, libnvJitLink and libnvrtc, touch some 30 MiB of their code each. It is half
# of what a process has in memory after the import, and the tables are private to each process: ten servers on a node
# have ten of them.
# Expected: that libraries which are mapped and never called take address space and hardly any memory. Seen: what is
# printed. Fails (exit 1) once cuBLAS has less than 60 MiB of private memory, or torch does not load it without a GPU.
# It installs torch from PyPI: some 3 GB.
set -euo pipefail
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
python3 -m venv "$directory/venv"
"$directory/venv/bin/pip" install --quiet uv==0.13.9
UV_NO_CACHE=1 "$directory/venv/bin/uv" pip install --quiet --python "$directory/venv/bin/python" torch==2.15.0 numpy
cat >"$directory/try.py" <<'PYTHON'
import re
import sys
from collections import Counter
from pathlib import Path

import torch

print("torch", torch.__version__, "built for CUDA", torch.version.cuda, "GPUs here:", torch.cuda.device_count())
private, all_of_it, name, end = Counter(), Counter(), "", ""
for line in Path("/proc/self/smaps").read_text().splitlines():
    if found := re.match(r"([0-9a-f]+)-([0-9a-f]+) \S+ \S+ \S+ \d+ *(.*)", line):
        # The zeroed part of a library's data is a mapping without a name behind the last one that has its name.
        if found[3] or found[1] != end:
            name = Path(found[3]).name
        end = found[2]
    elif line.startswith(("Private_Dirty:", "Rss:")):
        (private if line.startswith("P") else all_of_it)[name] += int(line.split()[1]) / 1024
print(f"{'MiB private':>12} {'MiB in all':>12}")
for library, mib in all_of_it.most_common():
    if re.match(r"lib(cu|nv|nccl)", library):
        print(f"{private[library]:12.0f} {mib:12.0f}  {library}")
cublas = [mib for library, mib in private.items() if library.startswith("libcublasLt.so")]
sys.exit(not cublas or cublas[0] < 60)
PYTHON
"$directory/venv/bin/python" -W ignore "$directory/try.py"
