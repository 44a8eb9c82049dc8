"""The page of the lesson on naive Bayes: looks and their probabilities, pixels and what they leave out."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import scratchgen as sg
from scratchgen import plots
from scratchgen.data import Images, avatars
from scratchgen.metrics import exact_kl
from scratchgen.models import CategoricalNaiveBayes, PixelNaiveBayes
from scratchgen.plots.explorables import shop
from scratchgen.training import Run

EQUATION = r"$$\log p(x) = \sum_d \log \theta_d[x_d]$$"

PLAY = """
What if the shop had seen other people? Drag the counts, and see ten whom it would expect, and how far its
idea of people is from the truth, which is known here. Which count of 0 rules out whom? What does alpha do?
"""
HINT = "Drag a bar, or choose one and press plus or minus. The marks are where the truth would have it"


def write_looks(
    model: CategoricalNaiveBayes, smooth: CategoricalNaiveBayes, new: np.ndarray, run: Run
) -> None:
    """Observed people and `new` ones, and what both models say of all looks."""
    everyone = avatars.all_looks()
    excluded = np.isneginf(model.log_prob(everyone))
    asked = avatars.look("LongHairStraight", "Red", "Round", "ShirtScoopNeck", "White")
    table: list[list[Any]] = [
        ["looks of 7 x 6 x 3 x 4 x 8 choices", "naive Bayes", "add-one smoothing"],
        ["free parameters (the full joint table has 4,031)", model.parameter_count, smooth.parameter_count],
        ["looks with a probability above 0, of 4,032", model.support_size, smooth.support_size],
        ["mass on looks with a bun or in black, which nobody had", 0.0, mass(smooth, everyone[excluded])],
        ["p(long straight red hair, round glasses, white scoop neck)", *each(model, smooth, asked)],
        ["p(the most probable look)", *each(model, smooth, model.mode())],
        ["entropy, nats", model.entropy(), smooth.entropy()],
        ["KL(P_data || model), nats", exact_kl(model.log_prob), exact_kl(smooth.log_prob)],
        ["the least that independent features can reach", *[avatars.total_correlation()] * 2],
    ]
    run.section(
        "Naive Bayes on five features",
        f"{EQUATION}\n\nTen of the fifty people whom the model knows, and the first ten different people of "
        "its own who are none of the fifty. It multiplies five frequencies, and the result is a person every "
        "time, because any hair goes with any glasses.",
        pictures={
            "Ten of the fifty observed people": plots.image_grid(avatars.draw(avatars.observations()[:10])),
            "Ten that naive Bayes made up": plots.image_grid(avatars.draw(new)),
        },
        table=[[name, *(f"{x:.7g}" if isinstance(x, float) else x for x in row)] for name, *row in table],
    )
    run.section("Naive Bayes: other counts", PLAY, explorables=[shop(avatars.observations(), HINT)])


def mass(model: CategoricalNaiveBayes, looks: np.ndarray) -> float:
    """The probability that the model gives to all of the looks together."""
    return float(np.exp(model.log_prob(looks)).sum())


def each(model: CategoricalNaiveBayes, smooth: CategoricalNaiveBayes, look: np.ndarray) -> list[float]:
    """The probability of one look by both models."""
    return [float(np.exp(m.log_prob(look))[0]) for m in (model, smooth)]


def write_pixels(
    drawn: np.ndarray,
    by_class: PixelNaiveBayes,
    information: tuple[float, float],
    numbers: dict[str, str],
    data: Images,
    rng: sg.RandomStream,
    run: Run,
) -> None:
    """Samples beside images, and the `information` between neighbours in images and in samples."""
    real, model = information
    classes = by_class.class_probabilities.size
    ghosts = [by_class.sample(1, rng.child(i), labels=i % classes) for i in range(13)]
    told = {"naive Bayes\ntold the class": np.concatenate(ghosts)} if classes > 1 else {}
    ghostly = " Told the class it draws ghosts of it, and classifies far better than it draws." * bool(told)
    run.section(
        f"Naive Bayes on the pixels of {data.name}",
        "Every pixel of a sample is right by itself, as bright as that pixel is in some real image, and no "
        "sample is an image. In the third row every pixel is real, but each is of another image: that is all "
        f"this model knows, and the two rows look alike.{ghostly}\n\nWhat is missing can be "
        f"measured. Black-or-white pixels tell, about their right neighbours, {real:.2f} nats an image, all "
        f"pairs summed; in the samples these are {model:.2f}, by chance alone.",
        numbers=numbers,
        pictures={
            "Pixels that are real one by one do not make an image": plots.image_rows(
                {
                    "test images": data.test[:13],
                    "naive Bayes\nof all images": drawn[:13],
                    "real pixels\nof different images": shuffled_pixels(data.test, rng.child("shuffle"))[:13],
                }
                | told
            )
        },
    )


def shuffled_pixels(images: np.ndarray, rng: sg.RandomStream) -> np.ndarray:
    """Images whose every pixel is that of another image of the set, each used once."""
    flat = images.reshape(len(images), -1)  # (n, pixels)
    mixed = [flat[rng.child(d).permutation(len(flat)), d] for d in range(flat.shape[1])]
    return np.stack(mixed, axis=1).reshape(images.shape)


def measure(
    grey: PixelNaiveBayes, binary: PixelNaiveBayes, by_class: PixelNaiveBayes, data: Images
) -> dict[str, str]:
    """Negative log-likelihoods of test images, and how many are classified right."""
    classes = by_class.class_probabilities.size
    models = {"two levels": binary, f"two levels, {classes} classes": by_class, f"{grey.levels} levels": grey}
    if classes == 1:
        del models["two levels, 1 classes"]
    nats = {name: -model.log_prob(data.test).mean() for name, model in models.items()}
    accuracy = f"{np.mean(by_class.classify(data.test) == data.test_labels):.4f}"
    bits = nats[f"{grey.levels} levels"] / (math.log(2) * math.prod(data.shape))
    return {
        **({"accuracy as a classifier": accuracy} if classes > 1 else {}),
        **{f"−log p(x), {name}": f"{value:.2f} nats" for name, value in nats.items()},
        f"bits/dim, {grey.levels} levels": f"{bits:.4f}",
    }
