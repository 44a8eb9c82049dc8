"""`python3 tests --mutate [LABEL ...]`: are the tests of each equation as sharp as they say?"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import equations

from . import run
from .operators import Mutant, mutants
from .targets import targets

EQUIVALENT = Path(__file__).with_name("equivalent.json")
RECORD = Path(__file__).with_name("record.json")


def main(arguments: list[str]) -> int:
    """Mutate the code behind the equations, print what survived, and return 1 if anything did."""
    options = parse(arguments)
    known = equations.find()
    unknown = sorted(set(options.labels) - set(known))
    if unknown:
        print(f"There is no equation named {', '.join(unknown)}; python3 tests --ledger lists them.")
        return 2
    labels = options.labels or list(known)
    changed = changed_lines(options.since) if options.since else None
    jobs, owner = [], {}
    equivalent = reasons()
    baseline = timed([known[label] for label in labels], options.processes)
    for label in labels:
        if label not in baseline:
            print(f"{label}: its tests fail as the code stands, or it has none")
            return 2
        tests = tuple(dict.fromkeys(place.test for place in known[label].tests))
        for mutant in of_equation(known[label], changed):
            if mutant.key not in equivalent:
                job = run.Job(mutant, tests, 10 + 5 * baseline[label])
                jobs.append(job)
                owner[id(job)] = label
    if options.minutes:
        random.Random(0).shuffle(jobs)
    outcomes = watch(jobs, options)
    report(outcomes, owner, labels, equivalent)
    if options.write:
        write(outcomes, owner)
    return int(any(outcome.verdict == run.SURVIVED for outcome in outcomes))


def parse(arguments: list[str]) -> argparse.Namespace:
    """The command's options."""
    parser = argparse.ArgumentParser(prog="python3 tests --mutate", description=__doc__)
    parser.add_argument("labels", nargs="*", metavar="LABEL", help="equations; all unless given")
    parser.add_argument("--since", metavar="COMMIT", help="only the lines changed since this commit")
    parser.add_argument("--minutes", type=float, help="stop after so many; mutants then come in random order")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1, help="how many run at a time")
    parser.add_argument("--write", action="store_true", help="record killed of tried for the ledger")
    return parser.parse_args(arguments)


def of_equation(equation: equations.Equation, changed: dict[str, set[int]] | None) -> list[Mutant]:
    """All mutants of the code behind an equation, or those on lines that changed."""
    found = [m for target in targets(equation) for m in mutants(target.path, target.text, target.pieces)]
    return [m for m in found if changed is None or m.line in changed.get(m.path, ())]


def changed_lines(since: str) -> dict[str, set[int]]:
    """The numbers of the package's lines that were added or changed since a commit, by file."""
    command = ["git", "diff", "--unified=0", "--no-color", since, "--", "scratchgen"]
    diff = subprocess.run(command, cwd=equations.ROOT, capture_output=True, text=True, check=True).stdout
    lines: dict[str, set[int]] = {}
    for line in diff.splitlines():
        if line.startswith("+++ b/"):
            current = lines.setdefault(line.removeprefix("+++ b/"), set())
        elif line.startswith("@@"):
            begin, _, count = line.split()[2].removeprefix("+").partition(",")
            current.update(range(int(begin), int(begin) + int(count or 1)))
    return lines


def reasons() -> dict[tuple[str, str, str], str]:
    """The mutants that compute the same as the code, each with the reason."""
    entries = json.loads(EQUIVALENT.read_text(encoding="utf-8"))
    return {(e["path"], e["before"], e["after"]): e["reason"] for e in entries}


def timed(wanted: list[equations.Equation], processes: int) -> dict[str, float]:
    """The seconds that each equation's tests take on the code as it is, for those whose tests pass."""
    by_tests = {}
    for equation in wanted:
        tests = tuple(dict.fromkeys(place.test for place in equation.tests))
        if tests:
            by_tests.setdefault(tests, []).append(equation.label)
    jobs = [run.Job(None, tests, 300.0) for tests in by_tests]
    return {
        label: outcome.seconds
        for outcome in run.run(jobs, processes)
        if outcome.verdict == run.SURVIVED
        for label in by_tests[outcome.job.tests]
    }


def watch(jobs: list[run.Job], options: argparse.Namespace) -> list[run.Outcome]:
    """Run the jobs behind a progress bar, survivors printed as they come."""
    from tqdm import tqdm

    end = time.monotonic() + 60 * options.minutes if options.minutes else float("inf")
    outcomes = []
    with tqdm(total=len(jobs), unit="mutant", disable=not sys.stderr.isatty()) as bar:
        for outcome in run.run(jobs, options.processes):
            outcomes.append(outcome)
            bar.update()
            if outcome.verdict == run.SURVIVED:
                tqdm.write(f"survived: {outcome.job.mutant}", file=sys.stdout)
            if time.monotonic() > end:
                break
    return outcomes


def report(
    outcomes: list[run.Outcome],
    owner: dict[int, str],
    labels: list[str],
    equivalent: dict[tuple[str, str, str], str],
) -> None:
    """Print a line for each equation with survivors, and the sums."""
    tried = Counter(owner[id(o.job)] for o in outcomes)
    alive = Counter(owner[id(o.job)] for o in outcomes if o.verdict == run.SURVIVED)
    for label, count in sorted(alive.items()):
        print(f"{label:34} {tried[label] - count} of {tried[label]} killed")
    untouched = [label for label in labels if not tried[label]]
    if untouched:
        print(f"without a mutant: {', '.join(untouched)}")
    total, survived = sum(tried.values()), sum(alive.values())
    print(f"{total - survived} of {total} mutants killed, in {len(tried)} equations")
    print(f"{len(equivalent)} mutants are left out, which compute the same: {EQUIVALENT.name}")


def write(outcomes: list[run.Outcome], owner: dict[int, str]) -> None:
    """Add killed and tried of each equation to the record that the ledger shows."""
    record = json.loads(RECORD.read_text(encoding="utf-8")) if RECORD.exists() else {}
    for label in {owner[id(o.job)] for o in outcomes}:
        verdicts = [o.verdict for o in outcomes if owner[id(o.job)] == label]
        record[label] = {"killed": sum(v != run.SURVIVED for v in verdicts), "tried": len(verdicts)}
    RECORD.write_text(json.dumps(dict(sorted(record.items())), indent=1) + "\n", encoding="utf-8")
