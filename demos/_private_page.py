"""The page of the lesson on privacy: what leaks, what protects, what is left, in tables and words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

import scratchgen as sg
from demos._few_labels_page import reach
from demos._private_models import Attack, Drawn
from scratchgen import plots
from scratchgen.metrics import (
    Estimate,
    bootstrap_interval,
    membership_advantage,
    membership_bound,
    memorised_fraction,
)
from scratchgen.metrics.neighbours import squared_distances
from scratchgen.plots.style import CATEGORIES, WIDTH, new_figure, soften
from scratchgen.training import Run


class Leak(NamedTuple):
    """What an attack found out."""

    attack: Attack
    advantage: Estimate
    copies: float | None


def measured(attack: Attack, members: Drawn, strangers: Drawn, resamples: int) -> Leak:
    """The advantage with its bootstrap interval over pictures; the share of samples that are copies."""
    scores = [attack.score(*group) for group in (members, strangers)]
    pairs = np.stack([np.concatenate(scores), np.repeat([1.0, 0.0], [len(s) for s in scores])], axis=1)

    def statistic(pairs: np.ndarray) -> float:
        inside = pairs[:, 1] > 0
        return membership_advantage(pairs[inside, 0], pairs[~inside, 0])

    rng = sg.RandomStream(0, "bootstrap")
    interval = bootstrap_interval(statistic, pairs, rng, resamples=resamples, bounds=(0, 1))
    copies = None if attack.samples is None else memorised_fraction(attack.samples, members[0])
    return Leak(attack, interval, copies)


def by_chance(members: int, strangers: int, draws: int = 200) -> float:
    """The advantage that 19 of 20 useless scores stay below: the best threshold always finds a little."""
    rng = np.random.default_rng(0)
    found = [membership_advantage(rng.random(members), rng.random(strangers)) for _ in range(draws)]
    return float(np.quantile(found, 0.95))


# %% What leaks
ADVANTAGE = (
    r"$$\text{advantage} = &\max_c \; [ P(\text{score} > c \mid \text{member}) \\"
    r" &-\; P(\text{score} > c \mid \text{stranger}) ]$$"
)


def leaks(
    found: Mapping[int, Sequence[Leak]], strangers: int, members: np.ndarray, run: Run
) -> dict[str, str]:
    """The attacks on models that have seen few pictures, and on the same that have seen more."""
    few, many = found
    chance = {n: by_chance(n, strangers) for n in found}
    table: list[list[Any]] = [
        ["attack", *(f"{n:,} pictures" for n in found), *(f"copies of {n:,}" for n in found)]
    ]
    for both in zip(*found.values(), strict=True):
        advantages = ["{:.2f} [{:.2f}, {:.2f}]".format(*leak.advantage) for leak in both]
        copies = ["" if leak.copies is None else f"{leak.copies:.1%}" for leak in both]
        table.append([f"{both[0].attack.model}: {both[0].attack.by}", *advantages, *copies])
    table.append(["useless scores: 19 of 20 are below", *(f"{c:.2f}" for c in chance.values()), "", ""])
    worst = max(found[few], key=lambda leak: leak.copies or 0.0)
    text = (
        f"{ADVANTAGE}\n\n"
        "A hospital may not show its pictures, and would like to give away a model of them instead. Is "
        "that safe? The digits stand for its pictures. Each kind of model was trained on "
        f"{few:,} pictures, and on {many:,}. The attacker has a picture and the model (for a nearest sample: "
        "samples only), and says whether the model has seen it. With advantage a, he is right in (1 + a) / 2 "
        "of the cases: 1 is always, 0 is guessing. "
        f"{strangers:,} strangers, pictures of the same kind that no model has seen; 95 % bootstrap "
        "intervals. A copy is a sample three times as near to a training picture as to any other."
    )
    pictures = {}
    if worst.attack.samples is not None and worst.copies:
        pictures = {
            f"What the {worst.attack.model} model of {few:,} pictures draws, copies first, and the nearest "
            "of the training pictures": copied(worst.attack.samples, members)
        }
    run.section("What leaks", text, table=table, pictures=pictures)
    return said(found, chance, run)


def said(found: Mapping[int, Sequence[Leak]], chance: Mapping[int, float], run: Run) -> dict[str, str]:
    """Which attacks succeed, in words."""
    sentences = []
    for n, all_leaks in found.items():
        sure = [leak for leak in all_leaks if leak.advantage.lower > chance[n]]
        names = [f"{leak.attack.model} ({leak.attack.by}) {leak.advantage.value:.2f}" for leak in sure]
        rest = [f"{leak.attack.model} ({leak.attack.by})" for leak in all_leaks if leak not in sure]
        sentences.append(
            f"Of {n:,} pictures: more than chance is found out of {len(sure)} of {len(all_leaks)}"
            + (f": {', '.join(names)}." if names else ".")
            + (f" Not of {', '.join(rest)}." if rest else "")
        )
    first, second = found
    few, many = (np.mean([leak.advantage.value for leak in found[n]]) for n in found)
    less = "More pictures protect" if many < few else "More pictures do not protect here"
    sentences.append(
        f"{less}: the mean advantage is {few:.2f} of {first:,} and {many:.2f} of {second:,}. "
        "Naive Bayes with bare counts is the extreme: a level that a pixel has never had has probability 0, "
        "so that a picture with one such pixel cannot have been there. What is not found out by these "
        "attacks may be found out by others: that they fail proves nothing."
    )
    run.section("What the attacks say", "\n\n".join(sentences))
    best = max(found[second], key=lambda leak: leak.advantage.value)
    return {
        f"worst leak of {n:,}": f"{max(leak.advantage.value for leak in found[n]):.2f}" for n in found
    } | {"by": f"{best.attack.model}, {best.attack.by}"}


def copied(samples: np.ndarray, training: np.ndarray) -> Any:
    """The ten samples most like copies, above what they are copies of."""
    squares = squared_distances(samples.astype(np.float64), training.astype(np.float64))
    first, second = np.partition(squares, 1, axis=1)[:, :2].T
    chosen: list[int] = []
    for i in np.argsort(first / second):  # of ten different pictures
        if squares[i].argmin() not in [squares[j].argmin() for j in chosen]:
            chosen.append(int(i))
    chosen, side = chosen[:10], round(samples.shape[1] ** 0.5)
    rows = {
        "drawn\nby the model": samples[chosen],
        "nearest\ntraining picture": training[squares[chosen].argmin(axis=1)],
    }
    return plots.image_rows({name: row.reshape(-1, 1, side, side) for name, row in rows.items()})


# %% What protects, and what is left
class Once(NamedTuple):
    """All of one guarantee and one seed."""

    trained: float
    """Accuracy of the classifier that was trained on the pictures themselves."""
    advantage: float
    """Of the attack on it."""
    learnt: Mapping[str, float]
    """Accuracy of classifiers that have seen drawn pictures only, by what drew them."""
    drawn: Mapping[str, Drawn]
    """What was drawn."""


class Private(NamedTuple):
    """All of one guarantee, each an array with a number for every seed."""

    trained: np.ndarray
    """Accuracy of the classifier that was trained on the pictures themselves."""
    advantage: np.ndarray
    """Of the attack on it."""
    learnt: Mapping[str, np.ndarray]
    """Accuracy of classifiers that have seen drawn pictures only, by what drew them."""


def named(epsilon: float) -> str:
    """The guarantee in words."""
    return f"epsilon {epsilon:g}" if epsilon < np.inf else "no guarantee"


def mean(values: np.ndarray, unit: float = 100, digits: int = 1) -> str:
    """With the half width of the 95 % interval of the mean."""
    return f"{unit * values.mean():.{digits}f} ± {unit * float(reach(values[None])[0]):.{digits}f}"


def together(seeds: Sequence[Once]) -> Private:
    """The numbers of all seeds."""
    learnt = {name: np.array([once.learnt[name] for once in seeds]) for name in seeds[0].learnt}
    trained, advantage = (np.array([once[i] for once in seeds]) for i in range(2))
    return Private(trained, advantage, learnt)


def guarantees(
    seeds: Mapping[float, Sequence[Once]], pictures: tuple[int, int], options: Any, run: Run
) -> dict[str, str]:
    """Accuracy against epsilon, beside training without a guarantee."""
    found = {epsilon: together(all_) for epsilon, all_ in seeds.items()}
    sources = list(found[np.inf].learnt)
    table: list[list[Any]] = [
        ["epsilon", "trained, %", *(f"from {s}, %" for s in sources), "attack", "bound"]
    ]
    for epsilon, private in found.items():
        bound = membership_bound(epsilon, options.delta)
        table.append(
            [
                named(epsilon).removeprefix("epsilon "),
                mean(private.trained),
                *(mean(private.learnt[s]) for s in sources),
                mean(private.advantage, 1, 2),
                f"{bound:.2f}",
            ]
        )
    text = (
        r"$$P( M(X) \in S ) \;\le\; e^\epsilon \, P( M(X') \in S ) + \delta$$"
        "\n\n"
        f"For whom: each single one of the {pictures[0]:,} pictures. X and X' differ by one "
        "picture; somebody of whom there are two has twice the epsilon. Against whom: everybody who sees "
        "the model, even its "
        "weights after every step, and who knows all the other pictures, all settings, and whatever else. "
        "How much: whatever he makes of it (S), it is at most exp(epsilon) times as probable as if the "
        f"picture had not been there, but for a probability delta of {options.delta:g}, of which nothing is "
        "promised.\n\n"
        "The classifier is a small network whose gradients are clipped and drowned in noise. Naive Bayes has "
        "noise in its counts, once; the VAE is trained with noise. Both draw pictures, a classifier learns "
        f"from these alone, and all are asked about the {pictures[1]:,} real test pictures. Means over "
        f"{len(found[np.inf].trained)} trainings with 95 % intervals; noise and batches are of the "
        "system's entropy, so no two runs agree. The row without a guarantee is the same training without "
        "noise. Attack: the advantage by the trained classifier's loss; bound: what epsilon proves of all "
        "attacks."
    )
    rows = {
        f"{name}\n{named(epsilon)}": images[:10].reshape(-1, 1, *[round(images.shape[1] ** 0.5)] * 2)
        for epsilon, all_ in seeds.items()
        for name, (images, _) in all_[-1].drawn.items()
    }
    run.section(
        "What protects, and what is left",
        text,
        table=table,
        pictures={
            "Right answers on real pictures, by the guarantee": curves(found),
            "Pictures that may be shown": plots.image_rows({k: v.clip(0, 1) for k, v in rows.items()}),
        },
    )
    run.section("What the curves say", verdicts(found, options))
    return {
        f"accuracy, epsilon {e:g}" if e < np.inf else "without guarantee": f"{p.trained.mean():.1%}"
        for e, p in found.items()
    }


def verdicts(found: Mapping[float, Private], options: Any) -> str:
    """What the guarantee costs, who is the better source, and what is not promised."""
    without, promised = found[np.inf], {e: p for e, p in found.items() if e < np.inf}
    costs = "; ".join(
        f"{100 * (without.trained.mean() - p.trained.mean()):.1f} with {named(e)}"
        for e, p in promised.items()
    )
    one, other = without.learnt
    ahead = [
        f"{s} is the better source with {', '.join(rows)}"
        for s, t in ((one, other), (other, one))
        if (rows := [named(e) for e, p in found.items() if p.learnt[s].mean() > p.learnt[t].mean()])
    ]
    straight = [e for e, p in found.items() if p.trained.mean() > max(v.mean() for v in p.learnt.values())]
    above = [named(e) for e, p in promised.items() if p.advantage.mean() > membership_bound(e, options.delta)]
    place = f"above it with {', '.join(above)}" if above else "below it"
    spent = (1 + len(without.learnt)) * len(without.trained) * sum(promised)
    return (
        f"What it costs. Points of accuracy that the classifier loses to the guarantee: {costs}.\n\n"
        f"Which model to draw from. {'; '.join(ahead)}. Naive Bayes asks the pictures one question, how "
        "often each pixel is white, and gets the noise once; the VAE asks in every step. What asks least "
        "is hurt least by noise; what knows most may draw better where there is little of it.\n\n"
        "Drawn or real. Training on the pictures themselves, with the same guarantee, is better than "
        f"learning from drawn ones in {len(straight)} of {len(found)} rows. Who knows his question should "
        "have it answered there; drawn pictures are for questions that nobody has thought of yet.\n\n"
        f"The bound. The attack's advantage is {place}; the bound is for all attacks, and this was one. The "
        "best of all thresholds finds an advantage by chance, too, which is all there is to see where the "
        "guarantee is strict.\n\n"
        "When it fails. Guarantees add up: whoever is given all models of this page has an epsilon of "
        f"{spent:g} in his hands, even without the last row, and that is no guarantee. The settings were "
        "found by trying, on the same digits, and no epsilon counts that. And the hospital has to have many "
        "pictures: noise that hides one among many hides everything among few."
    )


def curves(found: Mapping[float, Private]) -> Any:
    """Accuracy of each way against epsilon, and what it is without a guarantee (dotted)."""
    figure = new_figure(WIDTH, 3.8)
    figure.set_layout_engine("constrained")
    axes = figure.add_subplot()
    promised = [e for e in found if e < np.inf]
    ways = {"trained on the pictures": {e: p.trained for e, p in found.items()}}
    for source in found[np.inf].learnt:
        ways[f"learnt from {source}"] = {e: p.learnt[source] for e, p in found.items()}
    for i, (name, way) in enumerate(ways.items()):
        values = 100 * np.array([way[e] for e in promised])
        middle, half = values.mean(axis=1), reach(values)
        axes.plot(promised, middle, color=CATEGORIES[i], marker="o", markersize=3, label=name)
        axes.fill_between(
            promised, middle - half, middle + half, color=CATEGORIES[i], alpha=0.15, linewidth=0
        )
        axes.axhline(100 * way[np.inf].mean(), color=CATEGORIES[i], linestyle=":", linewidth=1)
    axes.set(xscale="log", xlabel="epsilon (dotted: no guarantee)", ylabel="right answers, %")
    axes.set_xticks(promised, [f"{e:g}" for e in promised])
    axes.minorticks_off()
    axes.legend(frameon=False, fontsize=8, loc="lower right")
    soften(axes, "y")
    return figure
