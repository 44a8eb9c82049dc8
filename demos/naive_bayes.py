"""Naive Bayes: every feature is chosen by itself, and that may be enough, or hopeless.

The model multiplies frequencies, one for each feature, with no training but counting:

    p(x) = theta_1[x_1] theta_2[x_2] .. theta_K[x_K],    theta_k[l] = (n_k[l] + alpha) / (N + alpha L_k).

Of the five features of a look (hair, glasses, clothes) one tells a little about the others (0.73 nats in
all), and products of their frequencies are new, mostly believable people. The pixels of an image depend far
too much on each other for that, on their neighbours above all.
"""

# %% Settings, all of which are options on the command line: `python3 demos naive_bayes --help`
from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
import tyro

import scratchgen as sg
from demos import _lesson, _naive_bayes_pages, _pictures
from scratchgen.data import avatars
from scratchgen.models import CategoricalNaiveBayes, PixelNaiveBayes
from scratchgen.training import Run


@dataclass
class Options(_pictures.OwnPictures):
    """Count features of fifty people, and pixels of images, and draw new ones of both."""

    alpha: float = 1.0
    """Additive smoothing of the pixels' frequencies; 1 is Laplace's rule."""
    max_minutes: tyro.conf.Suppress[float | None] = None  # counting takes seconds

    def fetch(self) -> None:
        """Have the data at hand, and something to learn of each class, where there are classes."""
        super().fetch()
        if self.data == "folder" and len(self.pictures().class_names) > 1:
            _pictures.need_classes(self, "the model counts each", least=1)


# %% [markdown]
# ## Fifty people, and ten that nobody has seen
# Of fifty people we know hair style, hair colour, glasses, garment and its colour. Their 23 frequencies are
# the whole model. New people are drawn until ten of them are none of the fifty.
def new_looks(model: CategoricalNaiveBayes, n: int, rng: sg.RandomStream) -> np.ndarray:
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
    rng = sg.RandomStream(options.seed, "naive-bayes", "looks")
    _naive_bayes_pages.write_looks(model, smooth, new_looks(model, 10, rng), run)


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
    known = data.train_labels if _pictures.classes(data) else None
    by_class = PixelNaiveBayes(2, options.alpha).fit(data.train, known)
    numbers = _naive_bayes_pages.measure(grey, binary, by_class, data)
    rng = sg.RandomStream(options.seed, "naive-bayes", "pixels")
    drawn = grey.sample(min(len(data.train), 2000), rng)
    information = neighbour_information(_lesson.some(data.train)), neighbour_information(drawn)
    _naive_bayes_pages.write_pixels(drawn, by_class, information, numbers, data, rng, run)
    print("  ".join(f"{name}: {value}" for name, value in numbers.items()))
    return _lesson.Outcome(numbers, grey.parameter_count, seconds, grey.sample)


def main(argv: list[str] | None = None) -> None:
    """`python3 demos naive_bayes`."""
    _lesson.main("naive_bayes", "Naive Bayes", Options, lesson, argv)


if __name__ == "__main__":
    main()
