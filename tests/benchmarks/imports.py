"""How long `import scratchgen` takes, in a process of its own."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator

from .tables import Table


def tables(quick: bool) -> Iterator[Table]:
    """The median over several fresh processes, less that of an empty one."""

    def seconds(code: str) -> float:
        began = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True, env=variables)
        return time.perf_counter() - began

    statements = ("import scratchgen", "import numpy", "pass")
    with tempfile.TemporaryDirectory() as folder:  # for bytecode, which some environments do not keep
        variables = {**os.environ, "PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": folder}
        seconds(statements[0])
        turns = [[seconds(code) for code in statements] for _ in range(5 if quick else 9)]
    ours, numpy, empty = (statistics.median(column) for column in zip(*turns, strict=True))
    rows = [[statements[0], f"{ours - empty:.3f}"], [statements[1], f"{numpy - empty:.3f}"]]
    yield Table("Import", ["", "seconds"], rows, "Target: at most 0.3 s, of which NumPy is a part.")
