"""Peak resident memory of a training step: ours and PyTorch's, each in a process of its own."""

from __future__ import annotations

import contextlib
import importlib
import multiprocessing
import resource
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from . import dcgan, dense_vae, unet
from .tables import OURS, Table
from .timing import Step

STEPS = 3
MEGA = 2**20

Makers = dict[str, Callable[..., Step]]


def tables(quick: bool) -> Iterator[Table]:
    """One table: for each step whole processes, and the step alone."""
    rows = []
    for step, makers, args in _steps():
        peaks = {}
        for name, make in makers.items():
            with multiprocessing.get_context("spawn").Pool(1) as pool:
                if measured := pool.apply(peak, (make, name == OURS, args)):
                    peaks[name] = measured
        least = min((own for name, (_, own) in peaks.items() if name != OURS), default=None)
        for name, (whole, own) in peaks.items():
            ratio = f"{own / least:.2f}" if least and name == OURS else ""
            rows.append([f"{step}: {name}", f"{whole:.0f}", f"{own:.0f}", ratio])
    columns = ["MB at most", "whole process", "step alone", "beside PyTorch's smaller"]
    note = (
        "The step alone is what lies above a process that has imported its library (ours: and Numba), "
        "that is network, optimiser, batch and all that the steps take. Target: 1.0 times PyTorch's."
    )
    yield Table("Memory", columns, rows, note)


def _steps() -> Iterator[tuple[str, Makers, tuple[Any, ...]]]:
    """The steps by name: who makes them, and from what."""
    for width in unet.TARGETS:
        yield f"U-Net, width {width}", unet.MAKERS, (width, *unet.examples(unet.BATCH, unet.PIXELS))
    yield "DCGAN", dcgan.MAKERS, (dcgan.examples(),)
    makers = {name: dense_vae.MAKERS[name] for name in (OURS, "PyTorch eager")}
    x = (np.random.default_rng(0).random((128, dense_vae.SIZES[0])) < 0.3).astype(np.float32)
    yield "Dense VAE, batch 128", makers, (x,)


def peak(make: Callable[..., Step], ours: bool, args: tuple[Any, ...]) -> tuple[float, float] | None:
    """Megabytes of the whole process, and of its steps; None where the library is missing."""
    if ours:
        with contextlib.suppress(ImportError):
            importlib.import_module("numba")
    else:
        try:
            importlib.import_module("torch")
        except ImportError:
            return None
    before = highest()
    step = make(*args)
    for _ in range(STEPS):
        step()
    return highest(), highest() - before


def highest() -> float:
    """The most memory in megabytes that this process has had so far."""
    status = Path("/proc/self/status")
    if status.exists():  # Linux; what getrusage says there includes the process's parent, before exec
        (line,) = (line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024 / MEGA
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / MEGA
