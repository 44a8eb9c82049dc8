from __future__ import annotations

import os
import threading
import time
from typing import Any

import numpy as np
import pytest
import threadpoolctl

from scratchgen.backend import parallel
from scratchgen.backend.parallel import parallel_for, thread_count

pytestmark = pytest.mark.host_only


@pytest.fixture
def two_threads() -> Any:
    with threadpoolctl.threadpool_limits(2, "blas"):
        if thread_count() < 2:
            pytest.skip("BLAS has one thread here")
        yield


def test_results_keep_the_order_of_the_pieces(two_threads: Any) -> None:
    def slow_at_first(n: int) -> int:
        time.sleep(0.01 if n == 0 else 0)
        return n * n

    assert parallel_for(slow_at_first, range(20)) == [n * n for n in range(20)]
    assert parallel_for(slow_at_first, []) == []


def test_two_threads_work_at_once_and_blas_has_one(two_threads: Any) -> None:
    meeting = threading.Barrier(2, timeout=30)

    def meet(_: int) -> tuple[int, int]:
        meeting.wait()  # one thread alone would wait here for ever
        return threading.get_ident(), thread_count()

    seen = parallel_for(meet, range(2))
    assert len({thread for thread, _ in seen}) == 2
    assert [count for _, count in seen] == [1, 1]
    assert thread_count() == 2


def test_an_exception_is_raised_and_blas_is_restored(two_threads: Any) -> None:
    def fail_at_three(n: int) -> None:
        if n == 3:
            raise KeyError("three")

    for _ in range(5):  # in whichever thread it happens
        with pytest.raises(KeyError, match="three"):
            parallel_for(fail_at_three, range(6))
        assert thread_count() == 2


def test_it_may_be_nested(two_threads: Any) -> None:
    def row_sum(n: int) -> int:
        return sum(parallel_for(lambda m: n * m, range(4)))

    assert parallel_for(row_sum, range(5)) == [0, 6, 12, 18, 24]


def test_the_limit_on_blas_is_kept() -> None:
    with threadpoolctl.threadpool_limits(1, "blas"):
        threads = parallel_for(lambda _: threading.get_ident(), range(8))
    assert set(threads) == {threading.get_ident()}


def test_errstate_reaches_every_thread(two_threads: Any) -> None:
    with np.errstate(divide="raise"):
        assert set(parallel_for(lambda _: np.geterr()["divide"], range(50))) == {"raise"}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_it_works_in_a_forked_child(two_threads: Any) -> None:
    parallel_for(lambda n: n, range(4))
    assert parallel._pools
    child = os.fork()
    if child == 0:  # leave by os._exit, so that pytest does not run twice
        ok = not parallel._pools and parallel_for(lambda n: n + 1, range(4)) == [1, 2, 3, 4]
        os._exit(0 if ok else 1)
    until = time.monotonic() + 60
    while (ended := os.waitpid(child, os.WNOHANG)) == (0, 0) and time.monotonic() < until:
        time.sleep(0.01)
    assert ended == (child, 0)


def test_two_callers_at_once_leave_blas_as_it_was() -> None:
    before = thread_count()
    started = threading.Barrier(2)

    def caller() -> None:
        started.wait()
        for _ in range(200):
            assert parallel_for(lambda n: n * n, range(4)) == [0, 1, 4, 9]

    callers = [threading.Thread(target=caller) for _ in range(2)]
    for one in callers:
        one.start()
    for one in callers:
        one.join()
    assert thread_count() == before
