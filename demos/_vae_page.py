"""The page of the lesson on VAEs: new images, reconstructions, and a map of two latents."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.stats import norm

import scratchgen as sg
from demos import _lesson, _pictures
from scratchgen import plots
from scratchgen.data import Images
from scratchgen.models import VAE
from scratchgen.plots.explorables import Explorable, Plane, bound, decoders, planes
from scratchgen.training import Run

EQUATION = (
    r"$$&\log p(x) \;\ge\; \mathrm{ELBO}(x) \\ &= \mathbb{E}_{q} \log p(x|z)"
    r" - \KL( q(z|x) \;\|\; \mathcal{N}(0, I) )$$"
)


def write(
    model: VAE,
    flat: VAE,
    rows: list[dict[str, float]],
    numbers: dict[str, str],
    data: Images,
    options: Any,
    run: Run,
) -> None:
    """The pictures of a VAE, and of a `flat` one with two latents."""
    test, rng = sg.asarray(_lesson.some(data.test)), sg.RandomStream(options.seed, "page")
    known = data.test_labels[: len(test)] < _pictures.COLUMNS  # a map has ten colours
    run.section(
        f"Variational autoencoder on {data.name}",
        f"{EQUATION}\n\n{options.latent_dim} latents, a {options.likelihood} likelihood, beta "
        f"{options.beta:g}. New images come from random codes; the numbers are on test images, in nats per "
        "image and bits per pixel.",
        numbers=numbers,
        pictures={
            "Images from random codes": plots.image_grid(model.sample(40, rng).clip(0, 1)),
            "Test images (above) and their reconstructions (below)": plots.reconstructions(
                data.test[:10], sg.asnumpy(model.reconstruct(test[:10])).clip(0, 1)
            ),
            "With two latents: where the test images lie, coloured by label": plots.latent_map(
                sg.asnumpy(flat.encode(test))[known], data.test_labels[: len(test)][known]
            ),
            "With two latents: what each point of the plane decodes to": plots.manifold(manifold(flat)),
            "Training": plots.curves(rows),
        },
    )
    if options.net == "dense" and data.shape[0] == 1:
        run.section("VAE: a walk in the plane", PLAY, explorables=[plane(flat, data)])
    by_hand = bound(
        decoders(), 1.2, "Drag q by its top or its sides, or x by its line; or use the arrow keys"
    )
    run.section("VAE: the bound by hand", BY_HAND, explorables=[by_hand])
    run.section("VAE: layers", table=_lesson.layer_table(model))


PLAY = """
Drag the point: the decoder runs in this page, and draws what lies there. A and B can be dragged too; in the
row lies the way between them. Does one digit become the other by way of digits? Where training never used
the plane, what is there, and how far is it from every image that the model has seen?
"""


BY_HAND = """
One latent, one x, and a q(z) to be dragged: log p(x) stays where it is, and falls into a reconstruction, a KL
and a gap. What training of the encoder does, a button does here. When is nothing left of the gap?
"""


def plane(model: VAE, data: Images) -> Explorable:
    """The plane of two latents, to be played with."""
    output = "sigmoid" if model.likelihood_name == "bernoulli" else "identity"
    test, labels = data.test[:500], data.test_labels[:500]
    codes = sg.asnumpy(model.encode(sg.asarray(test)))
    shown = Plane(f"VAE, beta {model.beta:g}", "VAE", model.decoder, codes, output)
    return planes([shown], test, labels, data.train[:2000], "Drag the point, A or B; or use the arrow keys")


def manifold(model: VAE, side: int = 12) -> Any:
    """What a grid of `side` by `side` latents decodes to, row by row from the upper left.

    Steps are even in probability, so that no digit is squeezed.
    """
    quantiles = norm.ppf((np.arange(side) + 0.5) / side).astype(np.float32)
    z = np.stack(np.meshgrid(quantiles, -quantiles), axis=-1).reshape(-1, 2)  # (side * side, 2)
    return sg.asnumpy(model.decode(sg.asarray(z))).clip(0, 1)
