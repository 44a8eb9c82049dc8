"""Handwritten digits of 28x28 pixels, drawn within seconds by models whose trained weights lie here.

Nothing is trained and nothing is downloaded: a VAE, a GAN and a diffusion model, which other lessons trained
on MNIST, are loaded from `demos/weights`, a few megabytes, and begin with random noise. So what they draw is
new, and another `--seed` gives other digits. How each of them works, its own lesson says; how well, the page.
"""

# %% Settings, all of which are options on the command line: `python3 demos show --help`
from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import tyro

import scratchgen as sg
from demos import _ddpm_pages, _lesson, _show_page, _weights
from scratchgen.training import Run


@dataclass
class Options(_lesson.Common):
    """Draw handwritten digits with models that are trained already."""

    data: tyro.conf.Suppress[Literal["none"]] = "none"  # type: ignore[assignment]
    root: tyro.conf.Suppress[Path | None] = None
    max_minutes: tyro.conf.Suppress[float | None] = None
    rank_timeout: tyro.conf.Suppress[float] = 300.0
    number: str = "0123456789"
    """What to write: digits, as many as you like."""
    rows: int = 4
    """How often each model draws them."""
    steps: int = 15
    """How many steps the diffusion model takes from noise to a digit."""
    guidance: float = 1.0
    """How much diffusion exaggerates what makes a seven a seven; 0 is not at all."""

    def check(self) -> None:
        """What all lessons check, and that there is a number."""
        super().check()
        if not (self.number.isascii() and self.number.isdigit() and len(self.number) <= 100):
            raise SystemExit(f"--number: got {self.number!r}, expected up to a hundred digits, such as 2026")
        if self.steps > 1000:
            raise SystemExit(
                f"--steps: got {self.steps}, expected at most 1000, as many as it was trained for"
            )

    def settled(self) -> Options:
        """With --quick, as few digits and steps as show that everything runs."""
        return replace(self, rows=1, steps=min(self.steps, 5)) if self.quick else self


# %% Three models, three ways from noise to an image. All they need here is their decoder, generator, network.
class Artist(NamedTuple):
    """A model, and how it draws."""

    name: str
    """Of the file of its weights."""
    model: Any
    draw: Callable[[int, sg.RandomStream, np.ndarray], np.ndarray]
    """``draw(n, rng, labels)``: images in [0, 1]."""


def artists(options: Options) -> list[Artist]:
    """The models whose weights are there."""
    return [artist(name, _weights.load(name), options) for name in _weights.record() if name in DRAWERS]


def artist(name: str, model: Any, options: Options) -> Artist:
    """A model, as it draws."""
    return Artist(name, model, partial(DRAWERS[name], model, options))


def decode(vae: Any, options: Options, n: int, rng: sg.RandomStream, labels: np.ndarray) -> np.ndarray:
    """A code of N(0, I), decoded: a VAE cannot be told the labels."""
    return sg.asnumpy(vae.sample(n, rng))


def forge(gan: Any, options: Options, n: int, rng: sg.RandomStream, labels: np.ndarray) -> np.ndarray:
    """Noise and a label, through the generator."""
    return sg.asnumpy(gan.sample(n, rng, sg.asarray(labels))) / 2 + 0.5


def denoise(ddpm: Any, options: Options, n: int, rng: sg.RandomStream, labels: np.ndarray) -> np.ndarray:
    """From noise, by a few steps of the second order towards a label."""
    x = ddpm.ode_sample(n, rng, options.steps, sg.asarray(labels), options.guidance)
    return _ddpm_pages.grey(x)


DRAWERS: dict[str, Callable[..., np.ndarray]] = {"vae": decode, "gan": forge, "ddpm": denoise}


# %% [markdown]
# ## What to look at
# The VAE's digits are soft, and some lie between two digits: it was asked to explain every training image,
# and a grey pixel costs it less than a wrong one. The GAN's are sharp, since its critic would see a blur.
# Diffusion's are sharp too, but it asks its network many times for each, where the others need one pass.
def lesson(options: Options, run: Run) -> list[Artist]:
    """Draw, in the terminal and on the run's page."""
    rng, shown, drawn = sg.RandomStream(options.seed, "show"), artists(options), {}
    record = _weights.record()
    labels = np.tile([int(digit) for digit in options.number], options.rows)
    for one in shown:
        began = time.perf_counter()
        drawn[one.name] = one.draw(len(labels), rng.child(one.name), labels)
        took = time.perf_counter() - began
        known = record[one.name]
        print(f"{known.title}: {len(labels)} digits in {took:.1f} s, {known.parameters:,} parameters")
    print(in_letters([*drawn.values()][-1][: len(options.number)]))
    _show_page.write(shown, drawn, options, run)
    return shown


# %% A terminal has no pixels, but Braille has eight dots for each letter
def in_letters(images: np.ndarray, columns: int = 5) -> str:
    """Images as letters of Braille, five beside each other; nothing where a terminal cannot show them.

    Examples
    --------
    >>> print(in_letters(np.eye(8, dtype=np.float32).reshape(1, 1, 8, 8)))
    ⠑⢄⠀⠀
    ⠀⠀⠑⢄
    """
    if "utf" not in (sys.stdout.encoding or "").lower():
        return ""
    lines = []
    for start in range(0, len(images), columns):
        dark = np.concatenate([*images[start : start + columns, 0]], axis=1) > 0.4
        cells = dark.reshape(dark.shape[0] // 4, 4, dark.shape[1] // 2, 2)  # (rows, 4, letters, 2)
        letters = 0x2800 + np.einsum("rylx,yx->rl", cells, DOTS)
        lines += ["".join(map(chr, row)) for row in letters]
    return "\n".join(lines)


DOTS = np.array([[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]])
"""Which bit of a letter's number is which of its dots."""


def main(argv: list[str] | None = None) -> None:
    """`python3 demos show`."""
    _lesson.main("show", "Digits that nobody wrote", Options, lesson, argv)


if __name__ == "__main__":
    main()
