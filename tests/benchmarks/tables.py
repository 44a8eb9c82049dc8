"""What a benchmark found, as text for the terminal and as a table of the book."""

from __future__ import annotations

import statistics
from dataclasses import dataclass

from .timing import Times

OURS = "scratchgen"
BUSY_TARGET = 2.2


@dataclass
class Table:
    """A title, its columns and its rows; `note` says what was asked for, and what a column means."""

    title: str
    columns: list[str]
    rows: list[list[str]]
    note: str = ""

    def text(self) -> str:
        """The table for a terminal."""
        lines = [self.columns, *self.rows]
        first, *widths = (max(map(len, column)) for column in zip(*lines, strict=True))
        cells = (
            [name.ljust(first), *(cell.rjust(width) for cell, width in zip(rest, widths, strict=True))]
            for name, *rest in lines
        )
        return "\n  ".join([f"\n{self.title}", *("  ".join(line) for line in cells), self.note])

    def markdown(self) -> str:
        """The table for the book."""
        lines = [self.columns, ["---"] + ["---:"] * (len(self.columns) - 1), *self.rows]
        body = "\n".join(f"| {' | '.join(line)} |" for line in lines)
        return "\n\n".join(part for part in (f"## {self.title}", body, self.note) if part)


def comparison(title: str, times: Times, target: str) -> Table:
    """Everybody's time, our time divided by it, and what a busy process beside it costs.

    A ratio is the median over the turns, its range beside it. Idle, a turn counts by the median of its steps;
    beside the busy process by their mean, since there the stalls are what hurts.
    """
    rows = []
    for name, turns in times.items():
        ratios = sorted(a / b for a, b in zip(times[OURS].idle, turns.idle, strict=True))
        spread = f"{statistics.median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})"
        slower = statistics.median(b / a for a, b in zip(turns.idle, turns.busy, strict=True))
        rows.append(
            [
                name,
                f"{1e3 * statistics.median(turns.idle):.2f}",
                "" if name == OURS else spread,
                f"{1e3 * statistics.median(turns.busy):.2f}",
                f"{slower:.2f}",
            ]
        )
    columns = ["", "ms a step", "our time / its", "beside a busy process, ms", "times idle"]
    return Table(
        title, columns, rows, f"Targets: {target}; beside one busy process {BUSY_TARGET} times idle."
    )
