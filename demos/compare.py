"""All models in one table: which of them can say how probable an example is.

The others can only draw. That is the dividing line of generative models: a density that is explicit, exact or
by a bound, or none. On both sides one asks the same two questions: do samples look as if drawn from P_data,
and are they new? Here six models meet in four worlds. In three of them P_data is known, so that

    KL(P_data || P_model)  =  E_data [ log P_data(x) - log P_model(x) ]

can be computed for all who can say P_model. For those who cannot, normals around their samples are often
taken for a density, and what that stand-in is worth can be seen as well.
"""

# %% Settings, all of which are options on the command line: `python3 demos compare --help`
from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
from scipy.cluster.vq import kmeans2

import scratchgen as sg
from demos import _compare_page, _lesson
from demos._compare_models import MODELS, Learned, Training
from demos._compare_worlds import Digits, Looks, Plane, Road, Scores, World
from scratchgen.metrics import parzen_log_prob
from scratchgen.training import Run


@dataclass
class Options(_lesson.OwnWorld, _lesson.Options):
    """Train six models in four worlds, and say on one page what each can and cannot."""

    steps: int | None = None
    """Training steps of every model; unless given, what suits each."""
    observed: int = 5000
    """How many examples of each known world may be seen."""


# %% The worlds: in three of them P_data is known
def worlds(options: Options) -> list[World]:
    """Eight Gaussians, avatars, driving; and real digits."""
    n, rng = 500 if options.quick else options.observed, sg.RandomStream(options.seed, "compare", "worlds")
    kinds = (Plane, Looks, Road)
    return [*(kind(n, rng.child(kind.name)) for kind in kinds), Digits(options)]


# %% What a model says of test examples, and what its samples show
@dataclass
class Entry:
    """One model in one world."""

    model: Learned
    surprise: tuple[float, float] | None = None
    """-log p(x) of test examples, in nats, and its standard error; the bound's, where there is no better."""
    looseness: float | None = None
    """By how much the bound misses it."""
    divergence: float | None = None
    """KL(P_data || P_model); for a bound, at most that."""
    flow: float | None = None
    """The same, of a diffusion model as a flow."""
    milliseconds: float = 0.0
    points: np.ndarray | None = None
    scores: Scores | None = None


def enter(name: str, world: World, options: Options, run: Run) -> Entry:
    """Train, ask, draw and score."""
    entry = Entry(MODELS[name](Training(world, options, run)))
    rng = sg.RandomStream(options.seed, "compare", world.name, name)
    test = world.test[: 50 if options.quick else 500]
    ask = entry.model.log_prob or entry.model.bound
    if ask is not None:
        said = np.asarray(ask(test), np.float64)
        entry.surprise = -said.mean(), said.std() / np.sqrt(len(said))
        if world.entropy is not None:
            entry.divergence = entry.surprise[0] - world.entropy
    if entry.model.flow is not None and world.entropy is not None:
        entry.flow = -float(np.mean(entry.model.flow(test))) - world.entropy
    if entry.model.bound is not None and entry.model.log_prob is not None:
        entry.looseness = float(np.mean(said - entry.model.bound(test)))
    if entry.model.rows_log_prob is not None:
        exact = world.exact_divergence(entry.model.rows_log_prob)
        entry.divergence = entry.divergence if exact is None else exact
    if entry.model.draw is not None:
        n, began = 200 if options.quick else 5000, time.perf_counter()
        entry.points = entry.model.draw(n, rng.child("draw"))
        entry.milliseconds = 1000 * (time.perf_counter() - began) / n
        entry.scores = world.score(entry.points, rng.child("score"))
    print(f"{world.name}: {name} {_compare_page.says(entry)}")
    return entry


# %% [markdown]
# ## The stand-in for models that cannot say p(x)
# Put a normal on each of their samples and call the mixture their density. Its width is chosen for the
# likelihood of other real examples. In the world of driving it can be held against the truth.
def parzen(points: np.ndarray, test: np.ndarray, held_out: np.ndarray) -> float:
    """The mean log-likelihood of test examples under normals around points, in nats."""
    widths = np.geomspace(0.05, 1.0, 12)
    best = max(widths, key=lambda sigma: parzen_log_prob(held_out, points, sigma).mean())
    return float(parzen_log_prob(test, points, best).mean())


def stand_in(world: World, entries: dict[str, Entry], options: Options) -> dict[str, float]:
    """The score of each model's samples, of the truth's own, of the observed, and of averages of these."""
    n = 100 if options.quick else 1000
    test, held_out = np.split(world.test[:-n][:1000], 2)  # the truth's own samples are others
    clouds = {name: entry.points[:n] for name, entry in entries.items() if entry.points is not None}
    clouds["the truth itself"] = world.test[-n:]
    clouds["copies of the observed"] = world.observed[:n]
    clouds["averages of the observed"] = kmeans2(
        world.observed.astype(np.float64), n, seed=0, minit="points"
    )[0]
    return {name: parzen(points, test, held_out) for name, points in clouds.items()}


# %% Every model in every world; then the page (`_compare_page.py`)
def lesson(options: Options, run: Run) -> None:
    """Fill the table, and hang it on the wall."""
    entries = {
        world: {name: enter(name, world, options, run) for name in MODELS} for world in worlds(options)
    }
    road = next(world for world in entries if isinstance(world, Road))
    _compare_page.write(entries, stand_in(road, entries[road], options), options, run)


def main(argv: list[str] | None = None) -> None:
    """`python3 demos compare`."""
    _lesson.main("compare", "All models compared: explicit against implicit density", Options, lesson, argv)


if __name__ == "__main__":
    main()
