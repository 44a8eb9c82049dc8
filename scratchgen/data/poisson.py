"""Batches in which each example is or is not, whatever the others are: what private training needs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..backend import Array, RandomStream, asnumpy, check_rng, checks, device_of


@dataclass(frozen=True)
class PoissonBatch:
    """A batch of which only the expected size is fixed.

    Attributes
    ----------
    examples : array, or tuple of arrays if there are several
        Perhaps none.
    expected : float
        q N: how many there are on average.
    """

    examples: Any
    expected: float

    def __len__(self) -> int:
        return len(self.examples[0] if isinstance(self.examples, tuple) else self.examples)


def poisson_batches(
    x: Array, rate: float, steps: int, rng: RandomStream, *more: Array
) -> Iterator[PoissonBatch]:
    """As many batches as `steps`, each with every example in it with probability `rate`.

    Parameters
    ----------
    x : array
        The examples, along the first axis.
    rate : float
        q, in (0, 1].
    steps : int
    rng : RandomStream
        Whoever knows its seed knows who was in which batch; keep it to yourself as you keep the data.
    *more : array
        Arrays of the same length, for example labels.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as said above; by the call, before the first batch.

    Examples
    --------
    >>> [len(batch) for batch in poisson_batches(np.arange(100), 0.05, 4, RandomStream(0))]
    [4, 5, 8, 4]
    """
    arrays = (x, *more)
    for i, array in enumerate(arrays):
        name = f"more[{i - 1}]" if i else "x"
        checks.shape(name, array, ("n", ...) if i == 0 else (len(x), ...), "as many as x" if i else "")
    rate, steps = checks.number("rate", rate, "(0, 1]"), checks.whole("steps", steps, 0)
    check_rng(rng)

    def draw() -> Iterator[PoissonBatch]:
        for step in range(steps):
            coins = asnumpy(rng.child("batch", step).uniform(len(x), np.float64))
            index = np.flatnonzero(coins < rate)
            found = tuple(array[device_of(array).asarray(index)] for array in arrays)
            yield PoissonBatch(found if more else found[0], rate * len(x))

    return draw()
