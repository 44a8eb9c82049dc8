"""`python3 tests --mutate [LABEL ...]`: are the tests of each equation as sharp as they say?"""

from __future__ import annotations

import argparse
import difflib
import os
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import equations

from . import changes, record, run
from .mutants import Mutant, mutants
from .targets import targets


@dataclass(frozen=True)
class Trial:
    """A mutant, the equations that it breaks, and their tests: one of these has to notice."""

    mutant: Mutant
    labels: tuple[str, ...]
    tests: tuple[str, ...]


def main(arguments: list[str]) -> int:
    """Mutate the code behind the equations, print what survived, and return 1 if anything did."""
    options = parse(arguments)
    known = equations.find()
    for label in options.labels:
        if label not in known:
            near = difflib.get_close_matches(label, known, n=3)
            hint = f"did you mean {' or '.join(near)}?" if near else "python3 tests --ledger lists them."
            print(f"There is no equation named {label}; {hint}")
            return 2
    since = changes.base() if options.change else options.since
    lines = changes.lines(since) if since else None
    if lines is None and (options.change or options.since):
        print(f"Nothing to mutate: the history here does not reach back to {since or 'an earlier commit'}.")
        return 0
    wanted = [known[label] for label in options.labels] or list(known.values())
    equal = record.reasons()
    chosen = [
        trial
        for trial in trials(wanted, known, options.around)
        if trial.mutant.key not in equal
        and (lines is None or trial.mutant.line in lines.get(trial.mutant.path, ()))
        and options.only in trial.mutant.path
    ]
    if not chosen:
        print("Nothing to mutate: no code behind an equation here.")
        return 0
    if options.minutes or options.sample:
        random.Random(options.seed).shuffle(chosen)
    chosen = chosen[: options.sample]
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # a run has a processor, not all of them
    outcomes: list[tuple[Trial, run.Outcome]] = []
    failures: list[str] = []

    def work(tests: run.Tests) -> None:
        outcomes.extend(watch(tests, chosen, options, failures))

    if run.collected([test for trial in chosen for test in trial.tests], work):
        failures.append("a file of tests cannot be collected")
    report(outcomes, len(chosen))
    if options.write and not failures:
        labels = {equation.label for equation in wanted}
        died = (
            (tuple(labels.intersection(trial.labels)), outcome.verdict != run.SURVIVED)
            for trial, outcome in outcomes
        )
        record.write(died, known)
    for failure in failures:
        print(failure)
    alive = [trial for trial, outcome in outcomes if outcome.verdict == run.SURVIVED]
    if options.change:  # a new equation is told so, one of the record is held to it
        held = record.read()
        alive = [trial for trial in alive if any(label in held for label in trial.labels)]
    return int(bool(failures) or bool(alive))


def parse(arguments: list[str]) -> argparse.Namespace:
    """The command's options."""
    parser = argparse.ArgumentParser(prog="python3 tests --mutate", description=__doc__)
    parser.add_argument("labels", nargs="*", metavar="LABEL", help="equations; all unless given")
    parser.add_argument("--since", metavar="COMMIT", help="only the lines changed since this commit")
    parser.add_argument(
        "--change",
        action="store_true",
        help="only the lines changed since origin/main; fails for equations of the record",
    )
    parser.add_argument(
        "--around", action="store_true", help="also the functions around the statements, and compiled loops"
    )
    parser.add_argument("--only", metavar="TEXT", default="", help="only files with this in their path")
    parser.add_argument("--minutes", type=float, help="stop after so many; mutants then come in random order")
    parser.add_argument("--sample", type=int, metavar="N", help="only so many of them, at random")
    parser.add_argument(
        "--seed", type=int, default=0, metavar="N", help="another one is another random order"
    )
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1, help="how many run at a time")
    parser.add_argument("--write", action="store_true", help="record killed of tried for the ledger")
    options = parser.parse_args(arguments)
    some = options.since, options.change, options.only, options.minutes, options.around, options.sample
    if options.write and any(some):
        parser.error("--write: the record is of all mutants of statements, neither more nor less")
    return options


