"""One mutant in a Python that has imported nothing: ``fresh.py FILE``, of the job that `run.start` wrote."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path[0] = str(Path(__file__).parents[1])  # instead of this folder
sys.path.insert(1, str(Path(__file__).parents[2]))

from mutation import patch, run  # noqa: E402


def main() -> int:
    """Run the tests of the job; 1 if they notice the mutant."""
    job = run.from_file(sys.argv[1])
    assert job.mutant is not None
    patch.import_mutated(job.mutant)
    verdicts = []
    code = 1
    try:
        run.limit(run.Job(None, (), job.seconds + 30))
        run.silence()
        run.collected(job.tests, lambda tests: verdicts.append(tests.passes(job.tests)))
        code = 0 if verdicts == [True] else 1
    except BaseException:
        code = 1
    return code


if __name__ == "__main__":
    sys.exit(main())
