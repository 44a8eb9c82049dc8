"""The page of the lesson on priors: a table for each question, and a verdict made from its numbers."""

from __future__ import annotations

from typing import Any

from scratchgen import plots
from scratchgen.data import Images
from scratchgen.training import Run

HEAD = ["", "-E log p(x|z)", "KL", "-ELBO", "-log p(x)", "used", "I(x; z)", "gap"]


def write(found: dict[str, Any], groups: dict[str, str], full: int, data: Images, run: Run) -> None:
    """The sections, each with its own models beside the plain VAE."""
    for group, title, text in (
        ("prior", f"Three priors on {data.name}", prior_text(found)),
        ("term", "What each term does", term_text(found, full)),
        ("sample", "One sample, or five", sample_text(found)),
        ("sigma", "Sigma: one number, learnt, or one for each pixel", sigma_text(found)),
    ):
        names = [name for name in found if groups[name] == group]
        shown = names if group in ("prior", "sigma") else ["the VAE", *names]
        table = [HEAD, *(row(name, found[name]) for name in shown)]
        pictures = {"Samples: z from the prior, decoded": plots.image_rows(
            {"real\nimages": data.test} | {two_lines(name): found[name].samples for name in shown}
        )}  # fmt: skip
        run.section(title, f"{text}\n\n{UNITS}", table=table, pictures=pictures)


UNITS = (
    "Nats per test image; -log p(x) by importance sampling. Used: the latents whose mean moves with the "
    "image. "
    "The KL is the sum of I(x; z), what a code says about its image, and of the gap KL(q(z) || p(z)), the "
    "distance of all codes together from the prior."
)


def two_lines(name: str) -> str:
    """A name for a row of pictures, whose margin is narrow."""
    first, _, rest = name.replace(", ", " ").partition(" ")
    return f"{first}\n{rest}"


def row(name: str, it: Any) -> list[str]:
    """A line of a table."""
    numbers = (it.reconstruction, it.kl, it.reconstruction + it.kl, it.nll)
    surgery = (it.surgery.information, it.surgery.gap)
    return [name, *(f"{v:.2f}" for v in numbers), str(it.active), *(f"{v:.2f}" for v in surgery)]


def prior_text(found: dict[str, Any]) -> str:
    """Whether a learnt prior lowers -log p(x), and by how much the gap."""
    plain, mixture, vamp = (found[name] for name in ("the VAE", "mixture of normals", "VampPrior"))
    best = min(("mixture", mixture), ("VampPrior", vamp), key=lambda pair: pair[1].nll)
    gain = plain.nll - best[1].nll
    if gain > 0.05:
        verdict = f"The {best[0]} says {gain:.2f} nats less per image than N(0, I)"
    else:
        verdict = f"On these images no learnt prior helps: the better one is off by {-gain:.2f} nats"
    return (
        "A prior can only save what N(0, I) pays for being elsewhere than the codes: "
        f"{plain.surgery.gap:.2f} nats. "
        f"With a mixture this gap is {mixture.surgery.gap:.2f}, with a VampPrior {vamp.surgery.gap:.2f}. "
        f"{verdict}. "
        "On MNIST, 3 nats were published (85.57 against 88.56; Tomczak & Welling 2018, fixed "
        "binarisation)."
    )


def term_text(found: dict[str, Any], full: int) -> str:
    """What happens without one of the terms."""
    plain, free = found["the VAE"], found["no KL (beta 0)"]
    silent, strong = found["no reconstruction"], found["beta 4"]
    better = "better" if free.reconstruction < plain.reconstruction else "no better"
    weak, bits, warm = found["beta 0.25"], found["free bits 0.5"], found["beta from 0 to 1"]
    idle = (
        "" if plain.active < full else " Here no latent was switched off, so that there is nothing to save."
    )
    return (
        f"Without the KL reconstructions are {better} "
        f"({free.reconstruction:.1f} against {plain.reconstruction:.1f} nats), but codes lie anywhere: "
        "the KL is "
        f"{free.kl:.0f} nats, and samples from the prior are of nothing. Without reconstruction the "
        "cheapest is to "
        f"say nothing: KL {silent.kl:.2f}, {silent.active} latents in use. That is posterior collapse. "
        "Between them "
        f"beta trades: 4 leaves {strong.active} latents in use, 1 {plain.active}, 0.25 {weak.active}; as "
        "a model of x "
        f"beta 1 should be best, and -log p(x) is {plain.nll:.2f} with 1, {weak.nll:.2f} with 0.25, "
        f"{strong.nll:.2f} with 4. Free bits keep {bits.active} latents in use, at {bits.nll:.2f} nats; "
        f"beta raised from 0 to 1 keeps {warm.active}, at {warm.nll:.2f}.{idle}"
    )


def sample_text(found: dict[str, Any]) -> str:
    """What more samples of z are worth in training."""
    plain, five, iwae = found["the VAE"], found["5 samples, ELBO"], found["5 samples, IWAE"]
    return (
        "One sample of z for each image estimates the bound without bias, with noise that the average "
        "over the batch "
        f"and over steps takes away: five samples change -log p(x) by {five.nll - plain.nll:+.2f} nats, "
        "at five times "
        "the work. Put inside the logarithm, five samples are a tighter bound: "
        f"{iwae.nll - plain.nll:+.2f} nats. "
        "On MNIST 1.2 nats were published for that (86.76 against 85.54; Burda et al. 2015)."
    )


def sigma_text(found: dict[str, Any]) -> str:
    """Which sigma is best."""
    names = ["sigma 0.5", "sigma 0.05", "sigma learnt", "sigma per pixel"]
    best = min(names, key=lambda name: found[name].nll)
    used = ", ".join(f"{name.removeprefix('sigma ')}: {found[name].active}" for name in names)
    return (
        "A squared error without its sigma has one all the same. Large, errors count for nothing and "
        "latents are "
        f"switched off; small, codes are bought at any price. Latents in use: {used}. Of the four, "
        f"{best!r} gives "
        f"the images the highest density ({-found[best].nll:.1f} nats, of numbers with a noise of 0.03 "
        "added, so "
        "that a density cannot grow without bound; it may exceed 1, and its logarithm be positive)."
    )
