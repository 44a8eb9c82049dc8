"""The page of the lesson on physics: curves, coefficients and rods beside the truth."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from scipy.stats import ks_2samp

import scratchgen as sg
from demos import physics
from scratchgen import plots
from scratchgen.data.physics import media, oscillators, read_back
from scratchgen.plots.style import CATEGORIES, INK, SOFT, WIDTH, new_figure, soften
from scratchgen.training import Run

FINE = np.linspace(0.0, 3.0, 121)
PLACES = np.linspace(-1.0, 1.0, 101)
Draw = Callable[[int, np.ndarray], np.ndarray]


def write(
    curves: Mapping[str, Draw], rods: Draw, seen: np.ndarray, logs: Mapping[str, Any], options: Any, run: Run
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
    found = rods(4000, PLACES)
    right = media(10_000 if options.quick else 100_000, sg.RandomStream(options.seed, "truth", "rods"), 101)
    errors = rod_errors(found, right)
    run.section(
        "A rod, and a law instead of data",
        ROD,
        numbers={"mean of u off by": errors[2][1], "deviation of u off by": errors[2][2]},
        table=errors,
        pictures={
            "Mean and standard deviation along the rod": profiles(found, right),
            "Training on rods": plots.curves(logs["rods"]),
        },
    )
    return numbers | {"rods: mean of u off by": errors[2][1], "deviation of u off by": errors[2][2]}


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


def rod_errors(found: np.ndarray, right: Any) -> list[list[str]]:
    """How far mean, deviation and correlation are off, each relative to the whole curve of the truth."""
    table = [["", "mean off by", "deviation off by", "correlation off by at most"]]
    inner = slice(10, -10, 10)
    for i, (name, truth) in enumerate({"k": right.k, "u": right.u}.items()):
        made = found[..., i]
        off = [
            float(np.linalg.norm(f(made) - f(truth)) / np.linalg.norm(f(truth))) for f in (mean, deviation)
        ]
        apart = np.corrcoef(made[:, inner].T) - np.corrcoef(truth[:, inner].T)
        table += [[name, f"{off[0]:.1%}", f"{off[1]:.1%}", f"{np.abs(apart).max():.2f}"]]
    return table


def mean(a: np.ndarray) -> np.ndarray:
    """Of all rods, at each place."""
    return a.mean(axis=0)


def deviation(a: np.ndarray) -> np.ndarray:
    """Of all rods, at each place."""
    return a.std(axis=0)


def profiles(found: np.ndarray, right: Any) -> Any:
    """Mean and deviation of k and u, generated and true."""
    figure = new_figure(WIDTH, 2.4)
    figure.set_layout_engine("constrained")
    for i, (name, truth) in enumerate({"k": right.k, "u": right.u}.items()):
        axes = figure.add_subplot(1, 2, i + 1)
        for j, f in enumerate((mean, deviation)):
            color = CATEGORIES[j]
            axes.plot(PLACES, f(truth), color=color, linewidth=3, alpha=0.35, label=f"{f.__name__}, true")
            axes.plot(PLACES, f(found[..., i]), color=color, linewidth=1.2, label=f"{f.__name__}, generated")
        axes.plot(physics.PLACES, np.zeros(len(physics.PLACES)), "|", color=SOFT, label="sensors")
        axes.set_title(name, fontsize=9, color=INK)
        soften(axes)
        if not i:
            axes.legend(fontsize=7, frameon=False)
    return figure


EXPLANATION = """
    u'' + c u' + k u  =  0

    L_G  =  -E log D(u(t_1) .. u(t_8))  +  weight E mean over t of |u'' + c u' + k u|^2

The discriminator sees eight readings of each curve and nothing else. u' and u'' are derivatives of the
generator with respect to its input t; its step then needs third derivatives. The coefficients c and k were
never observed: each noise has its own, and what they are distributed like is read back from the curves by a
fit, in the same way for real ones.
"""

ROD = """
    -1/10 (k u')'  =  f   on [-1, 1],    u(-1)  =  u(1)  =  0

Conductivity k and heating f vary by chance along the rod. The generator makes k and u; the f that would make
such a u follows from the law, by differentiating the network, and goes to the discriminator with the rest: at
eleven places k, u and f are known of each rod. So the law has no weight to be chosen, and cannot be bent. The
truth is 100,000 rods solved by finite sums.
"""
