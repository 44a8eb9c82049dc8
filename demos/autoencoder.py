"""Autoencoder: squeeze an image through a few numbers, and learn to undo it.

An encoder e and a decoder f are trained together to make f(e(x)) close to x:

    L = |x - f(e(x))|^2, summed over the pixels and averaged over the images.

How good can a code of a few numbers be? If e and f were affine, the best they could do for the images they
learn from is principal component analysis. The nonlinear pair has to beat that.
"""

# %% Settings, all of which are options on the command line: `python3 demos autoencoder --help`
from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

import numpy as np

import scratchgen as sg
from demos import _autoencoder_page, _lesson, _pictures
from scratchgen.models import Autoencoder
from scratchgen.training import Run, fit


class Recipe(NamedTuple):
    """What suits one kind of data."""

    steps: int
    net: str
    latent_dim: int
    widths: tuple[int, ...]  # of the convolutions


DIGITS = Recipe(4000, "dense", 2, (32, 64))
OWN = {  # by the side of the pictures
    31: Recipe(4000, "conv", 16, (32, 64)),
    47: Recipe(3000, "conv", 32, (32, 64, 128)),
    64: Recipe(2000, "conv", 64, (32, 64, 128)),
}


@dataclass
class Options(_pictures.OwnPictures, _lesson.Options):
    """Train an autoencoder and compare it with principal component analysis."""

    net: Literal["dense", "conv"] | None = None
    """Fully connected layers, or convolutions that halve the image twice, large ones three times."""
    hidden_dim: int = 256
    """The width of the dense network's hidden layers."""
    latent_dim: int | None = None
    """How many numbers a code has; with 2 the page shows a map of all codes."""
    lr: float = 2e-3

    def settled(self) -> Options:
        """With what suits the data."""
        best = recipe(self)
        net, latent_dim = self.net or best.net, self.latent_dim or best.latent_dim
        return replace(self, steps=_lesson.steps(self, best.steps), net=net, latent_dim=latent_dim)  # type: ignore[arg-type]


def recipe(options: Options) -> Recipe:
    """What suits the data."""
    return _pictures.by_size(OWN, options) if options.data == "folder" else DIGITS


# %% The two networks: one sees an image as a list of numbers, the other as a plane with neighbours
def network(shape: tuple[int, ...], options: Options) -> Autoencoder:
    """The untrained autoencoder that the options describe."""
    rng = sg.RandomStream(options.seed, "autoencoder")
    latent_dim = options.latent_dim or DIGITS.latent_dim
    if options.net == "conv":
        return Autoencoder.convolutional(shape, latent_dim, recipe(options).widths, rng=rng)
    return Autoencoder.dense(shape, options.hidden_dim, latent_dim, rng=rng)


# %% Training: an image in, an image out, and the distance between the two
def lesson(options: Options, run: Run) -> _lesson.Outcome:
    """Train the autoencoder that the options describe."""
    data = _lesson.images(options)
    model = network(data.train.shape[1:], options)
    steps = _lesson.steps(options, recipe(options).steps)
    optimiser = sg.optim.Adam(model.parameters(), options.lr)
    print(model)
    rows = fit(
        lambda x, rng: model.loss(x),
        data.train,
        optimiser,
        steps=steps,
        batch_size=options.batch_size,
        schedule=_pictures.schedule(options, steps),
        model=model,
        seed=options.seed,
        run=run,
        resume=_lesson.resumption(run),
    )
    test, rng = _lesson.some(data.test), sg.RandomStream(0, "autoencoder", "page")
    linear = pca_error(data.train, test, options.latent_dim or DIGITS.latent_dim)
    drawn = random_images(model, data.train, 40, rng)
    numbers = _autoencoder_page.write(model, data, rows, linear, drawn, run)

    def sample(n: int, rng: sg.RandomStream) -> np.ndarray:
        return random_images(model, data.train, n, rng)

    return _lesson.outcome(model, numbers, rows, sample)


# %% [markdown]
# ## Principal component analysis
# The best linear code of d numbers: project on the d directions in which the images vary most. Its error is
# the sum of the other eigenvalues of the covariance matrix.
def pca_error(train: np.ndarray, test: np.ndarray, d: int) -> float:
    """The squared error per image of the best linear code of `d` numbers, fitted on `train`."""
    train = _pictures.for_components(train)
    flat, mean = test.reshape(len(test), -1), train.reshape(len(train), -1).mean(axis=0)
    _, _, directions = np.linalg.svd(train.reshape(len(train), -1) - mean, full_matrices=False)
    rest = (flat - mean) - (flat - mean) @ directions[:d].T @ directions[:d]
    return float(np.sum(rest * rest) / len(test))


# %% [markdown]
# ## Drawing at random
# Nothing says which codes are likely. The next best thing is a Gaussian around the training images' codes.
def likely(codes: np.ndarray, noise: np.ndarray) -> np.ndarray:
    """Noise of N(0, I), led to the mean and the covariance of some codes."""
    covariance = np.cov(codes.T).reshape(codes.shape[1], -1) + 1e-6 * np.eye(codes.shape[1])
    return codes.mean(axis=0) + noise @ np.linalg.cholesky(covariance).T


def random_images(model: Autoencoder, train: np.ndarray, n: int, rng: sg.RandomStream) -> np.ndarray:
    """What codes decode to that are drawn from a Gaussian around the training images' codes."""
    codes = sg.asnumpy(model.encode(sg.asarray(_lesson.some(train))))
    z = likely(codes, sg.asnumpy(rng.normal((n, codes.shape[1]))))
    return sg.asnumpy(model.decode(sg.asarray(z.astype(codes.dtype)))).clip(0, 1)


def main(argv: list[str] | None = None) -> None:
    """`python3 demos autoencoder`."""
    _lesson.main("autoencoder", "Autoencoder", Options, lesson, argv)


if __name__ == "__main__":
    main()
