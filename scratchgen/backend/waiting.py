"""Threads of the BLAS library that wait for the next matrix product soon sleep, instead of spinning.

OpenBLAS lets its threads spin for 2^26 processor cycles after each product, in case another one follows.
Between the products of a training step there is other work, which our own threads share (`parallel.py`), and
a core that spins is not theirs. With 2^19 cycles, a fifth of a millisecond, threads are awake for a product
that follows at once and out of the way otherwise: on two cores a training step of a dense VAE of batch 512
took 13.2 ms instead of 14.8, of batch 128 5.3 instead of 5.6 (with 2^4, asleep at once, 13.7 and 5.6), and
one of a U-Net of width 32 408 instead of 490.
"""

import os
import sys

VARIABLE = "OPENBLAS_THREAD_TIMEOUT"
CYCLES = "19"  # the exponent of 2

TOO_LATE = "numpy" in sys.modules and VARIABLE not in os.environ
"""Whether NumPy was loaded before scratchgen, and has read its variables already."""


def let_waiting_threads_sleep() -> None:
    """Set OpenBLAS's variable, unless the user has; it is read when NumPy is loaded, not later."""
    os.environ.setdefault(VARIABLE, CYCLES)
