"""The page of the lesson on driving: scenarios, probabilities with intervals, and the road from above."""

from __future__ import annotations

from typing import Any

import numpy as np

import scratchgen as sg
from demos import driving as lesson
from scratchgen import plots
from scratchgen.data import driving
from scratchgen.metrics import nearest_neighbour_ratio
from scratchgen.metrics.rare import equivalent_draws, importance_estimate
from scratchgen.plots.style import CATEGORIES, SOFT, WIDTH, new_figure, soften
from scratchgen.training import Run


def write(model: Any, recorded: np.ndarray, tries: dict[str, Any], options: Any, run: Run) -> dict[str, str]:
    """Put all on the page, and return its numbers."""
    rules(model, recorded, options, run)
    table: list[list[Any]] = [["controller", "how", "per 1,000", "95 % interval", "simulations", "worth"]]
    found: dict[str, list[tuple[float, float]]] = {}
    saved = {}
    for controller, ways in tries.items():
        for way, attempt in ways.items():
            estimate, error = importance_estimate(attempt.hits, attempt.log_weights)
            found.setdefault(controller, []).append((estimate.value, error))
            spent = len(attempt.hits) + attempt.searching
            worth = equivalent_draws(estimate.value, error) if error > 0 else float("nan")
            saved[controller, way] = worth / spent
            interval = f"{1000 * estimate.lower:.2f} to {1000 * estimate.upper:.2f}"
            table.append(
                [controller, way, f"{1000 * estimate.value:.2f}", interval, f"{spent:,}", told(worth, ",.0f")]
            )
    ways = list(tries["careful"])
    numbers = {f"collisions in 1,000, {name}": f"{1000 * values[0][0]:.2f}" for name, values in found.items()}
    numbers |= {f"simulations saved, {name}": told(saved[name, ways[2]], ".1f", " times") for name in tries}
    run.section(
        "How often does it collide?",
        r"$$P = \mathbb{E}_p h(z) = \mathbb{E}_q \left[ \frac{p(z)}{q(z)} \, h(z) \right]$$"
        "\n\n"
        "Counting needs no more than patience. Importance sampling first searches the latents that end "
        f"badly ({lesson.ROUNDS} rounds, counted as simulations), then draws mostly those and weighs them; "
        "what it was worth is how many counted scenarios would have had the same standard error. It finds "
        "the probability under the VAE's scenarios, and these are not the true ones: that bias no number "
        f"of simulations removes. Measured by counting both, it is {bias(found)}. Who knows the true "
        "density can weigh it away, in the last line of each; on a real road nobody does.",
        numbers=numbers,
        table=table,
    )
    careful, hurried = (found[name][0][0] for name in ("careful", "hurried"))
    ratio = f"{hurried / careful:.1f} times as often" if careful else "more often"
    pictures = {"Four drives of the hurried controller that end in a collision": film(model, options, run)}
    run.section(
        "Two controllers",
        f"The hurried one keeps {driving.HURRIED.headway:g} s behind the car in front and reacts after "
        f"{driving.HURRIED.reaction:g} s, the careful one keeps {driving.CAREFUL.headway:g} s and needs "
        f"{driving.CAREFUL.reaction:g} s. It collides {ratio}. Scenarios are the VAE's, drawn towards the "
        "dangerous. Blue: the controlled car; orange: the car in front; red: somebody in the lane.",
        pictures=pictures,
    )
    return numbers


def told(worth: float, how: str, unit: str = "") -> str:
    """A number, unless no collision was found to estimate it by."""
    return f"{worth:{how}}{unit}" if np.isfinite(worth) else "no collision seen"


def bias(found: dict[str, list[tuple[float, float]]]) -> str:
    """The relative difference of the VAE's probability from the true one, with twice its standard error."""
    words = []
    for name, ((true, error), (model, other), *_) in found.items():
        if true == 0 or model == 0:
            words.append(f"unknown for the {name} controller (no collision seen)")
            continue
        spread = 2 * model / true * float(np.hypot(error / true, other / model))
        words.append(f"{model / true - 1:+.0%} with an error of {spread:.0%} for the {name} controller")
    return ", ".join(words)


