"""Face swaps: of two people there is an album each; draw one in the other's pose.

A film needs an actor in a scene in which a double stood. No picture shows both in the same pose, so there is
nothing to learn the exchange from. The trick of 2017 that made "deepfake" a word: one encoder reads both
albums, a decoder for each person draws them, and then the decoders are exchanged. Nothing in the loss asks
that this should work. So it is measured, in a world where pose and person can be read back: the pose is to
stay, the person to change. Beside it stand two encoders that share nothing, and no network at all.
"""

# %% Settings, all of which are options on the command line: `python3 demos swap --help`
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

import scratchgen as sg
from demos import _albums, _lesson, _swap_page
from demos._training import learn
from scratchgen.data import avatars
from scratchgen.models import Autoencoder, SwapAutoencoder
from scratchgen.networks import MLP, SpatialPoints
from scratchgen.nn import LeakyReLU, Linear, Module, Sequential, Unflatten
from scratchgen.training import Run

Albums = list[_albums.Pictures]
"""Of the first person, and of the second."""


@dataclass
class Options(_lesson.OwnWorld, _lesson.Options):
    """Exchange two people, and keep their poses."""

    pictures: int = 400
    """In each album."""
    batch_size: int = 32
    lr: float = 3e-3


# %% [markdown]
# ## What the networks cannot do
# An encoder could give the two people codes of different kinds, and each decoder could undo its own: every
# picture would be drawn well, and no exchange. So the encoder says *where* things are, which moves with any
# person, by six numbers; and the decoders are linear, which leaves them little to undo.
def encoder(rng: sg.RandomStream) -> Sequential:
    """Pictures to features: places, six numbers, and all bends on the way back."""
    bends = MLP([6, 128, 256], lambda: LeakyReLU(0.1), rng=rng.child("bends"))
    points = SpatialPoints(3, rng=rng.child("points"))
    return Sequential(points, Linear(32, 6, rng=rng.child("six")), *bends, LeakyReLU(0.1))


def decoder(album: _albums.Pictures, rng: sg.RandomStream) -> Sequential:
    """A picture for each of 256 features, and their sum, which begins with the album's mean."""
    layer = Linear(256, 3072, rng=rng)
    layer.load_state_dict({**layer.state_dict(), "bias": album.images.mean(axis=0).ravel()})
    return Sequential(layer, Unflatten(1, avatars.SHAPE))


def train(name: str, model: Module, loss: Any, x: np.ndarray, options: Options, run: Run) -> Any:
    """Minimise the loss, and give the rows of the log."""
    return learn(model, loss, x, 900, options, run.part(name), rising=50)


def lesson(options: Options, run: Run) -> _lesson.Outcome:
    """Train one encoder for both and one for each, exchange the people, and write the page."""
    rng = sg.RandomStream(options.seed, "swap")
    seen = [_albums.album(options.pictures, i, rng.child("seen", i)) for i in range(2)]
    decoders = [decoder(album, rng.child("decoder", i)) for i, album in enumerate(seen)]
    model = SwapAutoencoder(encoder(rng.child("encoder")), decoders)
    log = train("swap", model, model.loss, np.stack([album.images for album in seen], 1), options, run)
    apart, others = [], []
    for i, album in enumerate(seen):
        own = rng.child("apart", i)
        apart.append(Autoencoder(encoder(own.child("encoder")), decoder(album, own.child("decoder"))))
        others += train(f"apart-{i}", apart[i], apart[i].loss, album.images, options, run)[-1:]
    test = [_albums.album(50 if options.quick else 300, i, rng.child("test", i)) for i in range(2)]
    made = exchanged(test, seen, model, apart)
    drawn = [sg.asnumpy(model.swap(sg.asarray(test[i].images), i)) for i in range(2)]
    numbers = _swap_page.write(test, made, drawn, log, options, run)
    seconds = {"seconds": sum(row["seconds"] for row in (log[-1], *others))}
    return _lesson.outcome(model, numbers, [seconds], lambda n, rng: made[_swap_page.SWAP][0][:n])


# %% Four ways to draw the other one in a picture's pose; lists begin with the first person's pictures
def exchanged(test: Albums, seen: Albums, model: SwapAutoencoder, apart: list[Autoencoder]) -> Any:
    """Decoders exchanged, with one encoder and with two; the nearest picture; one for all."""
    x = [sg.asarray(album.images) for album in test]
    pairs = ((0, 1), (1, 0))
    near = [_albums.nearest(test[i].images, seen[j].images) for i, j in pairs]
    return {
        _swap_page.SWAP: [sg.asnumpy(model.swap(x[i], j)) for i, j in pairs],
        "two encoders": [sg.asnumpy(apart[j].decode(apart[i].encode(x[i]))) for i, j in pairs],
        "the other's nearest picture": [seen[j].images[k] for (_, j), k in zip(pairs, near, strict=True)],
        "always the same picture": [_albums.portrait(j, len(test[i].images)) for i, j in pairs],
    }


def main(argv: list[str] | None = None) -> None:
    """`python3 demos swap`."""
    _lesson.main("swap", "Face swaps", Options, lesson, argv)


if __name__ == "__main__":
    main()
