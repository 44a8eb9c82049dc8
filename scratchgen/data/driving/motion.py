"""What happens: positions and speeds of both cars, tenth of a second by tenth of a second."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ...backend import checks
from .controller import Controller
from .kinds import EVERY, FEATURES, Floats

#: The step of the simulation in s, how long somebody stays in the lane in s, how far ahead he appears in m.
STEP, STAY, AHEAD = 0.1, 4.0, 32.0


class Drive(NamedTuple):
    """What became of scenarios: arrays of shape (n, times), and whether there was a collision, (n,)."""

    times: Floats
    lead: Floats
    """Where the rear of the car in front is, in m."""
    car: Floats
    """Where the front of the controlled car is, in m."""
    speed: Floats
    """Of the controlled car, in m/s."""
    person: Floats
    """Where somebody stands in the lane, in m; infinity while nobody does."""
    collided: np.ndarray


def drive(x: Any, controller: Controller) -> Drive:
    """Let a controller drive through scenarios.

    The car begins with the speed of the car in front and the gap that it likes at this speed. Its speed
    changes by its acceleration, down to 0 and not below, and it moves by the mean of both speeds: ::

        v' = max(0, v + a dt),   x' = x + (v + v') / 2 dt                                    (driving-motion)

    Speeds of the car in front are linear between those given. Somebody who steps out appears 32 m in front of
    the car, or right behind the car in front if that is nearer, and stays for four
    seconds. A collision is a gap of 0 to the one or the other.

    Parameters
    ----------
    x : array, shape (n, 10)
        Scenarios.
    controller : Controller

    Raises
    ------
    TypeError, ValueError
        If `x` is no batch of scenarios, or the controller is none.
    """
    checks.instance("controller", controller, Controller, "such as driving.CAREFUL")
    x = checks.examples("x", x, (len(FEATURES),)).astype(np.float64)
    times = np.arange(round(EVERY * 7 / STEP) + 1) * np.float64(STEP)
    ahead = _speeds(np.maximum(x[:, :8], 0), times)
    start = controller.steady_gap(ahead[:, :1])
    lead = start + np.concatenate(
        [np.zeros((len(x), 1)), np.cumsum((ahead[:, 1:] + ahead[:, :-1]) / 2 * STEP, axis=1)], axis=1
    )
    car, speed = np.zeros_like(lead), np.zeros_like(lead)
    person = np.full_like(lead, np.inf)
    speed[:, 0] = ahead[:, 0]
    late = round(controller.reaction / STEP)
    begins, steps_out = np.maximum(x[:, 8], 0), x[:, 9] > 0
    place = np.full(len(x), np.inf)
    for i, time in enumerate(times):
        now = steps_out & (begins <= time) & (time < begins + STAY)
        nearest = np.minimum(car[:, i] + AHEAD, lead[:, i])
        place = np.where(now & np.isinf(place), nearest, place)
        person[:, i] = np.where(now, place, np.inf)
        if i + 1 == len(times):
            break
        seen = max(0, i - late)
        v = speed[:, seen]
        a = controller(lead[:, seen] - car[:, seen], v, v - ahead[:, seen])
        a = np.minimum(a, controller(person[:, seen] - car[:, seen], v, v))
        speed[:, i + 1] = np.maximum(0, speed[:, i] + a * STEP)
        car[:, i + 1] = car[:, i] + (speed[:, i] + speed[:, i + 1]) / 2 * STEP  # (driving-motion)
    collided = (np.minimum(lead, person) <= car).any(axis=1)
    return Drive(times, lead, car, speed, person, collided)


def _speeds(given: Floats, times: Floats) -> Floats:
    """Speeds at all times from those given every two seconds, linear in between."""
    place = np.minimum(times / EVERY, given.shape[1] - 1.000001)
    before = place.astype(int)
    share = place - before
    return given[:, before] * (1 - share) + given[:, before + 1] * share
