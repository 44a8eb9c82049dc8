"""Progress: a bar on a terminal, a plain line now and then in a log file."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from typing import IO, Any, Self

LINE_EVERY = 10.0  # seconds between two lines of a log
FORECAST = 5  # the step after which a line says how long all will take; in the first, loops may be compiled


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
        self.began = self.told = self.warm = time.monotonic()
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
            return
        now = time.monotonic()
        if self.step == self.start + 1:
            self.warm = now
        forecast = self.step == self.start + FORECAST and self._left(now) >= LINE_EVERY
        if (forecast or now - self.told >= LINE_EVERY) and self.step < self.steps:
            self._tell()

    def _left(self, now: float) -> float:
        """Seconds until the last step, at the pace of those after the first."""
        return (now - self.warm) / max(self.step - self.start - 1, 1) * (self.steps - self.step)

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
        line = f"step {self.step:,} of {self.steps:,} ({100 * self.step // self.steps} %){self.terms}, "
        line += f"{_clock(elapsed)} elapsed"
        if self.step < self.steps:
            speed = (self.step - self.start - 1) / max(self.told - self.warm, 1e-9)
            line += f", {_clock(self._left(self.told))} left, {speed:.3g} steps/s{_memory()}"
        print(line, file=self.file, flush=True)


def _memory() -> str:
    """The most memory that the process has had, where the system tells."""
    try:
        import resource
    except ImportError:  # Windows
        return ""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return f", {most / (1 << (20 if sys.platform == 'darwin' else 10)):,.0f} MB"


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