def trials(
    wanted: list[equations.Equation], known: dict[str, equations.Equation], around: bool
) -> list[Trial]:
    """Every mutant of the statements that compute some equations; and of what is around them, if asked for.

    That of a statement is for the tests of its own equation. What else a function or a loop does may be for
    any equation in it: for the tests of all of them.
    """
    if not around:
        return [
            Trial(mutant, (equation.label,), tests([equation]))
            for equation in wanted
            for target in targets(equation)
            if "/loops/" not in target.path
            for mutant in mutants(target.path, target.text, target.pieces)
        ]
    own = {label: parts(equation) for label, equation in known.items()}
    sharing: dict[str, list[str]] = {}
    for label, (_, shared) in own.items():
        for mutant in shared:
            sharing.setdefault(mutant.text, []).append(label)
    stated = {mutant.text for statements, _ in own.values() for mutant in statements}
    found: dict[tuple[str, str], Trial] = {}
    for equation in wanted:
        statements, shared = own[equation.label]
        for mutant in statements:
            found[mutant.text, equation.label] = Trial(mutant, (equation.label,), tests([equation]))
        for mutant in shared:
            if mutant.text not in stated:
                labels = tuple(sharing[mutant.text])
                found[mutant.text, ""] = Trial(mutant, labels, tests([known[label] for label in labels]))
    return list(found.values())


def parts(equation: equations.Equation) -> tuple[list[Mutant], list[Mutant]]:
    """The mutants of an equation's statements, and of the functions and loops around them."""
    statements, shared = [], []
    for target in targets(equation):
        made = mutants(target.path, target.text, target.pieces)
        (shared if "/loops/" in target.path else statements).extend(made)
        shared += mutants(target.path, target.text, list(target.around))
    return statements, shared


def tests(of: list[equations.Equation]) -> tuple[str, ...]:
    """The tests of some equations, each once."""
    return tuple(dict.fromkeys(place.test for equation in of for place in equation.tests))


def watch(
    collected: run.Tests, chosen: list[Trial], options: argparse.Namespace, failures: list[str]
) -> Iterator[tuple[Trial, run.Outcome]]:
    """Run the trials behind a progress bar, survivors printed as they come."""
    from tqdm import tqdm

    end = time.monotonic() + 60 * options.minutes if options.minutes else float("inf")
    seconds: dict[tuple[str, ...], float] = {}
    plain = [run.Job(None, tests) for tests in dict.fromkeys(trial.tests for trial in chosen)]
    with tqdm(total=len(plain), unit="test", desc="as it is", disable=None) as bar:
        for outcome in collected.run(plain, options.processes):
            bar.update()
            seconds[outcome.job.tests] = outcome.seconds
            if outcome.verdict != run.SURVIVED:
                failures.append(f"without a mutant these fail already: {' '.join(outcome.job.tests)}")
    if failures:
        return
    jobs = {
        id(job): (trial, job)
        for trial in chosen
        for job in [run.Job(trial.mutant, trial.tests, 10 + 5 * seconds[trial.tests])]
    }
    with tqdm(total=len(jobs), unit="mutant", disable=None) as bar:
        for outcome in collected.run([job for _, job in jobs.values()], options.processes):
            trial = jobs[id(outcome.job)][0]
            bar.update()
            if outcome.verdict == run.SURVIVED:
                tqdm.write(f"survived: {outcome.job.mutant}  ({', '.join(trial.labels)})", file=sys.stdout)
                sys.stdout.flush()
            yield trial, outcome
            if time.monotonic() > end:
                break


def report(outcomes: list[tuple[Trial, run.Outcome]], chosen: int) -> None:
    """Print a line for each equation with survivors, and the sums."""
    tried = Counter(label for trial, _ in outcomes for label in trial.labels)
    alive = Counter(label for t, o in outcomes if o.verdict == run.SURVIVED for label in t.labels)
    for label, count in sorted(alive.items()):
        print(f"{label:34} {tried[label] - count} of {tried[label]} killed")
    survived = sum(outcome.verdict == run.SURVIVED for _, outcome in outcomes)
    print(f"{len(outcomes) - survived} of {len(outcomes)} mutants killed, of {len(tried)} equations")
    if len(outcomes) < chosen:
        print(f"{chosen - len(outcomes)} more were not reached")
