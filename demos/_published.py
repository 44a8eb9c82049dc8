"""The published VAE and IWAE on MNIST: 784-200-200-50, measured as Burda et al. 2015 did (their table 1).

One stochastic layer of 50 latents, two hidden layers of 200 tanh units on either side, pixels binarised
afresh in every step, and log p(x) on the test set estimated with 5,000 importance samples. The bound that
is raised has k samples of z for each image: with one it is the VAE's, with more the IWAE's (vae-iwae).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from tqdm import trange

import scratchgen as sg
from demos import _lesson
from scratchgen import plots
from scratchgen.data import binarise
from scratchgen.models import VAE
from scratchgen.networks import MLP, GaussianHeads
from scratchgen.nn import Flatten, Linear, Parameter, Sequential, Tanh, Unflatten
from scratchgen.training import Run, fit

STEPS, LR = 900_000, 3e-3
"""The rate by training images left out: after 8,000 steps their bound is 5 nats above that of 1e-3."""
PUBLISHED = {1: 86.76, 5: 85.54, 50: 84.78}
"""-log p(x) in nats of Burda et al. 2015, table 1, by the samples in training."""


def network(seed: int, train: np.ndarray) -> VAE:
    """784-200-200-50-200-200-784; the last bias starts at the logit of the mean image, as published."""
    rng = sg.backend.RandomStream(seed, "published")
    hidden = MLP([784, 200, 200], Tanh, rng=rng.child("encoder"))
    encoder = Sequential(Flatten(), *hidden, Tanh(), GaussianHeads(200, 50, rng=rng.child("heads")))
    last = Linear(200, 784, rng=rng.child("last"))
    mean = train.reshape(len(train), -1).mean(axis=0).clip(1e-3, 1 - 1e-3)
    last.bias = Parameter(np.log(mean / (1 - mean)))
    decoder = Sequential(*MLP([50, 200, 200], Tanh, rng=rng.child("decoder")), Tanh(), last)
    return VAE(encoder, Sequential(*decoder, Unflatten(1, (1, 28, 28))), latent_dim=50)


def measure(model: VAE, test: Any, samples: int, rng: sg.RandomStream) -> tuple[float, float]:
    """The ELBO, and -log p(x) by importance sampling: means over black and white images, in nats."""
    with sg.no_grad():
        elbo = float(model.elbo(test, rng).data.mean())
        hundreds = (test[i : i + 100] for i in trange(0, len(test), 100, desc="log p(x)", disable=None))
        return elbo, -float(np.mean([model.log_marginal(x, rng, samples).data.mean() for x in hundreds]))


def lesson(options: Any, run: Run) -> dict[str, str]:
    """Train, measure, and put the table on the page."""
    data = _lesson.images(options)
    model = network(options.seed, data.train)
    steps, k = _lesson.steps(options, STEPS), options.importance_samples

    def loss(x: Any, rng: sg.RandomStream) -> Any:
        x = binarise(x, rng)
        return model.loss_terms(x, rng) if k == 1 else -model.log_marginal(x, rng, samples=k).mean()

    rows = fit(
        loss,
        data.train,
        sg.optim.Adam(model.parameters(), options.lr, eps=1e-4),
        steps=steps,
        batch_size=options.batch_size,
        schedule=sg.optim.schedules.cosine(options.lr, steps),
        model=model,
        seed=options.seed,
        run=run,
        resume=_lesson.resumption(run),
    )
    samples, examples = (50, 100) if options.quick else (5000, len(data.test))
    rng = sg.backend.RandomStream(options.seed, "published", "measure")
    elbo, nll = measure(model, binarise(sg.asarray(data.test[:examples]), rng), samples, rng)
    table = [["784-200-200-50, dynamically binarised MNIST", "-log p(x), nats"]]
    table += [[f"Burda et al. 2015, table 1, k = {n}", f"{value:.2f}"] for n, value in PUBLISHED.items()]
    table += [
        [f"this run, k = {k}, {steps:,} steps ({samples:,} samples, {examples:,} test images)", f"{nll:.2f}"],
        ["this run, minus ELBO", f"{-elbo:.2f}"],
    ]
    run.section("The published VAE on MNIST", __doc__ or "", table=table)
    run.section(
        "Pictures",
        pictures={
            "Images from random codes": plots.image_grid(sg.asnumpy(model.sample(40, rng))),
            "Training": plots.curves(rows),
        },
    )
    for name, value in table:
        print(f"{name:75} {value:>15}")
    return {"-log p(x)": f"{nll:.2f} nats"}
