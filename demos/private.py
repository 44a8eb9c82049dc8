"""Private: a hospital that may not show its pictures, and would like others to learn from them.

Two offers are made to it. "Take our generative model and give that away: it draws new pictures, nobody's."
But a model may have learnt some by heart; so we attack each of ours, and count how often we find out who was
in the training data. "Train with noise": each example's gradient is clipped, and noise hides what is left,

    g = (sum_i g_i min(1, C / |g_i|) + sigma C xi) / (q n),   xi ~ N(0, I).

Then it is proved how little anybody can find out, and the question is what the pictures are still good for.
"""

# %% Settings, all of which are options on the command line: `python3 demos private --help`
from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
import tyro

import scratchgen as sg
from demos import _lesson, _private_models, _private_page
from scratchgen.data import Images, poisson_batches
from scratchgen.metrics import membership_advantage, noise_needed
from scratchgen.models import VAE
from scratchgen.networks import MLP
from scratchgen.nn import Conv2d, Flatten, Linear, MaxPool2d, Module, Sequential, Tanh, functional as F
from scratchgen.optim import SGD, Adam, private_gradients
from scratchgen.training import Run

EPSILONS, MEMBERS, FRESH = (0.5, 1.0, 2.0, 4.0, 8.0), (100, 1000), 2000
"""The guarantees; how many pictures the attacked models have seen; how many are drawn to learn from."""


@dataclass
class Options(_lesson.Options):
    """Attack models; train with a guarantee; learn from what such models draw."""

    data: Literal["digits", "mnist"] = "digits"
    """Shipped digits, in place of the hospital's pictures; or MNIST: a classifier, as it was published."""
    epsilon: float | None = None
    """Of MNIST's classifier; unless given, one is trained for 2 and one for 8."""
    delta: float = 1e-5
    """The probability that the guarantee leaves open; well below one over the number of pictures."""
    clip_norm: float | None = None
    """C: no example moves the sum of gradients further. 1 on digits, 0.1 on MNIST."""
    seeds: int = 5
    """How often each private model is trained."""
    batch_size: tyro.conf.Suppress[int] = 128
    max_minutes: tyro.conf.Suppress[float | None] = None
    resume: tyro.conf.Suppress[Path | None] = None  # its trainings are short, and leave no checkpoint

    def settled(self) -> Options:
        """With the norm that suits the data."""
        return replace(self, clip_norm=self.clip_norm or (0.1 if self.data == "mnist" else 1.0))


# %% Training with a guarantee: an example is in a batch or is not, whatever the others are; then noise
@cache
def noise(epsilon: float, rate: float, steps: int, delta: float) -> float:
    """The noise multiplier, which is the same for all seeds; none for an infinite epsilon."""
    return noise_needed(epsilon, rate, steps, delta) if epsilon < np.inf else 0.0


def train_privately(
    loss: Callable[..., Any],
    model: Module,
    optimiser: Any,
    data: tuple[np.ndarray, np.ndarray],
    plan: tuple[float, int, float],
    options: Options,
    seed: int = 0,
    watch: Callable[[int], None] = lambda step: None,
) -> None:
    """Train for so many steps, with batches at that rate and noise that suffices for that epsilon.

    Who is in which batch is as secret as the noise is: it comes from the system's entropy, too. An infinite
    epsilon is the same training without noise, which guarantees nothing.
    """
    rate, steps, epsilon = plan
    sigma = noise(epsilon, rate, steps, options.delta)
    x, labels = (sg.asarray(array) for array in data)
    rng = sg.RandomStream(options.seed, "private", seed)
    secret = sg.RandomStream(secrets.randbits(63), "batches")
    for step, batch in enumerate(poisson_batches(x, rate, steps, secret, labels)):
        private_gradients(loss, model, batch, rng.child(step), options.clip_norm or 1.0, sigma)
        optimiser.step()
        watch(step + 1)


