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
from typing import Any, Literal

import numpy as np
import tyro

import scratchgen as sg
from demos import _judge, _lesson, _private_mnist, _private_models, _private_page, _private_sources
from scratchgen.data import Images, poisson_batches
from scratchgen.metrics import membership_advantage, noise_needed
from scratchgen.networks import MLP
from scratchgen.nn import Module, Tanh, functional as F
from scratchgen.optim import Adam, private_gradients
from scratchgen.training import Run

EPSILONS, MEMBERS = (0.5, 1.0, 2.0, 4.0, 8.0), (100, 1000)
"""The guarantees; how many pictures the attacked models have seen."""


@dataclass
class Options(_lesson.Brief):
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

    def settled(self) -> Options:
        """With the norm that suits the data."""
        return replace(self, clip_norm=self.clip_norm or (0.1 if self.data == "mnist" else 1.0))


# %% Training with a guarantee: an example is in a batch or is not, whatever the others are; then noise
@cache
def noise(epsilon: float, rate: float, steps: int, delta: float) -> float:
    """The noise multiplier, which is the same for all seeds; none for an infinite epsilon."""
    try:
        return noise_needed(epsilon, rate, steps, delta) if epsilon < np.inf else 0.0
    except ValueError as error:  # names epsilon or delta, and what can be had
        raise SystemExit(f"--{error}") from None


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


def flat(images: np.ndarray, labels: np.ndarray) -> _private_models.Drawn:
    """Pictures as vectors, and their labels."""
    return images.reshape(len(images), -1), labels


def classifier(data: Images, epsilon: float, options: Options, seed: int) -> Module:
    """A small network that was trained on the hospital's pictures."""
    network = MLP([data.train[0].size, 32, 10], Tanh, rng=sg.RandomStream(options.seed, "classifier", seed))
    plan = 0.2, _lesson.steps(options, 150), epsilon

    def loss(batch: Any, rng: sg.RandomStream) -> Any:
        return F.cross_entropy(network(batch[0]), batch[1])

    optimiser, pictures = Adam(network.parameters(), 0.01), flat(data.train, data.train_labels)
    train_privately(loss, network, optimiser, pictures, plan, options, seed)
    return network


# %% What is left: that classifier's answers, and those of others that have seen drawn pictures only
def guaranteed(data: Images, epsilon: float, options: Options, seed: int) -> _private_page.Once:
    """Everything, once, with one guarantee."""
    members, test = flat(data.train, data.train_labels), flat(data.test, data.test_labels)
    network = classifier(data, epsilon, options, seed)
    score = _private_models.losses(network)
    advantage = membership_advantage(score(*members), score(*test))
    drawn = {name: source(data, epsilon, options, seed) for name, source in _private_sources.SOURCES.items()}
    pupils = {
        name: _private_models.learnt(pictures, _lesson.steps(options, 300), seed)
        for name, pictures in drawn.items()
    }
    learnt = {name: _judge.accuracy(pupil, *test) for name, pupil in pupils.items()}
    return _private_page.Once(_judge.accuracy(network, *test), advantage, learnt, drawn)


def lesson(options: Options, run: Run) -> Any:
    """Attacks, private training, private pictures; or MNIST."""
    if options.data == "mnist":
        return _private_mnist.lesson(options, run)
    data, few, most = _lesson.images(options), options.quick, max(MEMBERS)
    unseen = np.concatenate([data.train[most:], data.test])
    strangers = flat(unseen, np.concatenate([data.train_labels[most:], data.test_labels]))
    leaks = {}
    for n in MEMBERS:
        members = flat(data.train[:n], data.train_labels[:n])
        attacks = _private_models.attacks(*members, _lesson.steps(options, 1500), options.seed)
        leaks[n] = [_private_page.measured(it, members, strangers, 10 if few else 200) for it in attacks]
        print(f"{n} pictures: " + ", ".join(f"{it.attack.model} {it.advantage.value:.2f}" for it in leaks[n]))
    first = data.train[: min(MEMBERS)]
    numbers = _private_page.leaks(leaks, len(unseen), first.reshape(len(first), -1), run)
    found: dict[float, list[_private_page.Once]] = {}
    for epsilon in (*EPSILONS[:: 4 if few else 1], np.inf):
        seeds = range(2 if few else options.seeds)
        found[epsilon] = [guaranteed(data, epsilon, options, seed) for seed in seeds]
        print(_private_page.named(epsilon), *(f"{once.trained:.1%}" for once in found[epsilon]))
    return numbers | _private_page.guarantees(found, (len(data.train), len(data.test)), options, run)


def main(argv: list[str] | None = None) -> None:
    """`python3 demos private`."""
    _lesson.main("private", "Private", Options, lesson, argv)


if __name__ == "__main__":
    main()
