"""What each term of a VAE's loss does, and what a prior that is learnt is worth.

The loss has two terms, a likelihood with a sigma or a coin in it, a prior, and a sample:

    loss  =  -E_q log p(x|z)  +  beta KL(q(z|x) || p(z)).

Each can be left out, weighed, or replaced. So one small VAE is trained again and again, each time with one
thing changed, and measured in the same way: what it pays, what it gets, and how many latents it uses.
"""

# %% Settings, all of which are options on the command line: `python3 demos priors --help`
from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import tyro

import scratchgen as sg
from demos import _lesson, _pictures, _priors_page, _published_priors
from scratchgen.data import Images, binarise
from scratchgen.distributions import Normal
from scratchgen.metrics import Surgery, active_units, elbo_surgery
from scratchgen.models import VAE, MixturePrior, VampPrior
from scratchgen.training import Run, fit


@dataclass
class Options(_pictures.OwnPictures, _lesson.Options):
    """Train one small VAE again and again, each time with one thing changed, and compare."""

    hidden_dim: int = 128
    latent_dim: int = 12
    components: int = 50
    """Of the priors that are learnt."""
    published: bool = False
    """With --data mnist: N(0, I) and a VampPrior of 500 components instead, as they were published."""
    lr: float = 2e-3
    max_minutes: tyro.conf.Suppress[float | None] = None
    resume: tyro.conf.Suppress[Path | None] = None  # its trainings are short, and leave no checkpoint

    def check(self) -> None:
        """What all lessons check, and that the published numbers are compared on the same data."""
        super().check()
        if self.published and self.data != "mnist":
            raise SystemExit("--published: needs --data mnist, on which the published numbers were measured")


Loss = Callable[[VAE, Any, sg.RandomStream], Any]


class Variant(NamedTuple):
    """One thing changed."""

    group: str
    options: Mapping[str, Any] = MappingProxyType({})
    loss: Loss = VAE.loss
    prior: str = ""
    warm: bool = False
    """Whether beta grows from 0 to 1 in the first third of the steps."""


# %% Losses that are not `VAE.loss`: without the likelihood; several samples of z for each image; IWAE
def divergence_only(model: VAE, x: Any, rng: sg.RandomStream) -> Any:
    """No reconstruction: KL(q(z|x) || p(z)) alone."""
    return model.loss_terms(x, rng)["kl"]


def several(model: VAE, x: Any, rng: sg.RandomStream) -> Any:
    """The same bound, its expectation by five samples of z."""
    return model.loss(np.concatenate([x] * 5), rng)


def weighted(model: VAE, x: Any, rng: sg.RandomStream) -> Any:
    """The importance-weighted bound with five samples."""
    return -model.log_marginal(x, rng, samples=5).mean()


VARIANTS = {
    "the VAE": Variant("prior"),
    "mixture of normals": Variant("prior", prior="mixture"),
    "VampPrior": Variant("prior", prior="vamp"),
    "no KL (beta 0)": Variant("term", {"beta": 0.0}),
    "no reconstruction": Variant("term", loss=divergence_only),
    "beta 0.25": Variant("term", {"beta": 0.25}),
    "beta 4": Variant("term", {"beta": 4.0}),
    "free bits 0.5": Variant("term", {"free_bits": 0.5}),
    "beta from 0 to 1": Variant("term", warm=True),
    "5 samples, ELBO": Variant("sample", loss=several),
    "5 samples, IWAE": Variant("sample", loss=weighted),
    "sigma 0.5": Variant("sigma", {"likelihood": "normal", "sigma": 0.5}),
    "sigma 0.05": Variant("sigma", {"likelihood": "normal", "sigma": 0.05}),
    "sigma learnt": Variant("sigma", {"likelihood": "normal"}),
    "sigma per pixel": Variant("sigma", {"likelihood": "normal", "sigma": "pixels"}),
}


# %% Training. Pixels are coin tosses for a Bernoulli; for a normal, grey with the noise of half a level.
def pixels(x: Any, variant: Variant, rng: sg.RandomStream) -> Any:
    """What the likelihood is about. Without noise a sigma per pixel would go to 0 where all images agree."""
    if variant.group != "sigma":
        return binarise(x, rng)
    return x + 0.03 * rng.normal(x.shape, x.dtype)


def train(variant: Variant, data: Images, options: Options) -> VAE:
    """A VAE with one thing changed, from the same initial weights."""
    rng = sg.RandomStream(options.seed, "priors")
    shape, steps = data.train.shape[1:], _lesson.steps(options, default=1500)
    model = VAE.dense(shape, options.hidden_dim, options.latent_dim, rng=rng, **variant.options)
    if variant.prior == "mixture":
        model.prior = MixturePrior(options.components, options.latent_dim, rng.child("prior"))
    if variant.prior == "vamp":
        model.prior = VampPrior(data.train[: options.components], model.encoder)

    def warm(step: int) -> None:
        model.beta = min(1.0, 3 * step / steps)

    fit(
        lambda x, rng: variant.loss(model, pixels(x, variant, rng), rng),
        data.train,
        sg.optim.Adam(model.parameters(), options.lr),
        steps=steps,
        batch_size=options.batch_size,
        schedule=sg.optim.schedules.cosine(options.lr, steps),
        seed=options.seed,
        on_step=[warm] if variant.warm else [],
        quiet=True,
    )
    return model


# %% Measuring, on test images: the two terms, log p(x), the units in use, and the prior's distance from codes
class Measured(NamedTuple):
    """What one model pays and gets, in nats per image; and its codes."""

    reconstruction: float
    kl: float
    nll: float
    active: int
    surgery: Surgery
    samples: np.ndarray


def measure(model: VAE, variant: Variant, data: Images, options: Options) -> Measured:
    """All models are measured as VAEs with beta 1: the numbers are of p(x), whatever was minimised."""
    rng = sg.RandomStream(options.seed, "measure")
    test = pixels(sg.asarray(_lesson.some(data.test[:1000], 1_000_000)), variant, rng)
    with sg.no_grad():
        likelihood, kl = (float(sg.asnumpy(term).mean()) for term in model.elbo_terms(test, rng))
        nll = -float(sg.asnumpy(model.log_marginal(test, rng, 20 if options.quick else 300)).mean())
        q = model.posterior(test)
        prior = Normal(0.0, 0.0).log_prob_per_example if model.prior is None else model.prior.log_prob
        surgery = elbo_surgery(q, prior, rng)
    active = active_units(model.encode(test))
    return Measured(-likelihood, kl, nll, active, surgery, sg.asnumpy(model.sample(16, rng)).clip(0, 1))


# %% The page says what was seen, in numbers
def lesson(options: Options, run: Run) -> dict[str, Measured] | None:
    """Train and measure all, and write the page."""
    if options.published:
        _published_priors.lesson(options, run)
        return None
    data, found = _lesson.images(options), {}
    for name, variant in VARIANTS.items():
        model = train(variant, data, options)
        found[name] = measure(model, variant, data, options)
        print(f"{name:20} -log p(x) {found[name].nll:7.2f} nats, {found[name].active:2} latents in use")
    groups = {name: variant.group for name, variant in VARIANTS.items()}
    _priors_page.write(found, groups, options.latent_dim, data, run)
    return found


def main(argv: list[str] | None = None) -> None:
    """`python3 demos priors`."""
    _lesson.main("priors", "Priors, and what each term does", Options, lesson, argv)


if __name__ == "__main__":
    main()
