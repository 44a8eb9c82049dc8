"""Physics: few sensors, random functions, and a law that speaks where no sensor is.

An engineer has five thousand rigs, each a mass on a spring with friction, and of each eight readings. No two
are alike. What do such motions look like in between, and which coefficients have they? A GAN learns eight
numbers that look like eight readings; between the sensors it may do what it likes. But the law is known,

    u'' + c u' + k u = 0,

with c and k of each rig unknown. So the generator makes the whole curve u(t) and its c and k from noise, and
pays for what the left side leaves, computed by differentiating the network itself. Two more questions: what
does a *wrong* law do? And can a law take the place of data: a rod whose material and heating are known at a
few places, and its temperature everywhere?
"""

# %% Settings, all of which are options on the command line: `python3 demos physics --help`
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

import scratchgen as sg
from demos import _lesson, _physics_page
from demos._physics_critics import RodCritic, critic
from demos._training import oppose
from scratchgen.data.physics import media, oscillators
from scratchgen.models.gan import PhysicsInformedGAN, slope
from scratchgen.networks import FieldNetwork, WaveNetwork
from scratchgen.nn import Module
from scratchgen.optim import ExponentialMovingAverage
from scratchgen.training import Run

TIMES = np.linspace(0.0, 3.0, 8)
"""When the sensors of a rig read."""
PLACES = np.linspace(-1.0, 1.0, 11)
"""Where the sensors of a rod are."""


@dataclass
class Options(_lesson.OwnWorld, _lesson.Options):
    """Train GANs of curves with the right law, a wrong one and none, and one of rods."""

    rigs: int = 5000
    """How many rigs are observed, and how many rods."""
    weight: float = 0.1
    """Of the law in the generator's loss."""
    batch_size: int = 64
    lr: float = 1e-3


# %% The law of the oscillator, right and wrong. Fields are u and, the same at all times, c and k
def damped(fields: Any, points: Any, z: Any) -> Any:
    """u'' + c u' + k u, with c and k positive whatever the network says."""
    u, c, k = fields[..., 0], sg.softplus(fields[..., 1]), 4 * sg.softplus(fields[..., 2])
    velocity = slope(u, points)[..., 0]
    return slope(velocity, points)[..., 0] + c * velocity + k * u


def frictionless(fields: Any, points: Any, z: Any) -> Any:
    """u'' + k u: a law that these rigs do not obey."""
    u, k = fields[..., 0], 4 * sg.softplus(fields[..., 2])
    return slope(slope(u, points)[..., 0], points)[..., 0] + k * u


LAWS: dict[str, Any] = {"the law": damped, "no law": None, "a wrong law": frictionless}


class Rig(Module):
    """Curves u(t) with their c and k, for times between 0 and 3."""

    def __init__(self, rng: sg.RandomStream) -> None:
        self.network = FieldNetwork(8, 1, 1, [64, 64], constants=2, rng=rng)

    def forward(self, z: Any, times: Any) -> Any:
        return self.network(z, times / 1.5 - 1)


# %% The rod: -1/10 (k u')' = f. The generator makes k and u; what heats such a rod, f, follows by the law
class Rod(Module):
    """Conductivity k > 0, and a temperature u that is 0 at both ends: 2.5 (1 - x^2) where k = 1, f = 1/2."""

    def __init__(self, rng: sg.RandomStream) -> None:
        self.network = WaveNetwork(32, 2, waves=12, period=4.0, hidden=[64, 64], rng=rng)

    def forward(self, z: Any, x: Any) -> Any:
        said, place = sg.exp(self.network(z, x)), x[..., 0]
        return sg.stack([said[..., 0], 2.5 * (1 - place * place) * said[..., 1]], axis=2)


def readings(fields: Any, points: Any, z: Any) -> Any:
    """log k, u and, on their scale, f at all places."""
    k, u = fields[..., 0], fields[..., 1]
    f = -slope(k * slope(u, points)[..., 0], points)[..., 0] / 10
    return sg.cat([sg.log(k), u, 4 * f], axis=1)


# %% Training: as any GAN, on what the sensors read
def train(
    name: str,
    model: PhysicsInformedGAN,
    data: np.ndarray,
    options: Options,
    run: Run,
    steps: int,
    momentum: float = 0.5,
    **how: Any,
) -> Any:
    """The generator's moving average, ready to draw, and the rows of the log."""
    average = ExponentialMovingAverage(model.generator.parameters(), 0.995)
    how |= {"rates": (options.lr, options.lr), "betas": (momentum, 0.9), "average": average}
    part = run.part(name.replace(" ", "-"))
    rows = oppose(model, data.astype(np.float32), steps, options, part, **how)

    def draw(n: int, points: np.ndarray) -> np.ndarray:
        with average.applied():
            drawn = model.sample(n, sg.RandomStream(options.seed, "draw"), points=points[:, None])
        return sg.asnumpy(drawn).astype(np.float64)

    return draw, rows


def lesson(options: Options, run: Run) -> _lesson.Outcome:
    """Train all four, read them against the truth, and put that on the run's page."""
    rng = sg.RandomStream(options.seed, "physics")
    seen = oscillators(options.rigs, rng.child("rigs")).curves(TIMES)
    curves, logs = {}, {}
    for name, law in LAWS.items():
        weights = rng.child("weights", name)
        model = PhysicsInformedGAN(
            Rig(weights),
            critic(len(TIMES), weights.child("critic")),
            8,
            law,
            options.weight,
            sensors=TIMES[:, None],
            collocation=np.linspace(0, 3, 19)[:, None],
            readings=lambda fields, points, z: fields[..., 0],
        )
        curves[name], logs[name] = train(name, model, seen, options, run, 4000)
    rods = media(options.rigs, rng.child("rods"), 101)
    at = [int(i) for i in np.rint((PLACES + 1) * 50)]
    weights = rng.child("weights", "rod")
    known = np.concatenate([np.log(rods.k[:, at]), rods.u[:, at], 4 * rods.f[:, at]], axis=1)
    rod = PhysicsInformedGAN(
        Rod(weights),
        RodCritic(known.mean(axis=0), weights.child("critic")),
        32,
        None,
        sensors=PLACES[:, None],
        readings=readings,
        objective="wasserstein-gp",
        penalty_weight=1.0,
    )
    how: dict[str, Any] = {"batch_size": 2 * options.batch_size, "critic_steps": 2, "momentum": 0.0}
    media_of, logs["rods"] = train("rods", rod, known, options, run, 1500, **how)
    numbers = _physics_page.write(curves, media_of, seen, rods, logs, options, run)
    print("  ".join(f"{name}: {value}" for name, value in numbers.items()))
    seconds = sum(rows[-1]["seconds"] for rows in logs.values())
    return _lesson.Outcome(numbers, rod.parameter_count(), seconds, lambda n, rng: media_of(n, PLACES))


def main(argv: list[str] | None = None) -> None:
    """`python3 demos physics`."""
    _lesson.main("physics", "Physics-informed GANs", Options, lesson, argv)


if __name__ == "__main__":
    main()
