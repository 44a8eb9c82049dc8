"""Four worlds to compare models in: what they observe, and what is true there.

Every example is a vector. Where the world is made of choices, it is a row of levels as well, of which the
vector shows the bits; where it is made of real numbers, only the plane is cut into cells, as levels need.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from scipy.special import ndtr
from scipy.stats import multivariate_normal

import scratchgen as sg
from demos import _judge, _lesson
from scratchgen.data import Images, avatars, driving
from scratchgen.data.driving import kinds
from scratchgen.metrics import Estimate, bootstrap_interval, exact_kl, nearest_neighbour_ratio

FAIR, COPY = 0.25, 1 / 3
"""Of its fair share a kind needs so much to count as covered; a copy is so much nearer to one than to two."""


@dataclass(frozen=True)
class Scores:
    """What samples score: the two rules, each share with a 95 % interval."""

    valid: Estimate
    new: Estimate
    covered: str
    total_variation: float | None


class World:
    """Observed and test examples as vectors (n, d), and what can be said of samples."""

    name = ""
    seen = ""
    """How models see an example."""
    valid_means = ""
    """What an example has to be, to count as valid."""
    levels: tuple[int, ...] | None = None
    """Of the rows; None where the numbers are real and have no levels."""
    bits = False
    """Whether the vectors are zeros and ones."""
    kinds = 0
    log_cell = 0.0
    """The logarithm of what a row fills of the space: its probability over this is a density."""
    entropy: float | None = None
    """Of P_data, in nats; None if P_data is not known."""
    observed: np.ndarray
    test: np.ndarray

    def rows(self, vectors: np.ndarray) -> np.ndarray:
        """The levels of vectors: (n, attributes)."""
        raise NotImplementedError

    def vectors(self, rows: np.ndarray, rng: sg.RandomStream) -> np.ndarray:
        """Vectors that have these levels."""
        raise NotImplementedError

    def valid(self, points: np.ndarray) -> np.ndarray:
        """Which samples are examples at all: (n,)."""
        raise NotImplementedError

    def kind(self, points: np.ndarray) -> np.ndarray:
        """Of which kind each valid sample is: (n,), in 0 .. kinds - 1."""
        raise NotImplementedError

    def new(self, points: np.ndarray) -> np.ndarray:
        """Which samples are no copies of an observed example: (n,)."""
        return nearest_neighbour_ratio(points, self.observed) > COPY

    def total_variation(self, points: np.ndarray) -> float | None:
        """How far the frequencies of samples are from P_data, where they can be counted."""
        return None

    def exact_divergence(self, log_prob: Any) -> float | None:
        """KL(P_data || P_model), where it can be summed; `log_prob` maps rows to nats."""
        return None

    def covered(self, points: np.ndarray, valid: np.ndarray) -> str:
        """How many kinds occur at least a quarter as often as they should."""
        shares = np.bincount(self.kind(points[valid]), minlength=self.kinds) / len(points)
        due = np.bincount(self.kind(self.test), minlength=self.kinds) / len(self.test)
        return f"{np.sum(shares >= FAIR * due)} of {self.kinds}"

    def score(self, points: np.ndarray, rng: sg.RandomStream) -> Scores:
        """Both rules. A sample that shows nothing at all is not new either."""
        valid = self.valid(points)
        new = valid & self.new(points)

        def share(name: str, hits: np.ndarray) -> Estimate:
            return bootstrap_interval(np.mean, hits, rng.child(name), resamples=300, bounds=(0.0, 1.0))

        found = share("valid", valid), share("new", new)
        return Scores(*found, self.covered(points, valid), self.total_variation(points))


class Plane(World):
    """Eight Gaussians on a circle; those who need levels see a grid of 64x64 cells."""

    name, valid_means, kinds = "eight Gaussians", "within three sigma of a centre", 8
    levels, reach = (64, 64), 3.0
    seen = "Points; to models that need levels, cells of a grid of 64 by 64."

    def __init__(self, n: int, rng: sg.RandomStream) -> None:
        self.true = sg.data.toy.eight_gaussians()
        self.observed, self.test = (sg.asnumpy(self.true.sample(n, rng.child(i))) for i in range(2))
        self.log_cell = 2 * np.log(2 * self.reach / self.levels[0])
        self.entropy = float(np.log(8) + np.log(2 * np.pi * np.e * self.true.sigma**2))  # bumps do not touch

    def rows(self, vectors: np.ndarray) -> np.ndarray:
        cells = np.floor((vectors + self.reach) * (self.levels[0] / (2 * self.reach)))
        return np.clip(cells, 0, self.levels[0] - 1).astype(np.int64)

    def vectors(self, rows: np.ndarray, rng: sg.RandomStream) -> np.ndarray:
        within = sg.asnumpy(rng.uniform(rows.shape))
        return ((rows + within) * (2 * self.reach / self.levels[0]) - self.reach).astype(np.float32)

    def valid(self, points: np.ndarray) -> np.ndarray:
        offsets = np.linalg.norm(points[:, None] - self.true.centres, axis=2)
        return offsets.min(axis=1) <= 3 * self.true.sigma

    def kind(self, points: np.ndarray) -> np.ndarray:
        return np.linalg.norm(points[:, None] - self.true.centres, axis=2).argmin(axis=1)

    @cached_property
    def masses(self) -> np.ndarray:
        """The probability of each cell, (64, 64): each Gaussian is a product of two integrals."""
        edges = np.linspace(-self.reach, self.reach, self.levels[0] + 1)
        sides = np.diff(ndtr((edges[:, None, None] - self.true.centres) / self.true.sigma), axis=0)
        return np.asarray(np.einsum("ik,jk->ij", sides[..., 0], sides[..., 1]) / self.kinds)

    def total_variation(self, points: np.ndarray) -> float:
        inside = (np.abs(points) < self.reach).all(axis=1)
        shares = np.zeros(self.levels)
        np.add.at(shares, tuple(self.rows(points[inside]).T), 1 / len(points))
        outside = abs(shares.sum() - self.masses.sum())
        return float((np.abs(shares - self.masses).sum() + outside) / 2)

    def exact_divergence(self, log_prob: Any) -> float:
        rows = np.stack(np.meshgrid(*map(np.arange, self.levels), indexing="ij"), axis=-1).reshape(-1, 2)
        log_model, mass = log_prob(rows), self.masses.ravel()
        occurs = mass > 0
        return float(np.sum(mass[occurs] * (np.log(mass[occurs]) - log_model[occurs])))


class Looks(World):
    """The avatars of the course: five choices, 4,032 looks, a bit for every level of each."""

    name, valid_means, kinds = "avatars", "one level of each attribute, and a look that occurs", 4032
    levels, bits = avatars.LEVELS, True
    seen = (
        "Five choices to naive Bayes and the autoregressive model. The networks see 28 bits, one for every "
        "level, and nobody tells them that an attribute has exactly one."
    )

    def __init__(self, n: int, rng: sg.RandomStream) -> None:
        self.people, tested = (avatars.sample(n, rng.child(i)) for i in range(2))
        self.observed, self.test = (self.vectors(rows, rng) for rows in (self.people, tested))
        self.entropy = avatars.entropy()

    def rows(self, vectors: np.ndarray) -> np.ndarray:
        return np.stack([block.argmax(axis=1) for block in self._blocks(vectors)], axis=1)

    def vectors(self, rows: np.ndarray, rng: sg.RandomStream) -> np.ndarray:
        parts = [np.eye(count, dtype=np.float32)[rows[:, d]] for d, count in enumerate(self.levels)]
        return np.concatenate(parts, axis=1)

    def valid(self, points: np.ndarray) -> np.ndarray:
        one_each = np.all([block.sum(axis=1) == 1 for block in self._blocks(points)], axis=0)
        return one_each & (avatars.probabilities()[avatars.look_numbers(self.rows(points))] > 0)

    def kind(self, points: np.ndarray) -> np.ndarray:
        return avatars.look_numbers(self.rows(points))

    def new(self, points: np.ndarray) -> np.ndarray:
        return ~np.isin(self.kind(points), avatars.look_numbers(self.people))

    def covered(self, points: np.ndarray, valid: np.ndarray) -> str:
        return f"{len(np.unique(self.kind(points[valid]))):,} looks"

    def total_variation(self, points: np.ndarray) -> float:
        numbers = np.where(self.valid(points), self.kind(points), self.kinds)
        shares = np.bincount(numbers, minlength=self.kinds + 1) / len(points)
        return float(np.abs(shares - np.append(avatars.probabilities(), 0)).sum() / 2)

    def exact_divergence(self, log_prob: Any) -> float:
        return exact_kl(log_prob)

    def _blocks(self, vectors: np.ndarray) -> list[np.ndarray]:
        return np.split(vectors, np.cumsum(self.levels)[:-1], axis=1)


class Road(World):
    """Scenarios of traffic: ten real numbers of a known density, in units of their standard deviations."""

    name, valid_means = "driving", "at least as probable as the 99 % most probable real ones"
    kinds = len(kinds.KINDS)
    seen = "Ten real numbers, in units of their standard deviations."

    def __init__(self, n: int, rng: sg.RandomStream) -> None:
        drawn = [sg.asnumpy(driving.sample(n, rng.child(i))) for i in range(2)]
        self.mean, self.unit = drawn[0].mean(axis=0), drawn[0].std(axis=0)
        self.observed, self.test = ((x - self.mean) / self.unit for x in drawn)
        many = self.true_log_prob((sg.asnumpy(driving.sample(100_000, rng.child(2))) - self.mean) / self.unit)
        self.entropy, self.least = -float(many.mean()), float(np.quantile(many, 0.01))

    def true_log_prob(self, points: np.ndarray) -> np.ndarray:
        """Log P_data per unit of these numbers, (n,)."""
        x = self.mean + self.unit * points.astype(np.float64)
        return sg.asnumpy(driving.log_prob(x)) + np.log(self.unit).sum()

    def valid(self, points: np.ndarray) -> np.ndarray:
        return self.true_log_prob(points) >= self.least

    def kind(self, points: np.ndarray) -> np.ndarray:
        x = self.mean + self.unit * points.astype(np.float64)
        parts = zip(kinds.weights(), kinds.means(), kinds.factors(), strict=True)
        return np.stack(
            [np.log(w) + multivariate_normal(m, root @ root.T).logpdf(x) for w, m, root in parts]
        ).argmax(axis=0)


class Digits(World):
    """Real digits, 8x8, black or white. Nobody knows their distribution, so a judge looks at samples."""

    name, valid_means, kinds = "digits", "a judge is surer than 90 % what it is", 10
    levels, bits = (2,) * 64, True
    seen = "64 bits."

    def __init__(self, options: _lesson.Options) -> None:
        data = sg.data.digits()
        black_or_white = {name: np.round(getattr(data, name)) for name in ("train", "test")}
        self.images: Images = replace(data, **black_or_white)
        self.observed, self.test = (x.reshape(len(x), -1) for x in (self.images.train, self.images.test))
        self.judge = _judge.trained(self.images, options)

    def rows(self, vectors: np.ndarray) -> np.ndarray:
        return vectors.astype(np.int64)

    def vectors(self, rows: np.ndarray, rng: sg.RandomStream) -> np.ndarray:
        return rows.astype(np.float32)

    def valid(self, points: np.ndarray) -> np.ndarray:
        logits = self._logits(points)
        return np.asarray(1 / np.exp(logits - logits.max(axis=1, keepdims=True)).sum(axis=1) > 0.9)

    def kind(self, points: np.ndarray) -> np.ndarray:
        return self._logits(points).argmax(axis=1)

    def _logits(self, points: np.ndarray) -> np.ndarray:
        with sg.no_grad():
            return sg.asnumpy(
                self.judge.logits(sg.asarray(points.reshape(-1, 1, 8, 8).astype(np.float32))).data
            )
