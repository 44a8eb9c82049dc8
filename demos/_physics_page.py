"""The page of the lesson on physics: curves, coefficients and rods beside the truth."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
from scipy.stats import ks_2samp

import scratchgen as sg
from demos import physics
from scratchgen import plots
from scratchgen.data.physics import Media, media, oscillators, read_back
from scratchgen.plots.style import CATEGORIES, INK, SOFT, WIDTH, new_figure, soften
from scratchgen.training import Run

FINE = np.linspace(0.0, 3.0, 121)
PLACES = np.linspace(-1.0, 1.0, 51)
Draw = Callable[[int, np.ndarray], np.ndarray]


def write(
    curves: Mapping[str, Draw],
    rods: Draw,
    seen: np.ndarray,
    known: Media,
    logs: Mapping[str, Any],
    options: Any,
    run: Run,
) -> dict[str, str]:
    """Write both sections, and give their numbers."""
    drawn = {name: draw(1000, FINE)[..., 0] for name, draw in curves.items()}
    truth = oscillators(1000, sg.RandomStream(options.seed, "truth")).curves(FINE)
    numbers, table = coefficients(drawn, truth)
    wrong = drawn["a wrong law"]
    late = [float(np.abs(u[:, -30:]).mean() / np.abs(u[:, :30]).mean()) for u in (truth, wrong)]
    numbers["swing left at the end"] = f"{late[0]:.0%} (a wrong law: {late[1]:.0%})"
    run.section(
        "Curves that obey a law",
        EXPLANATION
        + f"""
Read back by a fit, curves made without the law leave {table[3][1]} of their acceleration unexplained, those
made with it {table[2][1]}. The wrong law knows no friction: to obey it, {verdict(*late)}.
""",
        numbers=numbers,
        table=table,
        pictures={
            "Six curves of each kind, and where the sensors are": some_curves({"true rigs": truth} | drawn),
            "The coefficients that a fit reads back": histograms({"true rigs": truth} | drawn),
            "Training with the law": plots.curves(logs["the law"]),
        },
    )
    found = Rods(*np.moveaxis(rods(1000 if options.quick else 10_000, PLACES), 2, 0))
    right = thinned(
        media(5000 if options.quick else 100_000, sg.RandomStream(options.seed, "truth", "rods"), 101)
    )
    errors = rod_errors(found, right)
    floor = rod_errors(thinned(known), right)
    off = {
        f"{what} of k off by": f"{errors[1][i]} (u: {errors[2][i]})"
        for i, what in ((1, "mean"), (2, "deviation"))
    }
    run.section(
        "A rod, and a law instead of data",
        ROD,
        numbers=off,
        table=errors + [[f"the {options.rigs:,} rods seen: {row[0]}", *row[1:]] for row in floor[1:]],
        pictures={
            "Mean, standard deviation and correlation with the middle; broad lines are the truth": profiles(
                found, right
            ),
            "Training on rods": plots.curves(logs["rods"]),
        },
    )
    return numbers | {f"rods: {name}": value for name, value in off.items()}


def verdict(right: float, wrong: float) -> str:
    """What the wrong law does, from how much of the swing is left in the end."""
    if wrong > 1.05 * right:
        return "the curves swing on, against what the sensors say"
    return "the generator keeps what the sensors say, and leaves the law unobeyed"


def coefficients(
    drawn: Mapping[str, np.ndarray], truth: np.ndarray
) -> tuple[dict[str, str], list[list[str]]]:
    """What a fit reads back of the curves: numbers, and a table of means, deviations and distances."""
    table = [["", "law left unobeyed", "c", "k", "farthest from true c, k"]]
    numbers = {}
    c0, k0, left = read_back(truth, FINE)
    table += [["true rigs", percent(left), spread(c0), spread(k0), ""]]
    for name, u in drawn.items():
        c, k, left = read_back(u, FINE)
        apart = [ks_2samp(a, b).statistic for a, b in ((c, c0), (k, k0))]
        table += [[name, percent(left), spread(c), spread(k), f"{apart[0]:.2f}, {apart[1]:.2f}"]]
        numbers[f"{name}: unobeyed"] = percent(left)
    return numbers, table


def percent(left: np.ndarray) -> str:
    """The median share of the acceleration that no coefficients explain."""
    return f"{np.median(left):.1%}"


def spread(numbers: np.ndarray) -> str:
    """Mean and standard deviation, by quartiles: a fit to a curve that is none gives what it likes."""
    low, middle, high = np.percentile(numbers, [25, 50, 75])
    return f"{middle:.2f} ({low:.2f} to {high:.2f})"


def some_curves(kinds: Mapping[str, np.ndarray]) -> Any:
    """Six curves of each kind, side by side."""
    figure = new_figure(WIDTH, 2.1)
    figure.set_layout_engine("constrained")
    for i, (name, u) in enumerate(kinds.items()):
        axes = figure.add_subplot(1, len(kinds), i + 1)
        for j in range(6):
            axes.plot(FINE, u[j], color=CATEGORIES[j], linewidth=1)
        for t in physics.TIMES:
            axes.axvline(t, color=SOFT, linewidth=0.4, alpha=0.5)
        axes.set_ylim(-2, 2)
        axes.set_title(name, fontsize=9, color=INK)
        soften(axes)
    return figure


def histograms(kinds: Mapping[str, np.ndarray]) -> Any:
    """How c and k are distributed."""
    figure = new_figure(WIDTH, 2.3)
    figure.set_layout_engine("constrained")
    found = {name: read_back(u, FINE) for name, u in kinds.items()}
    for i, (letter, ends) in enumerate({"c": (-0.5, 3.0), "k": (0.0, 22.0)}.items()):
        axes = figure.add_subplot(1, 2, i + 1)
        bins = [float(edge) for edge in np.linspace(*ends, 36)]
        for j, (name, numbers) in enumerate(found.items()):
            style: dict[str, Any] = {"histtype": "step", "color": CATEGORIES[j - 1]}
            if j == 0:
                style = {"histtype": "stepfilled", "color": SOFT, "alpha": 0.35}
            axes.hist(numbers[i].clip(*ends), bins, label=name, **style)
        axes.set_xlabel(letter, fontsize=9)
        axes.set_yticks([])
        soften(axes)
        if i:
            axes.legend(fontsize=7, frameon=False)
    return figure


class Rods(NamedTuple):
    """Many rods at PLACES, each (n, places)."""

    k: np.ndarray
    u: np.ndarray


def thinned(rods: Media) -> Rods:
    """At every second of 101 points, which are PLACES."""
    return Rods(rods.k[:, ::2], rods.u[:, ::2])


def rod_errors(found: Rods, right: Rods) -> list[list[str]]:
    """How far mean, deviation and correlation are off, the first two relative to the truth's whole curve."""
    table = [["", "mean off by", "deviation off by", "correlation off by at most"]]
    for name, made, truth in zip(found._fields, found, right, strict=True):
        off = [
            float(np.linalg.norm(f(made) - f(truth)) / np.linalg.norm(f(truth))) for f in (mean, deviation)
        ]
        between = apart(correlation(made, made), correlation(truth, truth))
        table += [[name, f"{off[0]:.1%}", f"{off[1]:.1%}", between]]
    return [*table, ["k with u", "", "", apart(correlation(*found), correlation(*right))]]


