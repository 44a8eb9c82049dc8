"""Fair timing: each competitor in a process of its own, one at work at a time, taking turns.

In one process they would disturb each other: the threads of one library's pool wait for more work by spinning
for some milliseconds, on the cores that the next library's turn needs.
"""

from __future__ import annotations

import multiprocessing
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

Step = Callable[[], object]
Times = dict[str, list[float]]
PAUSE = 0.1  # seconds, in which the pools of the turn before fall asleep


def take_turns(
    makers: dict[str, Callable[..., Step]],
    *args: Any,
    turns: int = 9,
    seconds: float = 0.4,
    commands: dict[str, list[str]] | None = None,
) -> Times:
    """The median seconds of a step in each turn, by competitor.

    Parameters
    ----------
    makers : dict
        Functions of a module's top level, ``make(*args) -> step``. One that raises ImportError is left out.
    turns : int
        How many each competitor has.
    seconds : float
        How long a turn lasts.
    commands : dict, optional
        Further competitors, which need a Python of their own: scripts that call `serve`.
    """
    context = multiprocessing.get_context("spawn")
    pipes: dict[str, Connection | _Program] = {}
    for name, make in makers.items():
        ours, theirs = context.Pipe()
        context.Process(target=_serve, args=(theirs, make, args), daemon=True).start()
        if ours.recv() == "ready":
            pipes[name] = ours
        else:
            print(f"  ({name} is not installed)")
    for name, command in (commands or {}).items():
        program = _Program(command)
        if program.recv() == "ready":
            pipes[name] = program
        else:
            print(f"  ({name} is not installed for {command[0]})")
    times: Times = {name: [] for name in pipes}
    for _ in range(turns):
        for name, pipe in pipes.items():
            time.sleep(PAUSE)
            pipe.send(seconds)
            times[name].append(pipe.recv())
    for pipe in pipes.values():
        pipe.send(None)
    return times


class _Program:
    """A competitor in a Python of its own, spoken to in lines."""

    def __init__(self, command: list[str]) -> None:
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def send(self, seconds: float | None) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{seconds or ''}\n")
        self.process.stdin.flush()

    def recv(self) -> Any:
        assert self.process.stdout is not None
        line = self.process.stdout.readline().strip()
        return float(line) if line[:1].isdigit() else line


def serve(step: Step) -> None:
    """The other end of a `_Program`: a turn for each line that names its seconds, until an empty one."""
    step()
    print("ready", flush=True)
    while seconds := sys.stdin.readline().strip():
        print(_turn(step, float(seconds)), flush=True)


def _serve(pipe: Connection, make: Callable[..., Step], args: tuple[Any, ...]) -> None:
    try:
        step = make(*args)
    except ImportError:
        pipe.send("missing")
        return
    step()
    pipe.send("ready")
    while (seconds := pipe.recv()) is not None:
        pipe.send(_turn(step, seconds))


def _turn(step: Step, seconds: float) -> float:
    """The median over the steps of one turn, less the first few, which find the caches cold."""
    taken: list[float] = []
    end = time.perf_counter() + seconds
    while len(taken) < 4 or time.perf_counter() < end:
        began = time.perf_counter()
        step()
        taken.append(time.perf_counter() - began)
    return statistics.median(taken[min(3, len(taken) // 2) :])


def faster(times: Times, name: str) -> Times:
    """Of the competitors whose names begin with `name` only the one with the smallest median."""
    ways = {way: taken for way, taken in times.items() if way.startswith(name)}
    if not ways:
        return times
    best = min(ways, key=lambda way: statistics.median(ways[way]))
    kept = {way: taken for way, taken in times.items() if way not in ways}
    return {**kept, best: ways[best]}


def table(title: str, times: Times, ours: str, target: float | None = None) -> None:
    """Print each competitor's median and the median, over the turns, of our time divided by its time."""
    print(f"\n{title}" + ("" if target is None else f"   (target: at most {target:g} x PyTorch)"))
    for name, seconds in times.items():
        milliseconds = 1e3 * statistics.median(seconds)
        ratios = sorted(a / b for a, b in zip(times[ours], seconds, strict=True))
        spread = f"ours takes {statistics.median(ratios):.2f} x ({ratios[0]:.2f} to {ratios[-1]:.2f})"
        print(f"  {name:16} {milliseconds:9.3f} ms   {'' if name == ours else spread}".rstrip())
