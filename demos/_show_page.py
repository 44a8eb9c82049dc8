"""The page of `python3 demos show`: what each model draws, how, and where its weights are from."""

from __future__ import annotations

from typing import Any

import numpy as np

import scratchgen as sg
from demos import _ddpm_pages, _vae_page, _weights
from demos._gan_pages import arcs
from scratchgen import plots
from scratchgen.training import Run

TEXTS = {
    "vae": "One pass through a decoder: 50 random numbers become the probability of ink at each pixel. "
    "Nobody tells it which digit to draw.",
    "gan": "One pass through a generator: 64 random numbers and the class become an image. It learnt from a "
    "critic that saw real digits, and these, and scored both. The classical detective sees one image at a "
    "time, never notices that all are alike, and lets its forger draw one picture for each class; this "
    "critic (--objective wasserstein-gp) does not.",
    "ddpm": "From noise, in {steps} steps: each time a network, which is told the class, sees what is noise "
    "in the image, and a part of that is taken away.",
}


def write(artists: Any, drawn: dict[str, np.ndarray], options: Any, run: Run) -> None:
    """The sections of the page."""
    known, rng = _weights.record(), sg.RandomStream(options.seed, "page")
    rows = {f"{known[name].title}\n{drawn_by(name)}": images for name, images in drawn.items()}
    run.section(
        "Drawn just now",
        "The models have seen MNIST's 60,000 handwritten digits, and these are none of them: each began "
        "with random numbers. None was chosen by hand. Another --seed gives others; --number 2026 writes a "
        "number.",
        pictures={"The first digits of each model": plots.image_rows(rows)},
    )
    for artist in artists:
        about = known[artist.name]
        run.section(
            f"{about.title}",
            TEXTS[artist.name].format(steps=options.steps),
            numbers={
                **about.figures,
                "parameters that draw": f"{about.parameters:,}",
                "trained": trained(about),
            },
            pictures={
                "Drawn just now": plots.image_grid(drawn[artist.name], columns=min(10, len(options.number))),
                **MORE[artist.name](artist.model, options, run, rng.child(artist.name)),
            },
        )
    run.section("Where the weights come from", SOURCES, table=sources(known))


SOURCES = """
The figures above were measured once, with these very weights, which are kept in half precision. Each file is
used only if its SHA-256 is the one below. Fréchet distances compare what a classifier, which the project
trains too, sees in 1,000 samples and in the test images; "real" are as many training images.
"""


def drawn_by(name: str) -> str:
    """What the model was given, in a few words."""
    return "noise" if name == "vae" else "noise, class"


def trained(about: _weights.Trained) -> str:
    """How long."""
    return f"{about.steps:,} steps (in {about.seconds / 60:.0f} minutes)"


def sources(known: dict[str, _weights.Trained]) -> list[list[str]]:
    """The table of the files."""
    table = [["file", "trained by", "commit", "SHA-256"]]
    for name, about in known.items():
        table.append([f"{name}.npz", about.command, about.commit, about.sha256])
    return table


def of_the_vae(model: Any, options: Any, run: Run, rng: sg.RandomStream) -> dict[str, Any]:
    """Between two codes, and the plane of a second VAE that has two latents."""

    def decoded(z: np.ndarray) -> np.ndarray:
        return sg.asnumpy(model.decode(sg.asarray(z)))

    ends = sg.asnumpy(rng.normal((2, 5, model.latent_dim)))
    plane = _vae_page.manifold(_weights.load("vae-plane"), side=12)
    return {
        "From one code to another: every row begins and ends with a random one": plots.image_grid(
            decoded(arcs(*ends).reshape(-1, model.latent_dim)), columns=12
        ),
        "With two latents instead of 50: every point of the plane is an image": plots.manifold(plane),
    }


def of_the_gan(model: Any, options: Any, run: Run, rng: sg.RandomStream) -> dict[str, Any]:
    """The same noise, led to another, in every class."""
    ends = sg.asnumpy(rng.normal((2, 1, model.latent_dim)))
    z = np.tile(arcs(*ends)[0], (10, 1))
    labels = np.repeat(np.arange(10), 12)
    with sg.no_grad():
        images = sg.asnumpy(model(sg.asarray(z), sg.asarray(labels))) / 2 + 0.5
    return {"From one noise to another, the same two in every class": plots.image_grid(images, columns=12)}


def of_diffusion(model: Any, options: Any, run: Run, rng: sg.RandomStream) -> dict[str, Any]:
    """The way from noise, as pictures and as an animation; and one noise in few and in many steps."""
    each = 1 if options.quick else 4  # steps between two pictures
    labels = sg.asarray(np.arange(10))
    path = [
        _ddpm_pages.grey(x)
        for _, x in model.reverse_process(10, rng.child("way"), 11 * each, 1.0, labels, options.guidance)
    ]
    stages = np.stack(path[::each], axis=1).reshape(-1, *_weights.SHAPE)  # (10, 12, ...) to a list
    frames = [plots.tile(images, columns=5) for images in path]
    by_steps = {}
    for steps in (1, 2, 5, 10, 20):
        x = model.ode_sample(10, rng.child("steps"), steps, labels, options.guidance)
        by_steps[f"{steps} steps" if steps > 1 else "1 step"] = _ddpm_pages.grey(x)
    return {
        "Noise becomes ten digits": plots.animation(frames, run.folder / "from-noise.gif", seconds=0.08),
        "The same, from left to right": plots.image_grid(stages, columns=12),
        "The same noise, in fewer and in more steps": plots.image_rows(by_steps),
    }


MORE = {"vae": of_the_vae, "gan": of_the_gan, "ddpm": of_diffusion}
