"""The page of the comparison: one table for the wall, a table for each world, and what the numbers say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

import scratchgen as sg
from demos._compare_worlds import Digits, Looks, Plane, Road, Scores, World
from scratchgen import plots
from scratchgen.data import avatars
from scratchgen.plots.style import CATEGORIES, WIDTH, new_figure, soften
from scratchgen.training import Run

Entries = Mapping[World, Mapping[str, Any]]
PM = "\N{NO-BREAK SPACE}±\N{NO-BREAK SPACE}"
WALL = """
Explicit models can say how probable an example is: exactly, or by a bound. Implicit ones only draw. Where
P_data is known, a cell holds the divergence of the model from it, in nats, 0 for the truth itself. Of a bound
it is only the most that it can be; how loose a VAE's is was measured by importance samples. On the digits,
whose P_data nobody knows, it is -log p(x) of test images.
"""


def write(entries: Entries, parzen: dict[str, float], options: Any, run: Run) -> None:
    """Put all on the page, and the table for the wall on the terminal."""
    table = wall(entries)
    for row in table:
        print("".join(f"{cell[:36]:>{18 if i == 0 else 38}}" for i, cell in enumerate(row)))
    run.section("Who can say p(x)?", WALL, table=table)
    run.section("What the table says", verdicts(entries))
    for world, models in entries.items():
        truth = world.score(world.test, sg.RandomStream(options.seed, "compare", world.name, "truth"))
        text = (
            f"{world.seen} {len(world.observed):,} observed. Valid: {world.valid_means}. "
            "New: valid, and no copy of one that was observed. TV: half the summed difference of frequencies "
            "from P_data. Behind ± are 95 % intervals. ms: for drawing one sample."
        )
        run.section(title(world), text, table=details(models, truth), pictures=pictures(world, models))
    road = next(world for world in entries if isinstance(world, Road))
    rows = [["samples of", "log-likelihood by Parzen windows, nats"]]
    rows += [[name, f"{value:.2f}"] for name, value in sorted(parzen.items(), key=lambda item: -item[1])]
    run.section(
        "The stand-in, and why it misleads", stand_in_text(parzen, -(road.entropy or 0.0)), table=rows
    )


def title(world: World) -> str:
    """The name of a world, as a sentence begins."""
    return world.name[0].upper() + world.name[1:]


def wall(entries: Entries) -> list[list[str]]:
    """A row for each model, a column for each world."""
    names = list(next(iter(entries.values())))
    table = [["", *(world.name for world in entries)]]
    return table + [[name, *(says(models[name]) for models in entries.values())] for name in names]


def says(entry: Any) -> str:
    """What a model can say in a world, in a few words."""
    if entry.surprise is None:
        return f"no: {entry.model.how}"
    value = f"{entry.surprise[0]:.2f}" if entry.divergence is None else f"{entry.divergence:.3g}"
    if entry.model.how == "exactly":
        return f"{value}, exactly"
    if entry.looseness is not None:
        return f"{value}; its bound is {entry.looseness:.2f} looser"
    return f"at most {value}" + ("" if entry.flow is None else f"; as a flow {entry.flow:.3g}")


def details(models: Mapping[str, Any], truth: Scores) -> list[list[str]]:
    """All columns of one world."""
    head = ["", "-log p(x)", "TV", "valid, %", "new, %", "covered", "ms", "training, s"]
    table = [head]
    for name, entry in models.items():
        surprise = "" if entry.surprise is None else f"{entry.surprise[0]:.2f}{PM}{2 * entry.surprise[1]:.2f}"
        if entry.scores is None:
            table.append([name, f"no: {entry.model.how}", *[""] * (len(head) - 2)])
            continue
        spent = f"{entry.milliseconds:.2g}", f"{entry.model.seconds:.1f}"
        table.append([name, surprise or "cannot say", *rules(entry.scores), *spent])
    return [*table, ["P_data itself", "", *rules(truth), "", ""]]


def rules(scores: Scores) -> list[str]:
    """Total variation, validity, novelty, coverage."""
    distance = "" if scores.total_variation is None else f"{scores.total_variation:.3f}"
    shares = (f"{100 * s.value:.1f}{PM}{50 * (s.upper - s.lower):.1f}" for s in (scores.valid, scores.new))
    return [distance, *shares, scores.covered]


def verdicts(entries: Entries) -> str:
    """Sentences that follow the numbers."""
    lines = []
    for world, models in entries.items():
        known = {name: e.divergence for name, e in models.items() if e.divergence is not None}
        drawn = {name: e.scores for name, e in models.items() if e.scores is not None}
        keeps = max(drawn, key=lambda name: drawn[name].valid.value)
        sentence = f"{title(world)}. "
        if known:
            nearest = min(known, key=lambda name: known[name])
            sentence += f"Nearest to P_data of those who can say so: {nearest}, {known[nearest]:.3g} nats. "
        sentence += f"Most samples that are valid: {keeps}, {drawn[keeps].valid.value:.1%}"
        silent = [name for name, entry in models.items() if entry.surprise is None and entry.scores]
        middle = np.median([scores.valid.value for scores in drawn.values()])
        better = [name for name in silent if drawn[name].valid.value > middle]
        if better:
            sentence += f". Above the middle without a word on p(x): {' and '.join(better)}"
        lines.append(sentence + ".")
    speed = {
        name: np.mean([m[name].milliseconds for m in entries.values() if m[name].scores]) for name in models
    }
    fast, slow = min(speed, key=lambda name: speed[name]), max(speed, key=lambda name: speed[name])
    ratio = f"{speed[slow] / speed[fast]:,.0f}"
    lines.append(f"What a sample costs. One of {slow} takes {ratio} times as long as one of {fast}.")
    return "\n\n".join(lines)


def stand_in_text(parzen: dict[str, float], best: float) -> str:
    """What a Parzen window's likelihood is worth, where the truth is known."""
    truth = parzen["the truth itself"]
    above = [name for name, value in parzen.items() if value > truth]
    text = (
        f"On driving. The log-density of scenarios is {best:.2f} nats on average, and no model can say more. "
        f"Normals around as many samples of the truth itself reach {truth:.2f}: the windows alone lose "
        f"{best - truth:.2f} nats. "
    )
    if not above:
        return text + "Here at least nobody scores above the truth's own samples."
    names = " and ".join(above)
    return text + f"And the order is wrong: above the truth's own samples are {names}."


