"""The crew: helpers that wait inside compiled code, without Python's lock, watching one word of memory.

Who has work (the *leader*) writes its address there and works too; all take pieces, one after another, until
none is left.

- The word, `TICKET`, holds the job's number and how many of its pieces are left. A piece is taken by
  comparing and exchanging the whole word: who still looks at an earlier job cannot take from this one.
- A helper that has seen no work for a millisecond sleeps on a lock, which the next leader releases.
- There is one job at a time. Who finds the crew at work (another Python thread, a piece of a piece) works
  alone.
- Where the machine is busy with other things, a helper may lose its processor in the middle of a piece, and
  the leader waits for it, a millisecond longer than its own pieces took. After such a wait it works alone for
  32 pieces, after the next for 64, up to 2,048.
- A forked child has no helpers: it starts its own at its first loop. Helpers never touch Python, so they
  work for every thread, also during and after the end of the main one.
"""

from __future__ import annotations

import ctypes
import os
import threading
import time

from . import blas
from .blas import get_threads, set_threads
from .compiled import loop
from .words import add, call_piece, cycles, exchange, load, pause, sleep_on, store, wake, words

# Where in the crew's memory what stands, in words of 8 bytes; what different threads write lies in different
# cache lines. A helper's own line says whether it sleeps, and on which lock.
TAKEN, ALONE, PENALTY = 0, 1, 2
TICKET = 8
DONE, FAILED = 16, 17
CODE, DATA, PIECES, WANTED = 24, 25, 26, 27
STARTED, MILLISECOND, CYCLES = 32, 33, 34  # a millisecond in rounds of waiting, and in cycles
LEADER = 40  # 1 while it sleeps, and its lock
HOLDING, HOLDERS, BEFORE = 48, 49, 50
HELPER, LINE, MOST_HELPERS = 56, 8, 63  # each 1 while it sleeps, and its lock

LEFT = 0xFFFFFFFF  # of a ticket: how many pieces are left; above it stands the job's number
LEAST_PENALTY, GREATEST_PENALTY = 32, 2048  # pieces, a measure of the work that is done alone

_starting = threading.Lock()


@loop
def take(job: int) -> int:
    """Work on the job of that number until all its pieces are taken; how many were taken here."""
    taken = 0
    while True:
        ticket = load(TICKET)
        left = ticket & LEFT
        if ticket >> 32 != job or left == 0:
            return taken
        code, data, pieces = load(CODE), load(DATA), load(PIECES)
        if exchange(TICKET, ticket, ticket - 1):  # so the three words were this job's
            taken += 1
            if call_piece(code, data, pieces - left):
                store(FAILED, 1)
            if add(DONE, 1) + 1 == pieces and exchange(LEADER, 1, 0):
                wake(load(LEADER + 1))


@loop
def help_others(helper: int) -> None:
    """What a helper does for ever."""
    own = HELPER + LINE * helper
    waited = 0
    while True:
        ticket = load(TICKET)
        if ticket & LEFT and helper < load(WANTED):
            take(ticket >> 32)
            waited = 0
        elif waited < load(MILLISECOND):
            pause()
            waited += 1
        else:
            store(own, 1)
            # Work that came just now: back to it, unless its leader saw the 1 and releases the lock.
            if load(TICKET) & LEFT == 0 or not exchange(own, 1, 0):
                sleep_on(load(own + 1))
            waited = 0


@loop
def lead(code: int, data: int, pieces: int) -> int:
    """Do all pieces of a job, with the crew's help where that is to be had; 1 if one of them failed."""
    helpers = min(load(STARTED), threads() - 1, pieces - 1)
    if helpers < 1 or not exchange(TAKEN, 0, 1):
        return alone(code, data, pieces)
    if load(ALONE) > 0:
        add(ALONE, -pieces)
        store(TAKEN, 0)
        return alone(code, data, pieces)
    job = ((load(TICKET) >> 32) + 1) & 0x7FFFFFFF
    store(DONE, 0)
    store(FAILED, 0)
    store(CODE, code)
    store(DATA, data)
    store(PIECES, pieces)
    store(WANTED, helpers)
    store(TICKET, job << 32 | pieces)
    for helper in range(helpers):
        own = HELPER + LINE * helper
        if load(own) and exchange(own, 1, 0):
            wake(load(own + 1))
    began = cycles()
    own = take(job)
    piece = (cycles() - began) // max(own, 1)
    if wait_for_helpers(pieces, piece + load(CYCLES)):
        penalty = load(PENALTY)
        store(ALONE, penalty)
        store(PENALTY, min(2 * penalty, GREATEST_PENALTY))
    else:
        store(PENALTY, max(load(PENALTY) - pieces, LEAST_PENALTY))
    failed = load(FAILED)
    store(TAKEN, 0)
    return failed


