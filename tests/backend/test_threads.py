"""The crew of helpers: every piece once, the same bits for any number of threads, and all its races."""

import itertools
import os
import subprocess
import sys
import textwrap
import threading

import numpy as np
import pytest
import threadpoolctl

from scratchgen.backend.compiled import available, loop

pytestmark = [
    pytest.mark.host_only,
    pytest.mark.skipif(not available(), reason="without Numba there are no loops"),
]

if available():
    from scratchgen.backend import blas, crew as helpers, words
    from scratchgen.backend.threads import count_pieces, hold_blas, parallel_for, piece_of, release_blas

    @loop
    def count(pieces, calls):
        parallel_for(count_piece, pieces, (calls,))

    @loop
    def count_piece(i, calls):
        calls[i] += 1

    @loop
    def sums(x):
        pieces = count_pieces(x.size, 1000)
        parts = np.zeros(pieces, np.float32)
        parallel_for(sums_piece, pieces, (pieces, x, parts))
        return parts.sum()

    @loop
    def sums_piece(i, pieces, x, parts):
        start, stop = piece_of(i, pieces, x.size)
        for a in x[start:stop]:
            parts[i] += a

    @loop
    def nested(pieces, calls):
        parallel_for(nested_piece, pieces, (pieces, calls))

    @loop
    def nested_piece(i, pieces, calls):
        parallel_for(count_piece, pieces, (calls[i],))

    @loop
    def too_large(pieces, size):
        parallel_for(too_large_piece, pieces, (size,))

    @loop
    def too_large_piece(i, size):
        np.empty(size, np.float32)[0] = i

    @loop
    def finish():
        words.add(helpers.DONE, 1)
        if words.exchange(helpers.LEADER, 1, 0):
            words.wake(words.load(helpers.LEADER + 1))

    @loop
    def product(x, y, out, pieces):
        hold_blas()
        parallel_for(product_piece, pieces, (x, y, out, pieces))
        release_blas()

    @loop
    def product_piece(i, x, y, out, pieces):
        start, stop = piece_of(i, pieces, len(x))
        a, c = x[start:stop], out[start:stop]
        m, k = a.shape
        n = y.shape[1]
        blas.sgemm(False, False, m, n, k, a.ctypes.data, k, y.ctypes.data, n, 0.0, c.ctypes.data, n)


@pytest.fixture(params=[1, 2, 3])
def crew(request):
    """So many threads."""
    helpers.start()
    helpers.add_helpers(request.param - 1 - int(helpers.words[helpers.STARTED]))
    with threadpoolctl.threadpool_limits(request.param, user_api="blas"):
        yield request.param


def test_every_piece_is_done_once(crew):
    for pieces in (0, 1, 2, 3, 17, 64):
        calls = np.zeros(64, np.int64)
        for _ in range(300):
            count(pieces, calls)
        assert calls.tolist() == [300] * pieces + [0] * (64 - pieces)


def test_sums_have_the_same_bits_for_any_number_of_threads():
    x = np.random.default_rng(0).normal(size=100_003).astype(np.float32)
    helpers.start()
    helpers.add_helpers(2 - int(helpers.words[helpers.STARTED]))
    found = set()
    for count_ in (1, 2, 3):
        with threadpoolctl.threadpool_limits(count_, user_api="blas"):
            found |= {float(sums(x)) for _ in range(50)}
    assert len(found) == 1
    np.testing.assert_allclose(found.pop(), x.sum(dtype=np.float64), rtol=1e-4)


@pytest.mark.parametrize("size", [0, 1, 15, 16, 17, 1000, 100_003])
@pytest.mark.parametrize("pieces", [1, 2, 3, 64])
def test_pieces_cover_all_and_do_not_overlap(size, pieces):
    slices = [piece_of(i, pieces, size) for i in range(pieces)]
    assert slices[0][0] == 0
    assert slices[-1][1] == size
    assert all(a[1] == b[0] for a, b in itertools.pairwise(slices))
    assert all(start % 16 == 0 or start == size for start, _ in slices)


