"""Few labels: thousands of pictures, and somebody who has time to name a hundred of them.

A network that sees a hundred pictures learns them by heart. The others have no labels, but they show what
pictures look like. Two ways to use them: an autoencoder's encoder, trained without labels, as a start for the
classifier; and a generative model of class, style and picture, in which an unknown class is one more latent,

    log p(x)  >=  sum_y q(y|x) (-L(x, y))  +  H(q(y|x)).

Which of them needs fewer labels, and from how many on is it no longer worth the trouble?
"""

# %% Settings, all of which are options on the command line: `python3 demos few_labels --help`
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np

import scratchgen as sg
from demos import _few_labels_choice, _few_labels_page, _lesson, _pictures
from demos._training import learn
from scratchgen.data import Images
from scratchgen.metrics.neighbours import squared_distances
from scratchgen.models import VAE, Autoencoder, PixelNaiveBayes, SemiSupervisedVAE
from scratchgen.nn import Linear, ReLU, Sequential, functional as F
from scratchgen.training import Run, fit

COUNTS = (10, 20, 50, 100, 500)
"""Of labels."""


class Settings(NamedTuple):
    """What has to be chosen for a way; the defaults are where `--choose` begins."""

    noise: float = 0.3
    """That the autoencoder has to clean."""
    steps: int = 200
    """Of a network on labelled pictures."""
    lr: float = 1e-3
    """Of the same."""
    linear_lr: float = 1e-2
    """Of logistic regression."""
    components: int = 16
    """Principal ones, for the nearest neighbour."""
    alpha: float = 5.0
    """The weight of the classifier in M2 on pictures."""
    code_alpha: float = 5.0
    """The same in M2 on codes."""
    style: int = 10
    """How many numbers M2 on codes has for style."""


DIGITS = Settings(0.6, 400, 3e-3, 3e-2, 16, alpha=25.0, code_alpha=1.0, style=3)
"""What `--choose` has found: on training images that were left out, no test image looked at."""


@dataclass
class Options(_pictures.OwnPictures, _lesson.Options):
    """Learn to classify from few labels and many pictures, in seven ways."""

    data: Literal["digits", "mnist", "folder"] = "digits"  # type: ignore[assignment]
    """Shipped digits; your own pictures, in a folder for each class; or MNIST: M1+M2 with 100 labels, drawn
    five times, as it was published."""
    seeds: int = 10
    """How often the labelled pictures are drawn."""
    hidden_dim: int = 128
    code_dim: int = 16
    lr: float = 2e-3
    choose: bool = False
    """Choose the settings anew instead, on a fifth of the training images (no test image is looked at)."""

    def check(self) -> None:
        """What all lessons check, and that settings are chosen for the data they are for."""
        super().check()
        if self.choose and self.data != "digits":
            raise SystemExit(f"--choose: got --data {self.data}, expected the shipped digits")

    def fetch(self) -> None:
        """Have the data at hand, and two of each class at least."""
        super().fetch()
        _pictures.need_classes(self, "the lesson learns to tell them apart")


