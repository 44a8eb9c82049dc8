"""Progress: a bar on a terminal, a plain line now and then in a log file."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from typing import IO, Any, Self

LINE_EVERY = 10.0  # seconds between two lines of a log


class Progress:
    """How far training is, on standard error.

    Parameters
    ----------
    start, steps : int
        The steps done already, and those there will be.
    file : text file, optional
        Where to write instead.
    quiet : bool
        Whether to write nothing.

    Examples
    --------
    >>> with Progress(0, 2, file=sys.stdout) as progress:
    ...     progress.show({"loss": 98.347})
    ...     progress.advance()
    ...     progress.advance()
    step 2 of 2 (100 %), loss 98.35, 0:00 elapsed
    """

    def __init__(self, start: int, steps: int, file: IO[str] | None = None, quiet: bool = False) -> None:
        self.quiet = quiet
        self.start, self.step, self.steps = start, start, steps
        self.file = sys.stderr if file is None else file
        self.began = self.told = time.monotonic()
        self.terms = ""
        self._bar: Any = None

    def __enter__(self) -> Self:
        if self.file.isatty() and not self.quiet:
            from tqdm import tqdm  # only when there is something to see

            self._bar = tqdm(
                total=self.steps,
                initial=self.start,
                file=self.file,
                dynamic_ncols=True,
                bar_format="{percentage:3.0f} %|{bar}| {n_fmt}/{total_fmt}, {remaining} left{postfix}",
            )
        return self

    def __exit__(self, *exception: object) -> None:
        if self._bar is not None:
            self._bar.close()
        elif self.step > self.start:
            self._tell()

    def advance(self) -> None:
        """Count one more step."""
        self.step += 1
        if self._bar is not None:
            self._bar.update()
        elif time.monotonic() - self.told >= LINE_EVERY and self.step < self.steps:
            self._tell()

    def show(self, terms: Mapping[str, float]) -> None:
        """Tell these loss terms from now on, unless there are none."""
        self.terms = "".join(f", {name} {value:.4g}" for name, value in terms.items()) or self.terms
        if self._bar is not None:
            self._bar.set_postfix_str(self.terms.removeprefix(", "), refresh=False)

    def _tell(self) -> None:
        self.told = time.monotonic()
        if self.quiet:
            return
        elapsed = self.told - self.began
        left = elapsed * (self.steps - self.step) / (self.step - self.start)
        print(
            f"step {self.step:,} of {self.steps:,} ({100 * self.step // self.steps} %){self.terms}, "
            f"{_clock(elapsed)} elapsed" + (f", {_clock(left)} left" if self.step < self.steps else ""),
            file=self.file,
            flush=True,
        )


def _clock(seconds: float) -> str:
    """A duration as a clock shows it.

    Examples
    --------
    >>> _clock(75), _clock(3675)
    ('1:15', '1:01:15')
    """
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
