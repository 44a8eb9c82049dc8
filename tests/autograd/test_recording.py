"""What is recorded, by which thread, and for how long it lives in memory."""

from __future__ import annotations

import gc
import threading
import tracemalloc
import weakref
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from tools import assert_close

import scratchgen as sg
from scratchgen.backend import RandomStream


def variable(*numbers: float) -> sg.Tensor:
    return sg.tensor(np.array(numbers), requires_grad=True)


class TestNoGrad:
    def test_nothing_is_recorded_and_the_state_returns(self) -> None:
        x = variable(1.0)
        with sg.no_grad():
            y = x * 2
            with sg.no_grad():
                pass
            z = x * 2
        assert not y.requires_grad
        assert not z.requires_grad
        assert y.origin is None
        assert (x * 2).requires_grad

    def test_the_state_returns_after_an_error(self) -> None:
        with pytest.raises(KeyError), sg.no_grad():
            raise KeyError
        assert (variable(1.0) * 2).requires_grad

    def test_it_holds_for_its_own_thread_only(self) -> None:
        x = variable(1.0)
        inside, checked = threading.Event(), threading.Event()
        found: list[bool] = []

        def other() -> None:
            with sg.no_grad():
                inside.set()
                checked.wait(10)
                found.append((x * 2).requires_grad)

        thread = threading.Thread(target=other)
        thread.start()
        inside.wait(10)
        recorded_here = (x * 2).requires_grad
        checked.set()
        thread.join()
        assert recorded_here
        assert found == [False]


class TestMemory:
    def test_a_chain_of_20_000_operations(self) -> None:
        x = variable(0.5)
        y = x
        for _ in range(20_000):
            y = y + x
        assert_close(sg.grad(y, x)[0], [20_001.0])
        (slope,) = sg.grad(y * y, x, create_graph=True)
        assert_close(slope, [20_001.0**2], rtol=1e-12)
        del y, slope  # no recursion here either

    def test_no_cycles_of_references(self) -> None:
        def results() -> list[Any]:
            x = sg.tensor(RandomStream(0).normal((5, 5)), requires_grad=True)
            y = sg.log_softmax(sg.tanh(x @ x + 1).reshape(25)).sum()
            (g,) = sg.grad(y, x, create_graph=True)
            (g * g).sum().backward()
            return [weakref.ref(y), weakref.ref(g)]

        results()  # the first time compiles loops
        gc.collect()
        gc.disable()
        try:
            assert all(result() is None for result in results())
            assert gc.collect() == 0
        finally:
            gc.enable()

    @pytest.mark.host_only  # counts the memory of arrays on the host
    def test_memory_is_returned_and_does_not_grow(self) -> None:
        w = sg.tensor(np.ones((64, 64), np.float32), requires_grad=True)
        x = sg.asarray(np.ones((64, 64), np.float32))

        def memory_after(steps: int) -> int:
            for _ in range(steps):
                w.grad = None
                sg.tanh(x @ w).mean().backward()
            assert gc.collect() == 0
            return tracemalloc.get_traced_memory()[0]

        sg.tanh(x @ w).mean().backward()  # the first time compiles loops
        gc.collect()
        gc.disable()
        tracemalloc.start()
        try:
            memory = [memory_after(1_000) for _ in range(4)]
        finally:
            tracemalloc.stop()
            gc.enable()
        # A leak of the smallest object adds 16,000 bytes in every round; a store of Python's or of NumPy's
        # that still fills up grows in one round and then no more.
        assert min(after - before for before, after in pairwise(memory)) < 8_000

    def test_a_graph_lives_as_long_as_its_result(self) -> None:
        x = variable(1.0)
        y = x * 2
        inner = weakref.ref(y)
        z = y * 3
        del y
        assert inner() is not None
        del z
        assert inner() is None
