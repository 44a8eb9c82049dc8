"""The page of the lesson on exemplars: filled holes beside the truth, and how often the person was met."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from demos import exemplar
from scratchgen import plots
from scratchgen.data import avatars
from scratchgen.training import Run

if TYPE_CHECKING:
    from demos.exemplar import Cases

Filled = Mapping[str, Mapping[str, np.ndarray]]


def write(tests: Mapping[str, Cases], filled: Filled, seen: Cases, log: Any, run: Run) -> dict[str, str]:
    """Write the section, and give its numbers."""
    table, right = measured(tests, filled)
    numbers = {f"{hole}: the person's": f"{right[hole, GAN]:.1%}" for hole in tests}
    numbers |= {f"{hole}: L1": f"{distance(tests[hole], filled[hole][GAN]):.3f}" for hole in tests}
    run.section(
        "Holes filled in from another picture",
        f"{EQUATION}\n" + INTRODUCTION.format(n=len(seen.rows), tests=len(tests["eyes"].rows)),
        numbers=numbers,
        pictures={f"The {hole} hidden": rows(tests[hole], filled[hole]) for hole in tests},
    )
    run.section(
        "How often it is the right person",
        MEASURED + said(right, tests),
        table=table,
        pictures={"Training with exemplars": plots.curves(log)},
    )
    run.section("What it is misused for", MISUSE)
    return numbers


GAN = "GAN"
WAYS = {
    "GAN": "GAN with the exemplar",
    "no exemplar": "the same GAN without it",
    "VAE": "VAE, hidden part and code in turn",
    "copied": "copying the same place",
}


def columns(hole: str) -> list[int]:
    """The columns of a look that a hole hides."""
    return [avatars.ATTRIBUTES.index(name) for name in exemplar.HOLES[hole]]


def met(test: Cases, pictures: np.ndarray, hole: str) -> np.ndarray:
    """Whether the hidden attributes are read back as that person's, (n,)."""
    read, hidden = avatars.read(pictures).rows, columns(hole)
    found: np.ndarray = (read[:, hidden] == test.rows[:, hidden]).all(axis=1)
    return found


def interval(found: np.ndarray) -> tuple[float, float]:
    """95 % for the true rate of successes (Wilson 1927), which is no point even where all succeed."""
    n, rate, z = len(found), found.mean(), 1.96
    middle = (rate + z * z / (2 * n)) / (1 + z * z / n)
    half = z * np.sqrt(rate * (1 - rate) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return float(middle - half), float(middle + half)


def distance(test: Cases, pictures: np.ndarray) -> float:
    """The mean absolute difference of brightness in the hole."""
    inside = np.broadcast_to(test.masks[:, None], pictures.shape)
    return float(np.abs(pictures - test.images)[inside].mean())


def unchanged(test: Cases, pictures: np.ndarray) -> bool:
    """Whether every bit outside the hole is as it was."""
    outside = ~np.broadcast_to(test.masks[:, None], pictures.shape)
    return pictures[outside].tobytes() == test.images[outside].tobytes()


def measured(
    tests: Mapping[str, Cases], filled: Filled
) -> tuple[list[list[str]], dict[tuple[str, str], float]]:
    """A table of all ways to fill, and how often each met the person."""
    table = [["hole", "filled by", "the person's", "shows a look", "L1 in the hole", "outside, bit for bit"]]
    right: dict[tuple[str, str], float] = {}
    for hole, test in tests.items():
        for name, pictures in filled[hole].items():
            found = met(test, pictures, hole)
            right[hole, name] = float(found.mean())
            low, high = interval(found)
            looks = (avatars.read(pictures).distances <= avatars.TOLERANCE).mean()
            table += [
                [
                    hole,
                    WAYS.get(name, name),
                    f"{found.mean():.1%} ({low:.1%} to {high:.1%})",
                    f"{looks:.1%}",
                    f"{distance(test, pictures):.3f}",
                    "the same" if unchanged(test, pictures) else "changed",
                ]
            ]
        ceiling = avatars.best_guess(exemplar.HOLES[hole])
        table += [[hole, "the best guess without an exemplar", f"{ceiling:.1%}", "", "", ""]]
    return table, right


def said(right: Mapping[tuple[str, str], float], tests: Mapping[str, Cases]) -> str:
    """What the table says, in words."""
    lines = []
    for hole in tests:
        mine, best = right[hole, GAN], avatars.best_guess(exemplar.HOLES[hole])
        copied = right[hole, "copied"]
        above = "more often than anybody could be" if mine > best else "no more often than a good guess is"
        beside = "and more often than a copy" if mine > copied else "and less often than a plain copy"
        lines += [
            f"\n{hole.capitalize()}: the GAN is right in {mine:.1%}, {above} without an exemplar "
            f"({best:.0%}), {beside} ({copied:.0%}).\n"
        ]
    return "".join(lines)


def rows(test: Cases, filled: Mapping[str, np.ndarray]) -> Any:
    """Ten people: what was given, what was made of it, what was right."""
    hole = np.where(test.masks[:, None], np.float32(0.2), test.images)
    pictures = {"given": hole, "exemplar": test.exemplars, **filled, "truth": test.images}
    return plots.image_rows({name: made[:10].clip(0, 1) for name, made in pictures.items()})


EQUATION = (
    r"$$\hat{x} &= (1 - m) \, x + m \, G(z, c) \\ c &= ((1 - m) \, x, m, r) \\"
    r" L_G &= -\mathbb{E} \log D(\hat{x}, m, r) \\ &+\; w \, \mathbb{E} \left\| \hat{x} - x \right\|_1$$"
)

INTRODUCTION = """
{n:,} people were observed, twice each; the pictures below are the first of {tests:,} new ones of each kind,
none chosen by hand. Hidden is every pixel that glasses can change, or every one that hair and its colour can:
the rest says nothing of them but what goes together in this world.
"""

MEASURED = """
A filled picture is read as the nearest of all 4,032 portraits: does it have this person's glasses, or hair
and colour? (In brackets: 95 %.) A picture within 5 % of a portrait shows a look; a mixture of two does not.
Nobody without an exemplar is right more often than the best guess, which is known since P_data is.
"""

MISUSE = """
Who can put a person's own eyes into a picture can put anybody's face anywhere.

Consent: the person in the exemplar has agreed to one picture, not to all that can be made of it. Most
exchanged faces are sexual images of women who did not agree; others serve fraud. Ask, say what was changed,
publish nothing that the person would not sign.

Detection: the discriminator is a detector, and it was trained until it could only guess. So can any detector
be used that may be asked often enough. What holds longer are signed pictures, and a record of who changed
what.

What these numbers do not show: the reader knows 4,032 drawn faces exactly. For real photographs no such table
exists; a model knows best whom it saw most, and fills in others with features that are not theirs, as sharply
as the right ones. A filled picture is a drawing, and no evidence.
"""
