"""How long `import scratchgen` takes, in a process of its own."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time


def main() -> None:
    """The median over several fresh processes, less that of an empty one."""

    def seconds(code: str) -> float:
        began = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True)
        return time.perf_counter() - began

    turns = [(seconds("import scratchgen"), seconds("import numpy"), seconds("pass")) for _ in range(9)]
    ours, numpy, empty = (statistics.median(column) for column in zip(*turns, strict=True))
    shares = f"{ours - empty:.3f} s, of which NumPy {numpy - empty:.3f} s"
    print(f"\nimport scratchgen: {shares}   (target: at most 0.3 s)")
