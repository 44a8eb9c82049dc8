"""What this machine offers: versions, device, BLAS kernels, threads, and what would make it faster.

``python -m scratchgen`` prints it, and every training run keeps it beside its results.
"""

from __future__ import annotations

import os
import platform
from typing import Any

import numpy as np
import threadpoolctl

from . import compiled, process
from .device import get_device, nvidia_device

THREAD_VARIABLES = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS")
PINNING_VARIABLES = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE", *THREAD_VARIABLES)
"""Environment variables that fix which BLAS kernels run, or on how many threads."""

AVX512_KERNELS = {"skylakex", "cooperlake", "sapphirerapids", "zen5"}


def environment() -> dict[str, Any]:
    """A JSON-ready description of the machine and the libraries: what the bits of a result depend on.

    Returns
    -------
    dict
        Keys ``scratchgen``, ``python``, ``numpy``, ``platform``, ``processor``, ``cores``, ``cuda`` (a GPU's
        name, or why there is none), ``loops`` (the compiler, or why formulas are not compiled), ``blas`` (one
        entry per loaded BLAS library: name, version, kernels, threads), ``pinned`` (variables of the
        environment that override BLAS's own choice).
    """
    from .. import __version__

    return {
        "scratchgen": __version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "platform": platform.platform(),
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "cuda": _cuda_status(),
        "loops": _loops(),
        "blas": [
            {
                "library": library["internal_api"],
                "version": library["version"],
                "kernels": library.get("architecture") or "unknown",
                "threads": library["num_threads"],
            }
            for library in threadpoolctl.threadpool_info()
            if library["user_api"] == "blas"
        ],
        "pinned": {name: os.environ[name] for name in PINNING_VARIABLES if name in os.environ},
    }


def advice(found: dict[str, Any]) -> list[str]:
    """What the owner of the machine that `environment` described could do to make it faster."""
    suggestions = []
    kernels = {library["kernels"].lower() for library in found["blas"]} - {"unknown"}
    if "OPENBLAS_CORETYPE" in found["pinned"]:
        suggestions.append(
            f"OPENBLAS_CORETYPE={found['pinned']['OPENBLAS_CORETYPE']} pins the BLAS kernels; "
            "unset it to let OpenBLAS choose those of this processor"
        )
    elif _has_avx512() and kernels and not kernels & AVX512_KERNELS:
        suggestions.append(
            f"the processor has AVX-512, but BLAS runs its {', '.join(sorted(kernels))} kernels; "
            "a newer NumPy wheel may choose better ones"
        )
    limits = [name for name in THREAD_VARIABLES if name in found["pinned"]]
    suggestions += [
        f"{library['library']} uses {library['threads']} of {found['cores']} cores; "
        f"unset {' and '.join(limits)} to use them all"
        for library in found["blas"]
        if limits and library["threads"] < (found["cores"] or 1)
    ]
    if found["loops"].startswith("none"):
        suggestions.append(
            f"{found['loops'].partition(': ')[2]}, so a training step takes two to three times as long"
        )
    elif compiled._folder() is None:
        suggestions.append(
            "compiled loops cannot be kept, so each process compiles them; set NUMBA_CACHE_DIR"
        )
    if process.TOO_LATE and (found["cores"] or 1) > 1:
        suggestions.append(
            "NumPy was imported before scratchgen, so OpenBLAS's waiting threads spin; "
            f"import scratchgen first, or set {process.VARIABLE}={process.CYCLES}"
        )
    if not found["blas"]:
        suggestions.append("NumPy has no known BLAS library; the wheels from PyPI carry OpenBLAS")
    return suggestions


def describe() -> str:
    """`environment` and `advice` as text for a terminal."""
    found = environment()
    lines = [
        f"scratchgen {found['scratchgen']}, Python {found['python']}, NumPy {found['numpy']}",
        f"machine    {found['platform']}",
        f"processor  {found['processor']}, {found['cores']} cores",
        f"GPU        {found['cuda']}",
        f"loops      {found['loops']}",
    ]
    lines += [
        f"BLAS       {library['library']} {library['version']}, {library['kernels']} kernels, "
        f"{library['threads']} threads"
        for library in found["blas"]
    ]
    pinned = ", ".join(f"{name}={value}" for name, value in found["pinned"].items())
    lines.append(f"pinned     {pinned or 'nothing: BLAS chooses its own kernels and threads'}")
    lines += [f"advice     {suggestion}" for suggestion in advice(found)]
    return "\n".join(lines)


def _loops() -> str:
    if compiled.available():
        from importlib import metadata  # slow to import

        return f"compiled by Numba {metadata.version('numba')}"
    off = os.environ.get("SCRATCHGEN_LOOPS") == "0"
    return f"none: {'SCRATCHGEN_LOOPS=0 leaves all to formulas' if off else 'Numba is not installed'}"


def _processor() -> str:
    names = [
        line.partition(":")[2].strip() for line in _cpuinfo().splitlines() if line.startswith("model name")
    ]
    return names[0] if names else platform.processor() or platform.machine()


def _cuda_status() -> str:
    if not nvidia_device():
        return "none: no NVIDIA device"
    try:
        get_device("cuda")
    except RuntimeError as error:
        return f"none: {' '.join(str(error).split())}"
    import cupy

    name = cupy.cuda.runtime.getDeviceProperties(cupy.cuda.Device().id)["name"].decode()
    return f"{name}, CuPy {cupy.__version__}"


def _has_avx512() -> bool:
    return "avx512f" in _cpuinfo()


def _cpuinfo() -> str:
    """What Linux says about the processors; nothing elsewhere."""
    try:
        with open("/proc/cpuinfo") as file:
            return file.read()
    except OSError:
        return ""
