"""Diffusion of points whose density is known at every time, and so the best possible network too."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...backend import checks
from ...data.toy import GaussianRing
from ...models.diffusion import Schedule
from .figure import Explorable, pack

LEVELS = 255
SHOWN = 2.0  # noisy images are kept from -SHOWN to SHOWN, where data are within [-1, 1]


@dataclass(frozen=True, eq=False)
class Film:
    """Ten images on the way to noise: `noisy`, and `seen` in them, (frames, 10, pixels), one frame a time.

    `back` has, for each weight of guidance, the way back from other noise, of the same shape and at the same
    times. All are bytes, which stand for -2 to 2.
    """

    times: Any
    noisy: Any
    seen: Any
    back: Mapping[float, Any]


def noise(world: GaussianRing, schedule: Schedule, caption: str, film: Film | None = None) -> Explorable:
    """Turn the time of diffusion, ask where a point came from, and go back in few or many steps.

    Parameters
    ----------
    world : GaussianRing
        The data.
    schedule : Schedule
        Of a number of steps that 50 divides.
    caption : str
    film : Film, optional
        The same for images, recorded.

    Raises
    ------
    ValueError
        If the steps are not a multiple of 50, or a film's frames not of one shape.
    """
    if schedule.steps % 50:
        raise ValueError(f"schedule: got {schedule.steps} steps, expected a multiple of 50")
    data: dict[str, Any] = {
        "world": {"centres": world.centres.tolist(), "sigma": world.sigma},
        "alphaBar": schedule.alpha_bar.tolist(),
        "digits": None,
    }
    if film is not None:
        frames = (len(film.times), 10, np.asarray(film.noisy).shape[-1])
        for name, one in [("noisy", film.noisy), ("seen", film.seen), *film.back.items()]:
            checks.shape(f"film: {name}", np.asarray(one), frames)
        data["digits"] = {
            "times": [int(t) for t in film.times],
            "noisy": pack(film.noisy),
            "seen": pack(film.seen),
            "back": {f"{weight:g}": pack(one) for weight, one in film.back.items()},
        }
    return Explorable("noise", data, caption)
