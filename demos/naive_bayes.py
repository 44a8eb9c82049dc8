"""Naive Bayes: every feature is chosen by itself, and that may be enough, or hopeless.

The model multiplies frequencies, one for each feature, with no training but counting:

    p(x) = theta_1[x_1] theta_2[x_2] .. theta_K[x_K],    theta_k[l] = (n_k[l] + alpha) / (N + alpha L_k).

Five features of a look (hair, glasses, clothes) are nearly independent, and products of their frequencies
are new, believable people. The pixels of an image are not: each depends on its neighbours above all.
"""

# %% Settings, all of which are options on the command line: `python3 demos naive_bayes --help`
from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import Any

import numpy as np

import scratchgen as sg
from demos import _lesson
from scratchgen import plots
from scratchgen.data import Images, avatars
from scratchgen.metrics import exact_kl
from scratchgen.models import CategoricalNaiveBayes, PixelNaiveBayes
from scratchgen.training import Run

EQUATION = "    log p(x)  =  sum_d log theta_d[x_d]                 each pixel, or feature, by itself"


@dataclass
class Options(_lesson.Options):
    """Count features of fifty people, and pixels of images, and draw new ones of both."""

    alpha: float = 1.0
    """Additive smoothing of the pixels' frequencies; 1 is Laplace's rule."""


# %% [markdown]
# ## Fifty people, and ten that nobody has seen
# Of fifty people we know hair style, hair colour, glasses, garment and its colour. Their 23 frequencies are
# the whole model. New people are drawn until ten of them are none of the fifty.
def new_looks(model: CategoricalNaiveBayes, n: int, rng: sg.backend.RandomStream) -> np.ndarray:
    """The first `n` samples of the model that are neither among the fifty nor alike."""
    seen = set(avatars.look_numbers(avatars.observations()).tolist())
    looks = model.sample(100 * n, rng)
    numbers = avatars.look_numbers(looks).tolist()
    first = {number: i for i, number in reversed(list(enumerate(numbers))) if number not in seen}
    return looks[sorted(first.values())[:n]]


def fashion(options: Options, run: Run) -> None:
    """Fit the looks, and put the new ones beside the observed ones."""
    observed = avatars.observations()
    model = CategoricalNaiveBayes(avatars.LEVELS).fit(observed)
    smooth = CategoricalNaiveBayes(avatars.LEVELS, alpha=1).fit(observed)
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
    rng = sg.backend.RandomStream(options.seed, "naive-bayes", "looks")
    run.section(
        "Naive Bayes on five features",
        f"{EQUATION}\n\nTen of the fifty people whom the model knows, and the first ten different people of "
        "its own who are none of the fifty. It multiplies five frequencies, and the result is a person every "
        "time, because any hair goes with any glasses.",
        pictures={
            "Ten of the fifty observed people": plots.image_grid(avatars.draw(observed[:10])),
            "Ten that naive Bayes made up": plots.image_grid(avatars.draw(new_looks(model, 10, rng))),
        },
        table=[[name, *(f"{x:.7g}" if isinstance(x, float) else x for x in row)] for name, *row in table],
    )


def mass(model: CategoricalNaiveBayes, looks: np.ndarray) -> float:
    """The probability that the model gives to all of the looks together."""
    return float(np.exp(model.log_prob(looks)).sum())


def each(model: CategoricalNaiveBayes, smooth: CategoricalNaiveBayes, look: np.ndarray) -> list[float]:
    """The probability of one look by both models."""
    return [float(np.exp(m.log_prob(look))[0]) for m in (model, smooth)]


# %% [markdown]
# ## The same model on pixels
# Now x is an image and its features are pixels. To see what independence leaves out, measure how much a pixel
# tells about the one to its right: their mutual information, which naive Bayes says is 0. A model that knew
# each pixel's left neighbour, and no more, would have a log-likelihood higher by the sum over all such pairs.
def neighbour_information(images: np.ndarray) -> float:
    """Mutual information of black-or-white pixels with their right neighbours, in nats, summed over pairs."""
    white = (images >= 0.5).astype(np.float64)
    a, b = white[..., :-1], white[..., 1:]
    information = np.zeros(a.shape[1:])
    for x, y in ((a, b), (a, 1 - b), (1 - a, b), (1 - a, 1 - b)):
        both, apart = (x * y).mean(axis=0), x.mean(axis=0) * y.mean(axis=0)
        ratio = np.divide(both, apart, out=np.ones_like(both), where=both > 0)
        information += both * np.log(ratio)
    return float(information.sum())


