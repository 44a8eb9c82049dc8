"""What has to be set for the process before NumPy loads, or once for all: waiting threads, freed memory.

OpenBLAS lets its threads spin for 2^26 processor cycles after each product, in case another one follows: a
core that spins is nobody else's. Products of float32 matrices go through `threads.py`, whose helpers soon
sleep; for all others (float64, no Numba) OpenBLAS is told to wait for 2^19 cycles only, a fraction of a
millisecond.

A training step allocates and frees the same large arrays again and again. By default the C library of Linux
(glibc) returns such memory to the system at once and asks for it anew, and the system hands it out page by
page, zeroed, at a cost that can exceed the arithmetic on it. So it is kept. The price: the process does not
shrink after its largest step.

Several ranks on one machine that mpiexec did not bind to a core each would all use every core: each takes its
part of the threads.
"""

import ctypes
import os
import sys

VARIABLE = "OPENBLAS_THREAD_TIMEOUT"
CYCLES = "19"  # the exponent of 2

LOCAL_RANKS = "OMPI_COMM_WORLD_LOCAL_SIZE", "MPI_LOCALNRANKS", "MV2_COMM_WORLD_LOCAL_SIZE"
THREADS = "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"

TOO_LATE = "numpy" in sys.modules and VARIABLE not in os.environ
"""Whether NumPy was loaded before scratchgen, and has read its variables already."""

# From glibc's malloc.h. Below the threshold memory comes from the heap; the heap's free top is trimmed above.
M_TRIM_THRESHOLD = -1
M_MMAP_THRESHOLD = -3
LARGEST = 2**31 - 1


def keep_freed_memory() -> bool:
    """Ask the C library to keep freed memory; whether it agreed.

    Nothing happens outside of glibc, or if the environment sets ``SCRATCHGEN_KEEP_MEMORY=0``.
    """
    if not sys.platform.startswith("linux") or os.environ.get("SCRATCHGEN_KEEP_MEMORY") == "0":
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return False
    # Older versions of glibc accept no larger threshold than 32 MiB.
    threshold = mallopt(M_MMAP_THRESHOLD, 2**30) or mallopt(M_MMAP_THRESHOLD, 2**25)
    return bool(threshold and mallopt(M_TRIM_THRESHOLD, LARGEST))


def let_waiting_threads_sleep() -> None:
    """Set OpenBLAS's variable, unless the user has; it is read when NumPy is loaded, not later."""
    os.environ.setdefault(VARIABLE, CYCLES)


def share_out_cores() -> None:
    """Give each of several ranks on this machine its part of the cores, unless the user has said how many."""
    ranks = max(int(os.environ.get(name, "1")) for name in LOCAL_RANKS)
    if ranks > 1 and not any(name in os.environ for name in THREADS):
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        os.environ["OMP_NUM_THREADS"] = str(max(1, cores // ranks))
