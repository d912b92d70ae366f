"""What the pages of docs/ show."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml


def yaml_blocks(page: Path) -> list[dict[str, Any]]:
    """The objects, or parts of them, in the page's blocks of YAML."""
    blocks = re.findall(r"^( *)```yaml\n(.*?)^ *```", page.read_text(), re.S | re.M)
    return [body for _, block in blocks for body in yaml.safe_load_all(block)]