def classifier(data: Images, epsilon: float, options: Options, seed: int) -> Module:
    """A small network that was trained on the hospital's pictures."""
    network = MLP([data.train[0].size, 32, 10], Tanh, rng=sg.RandomStream(options.seed, "classifier", seed))
    flat = data.train.reshape(len(data.train), -1)
    plan = 0.2, _lesson.steps(options, 150), epsilon

    def loss(batch: Any, rng: sg.RandomStream) -> Any:
        return F.cross_entropy(network(batch[0]), batch[1])

    train_privately(
        loss, network, Adam(network.parameters(), 0.01), (flat, data.train_labels), plan, options, seed
    )
    return network


# %% Pictures that may be shown: drawn by models that were trained with a guarantee
def naive_bayes(data: Images, epsilon: float, options: Options, seed: int) -> _private_models.Drawn:
    """Counts with noise, added once. An example is a row of the table of counts, so its length is clipped.

    What is done with the counts afterwards, such as to keep probabilities within (0, 1), costs nothing.
    """
    white = (data.train.reshape(len(data.train), -1) >= 0.5).astype(np.float64)
    rows = np.hstack([white, np.ones((len(white), 1))])
    most = 0.75 * np.sqrt(rows.shape[1])
    rows *= np.minimum(1, most / np.linalg.norm(rows, axis=1, keepdims=True))
    sigma = noise(epsilon, 1.0, 1, options.delta)
    counts = np.eye(10)[data.train_labels].T @ rows
    counts += sigma * most * np.random.default_rng().standard_normal(counts.shape)  # of the system's entropy
    theta = (counts[:, :-1] / np.maximum(counts[:, -1:], 1)).clip(0.02, 0.98)
    labels = np.arange(FRESH) % 10
    coins = sg.asnumpy(sg.RandomStream(options.seed, "counts", seed).uniform((FRESH, theta.shape[1])))
    return (coins < theta[labels]).astype(np.float32), labels


def variational(data: Images, epsilon: float, options: Options, seed: int) -> _private_models.Drawn:
    """A VAE that is told the class, trained as the classifier is."""
    rng = sg.RandomStream(options.seed, "vae", seed)
    model = VAE.dense(data.train[0].size, 64, 8, classes=10, rng=rng)
    plan = 0.2, _lesson.steps(options, 250), epsilon
    flat = data.train.reshape(len(data.train), -1)

    def loss(batch: Any, rng: sg.RandomStream) -> Any:
        return model.loss(batch[0], rng, batch[1])

    train_privately(
        loss, model, Adam(model.parameters(), 0.005), (flat, data.train_labels), plan, options, seed
    )
    labels = np.arange(FRESH) % 10
    return sg.asnumpy(model.sample(FRESH, rng.child("sample"), labels=sg.asarray(labels))), labels


# %% MNIST, as it was published: a small network of convolutions, large batches, many passes
LOT, PASSES = 1024, 10


def convolutions(rng: sg.RandomStream) -> Module:
    """28x28 pixels to logits; bounded activations keep gradients short (Papernot et al. 2021)."""
    first = [Conv2d(1, 16, 8, stride=2, padding=3), Tanh(), MaxPool2d(2)]
    second = [Conv2d(16, 32, 4), Tanh(), MaxPool2d(2), Flatten()]
    return Sequential(*first, *second, Linear(128, 32), Tanh(), Linear(32, 10)).initialise(rng)


