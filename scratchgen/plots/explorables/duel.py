"""A GAN in one dimension, small enough to be trained in the page; and trainings in the plane, recorded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...backend import RandomStream, checks
from ...networks import MLP
from ...nn import Linear, Module, Tanh
from .figure import Explorable, pack

HIDDEN = 16


@dataclass(frozen=True)
class Target:
    """Data of one number: an even mixture of normal distributions."""

    name: str
    means: Sequence[float]
    sigma: float


@dataclass(frozen=True, eq=False)
class Game:
    """A training in the plane: what was kept every so many steps.

    `samples` is (frames, n, 2); `fields`, (frames, side, side), is D(x) from 0 to 1 on an even grid from
    -`span` to `span`, the first row at the top.
    """

    name: str
    samples: Any
    fields: Any
    every: int
    span: float


def duel(
    targets: Sequence[Target],
    caption: str,
    games: Sequence[Game] = (),
    world: Any = None,
    rng: RandomStream | None = None,
) -> Explorable:
    """Train a GAN in the page, one step at a time, beside the best discriminator there is.

    Parameters
    ----------
    targets : sequence of Target
        The data to choose from.
    caption : str
    games : sequence of Game, optional
        Recorded trainings to scrub through.
    world : GaussianRing, optional
        The data of the games.
    rng : RandomStream, optional
        Of the first weights.

    Raises
    ------
    ValueError
        If a game's samples are not points in the plane, or its fields not squares, one a frame.
    """
    generator, discriminator = players(rng)
    shown = []
    for game in games:
        points, fields = np.asarray(game.samples, np.float64), np.asarray(game.fields, np.float64)
        checks.shape(f"samples of {game.name}", points, ("frames", "n", 2))
        checks.shape(f"fields of {game.name}", fields, (len(points), fields.shape[-1], fields.shape[-1]))
        shares = np.clip((points / game.span + 1) / 2, 0, 1)
        shown.append(
            {
                "name": game.name,
                "every": game.every,
                "span": game.span,
                "points": pack(np.round(255 * shares).astype(np.uint8)),
                "fields": pack(np.round(255 * fields).astype(np.uint8)),
            }
        )
    data = {
        "targets": [{"name": one.name, "means": list(one.means), "sigma": one.sigma} for one in targets],
        "generator": tanh_layers(generator),
        "discriminator": tanh_layers(discriminator),
        "games": shown,
        "world": None if world is None else {"centres": world.centres.tolist(), "sigma": world.sigma},
    }
    return Explorable("duel", data, caption)


def players(rng: RandomStream | None = None) -> tuple[Module, Module]:
    """The generator and the discriminator of one number, with tanh between their layers."""
    rng = RandomStream(0, "duel") if rng is None else rng
    generator = MLP([1, HIDDEN, 1], Tanh, rng=rng.child("generator"))
    return generator, MLP([1, HIDDEN, HIDDEN, 1], Tanh, rng=rng.child("discriminator"))


def tanh_layers(network: Module) -> list[list[dict[str, Any]]]:
    """Weights and biases, layer by layer."""
    linear = [layer for _, layer in network.named_modules() if isinstance(layer, Linear)]
    return [[pack(layer.weight.data), pack(layer.bias.data)] for layer in linear if layer.bias is not None]


def targets() -> list[Target]:
    """One hill beside the generator's first, two, and three."""
    return [
        Target("one hill", (1.5,), 0.6),
        Target("two hills", (-1.8, 1.8), 0.5),
        Target("three hills", (-2.6, 0.0, 2.6), 0.35),
    ]