def test_a_piece_of_a_piece_works_alone(crew):
    calls = np.zeros((8, 8), np.int64)
    for _ in range(100):
        nested(8, calls)
    assert (calls == 100).all()


def test_a_piece_that_fails_raises_and_the_crew_goes_on(crew):
    for _ in range(20):
        with pytest.raises(MemoryError):
            too_large(5, 1 << 60)
    calls = np.zeros(5, np.int64)
    count(5, calls)
    assert (calls == 1).all()


def test_a_leader_waits_as_patiently_as_its_own_pieces_were_long():
    """A helper that is behind by less than a piece has not lost its processor."""
    helpers.start()
    for patience, too_long in ((0, True), (1 << 60, False)):
        words.words[helpers.DONE] = 0
        helper = threading.Timer(0.02, finish)
        helper.start()
        assert helpers.wait_for_helpers(1, patience) is too_long
        helper.join()


def test_several_python_threads_at_once(crew):
    rng = np.random.default_rng(0)
    inputs = [rng.normal(size=20_000).astype(np.float32) for _ in range(4)]
    expected = [sums(x) for x in inputs]
    wrong = []

    def work(i):
        wrong.append(sum(sums(inputs[i]) != expected[i] for _ in range(500)))

    workers = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert wrong == [0] * 4


@pytest.mark.skipif(not blas.USABLE if available() else True, reason="NumPy has another BLAS than OpenBLAS")
def test_products_by_pieces_leave_blas_as_it_was(crew):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(300, 70)).astype(np.float32), rng.normal(size=(70, 90)).astype(np.float32)
    out = np.empty((300, 90), np.float32)
    before = [library["num_threads"] for library in threadpoolctl.threadpool_info()]

    def work():
        for _ in range(50):
            product(x, y, np.empty_like(out), 4)

    workers = [threading.Thread(target=work) for _ in range(3)]
    for worker in workers:
        worker.start()
    product(x, y, out, 4)
    for worker in workers:
        worker.join()
    np.testing.assert_allclose(out, x @ y, rtol=1e-4, atol=1e-4)
    assert [library["num_threads"] for library in threadpoolctl.threadpool_info()] == before


def run(script, start=True):
    """In a process of its own, which has two threads; what it prints."""
    begin = """
        import os, sys, threading
        import numpy as np
        sys.path.insert(0, os.environ["WHERE"])
        from test_threads import count, helpers, sums
        x = np.random.default_rng(0).normal(size=20_000).astype(np.float32)
        def check():
            assert len({float(sums(x)) for _ in range(200)}) == 1
    """
    begin = textwrap.dedent(begin)
    if start:
        begin += "helpers.start()\nhelpers.add_helpers(1 - int(helpers.words[helpers.STARTED]))\ncheck()\n"
    code = begin + textwrap.dedent(script)
    here = os.path.dirname(__file__)
    env = {**os.environ, "WHERE": here, "OPENBLAS_NUM_THREADS": "2"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=env, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_a_forked_child_has_helpers_of_its_own():
    out = run("""
        stop = []
        def others():
            while not stop:
                sums(x)
        worker = threading.Thread(target=others)
        worker.start()                      # so that some children begin in the middle of a job
        for _ in range(20):
            child = os.fork()
            if child == 0:
                check()
                helpers.start()
                check()
                print(helpers.words[helpers.STARTED], flush=True)
                os._exit(0)
            assert os.waitpid(child, 0)[1] == 0
            check()
        stop.append(1)
    """)
    assert out.split() == ["1"] * 20


def test_a_thread_that_outlives_the_main_one_and_the_end_of_the_interpreter():
    out = run("""
        import atexit, time
        def late():
            time.sleep(0.3)
            check()
            print("late")
        threading.Thread(target=late).start()
        atexit.register(lambda: (check(), print("exit")))
    """)
    assert out.split() == ["late", "exit"]


def test_a_first_use_at_the_end_of_the_interpreter():
    script = """
        import atexit
        def first():
            helpers.start()
            check()
            print("done")
        atexit.register(first)
    """
    assert run(script, start=False).split() == ["done"]