def rules(model: Any, recorded: np.ndarray, options: Any, run: Run) -> None:
    """Whether new scenarios look right, and whether they are new: beside fresh ones of the truth."""
    n = 200 if options.quick else 2000
    rng = sg.RandomStream(options.seed, "driving", "rules")
    fresh, new = sg.asnumpy(driving.sample(n, rng.child("fresh"))), model.sample(n, rng.child("new"))
    table: list[list[Any]] = [["", "mean log p(x)", "in the rarest 1 %", "nearest", "copies"]]
    means, rare = [], 0.0
    limit = np.quantile(sg.asnumpy(driving.log_prob(recorded[:5000])), 0.01)
    for name, x in {"true": fresh, "the VAE's": new}.items():
        logs = sg.asnumpy(driving.log_prob(x))
        means.append(logs.mean())
        rare = float(np.mean(logs < limit))
        ratio = nearest_neighbour_ratio(x / model.unit, recorded / model.unit)
        cells = [
            f"{logs.mean():.2f}",
            f"{rare:.1%}",
            f"{ratio.mean():.3f}",
            f"{np.mean(ratio < 1 / 3):.1%}",
        ]
        table.append([name, *cells])
    gap = means[0] - means[1]
    run.section(
        "Scenarios, recorded and new",
        "Rule 1, they look right: their log-density under the truth, which only we know, is on average "
        f"{gap:.2f} nats below that of true ones, and {rare:.1%} of them fall where the rarest 1 % of true "
        "ones lie. Rule 2, they are new: as far from the nearest recorded scenario, in units of the "
        "distance to the second, as true ones are (1), rather than copies (0).",
        table=table,
        pictures={"Speeds of the car in front, sixty scenarios each": speeds(fresh, new)},
    )


def speeds(fresh: np.ndarray, new: np.ndarray) -> Any:
    """Speeds over time, of true scenarios and of the VAE's."""
    figure = new_figure(WIDTH, 2.5)
    figure.set_layout_engine("constrained")
    for i, (title, x) in enumerate({"true": fresh, "the VAE's": new}.items()):
        axes = figure.add_subplot(1, 2, i + 1)
        for row in x[:60]:
            colour = CATEGORIES[2] if row[9] > 0 else CATEGORIES[0]
            axes.plot(2 * np.arange(8), row[:8], color=colour, alpha=0.5, linewidth=0.8)
        axes.set(ylim=(-5, 35), xlabel="s", ylabel="m/s" if i == 0 else "")
        axes.set_title(title, fontsize=10, loc="left", color=SOFT)
        soften(axes, "y")
    return figure


# The road from above: a window that moves with the controlled car, 7 pixels to the metre
BEHIND, AHEAD, SCALE, LANE = 10.0, 60.0, 7, 26
COLOURS = {
    "road": (0.42, 0.44, 0.47),
    "car": (0.25, 0.56, 0.85),
    "lead": (1.0, 0.66, 0.05),
    "person": (0.74, 0.12, 0.0),
}


def frame(found: driving.Drive, which: int, i: int) -> np.ndarray:
    """One drive at one time: an RGB image (3, height, width)."""
    width = int((BEHIND + AHEAD) * SCALE)
    image = np.ones((3, LANE + 8, width))
    image[:, 4:-4] = np.array(COLOURS["road"])[:, None, None]
    at = found.car[which, i]
    marks = (
        np.arange(width) / SCALE + at - BEHIND
    ) % 12 < 4  # painted on the road, so that it is seen to move
    image[:, 3, marks] = image[:, -4, marks] = 0.6
    things = {
        "lead": (found.lead[which, i], 4.5, 13),
        "person": (found.person[which, i], 0.8, 7),
        "car": (at - 4.5, 4.5, 13),
    }
    for name, (start, length, breadth) in things.items():
        low = (start - at + BEHIND) * SCALE
        if np.isfinite(low) and low < width:
            columns = slice(max(0, int(low)), max(0, int(low + length * SCALE)))
            rows = slice((image.shape[1] - breadth) // 2, (image.shape[1] + breadth) // 2)
            image[:, rows, columns] = np.array(COLOURS[name])[:, None, None]
    return image


def film(model: Any, options: Any, run: Run) -> Any:
    """Four drives one above the other, each stopped at its collision."""
    rng = sg.RandomStream(options.seed, "driving", "film")
    controller = driving.HURRIED
    proposal, _ = lesson.search(model, controller, 300 if options.quick else 1500, rng.child("search"))
    x, _ = model.decode(proposal.sample(2000, rng.child("z")), rng.child("x"))
    bad = np.flatnonzero(driving.collides(x, controller))[:4]
    found = driving.drive(x[bad] if len(bad) == 4 else x[:4], controller)
    touched = np.minimum(found.lead, found.person) <= found.car
    ends = [int(np.argmax(row)) if row.any() else len(row) - 1 for row in touched]
    last = len(found.times) if len(bad) < 4 else max(ends) + 1
    frames = [
        np.concatenate([frame(found, k, min(i, ends[k])) for k in range(4)], axis=1)
        for i in range(0, last + 2, 3)
    ]
    return plots.animation(frames, run.folder / "collisions.gif", seconds=0.3)