# %% A draw of labels: as many of each class
def balanced(labels: np.ndarray, count: int, rng: sg.RandomStream) -> np.ndarray:
    """Which pictures are labelled: `count` of them, spread evenly over the classes."""
    order, classes = sg.asnumpy(rng.permutation(len(labels))), int(labels.max()) + 1
    each = [order[labels[order] == y][: count // classes] for y in range(classes)]
    return np.concatenate(each)


def counts_of(data: Images, options: Options) -> tuple[int, ...]:
    """The numbers of labels: 1, 2, 5, 10 and 50 of each class, as far as there are so many."""
    if options.data == "folder":
        least, classes = np.bincount(data.train_labels).min(), _pictures.classes(data) or 1
        counts = tuple(classes * each for each in (1, 2, 5, 10, 50) if each <= least)
        return counts[:2] if _lesson.briefly(options) else counts
    return (100,) if options.data == "mnist" else (10, 100) if options.quick else COUNTS


# %% Discriminative: the same network from scratch, and from an encoder that has seen all pictures
def classifier(
    x: np.ndarray, y: np.ndarray, layers: list[Any], it: Settings, options: Options, seed: int
) -> Any:
    """Layers and a last one for the classes, trained on labelled pictures by cross-entropy."""
    rng = sg.RandomStream(options.seed, "few", "classifier", seed)
    width = options.code_dim if layers else x[0].size
    network = Sequential(*layers, Linear(width, int(y.max()) + 1, rng=rng))
    fit(
        lambda x, rng, labels: F.cross_entropy(network(x), labels),
        (x.reshape(len(x), -1), y),
        sg.optim.Adam(network.parameters(), it.lr if layers else it.linear_lr),
        steps=_lesson.steps(options, default=it.steps),
        batch_size=100,
        model=network,
        seed=seed,
        quiet=True,
    )
    return lambda test: sg.asnumpy(network(sg.asarray(test.reshape(len(test), -1))).data).argmax(axis=1)


def encoder(trained: Autoencoder | None, options: Options, size: int, seed: int) -> list[Any]:
    """The encoder's layers: with the weights that an autoencoder has learnt, or with fresh ones."""
    rng = sg.RandomStream(options.seed, "few", "scratch", seed)
    layers = [
        Linear(size, options.hidden_dim, rng=rng.child(0)),
        ReLU(),
        Linear(options.hidden_dim, options.code_dim, rng=rng.child(1)),
    ]
    if trained is not None:
        learnt = list(trained.encoder)[1:]
        for fresh, old in zip(layers[::2], learnt[::2], strict=True):
            fresh.load_state_dict(old.state_dict())
    return [*layers, ReLU()]


# %% Generative, with unknown classes: M2 on pictures, or on the codes of a VAE (M1+M2)
def semi_supervised(
    x: np.ndarray,
    spread: np.ndarray | None,
    chosen: np.ndarray,
    y: np.ndarray,
    it: Settings,
    options: Options,
    seed: int,
) -> Any:
    """A model of class, style and picture; each batch is half labelled pictures, half others.

    With a `spread`, `x` are codes, drawn anew in every step with this standard deviation.
    """
    rng, size = sg.RandomStream(options.seed, "few", "m2", seed), x[0].size
    kind = "bernoulli" if spread is None else "normal"
    wide, half, steps = (
        (300, 50, 6000) if options.data == "mnist" else (64, 50, 300 if spread is None else 400)
    )
    style, alpha = (5, it.alpha) if spread is None else (it.style, it.code_alpha)
    model = SemiSupervisedVAE(size, wide, style, int(y.max()) + 1, alpha, rng, likelihood=kind)
    flat = x.reshape(len(x), -1)
    known = flat[chosen]

    def loss(rows: Any, rng: sg.RandomStream) -> Any:
        rows = sg.asnumpy(rows)
        some = sg.asnumpy(rng.child("known").integers(0, len(chosen), (half,)))
        batch = sg.asarray(np.concatenate([known[some], flat[rows]]))
        if spread is not None:
            width = sg.asarray(np.concatenate([spread[chosen][some], spread[rows]]))
            batch = batch + width * rng.child("noise").normal(batch.shape)
        labels = np.concatenate([y[some], np.full(len(rows), -1)])
        return model.loss(batch, rng, sg.asarray(labels))

    steps = _lesson.steps(options, default=steps)
    fit(
        loss,
        np.arange(len(flat)),
        sg.optim.Adam(model.parameters(), options.lr),
        steps=steps,
        batch_size=half,
        schedule=sg.optim.schedules.cosine(options.lr, steps),
        model=model,
        seed=seed,
        quiet=True,
    )
    return lambda test: sg.asnumpy(model.classify(sg.asarray(test.reshape(len(test), -1)))).argmax(axis=1)


# %% Without labels, once: an autoencoder that cleans, and a VAE, of all training pictures
def cleaner(data: Images, it: Settings, options: Options, run: Run) -> Autoencoder:
    """An autoencoder that has to find pictures under noise."""
    rng = sg.RandomStream(options.seed, "few", "ae")
    model = Autoencoder.dense(data.train.shape[1:], options.hidden_dim, options.code_dim, rng=rng)

    def loss(x: Any, rng: sg.RandomStream) -> Any:
        return model.loss(x, corrupted=x + np.float32(it.noise) * rng.normal(x.shape))

    learn(model, loss, data.train, 3000, options, run.part("autoencoder"))
    return model


def m1(data: Images, options: Options, run: Run) -> VAE:
    """A VAE, whose codes M2 can learn from."""
    published = options.data == "mnist"
    codes, wide = (50, 500) if published else (options.code_dim, options.hidden_dim)
    model = VAE.dense(data.train.shape[1:], wide, codes, rng=sg.RandomStream(options.seed, "few", "vae"))
    learn(model, model.loss, data.train, 12_000 if published else 3000, options, run.part("vae"))
    return model


def coded(vae: VAE, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Means and standard deviations of q(z|x)."""
    with sg.no_grad():
        q = vae.posterior(sg.asarray(images))
        return sg.asnumpy(q.mean), np.exp(sg.asnumpy(q.log_var.data) / 2)


# %% All ways, for each number of labels and each draw of them
def ways(
    data: Images, ae: Autoencoder | None, vae: VAE, it: Settings, options: Options
) -> dict[str, Callable[..., np.ndarray]]:
    """From labelled pictures and their labels to the classes of the test pictures."""
    train, test = data.train, data.test
    flat, seen = train.reshape(len(train), -1), test.reshape(len(test), -1)
    some = _pictures.for_components(train).reshape(-1, flat.shape[1])
    axes = np.linalg.svd(some - some.mean(axis=0), full_matrices=False)[2][: it.components].T
    codes, spread = coded(vae, train)
    test_codes = coded(vae, test)[0]

    def nearest(i: np.ndarray, y: np.ndarray, seed: int) -> np.ndarray:
        squares = squared_distances((seen @ axes).astype(np.float64), (flat[i] @ axes).astype(np.float64))
        return y[squares.argmin(axis=1)]

    def network(start: Autoencoder | None) -> Callable[..., np.ndarray]:
        def way(i: np.ndarray, y: np.ndarray, seed: int) -> np.ndarray:
            layers = encoder(start, options, seen.shape[1], seed)
            return classifier(train[i], y, layers, it, options, seed)(test)

        return way

    return {
        "network from scratch": network(None),
        "the same, from an autoencoder": network(ae),
        "PCA, nearest neighbour": nearest,
        "logistic regression": lambda i, y, seed: classifier(train[i], y, [], it, options, seed)(test),
        "naive Bayes": lambda i, y, seed: sg.asnumpy(PixelNaiveBayes().fit(train[i], y).classify(test)),
        "M2": lambda i, y, seed: semi_supervised(train, None, i, y, it, options, seed)(test),
        "M1+M2": lambda i, y, seed: semi_supervised(codes, spread, i, y, it, options, seed)(test_codes),
    }


def wrong(
    way: Callable[..., np.ndarray], data: Images, counts: tuple[int, ...], seeds: int, options: Options
) -> np.ndarray:
    """The share of wrong answers, by number of labels and by draw of them: (counts, seeds)."""
    errors = np.zeros((len(counts), seeds))
    for k, count in enumerate(counts):
        for seed in range(seeds):
            i = balanced(data.train_labels, count, sg.RandomStream(options.seed, "few", "labels", seed))
            errors[k, seed] = np.mean(way(i, data.train_labels[i], seed) != data.test_labels)
    return errors


def lesson(options: Options, run: Run) -> _lesson.Outcome | None:
    """The errors of all ways, and the page."""
    data = _lesson.images(options)
    if options.choose:
        _few_labels_choice.lesson(data, Settings(), options, run)
        return None
    it, vae = Settings() if options.data == "mnist" else DIGITS, m1(data, options, run)
    ae = None if options.data == "mnist" else cleaner(data, it, options, run)
    known = ways(data, ae, vae, it, options)
    counts, seeds = counts_of(data, options), 2 if _lesson.briefly(options) else options.seeds
    if options.data == "mnist":
        seeds, known = 5, {"M1+M2": known["M1+M2"]}
    errors = {}
    for name, way in known.items():
        errors[name] = wrong(way, data, counts, seeds, options)
        means = zip(counts, errors[name].mean(1), strict=True)
        print(f"{name}: " + "  ".join(f"{count}: {e:.1%}" for count, e in means))
    numbers = _few_labels_page.write(errors, counts, data, options, run)

    def sample(n: int, rng: sg.RandomStream) -> np.ndarray:
        return sg.asnumpy(vae.sample(n, rng))

    return _lesson.Outcome(numbers, (ae or vae).parameter_count(), 0.0, sample)


def main(argv: list[str] | None = None) -> None:
    """`python3 demos few_labels`."""
    _lesson.main("few_labels", "Few labels", Options, lesson, argv)


if __name__ == "__main__":
    main()
