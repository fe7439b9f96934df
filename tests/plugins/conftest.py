"""Literal versions and scenes that several tests of plugins share can be imported."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "references"))
