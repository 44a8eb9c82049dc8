"""Minibatches: one pass over the examples in shuffled order."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..backend import Array, RandomStream, check_rng, checks, device_of


def batches(x: Array, size: int, rng: RandomStream, *more: Array) -> Iterator[Any]:
    """One epoch: every example once, in an order that `rng` draws, `size` at a time.

    Training resumes exactly where it stopped when each epoch draws from a stream of its own, as in
    ``batches(x, 128, rng.child("epoch", epoch))``: then nothing needs to be remembered but the epoch.

    Parameters
    ----------
    x : array
        The examples, along the first axis.
    size : int
        Examples in a batch. The last batch is shorter if `size` does not divide their number.
    rng : RandomStream
        What orders the examples.
    *more : array
        Arrays of the same length, for example labels, batched in the same order.

    Yields
    ------
    array, or tuple of arrays if there are `more`
        Copies, on the device and in the dtype of the arrays given.

    Raises
    ------
    TypeError
        If `x` or one of `more` is no array, or `rng` no RandomStream.
    ValueError
        If `size` is not a positive whole number, there are no examples, or the arrays differ in length. All
        of this is raised by the call, before the first batch.

    Examples
    --------
    >>> import numpy as np
    >>> [len(batch) for batch in batches(np.arange(10), 4, RandomStream(0))]
    [4, 4, 2]
    >>> x = np.arange(10)
    >>> all((b == a * a).all() for a, b in batches(x, 4, RandomStream(0), x * x))
    True
    """
    arrays = (x, *more)
    for i, array in enumerate(arrays):
        name = f"more[{i - 1}]" if i else "x"
        checks.shape(name, array, ("n", ...) if i == 0 else (len(x), ...), "as many as x" if i else "")
    count = len(x)
    if count == 0:
        raise ValueError(f"x: got shape {tuple(x.shape)}, expected at least one example")
    size = checks.whole("size", size)
    order = check_rng(rng).permutation(count)

    def draw() -> Iterator[Any]:
        for start in range(0, count, size):
            index = order[start : start + size]
            batch = tuple(array[device_of(array).asarray(index)] for array in arrays)
            yield batch if more else batch[0]

    return draw()