def lesson(options: Options, run: Run) -> _lesson.Outcome:
    """Looks first, then pixels."""
    fashion(options, run)
    data = _lesson.images(options)
    began = time.monotonic()
    grey = PixelNaiveBayes(data.levels, options.alpha).fit(data.train)
    seconds = time.monotonic() - began
    binary = PixelNaiveBayes(2, options.alpha).fit(data.train)
    by_class = PixelNaiveBayes(2, options.alpha).fit(data.train, data.train_labels)
    numbers = measure(grey, binary, by_class, data)
    rng = sg.backend.RandomStream(options.seed, "naive-bayes", "pixels")
    drawn = grey.sample(len(data.train) if options.data == "digits" else 2000, rng)
    ghosts = [
        by_class.sample(1, rng.child(i), labels=i % by_class.class_probabilities.size) for i in range(13)
    ]
    real, model = neighbour_information(data.train), neighbour_information(drawn)
    run.section(
        f"Naive Bayes on the pixels of {data.name}",
        "Every pixel of a sample is right by itself, as bright as that pixel is in some real image, and no "
        "sample is an image. In the third row every pixel is real, but each is of another image: that is all "
        "this model knows, and the two rows look alike. Told the class it draws ghosts of it, and classifies "
        "far better than it draws.\n\nWhat is missing can be measured. Black-or-white pixels tell, about "
        f"their right neighbours, {real:.2f} nats an image, all pairs summed; in the samples these are "
        f"{model:.2f}, by chance alone.",
        numbers=numbers,
        pictures={
            "Pixels that are real one by one do not make an image": plots.image_rows(
                {
                    "test images": data.test[:13],
                    "naive Bayes\nof all images": drawn[:13],
                    "real pixels\nof different images": shuffled_pixels(data.test, rng.child("shuffle"))[:13],
                    "naive Bayes\ntold the class": np.concatenate(ghosts),
                }
            )
        },
    )
    print("  ".join(f"{name}: {value}" for name, value in numbers.items()))
    return _lesson.Outcome(numbers, grey.parameter_count, seconds, grey.sample)


def shuffled_pixels(images: np.ndarray, rng: sg.backend.RandomStream) -> np.ndarray:
    """Images whose every pixel is that of another image of the set, each used once."""
    flat = images.reshape(len(images), -1)  # (n, pixels)
    mixed = [flat[rng.child(d).permutation(len(flat)), d] for d in range(flat.shape[1])]
    return np.stack(mixed, axis=1).reshape(images.shape)


def measure(
    grey: PixelNaiveBayes, binary: PixelNaiveBayes, by_class: PixelNaiveBayes, data: Images
) -> dict[str, str]:
    """Negative log-likelihoods of test images, and how many are classified right."""
    right = np.mean(by_class.classify(data.test) == data.test_labels)
    nats = {name: -model.log_prob(data.test).mean() for name, model in (
        ("two levels", binary), ("two levels, ten classes", by_class), (f"{grey.levels} levels", grey)
    )}  # fmt: skip
    bits = nats[f"{grey.levels} levels"] / (math.log(2) * math.prod(data.shape))
    return {
        "accuracy as a classifier": f"{right:.4f}",
        **{f"−log p(x), {name}": f"{value:.2f} nats" for name, value in nats.items()},
        f"bits/dim, {grey.levels} levels": f"{bits:.4f}",
    }


def main(argv: list[str] | None = None) -> None:
    """`python3 demos naive_bayes`."""
    _lesson.main("naive_bayes", "Naive Bayes", Options, lesson, argv)


if __name__ == "__main__":
    main()
