"""Variational autoencoder: an autoencoder whose codes can be drawn at random.

A latent z is drawn from N(0, I), and the decoder turns it into an image. To train that, the encoder guesses
which z could have made a given image, as a Gaussian q(z|x), and the evidence lower bound is raised:

    log p(x)  >=  ELBO(x)  =  E_q log p(x|z)  -  KL(q(z|x) || N(0, I)).

The first term asks for good reconstructions, the second keeps the codes where random ones will fall.
"""

# %% Settings, all of which are options on the command line: `python3 demos vae --help`
from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple

import numpy as np

import scratchgen as sg
from demos import _lesson, _pictures, _published, _vae_page
from scratchgen.data import Images, binarise
from scratchgen.models import VAE
from scratchgen.training import Run, every, fit, measured


class Recipe(NamedTuple):
    """What suits one kind of data."""

    steps: int
    net: str
    latent_dim: int
    likelihood: str
    widths: tuple[int, ...]  # of the convolutions
    lr: float = 3e-3


DIGITS = Recipe(5000, "dense", 10, "bernoulli", (32, 64), lr=1e-3)
SIGMA = 0.1  # where the likelihood's sigma begins: from 1 errors count so little that the code falls silent
TESTED = 2_000_000  # numbers, of up to a thousand test images
OWN = {  # by the side of the pictures
    31: Recipe(4000, "conv", 16, "normal", (32, 64)),
    47: Recipe(3000, "conv", 32, "normal", (32, 64, 128)),
    64: Recipe(2000, "conv", 64, "normal", (32, 64, 128)),
}


@dataclass
class Options(_pictures.OwnPictures, _lesson.Options):
    """Train a VAE, and a second one with two latents to draw a map of them."""

    net: Literal["dense", "conv"] | None = None
    """Fully connected layers, or convolutions that halve the image twice, large ones three times."""
    hidden_dim: int = 256
    """The width of the dense network's hidden layers."""
    latent_dim: int | None = None
    likelihood: Literal["bernoulli", "normal"] | None = None
    """p(x|z): bernoulli (pixels binarised afresh in every step) or normal (grey pixels, sigma learnt)."""
    beta: float = 1.0
    """The weight of the KL in the loss; 1 gives the evidence lower bound."""
    lr: float | None = None
    """The learning rate; each kind of data has its own default."""
    published: bool = False
    """Train the published 784-200-200-50 VAE on MNIST instead, and print its table (hours)."""
    importance_samples: int = 1
    """With --published: how many samples of z the bound that is raised has; more than 1 make it an IWAE."""

    def check(self) -> None:
        """What all lessons check, and that the published numbers are compared on the same data."""
        super().check()
        if self.published and self.data != "mnist":
            raise SystemExit("--published: needs --data mnist, on which the published numbers were measured")
        if self.importance_samples > 1 and not self.published:
            raise SystemExit("--importance-samples: needs --published; `demos priors` trains a small IWAE")

    def settled(self) -> Options:
        """With what suits the data, or as many steps as the published model takes."""
        best = recipe(self)
        steps = _lesson.steps(self, _published.STEPS if self.published else best.steps)
        left_open: dict[str, Any] = {
            "net": best.net,
            "latent_dim": best.latent_dim,
            "likelihood": best.likelihood,
            "lr": _published.LR if self.published else best.lr,
        }
        chosen = {name: getattr(self, name) or value for name, value in left_open.items()}
        return replace(self, steps=steps, **chosen)


def recipe(options: Options) -> Recipe:
    """What suits the data."""
    return _pictures.by_size(OWN, options) if options.data == "folder" else DIGITS


# %% Training: raise the ELBO. A Bernoulli likelihood is for zeros and ones: grey pixels become coin tosses.
def pixels(x: Any, options: Options, rng: sg.RandomStream) -> Any:
    """What the likelihood is about: coin tosses of the grey values, or these themselves."""
    return binarise(x, rng) if options.likelihood == "bernoulli" else x


def train(data: Images, latent_dim: int, options: Options, run: Run) -> tuple[VAE, list[dict[str, float]]]:
    """A VAE with `latent_dim` latents, and the rows of its log."""
    rng = sg.RandomStream(options.seed, "vae", latent_dim)
    shape, kind, beta = data.train.shape[1:], options.likelihood or DIGITS.likelihood, options.beta
    if options.net == "conv":
        model = VAE.convolutional(shape, latent_dim, recipe(options).widths, kind, beta, rng=rng)
    else:
        model = VAE.dense(shape, options.hidden_dim, latent_dim, kind, beta, rng=rng)
    if kind == "normal":
        model.decoder_log_var.data[...] = 2 * math.log(SIGMA)
    steps = _lesson.steps(options, recipe(options).steps)
    test = sg.asarray(_lesson.some(data.test[:1000], TESTED))

    def test_loss(step: int) -> dict[str, float]:
        stream = rng.child("test", step)
        with sg.no_grad():
            return {"test loss": model.loss(pixels(test, options, stream), stream).item()}

    rows = fit(
        lambda x, rng: model.loss_terms(pixels(x, options, rng), rng),
        data.train,
        sg.optim.Adam(model.parameters(), options.lr or recipe(options).lr),
        steps=steps,
        batch_size=options.batch_size,
        schedule=_pictures.schedule(options, steps),
        model=model,
        seed=options.seed,
        run=run,
        resume=_lesson.resumption(run),
        on_step=[every(max(1, steps // 20), test_loss)],
    )
    return model, rows


# %% Measuring: the ELBO on test images, and a tighter bound on log p(x) by importance sampling
def measure(model: VAE, data: Images, options: Options) -> dict[str, str]:
    """The numbers of the page, in nats per image and bits per pixel."""
    rng = sg.RandomStream(options.seed, "measure")
    test = pixels(sg.asarray(_lesson.some(data.test[:1000], TESTED)), options, rng)
    with sg.no_grad():
        elbo = float(model.elbo(test, rng).data.mean())
        samples = 5 if options.quick else 200
        tighter = float(measured(model.log_marginal, test, rng, samples=samples).mean())

    def both_units(nats: float) -> str:
        if options.likelihood == "normal":  # a density of continuous greys has no bits to count
            return f"{nats:.2f} nats"
        return f"{nats:.2f} nats = {-nats / (math.log(2) * test[0].size):.3f} bits/dim"

    return {
        "test ELBO": both_units(elbo),
        f"test bound on log p(x), {samples} importance samples": both_units(tighter),
        "parameters": f"{model.parameter_count():,}",
    }


# %% A second one with two latents: every point of their plane is an image
def lesson(options: Options, run: Run) -> _lesson.Outcome | None:
    """Train both models and put their numbers and pictures on the run's page."""
    if options.published:
        _published.lesson(options, run)
        return None
    data = _lesson.images(options)
    model, rows = train(data, options.latent_dim or DIGITS.latent_dim, options, run)
    print(model)
    flat, _ = train(data, 2, options, run.part("two-latents"))
    numbers = measure(model, data, options)
    _vae_page.write(model, flat, rows, numbers, data, options, run)

    def sample(n: int, rng: sg.RandomStream) -> np.ndarray:
        return sg.asnumpy(model.sample(n, rng)).clip(0, 1)

    return _lesson.outcome(model, numbers, rows, sample)


def main(argv: list[str] | None = None) -> None:
    """`python3 demos vae`."""
    _lesson.main("vae", "Variational autoencoder", Options, lesson, argv)


if __name__ == "__main__":
    main()
