"""The evidence lower bound of one example, with one latent: every part of it can be seen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...backend import checks
from .figure import Explorable, pack

HALF, STEP = 600, 0.02
"""The quadrature's places z: 2 HALF + 1 of them, STEP apart, around 0."""


@dataclass(frozen=True, eq=False)
class Decoder:
    """``p(x|z) = N(f(z), noise^2)``; `range` is what the page shows of x."""

    name: str
    f: Callable[[np.ndarray], Any]
    noise: float
    range: tuple[float, float]


def bound(decoders: Sequence[Decoder], x: float, caption: str) -> Explorable:
    """Drag q, and see log p(x) fall into reconstruction, KL and gap.

    Parameters
    ----------
    decoders : sequence of Decoder
        Those that the page lets one choose from.
    x : float
        The example at first.
    caption : str

    Raises
    ------
    ValueError
        If a decoder does not give a number for each z, or its noise is not above 0.
    """
    z = STEP * np.arange(-HALF, HALF + 1)
    packed = []
    for one in decoders:
        values = np.asarray(one.f(z), np.float32)
        checks.shape(f"{one.name}: f(z)", values, z.shape, "a number for each z")
        noise = checks.number(f"{one.name}: noise", one.noise, "(0, inf)")
        packed.append({"name": one.name, "f": pack(values), "noise": noise, "range": list(one.range)})
    return Explorable("bound", {"half": HALF, "step": STEP, "x": x, "decoders": packed}, caption)


def decoders() -> list[Decoder]:
    """Three that differ in what their posteriors are: a Gaussian, two hills, a hill with a cliff."""
    return [
        Decoder("a line", lambda z: 1.5 * z, 0.6, (-3.5, 3.5)),
        Decoder("a bow", lambda z: z * z - 1, 0.5, (-2.0, 4.0)),
        Decoder("a step", lambda z: 1.5 * np.tanh(3 * z), 0.5, (-3.0, 3.0)),
    ]
