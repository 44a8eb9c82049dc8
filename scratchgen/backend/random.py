"""Random numbers are explicit: everything stochastic takes a `RandomStream`.

A stream is named by a seed and a path, for example ``RandomStream(0, "epoch", 3)``. The name alone fixes its
numbers (Philox is a counter-based generator: Salmon et al. 2011, "Parallel random numbers: as easy as
1, 2, 3"), so training resumes without saved state, and adding one draw somewhere changes nothing elsewhere.

A batch may be shared out: `part` gives a stream whose draws are cut out of those for the whole batch, so that
several who each work on a part of it see, together, exactly the numbers that one who works on all of it sees.
So every draw names its batch axis, ``batch_axis``: 0 unless said, None for numbers that belong to no example.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import cached_property, partial
from typing import Any

import numpy as np

from . import checks
from .device import Array, DTypeLike, asarray, get_device, makers

Shape = int | tuple[int, ...]


class RandomStream:
    """A stream of random numbers fixed by ``(seed, *path)``.

    Parameters
    ----------
    seed : int
        Any whole number.
    *path : int or str
        The place in the program the stream serves; streams of different paths are independent.
    device : str, optional
        ``"cpu"`` (the default) draws on the host and carries the numbers to the current device, so that CPU
        and GPU see the same ones; ``"cuda"`` draws on the GPU, which is faster there.

    Examples
    --------
    >>> a, b = RandomStream(0, "noise", 1), RandomStream(0).child("noise", 1)
    >>> bool((a.normal(3) == b.normal(3)).all())
    True
    >>> whole, part = RandomStream(0), RandomStream(0).part(1, 3, of=5)
    >>> bool((whole.normal((5, 4))[1:3] == part.normal((2, 4))).all())
    True
    """

    def __init__(self, seed: int, *path: int | str, device: str = "cpu") -> None:
        if isinstance(seed, bool) or not isinstance(seed, int | np.integer):
            raise TypeError(f"seed: got {seed!r}, expected a whole number")
        for element in path:
            if isinstance(element, bool) or not isinstance(element, int | str | np.integer):
                raise TypeError(f"path: got {element!r}, expected whole numbers and strings")
        if device not in makers:
            raise ValueError(f"device: got {device!r}, expected one of {', '.join(map(repr, makers))}")
        self.seed = int(seed)
        self.path = tuple(e if isinstance(e, str) else int(e) for e in path)
        self.device = device
        self._part: tuple[int, int, int] | None = None  # start, stop and the whole batch's length

    def __repr__(self) -> str:
        device = [] if self.device == "cpu" else [f"device={self.device!r}"]
        part = "" if self._part is None else ".part({}, {}, of={})".format(*self._part)
        return f"RandomStream({', '.join([*map(repr, (self.seed, *self.path)), *device])}){part}"

    def child(self, *path: int | str) -> RandomStream:
        """The independent stream whose path continues this one's; of a part, the same part."""
        stream = RandomStream(self.seed, *self.path, *path, device=self.device)
        stream._part = self._part
        return stream

    def part(self, start: int, stop: int, *, of: int) -> RandomStream:
        """The stream of the same name that serves only the examples ``start .. stop - 1`` of a batch.

        It draws for all of the batch and gives what belongs to its part. What has no batch axis, such as a
        single number or a permutation, is the same for all parts.

        Parameters
        ----------
        start, stop : int
        of : int
            How many examples the whole batch has. (A part of a part is counted within that part.)

        Raises
        ------
        ValueError
            If the part does not lie within the batch.
        """
        of = checks.whole("of", of, 0)
        stop = checks.whole("stop", stop, 0, of)
        start = checks.whole("start", start, 0, stop)
        first, last, whole = self._part or (0, of, of)
        if of != last - first:
            raise ValueError(f"of: got {of}, expected {last - first}, the examples of {self!r}")
        stream = self.child()
        stream._part = first + start, first + stop, whole
        return stream

    @cached_property
    def _key(self) -> bytes:
        return hashlib.sha256(repr((self.seed, self.path)).encode()).digest()

    @cached_property
    def _host(self) -> np.random.Generator:
        key = np.frombuffer(self._key[:16], dtype="<u8")
        return np.random.Generator(np.random.Philox(key=key))

    @cached_property
    def _generator(self) -> Any:
        if self.device == "cpu":
            return self._host
        return get_device(self.device).generator(int.from_bytes(self._key[16:24], "little"))

    def normal(
        self, shape: Shape = (), dtype: DTypeLike = np.float32, *, batch_axis: int | None = 0
    ) -> Array:
        """Standard normal numbers, N(0, 1)."""
        return asarray(self._cut(self._generator.standard_normal, shape, batch_axis, dtype=dtype), dtype)

    def uniform(
        self, shape: Shape = (), dtype: DTypeLike = np.float32, *, batch_axis: int | None = 0
    ) -> Array:
        """Numbers uniform on [0, 1)."""
        return asarray(self._cut(self._generator.random, shape, batch_axis, dtype=dtype), dtype)

    def integers(self, low: int, high: int, shape: Shape = (), *, batch_axis: int | None = 0) -> Array:
        """Whole numbers uniform on ``low .. high - 1``."""
        return asarray(self._cut(partial(self._host.integers, low, high), shape, batch_axis))

    def bernoulli(self, probability: Array, *, batch_axis: int | None = 0) -> Array:
        """Zeros and ones, each 1 with its own `probability`; of the shape and dtype of `probability`.

        Raises
        ------
        ValueError
            If a probability in host memory is not in [0, 1]. On a GPU it goes unnoticed: to look is to wait.
        """
        checks.within("probability", checks.array("probability", probability), 0, 1)
        uniform = self.uniform(probability.shape, probability.dtype, batch_axis=batch_axis)
        return (uniform < probability).astype(probability.dtype)

    def permutation(self, n: int) -> np.ndarray:
        """A shuffled ``0 .. n - 1``, always on the host: it orders work rather than entering a model."""
        return self._host.permutation(n)

    def _cut(self, draw: Callable[..., Any], shape: Shape, batch_axis: int | None, **how: Any) -> Any:
        """What `draw` gives for the shape of the whole batch, cut to the part that this stream serves."""
        shape = tuple(shape) if isinstance(shape, tuple | list) else (shape,)
        if batch_axis is None or not shape:
            return draw(shape, **how)
        if not -len(shape) <= batch_axis < len(shape):
            raise ValueError(f"batch_axis: got {batch_axis}, expected None or an axis of shape {shape}")
        if self._part is None:
            return draw(shape, **how)
        start, stop, whole = self._part
        before, after = shape[: batch_axis % len(shape)], shape[batch_axis % len(shape) + 1 :]
        if shape[batch_axis] != stop - start:
            raise ValueError(
                f"shape: got {shape[batch_axis]} examples along batch axis {batch_axis} of {shape}, "
                f"expected {stop - start} from {self!r}"
            )
        drawn = draw((*before, whole, *after), **how)
        return drawn[(slice(None),) * len(before) + (slice(start, stop),)].copy()


def check_rng(rng: Any) -> RandomStream:
    """`rng`, if it is a RandomStream.

    Raises
    ------
    TypeError
        Saying what was given instead.
    """
    if not isinstance(rng, RandomStream):
        given = type(rng).__name__
        raise TypeError(f"rng: got {given}, expected a RandomStream, for example sg.backend.RandomStream(0)")
    return rng
