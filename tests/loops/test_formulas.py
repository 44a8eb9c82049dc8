"""A walk through the formulas that claim a loop: the loop says what the formula says."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import threadpoolctl

sys.path.insert(0, str(Path(__file__).parent))
from formula_examples import calls

import scratchgen as sg
from scratchgen.backend import compiled

pytestmark = [
    pytest.mark.host_only,
    pytest.mark.skipif(not compiled.available(), reason="without Numba there are no loops"),
]

KEYS = sorted(compiled.formulas)
CASES = [(key, i) for key in KEYS for i in range(len(calls(key)))]


def arrays(call: Any, dtype: Any) -> tuple[Any, ...]:
    return tuple(np.array(a, dtype, order="K") if isinstance(a, np.ndarray) else a for a in call)


def results(function: Any, args: tuple[Any, ...], static: dict[str, Any]) -> list[np.ndarray]:
    """What a call returns, and what it leaves in its arguments; nothing if it is left to the formula."""
    y = function(*args, **static)
    if y is NotImplemented:
        return []
    returned = y if isinstance(y, tuple) else () if y is None else (y,)
    return [*returned, *(a for a in args if isinstance(a, np.ndarray))]


def both(key: str, args: tuple[Any, ...], static: dict[str, Any]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Pairs of what the loop makes of float32 arrays and the formula of float64 ones."""
    exact = tuple(a.astype(np.float64) if isinstance(a, np.ndarray) else a for a in args)
    with np.errstate(all="ignore"):
        expected = results(compiled.formulas[key], exact, static)
    found = compiled.find(*key.split(":"))
    assert found is not None
    made = results(found, args, static)
    yield from zip(made, expected, strict=bool(made))


def copies(args: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(a.copy(order="K") if isinstance(a, np.ndarray) else a for a in args)


def agree(y: np.ndarray, expected: np.ndarray) -> None:
    assert y.dtype == (np.float32 if expected.dtype.kind == "f" else expected.dtype)
    assert y.shape == expected.shape
    size = np.abs(expected[np.isfinite(expected)]).max(initial=1)
    np.testing.assert_allclose(y, expected, rtol=2e-5, atol=4e-6 * size)


def test_every_formula_has_a_loop_and_examples() -> None:
    for key in KEYS:
        assert callable(compiled.find(*key.split(":"))), f"{key} is @compiled, but has no loop"
        assert calls(key), f"{key} has no examples: add a line to tests/loops/formula_examples.py"


def test_every_loop_has_a_formula() -> None:
    package = importlib.import_module("scratchgen.loops")
    for found in pkgutil.walk_packages(package.__path__, "scratchgen.loops."):
        path = found.name.removeprefix("scratchgen.loops.")
        of_formulas = Path(sg.__file__).parent.joinpath(*path.split(".")).with_suffix(".py")
        if found.ispkg or not of_formulas.exists():  # what other loops use
            continue
        module = importlib.import_module(found.name)
        for name, function in vars(module).items():
            own = inspect.isfunction(function) and function.__module__ == found.name
            if own and not name.startswith("_"):
                assert f"{path}:{name}" in compiled.formulas, f"{path}:{name} is a loop without a formula"


@pytest.mark.parametrize(("key", "i"), CASES)
def test_the_loop_gives_what_the_formula_gives(key: str, i: int) -> None:
    call, static = calls(key)[i]
    for y, expected in both(key, arrays(call, np.float32), static):
        agree(y, expected)


def layouts(x: np.ndarray) -> Iterator[np.ndarray]:
    """The same numbers in other places."""
    yield x.copy(order="F")
    wide = np.zeros((*x.shape, 2), x.dtype)[..., 1]
    wide[...] = x
    yield wide
    if x.ndim:
        yield np.ascontiguousarray(x[::-1])[::-1]
    fixed = x.copy()
    fixed.flags.writeable = False
    yield fixed


@pytest.mark.parametrize(("key", "i"), CASES)
def test_the_layout_in_memory_does_not_matter(key: str, i: int) -> None:
    call, static = calls(key)[i]
    in_place = key.startswith("optim")
    args = arrays(call, np.float32)
    positions = [p for p, a in enumerate(args) if isinstance(a, np.ndarray)]
    for p in positions:
        for other in layouts(args[p]):
            if in_place and not other.flags.writeable:
                continue
            changed = list(copies(args))
            changed[p] = other
            for y, expected in both(key, tuple(changed), static):
                agree(y, expected)


@pytest.mark.parametrize(("key", "i"), CASES)
def test_numbers_that_are_none_stay_so(key: str, i: int) -> None:
    call, static = calls(key)[i]
    args = arrays(call, np.float32)
    for p, a in enumerate(args):
        if not isinstance(a, np.ndarray) or any(np.size(b) == 0 for b in args if b is not None):
            continue
        changed = copies(args)
        changed[p].flat[a.size // 2] = np.nan
        for y, expected in both(key, changed, static):
            spread = key.startswith("backend.convolution")  # minimal filtering gives it to neighbours too
            assert np.all(
                np.isnan(y) == np.isnan(expected) if not spread else np.isnan(y) >= np.isnan(expected)
            )


@pytest.mark.parametrize(("key", "i"), CASES)
def test_any_number_of_threads_gives_the_same_bits(key: str, i: int) -> None:
    from scratchgen.backend import crew

    call, static = calls(key)[i]
    args = arrays(call, np.float32)
    if max(a.size for a in args if isinstance(a, np.ndarray)) < 1 << 12:
        return  # not shared
    found = compiled.find(*key.split(":"))
    assert found is not None
    crew.add_helpers(2 - int(crew.words[crew.STARTED]))
    seen = []
    for count in (1, 2, 3):
        with threadpoolctl.threadpool_limits(count, user_api="blas"):
            seen += [[a.tobytes() for a in results(found, copies(args), static)] for _ in range(3)]
    assert all(bits == seen[0] for bits in seen)


@pytest.mark.parametrize(
    "make", [sg.optim.Adam, sg.optim.AdamW, sg.optim.RMSprop, lambda p: sg.optim.SGD(p, momentum=0.9)]
)
def test_means_of_gradients_that_are_no_more_end_at_zero(make: Any) -> None:
    """As denormal numbers they would stay for ever, and slow every step down."""
    x = sg.nn.Parameter(np.ones(5000, np.float32))
    optimiser = make([x])
    for buffer in optimiser.state.values():
        buffer[:4000] = np.finfo(np.float32).tiny
        buffer[4000:] = np.nan
    x.grad = np.zeros(5000, np.float32)
    optimiser.step()
    for buffer in optimiser.state.values():
        assert (buffer[:4000] == 0).all()
        assert np.isnan(buffer[4000:]).all()
