"""Fit two players by two optimisers in turn: the step of a GAN."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Protocol

from ..autograd import Tensor, grad
from ..backend import Array, RandomStream, checks
from ..optim import ExponentialMovingAverage, Optimizer
from .checkpoint import Stateful
from .loop import check_counts, train
from .metrics import Row
from .ranks import Share, shared, start_alike


class Game(Stateful, Protocol):
    """What `fit_adversarial` trains; a `scratchgen.models.GAN` is one."""

    def discriminator_terms(self, x: Array, rng: RandomStream, labels: Any = None) -> dict[str, Any]:
        """The discriminator's ``"loss"`` and whatever else shall be logged of its step, by name."""
        ...

    def generator_loss(self, n: int, rng: RandomStream, labels: Any = None) -> Tensor:
        """The generator's loss on `n` samples."""
        ...


class GameOfExamples(Stateful, Protocol):
    """A game whose generator needs the examples too, such as a `scratchgen.models.ExemplarGAN`.

    Both losses are called with all arrays of the batch and `rng`.
    """

    needs_examples: bool

    @property
    def discriminator_terms(self) -> Callable[..., dict[str, Any]]:
        """As of a `Game`."""
        ...

    @property
    def generator_loss(self) -> Callable[..., Any]:
        """As of a `Game`."""
        ...


def fit_adversarial(
    model: Game | GameOfExamples,
    data: Array | tuple[Array, ...],
    discriminator_optimiser: Optimizer,
    generator_optimiser: Optimizer,
    *,
    steps: int,
    batch_size: int = 64,
    critic_steps: int = 1,
    average: ExponentialMovingAverage | None = None,
    schedule: Callable[[int], float] | None = None,
    **settings: Any,
) -> list[Row]:
    """Train a discriminator and a generator against each other.

    One step is `critic_steps` steps of the discriminator, each on a batch of its own, and then one of the
    generator (Goodfellow et al. 2014, algorithm 1). Each player's gradients are only those of its own loss
    with respect to its own parameters.

    Parameters
    ----------
    model : GAN, or another game
    data : array, or tuple of examples and their labels
        The labels go to a model that was made with classes. For a game of examples, all arrays that its
        losses are called with.
    discriminator_optimiser, generator_optimiser : Optimizer
        Of the parameters of the one network and of the other.
    steps : int
        Of the generator.
    batch_size : int
        For one step of either player.
    critic_steps : int
        1 by custom; 5 for "wasserstein-gp" (Gulrajani et al. 2017, algorithm 1).
    average : ExponentialMovingAverage, optional
        Of the generator's parameters: updated after every step, and kept in checkpoints.
    schedule : callable, optional
        A factor by which both learning rates are multiplied, by step, counted from 0.
    **settings
        ``seed``, ``run``, ``resume``, ``on_step``, ``log_every``, ``checkpoint_every``, ``quiet``: see
        `train`.

    Returns
    -------
    list of dict
        The rows of the log: ``step``, ``discriminator loss``, ``generator loss``, the discriminator's other
        terms, ``seconds``.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as said above.
    TrainingError, CheckpointError, KeyboardInterrupt
        See `train`.

    Examples
    --------
    >>> import numpy as np
    >>> from scratchgen import models, optim
    >>> gan = models.GAN.dense(1, 8, latent_dim=2)
    >>> players = (optim.Adam(part.parameters(), lr=0.01) for part in (gan.discriminator, gan.generator))
    >>> rows = fit_adversarial(gan, np.ones((64, 1), np.float32), *players, steps=20)
    >>> sorted(rows[-1])
    ['accuracy', 'discriminator loss', 'generator loss', 'seconds', 'step']
    """
    check_counts(steps=steps, batch_size=batch_size, critic_steps=critic_steps)
    optimisers = discriminator_optimiser, generator_optimiser
    _check_players(*optimisers)
    start_alike(*optimisers)
    parts: dict[str, Stateful | None] = {
        "model": model,
        "discriminator_optimiser": discriminator_optimiser,
        "generator_optimiser": generator_optimiser,
        "average": average,
    }
    rates = discriminator_optimiser.lr, generator_optimiser.lr

    def step(batch: Any, rng: RandomStream) -> dict[str, Any]:
        if schedule is not None:
            factor = checks.number("schedule", schedule(generator_optimiser.steps), "[0, inf)")
            for optimiser, rate in zip(optimisers, rates, strict=True):
                optimiser.lr = rate * factor
        terms = _step(model, *optimisers, batch, critic_steps, rng)
        if average is not None:
            average.update()
        return terms

    return train(
        step,
        data,
        steps=steps,
        batch_size=batch_size * critic_steps,
        parts={name: part for name, part in parts.items() if part is not None},
        **settings,
    )


def _step(
    model: Game | GameOfExamples,
    discriminator_optimiser: Optimizer,
    generator_optimiser: Optimizer,
    batch: Any,
    critic_steps: int,
    rng: RandomStream,
) -> dict[str, Any]:
    """The discriminator's steps and the generator's one, and the terms of the last of each."""
    terms: dict[str, Any] = {}
    game: Any = model
    needs_examples = getattr(game, "needs_examples", False)
    for i, part in enumerate(_parts(batch, critic_steps)):

        def judge(share: Share) -> dict[str, Any]:
            arrays = share.batch if isinstance(share.batch, tuple) else (share.batch,)
            if needs_examples:
                return game.discriminator_terms(*arrays, share.rng)
            x, *labels = arrays
            return game.discriminator_terms(x, share.rng, *labels)

        terms = _descend(judge, discriminator_optimiser, part, rng.child("discriminator", i))

    def forge(share: Share) -> dict[str, Any]:
        arrays = share.batch if isinstance(share.batch, tuple) else (share.batch,)
        if needs_examples:
            return {"loss": game.generator_loss(*arrays, share.rng)}
        return {"loss": game.generator_loss(len(arrays[0]), share.rng)}

    loss = _descend(forge, generator_optimiser, part, rng.child("generator"))["loss"]
    return {"discriminator loss": terms.pop("loss"), "generator loss": loss, **terms}


def _parts(batch: Any, count: int) -> Iterator[Any]:
    """`batch` in `count` parts of about one size; in fewer, if it has fewer examples."""
    arrays = batch if isinstance(batch, tuple) else (batch,)
    length = len(arrays[0])
    count = min(count, length)
    for i in range(count):
        where = slice(length * i // count, length * (i + 1) // count)
        yield tuple(x[where] for x in arrays) if isinstance(batch, tuple) else batch[where]


def _descend(
    terms_of: Callable[[Share], dict[str, Any]], optimiser: Optimizer, batch: Any, rng: RandomStream
) -> dict[str, Any]:
    """A step of one player: only its own parameters get a gradient, although the loss depends on both's."""
    parameters = optimiser.flat.parameters
    with shared(batch, rng) as share:
        terms = terms_of(share)
        gradients = grad(share.weighted(terms["loss"]), parameters)
    for parameter, gradient in zip(parameters, gradients, strict=True):
        parameter.grad = gradient
    summed = share.add_up(terms, parameters)
    optimiser.step()
    optimiser.zero_grad()
    return summed


def _check_players(discriminator: Optimizer, generator: Optimizer) -> None:
    """Raise if the two optimisers share a parameter: each would undo what the other does."""
    own = {id(parameter) for parameter in discriminator.flat.parameters}
    if any(id(parameter) in own for parameter in generator.flat.parameters):
        raise ValueError(
            "discriminator_optimiser, generator_optimiser: got two that share parameters, expected those of "
            "model.discriminator.parameters() and model.generator.parameters()"
        )
