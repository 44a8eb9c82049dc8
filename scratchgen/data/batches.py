"""Minibatches: one pass over the examples in shuffled order."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..backend import Array, RandomStream, check_rng, device_of


def batches(x: Array, size: int, rng: RandomStream, *more: Array, drop_last: bool = False) -> Iterator[Any]:
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
    drop_last : bool, default False
        Leave out a last batch that is shorter than `size`.

    Yields
    ------
    array, or tuple of arrays if there are `more`
        Copies, on the device and in the dtype of the arrays given.

    Raises
    ------
    TypeError
        If `size` is not a whole number, or `rng` no RandomStream.
    ValueError
        If `size` is not positive, there are no examples, the arrays differ in length, or `drop_last` would
        leave no batch at all. All of this is raised by the call, before the first batch.

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
    count = _check_lengths(arrays)
    if isinstance(size, bool) or not hasattr(size, "__index__"):
        raise TypeError(f"size: got {size!r}, expected a whole number of examples")
    if size <= 0:
        raise ValueError(f"size: got {size}, expected at least 1 example in a batch")
    if drop_last and size > count:
        raise ValueError(f"size: got {size} with drop_last, but there are only {count} examples")
    order = check_rng(rng).permutation(count)
    stop = count - count % size if drop_last else count

    def draw() -> Iterator[Any]:
        for start in range(0, stop, size):
            index = order[start : start + size]
            batch = tuple(array[device_of(array).asarray(index)] for array in arrays)
            yield batch if more else batch[0]

    return draw()


def _check_lengths(arrays: tuple[Array, ...]) -> int:
    """The number of examples in every one of `arrays`."""
    names = ["x", *(f"more[{i}]" for i in range(len(arrays) - 1))]
    for name, array in zip(names, arrays, strict=True):
        if getattr(array, "ndim", 0) == 0:
            raise ValueError(f"{name}: got {array!r:.80}, expected an array of examples along its first axis")
    lengths = [len(array) for array in arrays]
    if len(set(lengths)) > 1:
        found = ", ".join(f"{name} has {length}" for name, length in zip(names, lengths, strict=True))
        raise ValueError(f"more: got arrays of different lengths ({found}), expected the length of x")
    if lengths[0] == 0:
        raise ValueError(f"x: got no examples (shape {arrays[0].shape}), expected at least one")
    return lengths[0]
