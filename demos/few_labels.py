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
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple

import numpy as np

import scratchgen as sg
from demos import _few_labels_choice, _few_labels_mnist, _few_labels_page, _lesson, _pictures
from demos._few_labels_ways import DIGITS, Settings, Way, cleaner, m1, ways
from scratchgen.data import Images
from scratchgen.models import Autoencoder, SemiSupervisedVAE
from scratchgen.nn import Linear, ReLU, Sequential, functional as F
from scratchgen.training import Run, fit

COUNTS = (10, 20, 50, 100, 500)
"""Of labels."""


@dataclass
class Options(_pictures.OwnPictures, _lesson.Options):
    """Learn to classify from few labels and many pictures, in seven ways."""

    data: Literal["digits", "mnist", "folder"] = "digits"  # type: ignore[assignment]
    """Shipped digits; your own pictures, in a folder for each class; or MNIST: M1+M2 with 100 labels, drawn
    five times, as it was published."""
    seeds: int | None = None
    """How often the labelled pictures are drawn: 10 times unless given, 5 on MNIST."""
    hidden_dim: int = 128
    code_dim: int = 16
    lr: float | None = None
    """Of what learns without labels: 0.002 unless given, on MNIST 0.005."""
    choose: bool = False
    """Choose the settings anew instead, on training images that are left out (no test image is looked at)."""

    def check(self) -> None:
        """What all lessons check, and that settings are chosen for the data they are for."""
        super().check()
        if self.choose and self.data != "digits":
            raise SystemExit(f"--choose: got --data {self.data}, expected the shipped digits")

    def settled(self) -> Options:
        """With what suits the data."""
        draws, lr = usual(self)
        return replace(self, seeds=self.seeds or draws, lr=self.lr or lr)

    def fetch(self) -> None:
        """Have the data at hand, and two of each class at least."""
        super().fetch()
        _pictures.need_classes(self, "the lesson learns to tell them apart")


def usual(options: Options) -> tuple[int, float]:
    """How many draws and which learning rate suit the data."""
    return (5, 5e-3) if options.data == "mnist" else (10, 2e-3)


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
    return (10, 100) if options.quick else COUNTS


# %% One way: the same network from scratch, and from an encoder that has seen all pictures
def classifier(
    x: np.ndarray, y: np.ndarray, layers: list[Any], it: Settings, options: Options, seed: int
) -> Any:
    """Layers and a last one for the classes, trained on labelled pictures by cross-entropy."""
    rng = sg.RandomStream(options.seed, "few", "classifier", seed)
    width = options.code_dim if layers else x.shape[1]
    network = Sequential(*layers, Linear(width, int(y.max()) + 1, rng=rng))
    fit(
        lambda x, rng, labels: F.cross_entropy(network(x), labels),
        (x, y),
        sg.optim.Adam(network.parameters(), it.lr if layers else it.linear_lr),
        steps=_lesson.steps(options, default=it.steps),
        batch_size=100,
        model=network,
        seed=seed,
        quiet=True,
    )
    return lambda test: sg.asnumpy(network(sg.asarray(test)).data).argmax(axis=1)


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


# %% The other: a class that is unknown is a latent. M2 on pictures, or on the codes of a VAE (M1+M2)
class Recipe(NamedTuple):
    """How M2 is made and trained."""

    hidden: int = 64
    style: int = 5
    alpha: float = 0.1
    steps: int = 300
    known: int = 50
    """Labelled ones in a batch."""
    others: int = 50
    """In a batch, without a label."""
    held: float = 0.0
    """For which part of the steps the learning rate stays, before it falls along a cosine."""

    def rate(self, lr: float, steps: int) -> Callable[[int], float]:
        """The learning rate by step."""
        held = int(self.held * steps)
        fall = sg.optim.schedules.cosine(lr, steps - held)
        return lambda step: lr if step < held else fall(step - held)