def pictures(world: World, models: Mapping[str, Any]) -> dict[str, Any]:
    """What samples look like."""
    points = {
        name.replace("autoregressive", "auto-\nregressive"): entry.points
        for name, entry in models.items()
        if entry.points is not None
    }
    if isinstance(world, Plane):
        clouds = {"P_data": world.test[:1000]} | {name: x[:1000] for name, x in points.items()}
        return {"Samples on the density of the data": plots.clouds(clouds, world.true)}
    if isinstance(world, Digits):
        shown = {"test images": world.test} | points
        images = {name: x.reshape(-1, 1, 8, 8) for name, x in shown.items()}
        return {"The first samples of each": plots.image_rows(images)}
    if isinstance(world, Looks):
        shown = {"P_data": world.test} | points
        return {
            "The first samples of each; grey where there is no look": plots.image_rows(
                {name: portraits(world, x[:12]) for name, x in shown.items()}
            )
        }
    return {"Speeds of the car in front, thirty scenarios of each": speeds(world, points)}


def portraits(world: Looks, points: np.ndarray) -> np.ndarray:
    """Pictures of looks, (n, 3, 32, 32)."""
    drawn = sg.asnumpy(avatars.draw(world.rows(points))).copy()
    drawn[~world.valid(points)] = 0.8
    return drawn


def speeds(world: Any, points: Mapping[str, np.ndarray]) -> Any:
    """A panel for P_data and for each model."""
    shown = {"P_data": world.test} | dict(points)
    figure = new_figure(WIDTH, 2.2)
    figure.set_layout_engine("constrained")
    for i, (axes, (name, x)) in enumerate(
        zip(figure.subplots(1, len(shown), sharey=True), shown.items(), strict=True)
    ):
        axes.plot(
            np.arange(8) * 2.0,
            (world.mean + world.unit * x[:30])[:, :8].T,
            color=CATEGORIES[i % 8],
            lw=0.5,
            alpha=0.7,
        )
        axes.set_title(name, fontsize=8)
        axes.set(xlabel="s", ylabel="m/s" if i == 0 else "", ylim=(-8, 35))
        soften(axes, "y")
    return figure
