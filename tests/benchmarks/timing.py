"""Fair timing: each competitor in a process of its own, one at work at a time, taking turns.

In one process they would disturb each other: the threads of one library's pool wait for more work by spinning
for some milliseconds, on the cores that the next library's turn needs. Each turn is taken twice: on the idle
machine, and beside one other process that keeps a core busy, as a browser or a build would.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import Any

Step = Callable[[], object]
PAUSE = 0.1  # seconds, in which the pools of the turn before fall asleep


@dataclass
class Turns:
    """Seconds of a step in each turn: on an idle machine (median), and beside a busy process (mean)."""

    idle: list[float] = field(default_factory=list)
    busy: list[float] = field(default_factory=list)


Times = dict[str, Turns]


@contextlib.contextmanager
def busy_process() -> Iterator[None]:
    """While this lasts, one other process keeps one core busy."""
    process = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        time.sleep(PAUSE)
        yield
    finally:
        process.kill()
        process.wait()


def take_turns(
    makers: dict[str, Callable[..., Step]],
    *args: Any,
    turns: int = 9,
    seconds: float = 0.4,
    commands: dict[str, list[str]] | None = None,
) -> Times:
    """The seconds of a step in each turn, by competitor.

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
    times: Times = {name: Turns() for name in pipes}
    for _ in range(turns):
        for name, pipe in pipes.items():
            time.sleep(PAUSE)
            pipe.send(seconds)
            times[name].idle.append(pipe.recv()[0])
            with busy_process():
                pipe.send(seconds)
                times[name].busy.append(pipe.recv()[1])
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
        return tuple(map(float, line.split())) if line[:1].isdigit() else line


def serve(step: Step) -> None:
    """The other end of a `_Program`: a turn for each line that names its seconds, until an empty one."""
    step()
    print("ready", flush=True)
    while seconds := sys.stdin.readline().strip():
        print(*_turn(step, float(seconds)), flush=True)


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


def _turn(step: Step, seconds: float) -> tuple[float, float]:
    """Median and mean over the steps of one turn, less the first few, which find the caches cold."""
    taken: list[float] = []
    end = time.perf_counter() + seconds
    while len(taken) < 4 or time.perf_counter() < end:
        began = time.perf_counter()
        step()
        taken.append(time.perf_counter() - began)
    warm = taken[min(3, len(taken) // 2) :]
    return statistics.median(warm), statistics.fmean(warm)


def faster(times: Times, name: str) -> Times:
    """Of the competitors whose names begin with `name` only the one with the smallest median."""
    ways = {way: turns for way, turns in times.items() if way.startswith(name)}
    if not ways:
        return times
    best = min(ways, key=lambda way: statistics.median(ways[way].idle))
    return {way: turns for way, turns in times.items() if way not in ways or way == best}