def published(options: Options, run: Run) -> dict[str, str]:
    """The classifier on MNIST at two guarantees, on all test images."""
    data, found = _lesson.images(options), {}
    for epsilon in (2.0, 8.0) if options.epsilon is None else (options.epsilon,):
        network = convolutions(sg.RandomStream(options.seed, "mnist"))
        rate = LOT / len(data.train)
        steps = _lesson.steps(options, round(PASSES / rate))

        def loss(batch: Any, rng: sg.RandomStream, network: Module = network) -> Any:
            return F.cross_entropy(network(batch[0]), batch[1])

        def watch(step: int, steps: int = steps, network: Module = network) -> None:
            if step % max(1, steps // 10) == 0:
                some = data.train[:2000], data.train_labels[:2000]
                right = _private_models.accuracy(network, some)
                print(f"step {step} of {steps}: {right:.1%} of 2,000 training images (not for publication)")

        optimiser = SGD(network.parameters(), 0.4 / (options.clip_norm or 1.0), momentum=0.9)
        plan = rate, steps, epsilon
        train_privately(loss, network, optimiser, (data.train, data.train_labels), plan, options, watch=watch)
        found[epsilon] = _private_models.accuracy(network, (data.test, data.test_labels))
    return _private_page.mnist(found, len(data.train), options, run)


# %% All three questions: what leaks, what protects, what is left
SOURCES = {"naive Bayes": naive_bayes, "a VAE": variational}


def guaranteed(
    data: Images, epsilon: float, options: Options
) -> tuple[_private_page.Private, dict[str, _private_models.Drawn]]:
    """Everything with one guarantee, as often as there are seeds; and what was drawn the last time."""
    members, test = (
        (x.reshape(len(x), -1), y)
        for x, y in ((data.train, data.train_labels), (data.test, data.test_labels))
    )
    trained, advantage = [], []
    learnt: dict[str, list[float]] = {name: [] for name in SOURCES}
    drawn: dict[str, _private_models.Drawn] = {}
    for seed in range(2 if options.quick else options.seeds):
        network = classifier(data, epsilon, options, seed)
        score = _private_models.losses(network)
        trained.append(_private_models.accuracy(network, test))
        advantage.append(membership_advantage(score(*members), score(*test)))
        for name, source in SOURCES.items():
            drawn[name] = source(data, epsilon, options, seed)
            pupil = _private_models.learnt(drawn[name], _lesson.steps(options, 300), seed)
            learnt[name].append(_private_models.accuracy(pupil, test))
    arrays = {name: np.array(values) for name, values in learnt.items()}
    return _private_page.Private(np.array(trained), np.array(advantage), arrays), drawn


def lesson(options: Options, run: Run) -> Any:
    """Attacks, private training, private pictures; or MNIST."""
    if options.data == "mnist":
        return published(options, run)
    data, few = _lesson.images(options), options.quick
    flat = data.train.reshape(len(data.train), -1)
    unseen = data.test.reshape(len(data.test), -1)
    most = max(MEMBERS)
    strangers = (
        np.concatenate([flat[most:], unseen]),
        np.concatenate([data.train_labels[most:], data.test_labels]),
    )
    leaks = {}
    for n in MEMBERS:
        members = flat[:n], data.train_labels[:n]
        leaks[n] = [
            _private_page.measured(attack, members, strangers, 10 if few else 200)
            for attack in _private_models.attacks(*members, _lesson.steps(options, 1500), options.seed)
        ]
        print(f"{n} pictures: " + ", ".join(f"{it.attack.model} {it.advantage.value:.2f}" for it in leaks[n]))
    numbers = _private_page.leaks(leaks, len(strangers[0]), flat[: min(MEMBERS)], run)
    found: dict[float, _private_page.Private] = {}
    drawn: dict[str, _private_models.Drawn] = {}
    for epsilon in (*EPSILONS[:: 4 if few else 1], np.inf):
        found[epsilon], pictures = guaranteed(data, epsilon, options)
        drawn |= {f"{name}\n{_private_page.named(epsilon)}": those for name, those in pictures.items()}
        print(f"{_private_page.named(epsilon)}: {found[epsilon].trained.mean():.1%}")
    counts = len(data.train), len(data.test)
    return numbers | _private_page.guarantees(found, drawn, counts, options, run)


def main(argv: list[str] | None = None) -> None:
    """`python3 demos private`."""
    _lesson.main("private", "Private", Options, lesson, argv)


if __name__ == "__main__":
    main()
