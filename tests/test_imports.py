"""What `import scratchgen` loads, and what waits until it is needed: a program starts at once."""

from __future__ import annotations

import subprocess
import sys

import pytest

import scratchgen as sg

pytestmark = pytest.mark.host_only

LATER = {
    "numba",
    "llvmlite",
    "matplotlib",
    "PIL",
    "scipy",
    "tqdm",
    "tyro",
    "cupy",
    "mpi4py",
    "torch",
    "urllib.request",
    "ssl",
}


def loaded(code: str) -> set[str]:
    command = [sys.executable, "-c", f"{code}; import sys; print(*sys.modules)"]
    return set(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split())


def test_what_is_slow_to_import_waits() -> None:
    assert loaded("import scratchgen") & LATER == set()


def test_a_first_step_of_formulas_needs_none_of_it() -> None:
    code = "import numpy as np, scratchgen as sg; x = sg.tensor(np.ones(2), requires_grad=True); "
    code += "(x * x).sum().backward()"  # of float64, which no loop is for
    assert loaded(code) & LATER == set()


def test_layers_and_models_wait_until_they_are_asked_for() -> None:
    folders = {name.split(".")[1] for name in loaded("import scratchgen") if name.startswith("scratchgen.")}
    assert folders == {"autograd", "backend"}


def test_plots_are_imported_when_asked_for() -> None:
    before = "import scratchgen as sg, sys; assert 'scratchgen.plots' not in sys.modules"
    assert "scratchgen.plots" in loaded(f"{before}; sg.plots.image_grid")


def test_a_name_that_is_not_there() -> None:
    with pytest.raises(AttributeError, match="module 'scratchgen' has no attribute 'plot'"):
        sg.plot  # noqa: B018


def test_random_streams_are_at_the_top() -> None:
    assert sg.RandomStream is sg.backend.RandomStream