def correlation(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Of a at each inner sensor with b at each, (9, 9)."""
    inner = slice(5, -5, 5)
    return np.corrcoef(a[:, inner].T, b[:, inner].T)[:9, 9:]


def apart(a: np.ndarray, b: np.ndarray) -> str:
    """The largest difference."""
    return f"{np.abs(a - b).max():.2f}"


def mean(a: np.ndarray) -> np.ndarray:
    """Of all rods, at each place."""
    return a.mean(axis=0)


def deviation(a: np.ndarray) -> np.ndarray:
    """Of all rods, at each place."""
    return a.std(axis=0)


def profiles(found: Rods, right: Rods) -> Any:
    """Mean and deviation of k and u, and how they are correlated with the middle; generated and true."""
    figure = new_figure(WIDTH, 2.4)
    figure.set_layout_engine("constrained")
    for i, (name, made, truth) in enumerate(zip(found._fields, found, right, strict=True)):
        axes = figure.add_subplot(1, 3, i + 1)
        for j, f in enumerate((mean, deviation)):
            beside(axes, PLACES, f(truth), f(made), CATEGORIES[j], f.__name__)
        axes.plot(physics.PLACES, np.zeros(len(physics.PLACES)), "|", color=SOFT, label="sensors")
        axes.set_title(name, fontsize=9, color=INK)
        soften(axes)
        if not i:
            axes.legend(fontsize=7, frameon=False)
    axes = figure.add_subplot(1, 3, 3)
    for j, (one, other) in enumerate((("k", "k"), ("u", "u"), ("k", "u"))):
        true, made = (correlation(getattr(x, one), getattr(x, other))[4] for x in (right, found))
        beside(axes, physics.PLACES[1:-1], true, made, CATEGORIES[j], f"{one}(0) with {other}")
    axes.set_title("correlation", fontsize=9, color=INK)
    soften(axes)
    axes.legend(fontsize=7, frameon=False)
    return figure


def beside(axes: Any, x: np.ndarray, true: np.ndarray, made: np.ndarray, color: str, name: str) -> None:
    """A thin line over a broad one, which is the truth."""
    axes.plot(x, true, color=color, linewidth=3, alpha=0.35)
    axes.plot(x, made, color=color, linewidth=1.2, label=name)


EXPLANATION = r"""
$$u'' + c \, u' + k \, u = 0$$

$$L_G &= -\mathbb{E} \log D( u(t_1), \ldots, u(t_8) ) \\
&+\; \text{weight} \cdot \mathbb{E}_{z, t} \left( u'' + c \, u' + k \, u \right)^2$$

The discriminator sees eight readings of each curve and nothing else. u' and u'' are derivatives of the
generator with respect to its input t; its step then needs third derivatives. The coefficients c and k were
never observed: each noise has its own, and what they are distributed like is read back from the curves by a
fit, in the same way for real ones.
"""

ROD = r"""
$$-\frac{1}{10} ( k \, u' )' = f \text{ on } [-1, 1], \quad u(-1) = u(1) = 0$$

Conductivity k and heating f vary by chance along the rod. The generator makes k and u; the f that would make
such a u follows from the law, by differentiating the network, and goes to the discriminator with the rest: at
eleven places k, u and f are known of each rod. So the law has no weight to be chosen, and cannot be bent. The
truth is 100,000 rods solved by finite sums. Even the rods that were learnt from are off by a little, since
they are few: the last rows.
"""