@loop
def wait_for_helpers(pieces: int, patience: int) -> bool:
    """Until all pieces are done; whether that took more cycles than the patience has."""
    began = cycles()
    for _ in range(load(MILLISECOND)):
        if load(DONE) == pieces:
            return False
        pause()
    while load(DONE) < pieces:  # again, if who ended the job before wakes the leader only now
        store(LEADER, 1)
        if load(DONE) < pieces or not exchange(LEADER, 1, 0):
            sleep_on(load(LEADER + 1))
    return cycles() - began >= patience


@loop
def alone(code: int, data: int, pieces: int) -> int:
    """Do all pieces of a job."""
    failed = 0
    for i in range(pieces):
        failed |= call_piece(code, data, i)
    return failed


@loop
def threads() -> int:
    """How many threads BLAS is set to use, by its user."""
    return load(BEFORE) if load(HOLDERS) > 0 else get_threads()


@loop
def hold_blas() -> None:
    """Let BLAS use one thread, until `release_blas`."""
    while not exchange(HOLDING, 0, 1):
        pause()
    if add(HOLDERS, 1) == 0:
        store(BEFORE, get_threads())
        set_threads(1)
    store(HOLDING, 0)


@loop
def release_blas() -> None:
    """Let BLAS use as many threads as before."""
    while not exchange(HOLDING, 0, 1):
        pause()
    if add(HOLDERS, -1) == 1:
        set_threads(load(BEFORE))
    store(HOLDING, 0)


@loop
def _spin(count: int) -> int:
    """Wait for so many rounds; how many cycles that takes."""
    began = cycles()
    for _ in range(count):
        if load(TICKET) & LEFT and load(WANTED) < 0:
            break
        pause()
    return cycles() - began


def start() -> None:
    """Start the helpers, unless they run: as many as BLAS has threads and the process has processors."""
    with _starting:
        if words[MILLISECOND]:
            return
        _spin(1)
        words[PENALTY] = LEAST_PENALTY
        words[LEADER + 1] = _new_lock()
        words[MILLISECOND], words[CYCLES] = map(max, zip(*(_millisecond() for _ in range(3)), strict=True))
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        add_helpers(min(threads(), cores) - 1)


def add_helpers(count: int) -> None:
    """Start so many more helpers."""
    for _ in range(count):
        helper = int(words[STARTED])
        if helper == MOST_HELPERS:
            return
        words[HELPER + LINE * helper + 1] = _new_lock()
        try:
            threading.Thread(target=help_others, args=(helper,), name="scratchgen", daemon=True).start()
        except RuntimeError:  # the interpreter is shutting down: work alone
            return
        words[STARTED] = helper + 1


def forget() -> None:
    """In a forked child, which has its parent's memory but none of its threads: as before the start."""
    global _starting
    _starting = threading.Lock()
    if words[HOLDERS]:
        blas.set_number_of_threads(int(words[BEFORE]))
    words[:] = 0


def _millisecond() -> tuple[int, int]:
    """In rounds of waiting and, where there is a clock to read, in cycles."""
    rounds = 5_000
    began = time.perf_counter()
    waited = _spin(rounds)
    milliseconds = (time.perf_counter() - began) * 1000
    return int(rounds / milliseconds) + 1, int(waited / milliseconds)


def _new_lock() -> int:
    """The address of a new lock, taken."""
    python = ctypes.pythonapi
    python.PyThread_allocate_lock.restype = ctypes.c_void_p
    python.PyThread_acquire_lock.argtypes = [ctypes.c_void_p, ctypes.c_int]
    lock = python.PyThread_allocate_lock()
    python.PyThread_acquire_lock(lock, 1)
    return lock


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=forget)