def m2(
    x: np.ndarray,
    spread: np.ndarray | None,
    chosen: np.ndarray,
    y: np.ndarray,
    it: Recipe,
    options: Options,
    seed: int,
    run: Run | None = None,
) -> SemiSupervisedVAE:
    """A model of class, style and picture, whose labels are known of those that are `chosen`.

    With a `spread`, `x` are codes, drawn anew in every step with this standard deviation.
    """
    kind, classes = "bernoulli" if spread is None else "normal", int(y.max()) + 1
    rng = sg.RandomStream(options.seed, "few", "m2", seed)
    model = SemiSupervisedVAE(x.shape[1], it.hidden, it.style, classes, it.alpha, rng, likelihood=kind)

    def loss(rows: Any, rng: sg.RandomStream) -> Any:
        """Of a batch that is put together, as one drawn at random would hardly ever hold a label."""
        some = sg.asnumpy(rng.child("known").integers(0, len(chosen), (it.known,)))
        both = np.concatenate([chosen[some], sg.asnumpy(rows)])
        labels = np.concatenate([y[some], np.full(len(both) - len(some), -1)])
        batch = sg.asarray(x[both])
        if spread is not None:
            batch = batch + sg.asarray(spread[both]) * rng.child("noise").normal(batch.shape)
        return model.loss_terms(batch, rng, sg.asarray(labels))

    steps, lr = _lesson.steps(options, default=it.steps), options.lr or usual(options)[1]
    fit(
        loss,
        np.arange(len(x)),
        sg.optim.Adam(model.parameters(), lr),
        steps=steps,
        batch_size=it.others,
        schedule=it.rate(lr, steps),
        model=model,
        seed=seed,
        run=run,
        resume=run and _lesson.resumption(run),
        quiet=run is None,
    )
    return model


def answers(model: SemiSupervisedVAE, x: np.ndarray) -> np.ndarray:
    """The class that q(y|x) thinks most likely."""
    return sg.asnumpy(model.classify(sg.asarray(x))).argmax(axis=1)


# %% All ways, for each number of labels and each draw of them
def wrong(way: Way, data: Images, counts: tuple[int, ...], seeds: int, options: Options) -> np.ndarray:
    """The share of wrong answers, by number of labels and by draw of them: (counts, seeds)."""
    errors = np.zeros((len(counts), seeds))
    for k, count in enumerate(counts):
        for seed in range(seeds):
            i = balanced(data.train_labels, count, sg.RandomStream(options.seed, "few", "labels", seed))
            errors[k, seed] = np.mean(way(i, data.train_labels[i], seed) != data.test_labels)
    return errors


def lesson(options: Options, run: Run) -> _lesson.Outcome | None:
    """The errors of all ways, and the page."""
    options = options.settled()
    if options.data == "mnist":
        return _few_labels_mnist.lesson(options, run)
    data = _lesson.images(options)
    if options.choose:
        _few_labels_choice.lesson(data, options, run)
        return None
    vae, ae = m1(data, options, run), cleaner(data, DIGITS, options, run)
    counts, seeds = (
        counts_of(data, options),
        2 if _lesson.briefly(options) else options.seeds or usual(options)[0],
    )
    errors = {}
    for name, way in ways(data, ae, vae, DIGITS, options).items():
        errors[name] = wrong(way, data, counts, seeds, options)
        means = zip(counts, errors[name].mean(1), strict=True)
        print(f"{name}: " + "  ".join(f"{count}: {e:.1%}" for count, e in means))
    numbers = _few_labels_page.write(errors, counts, data, options, run)

    def sample(n: int, rng: sg.RandomStream) -> np.ndarray:
        return sg.asnumpy(vae.sample(n, rng))

    return _lesson.Outcome(numbers, ae.parameter_count(), 0.0, sample)


def main(argv: list[str] | None = None) -> None:
    """`python3 demos few_labels`."""
    _lesson.main("few_labels", "Few labels", Options, lesson, argv)


if __name__ == "__main__":
    main()
