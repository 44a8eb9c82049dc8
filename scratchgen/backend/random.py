"""Random numbers are explicit: everything stochastic takes a `RandomStream`.

A stream is named by a seed and a path, for example ``RandomStream(0, "epoch", 3)``. The name alone fixes its
numbers (Philox is a counter-based generator: Salmon et al. 2011, "Parallel random numbers: as easy as
1, 2, 3"), so training resumes without saved state, and adding one draw somewhere changes nothing elsewhere.
"""

from __future__ import annotations

import hashlib
from functools import cached_property
from typing import Any

import numpy as np

from .arguments import check_array
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

    def __repr__(self) -> str:
        device = [] if self.device == "cpu" else [f"device={self.device!r}"]
        return f"RandomStream({', '.join([*map(repr, (self.seed, *self.path)), *device])})"

    def child(self, *path: int | str) -> RandomStream:
        """The independent stream whose path continues this one's."""
        return RandomStream(self.seed, *self.path, *path, device=self.device)

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

    def normal(self, shape: Shape = (), dtype: DTypeLike = np.float32) -> Array:
        """Standard normal numbers, N(0, 1)."""
        return asarray(self._generator.standard_normal(shape, dtype=dtype), dtype)

    def uniform(self, shape: Shape = (), dtype: DTypeLike = np.float32) -> Array:
        """Numbers uniform on [0, 1)."""
        return asarray(self._generator.random(shape, dtype=dtype), dtype)

    def integers(self, low: int, high: int, shape: Shape = ()) -> Array:
        """Whole numbers uniform on ``low .. high - 1``."""
        return asarray(self._host.integers(low, high, shape))

    def bernoulli(self, probability: Array) -> Array:
        """Zeros and ones, each 1 with its own `probability`; of the shape and dtype of `probability`."""
        check_array("probability", probability)
        uniform = self.uniform(probability.shape, probability.dtype)
        return (uniform < probability).astype(probability.dtype)

    def permutation(self, n: int) -> np.ndarray:
        """A shuffled ``0 .. n - 1``, always on the host: it orders work rather than entering a model."""
        return self._host.permutation(n)


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
