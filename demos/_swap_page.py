"""The page of the lesson on face swaps: who was drawn, and in which pose."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from demos import _albums
from scratchgen import plots
from scratchgen.training import Run

SWAP = "one encoder, two decoders"


def write(
    test: list[_albums.Pictures],
    made: Mapping[str, list[np.ndarray]],
    drawn: list[np.ndarray],
    log: Any,
    options: Any,
    run: Run,
) -> dict[str, str]:
    """Write the sections, and give the numbers of the exchange."""
    found = {name: _albums.scores(pictures, test) for name, pictures in made.items()}
    same = (0, 1)
    kept = {
        "the true pictures, read back": _albums.scores([album.images for album in test], test, same),
        "drawn as the same person": _albums.scores(drawn, test, same),
    }
    best = found[SWAP]
    numbers = {
        "pose off by": f"{best.shift:.2f} pixels, {best.tilt:.1f} degrees",
        "the other person": f"{best.person:.1%}",
    }
    run.section(
        "One encoder, two decoders",
        f"{EQUATION}\n" + INTRODUCTION.format(n=options.pictures, tests=len(test[0].images)),
        numbers=numbers,
        pictures={
            "The first person's pictures, and the second in their poses": rows(test[0], made, 0),
            "The second person's pictures, and the first in their poses": rows(test[1], made, 1),
        },
    )
    table = [["", "shift off by, pixels", "tilt off by, degrees", "the right person"]]
    for name, scores in (kept | found).items():
        table += [[name, f"{scores.shift:.2f}", f"{scores.tilt:.1f}", f"{scores.person:.1%}"]]
    run.section(
        "Was the pose kept, and the person exchanged?",
        MEASURED + said(found),
        table=table,
        pictures={"Training": plots.curves(log)},
    )
    run.section("What it is misused for", MISUSE)
    return numbers


def said(found: Mapping[str, _albums.Scores]) -> str:
    """What the table says, in words."""
    swap, near, apart = found[SWAP], found["the other's nearest picture"], found["two encoders"]
    nearer = "closer to the pose than" if swap.shift < near.shift else "no closer to the pose than"
    works = "which no loss ever asked for" if apart.shift > 2 * swap.shift else "and sharing gains little"
    return (
        f"\nThe exchange is {nearer} the nearest picture of the other's album ({swap.shift:.2f} and "
        f"{near.shift:.2f} pixels). With an encoder for each it is off by {apart.shift:.1f} pixels and "
        f"{apart.tilt:.0f} degrees: what makes it work is that the two codes agree, {works}.\n"
    )


def rows(given: _albums.Pictures, made: Mapping[str, list[np.ndarray]], person: int) -> Any:
    """Ten pictures, and what was made of them."""
    short = ("exchanged", "two encoders", "nearest", "always one")
    pictures = {"given": given.images}
    pictures |= {name: two[person] for name, two in zip(short, made.values(), strict=True)}
    return plots.image_rows({name: images[:10].clip(0, 1) for name, images in pictures.items()})


EQUATION = (
    r"$$L &= \sum_f \mathbb{E} \left\| x_f - D_f(E(x_f)) \right\|^2 \text{, then } \\"
    r" y &= D_\text{other}(E(x))$$"
)

INTRODUCTION = """
Two people, {n:,} pictures of each, shifted by up to three pixels each way and tilted by up to fifteen
degrees; no pose is in both albums. Below are the first of {tests:,} new pictures of each, none chosen by
hand.
"""

MEASURED = """
The pose of what was drawn is found by comparing it with portraits in known poses, and held against that of
the picture given (root mean square); then the picture is turned back and read: are hair, its colour, glasses
and clothes all the other person's?
"""

MISUSE = """
Consent: an album is enough, and albums are public. Most exchanged faces are sexual images of women who did
not agree; others serve fraud in a familiar face. Who appears has to be asked, and viewers have to be told.

Detection: a network that finds today's traces (edges, a light that does not fit, eyes that never blink)
trains tomorrow's generator. What holds longer are pictures that are signed where they are taken, and a record
of what was changed.

What these numbers do not show: here are two drawn people before one wall, in poses of three numbers, read by
a program that knows both exactly. Nothing follows for faces that talk, for light, for people of whom the data
hold few; and a small error of pose says nothing of whether somebody who knows the person would be deceived.
"""
