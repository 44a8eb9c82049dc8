"""What messages and training steps take on this machine, for the chapter on ranks; prints JSON.

``mpiexec -n 2 python -m tests.benchmarks.ranks messages``   alpha and beta of a message between two ranks
``mpiexec -n N python -m tests.benchmarks.ranks steps``      steps of models: a fixed batch, and a growing one
``python -m tests.benchmarks.ranks parts``                   f, w, e and s of equation ranks-step, by one rank

One thread a rank: ``OMP_NUM_THREADS=1``, or more for one process.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from scratchgen import optim
from scratchgen.backend import RandomStream, current_ranks
from scratchgen.models import DDPM, GAN, VAE
from scratchgen.models.diffusion import cosine_schedule
from scratchgen.networks import UNet
from scratchgen.training import fit, fit_adversarial

BATCH = 128
SECONDS = 1.5
Steps = Callable[[int, int], None]


def vae() -> tuple[Steps, int]:
    """The dense VAE of 784 pixels."""
    model = VAE.dense((1, 28, 28), 256, 10, rng=RandomStream(0))
    optimiser = optim.Adam(model.parameters())
    x = (np.random.default_rng(0).random((4096, 1, 28, 28)) > 0.5).astype(np.float32)

    def run(batch: int, steps: int) -> None:
        fit(model.loss, x, optimiser, steps=steps, batch_size=batch, quiet=True)

    return run, model.parameter_count() * 4


def ddpm() -> tuple[Steps, int]:
    """A U-Net on 8x8 images."""
    model = DDPM(UNet(1, 1, 32, multipliers=(1, 2), rng=RandomStream(0)), cosine_schedule(1000), (1, 8, 8))
    optimiser = optim.Adam(model.parameters())
    x = np.random.default_rng(0).uniform(-1, 1, (4096, 1, 8, 8)).astype(np.float32)

    def run(batch: int, steps: int) -> None:
        fit(model.loss, x, optimiser, steps=steps, batch_size=batch, quiet=True)

    return run, model.parameter_count() * 4


def gan() -> tuple[Steps, int]:
    """A DCGAN of 8x8 images, batch norm in the generator."""
    model = GAN.convolutional((1, 8, 8), 32, (32, 64), rng=RandomStream(0))
    players = [optim.Adam(p.parameters()) for p in (model.discriminator, model.generator)]
    x = np.random.default_rng(0).uniform(-1, 1, (4096, 1, 8, 8)).astype(np.float32)

    def run(batch: int, steps: int) -> None:
        fit_adversarial(model, x, *players, steps=steps, batch_size=batch, quiet=True)

    return run, model.parameter_count() * 4


MODELS = {"VAE 784-256-10": vae, "DCGAN 8x8": gan, "U-Net 8x8": ddpm}
DRAWN = {"VAE 784-256-10": (784, 10), "DCGAN 8x8": (64, 64), "U-Net 8x8": (64, 65)}
"""Pixels of an example, and random numbers for it in a step."""


def seconds_a_step(run: Steps, batch: int) -> float:
    """The least of three averages."""
    ranks = current_ranks()
    run(batch, 3)
    began = time.perf_counter()
    run(batch, 3)
    count = ranks.agree(max(3, int(SECONDS / (time.perf_counter() - began))))
    times = []
    for _ in range(3):
        ranks.any(False)
        began = time.perf_counter()
        run(batch, count)
        times.append((time.perf_counter() - began) / count)
    return min(times)


def steps() -> dict[str, Any]:
    """Each model's step by so many ranks: of 128 examples, and of 128 for each rank."""
    size = current_ranks().size
    found = {}
    for name, make in MODELS.items():
        run, _ = make()
        strong = seconds_a_step(run, BATCH)
        found[name] = {"strong": strong, "weak": seconds_a_step(run, BATCH * size) if size > 1 else strong}
    return found


def seconds_of_the_whole(pixels: int, numbers: int) -> float:
    """What each example of the whole batch costs every rank: it is gathered, and its numbers are drawn."""
    x, draws = np.zeros((4096, pixels), np.float32), 200
    began = time.perf_counter()
    for i in range(draws):
        rng = RandomStream(0, i)
        np.take(x, rng.integers(0, len(x), BATCH), axis=0)
        rng.normal((BATCH, numbers))
    return (time.perf_counter() - began) / draws / BATCH


def parts() -> dict[str, Any]:
    """f, w, e and s: e and f by a line through four batches, w by what drawing and gathering takes."""
    found = {}
    for name, make in MODELS.items():
        run, size = make()
        batches = np.array([16, 32, 64, 128])
        times = np.array([seconds_a_step(run, int(batch)) for batch in batches])
        slope, fixed = np.polyfit(batches, times, 1, w=1 / times)
        whole = seconds_of_the_whole(*DRAWN[name])
        found[name] = {"fixed": fixed, "own": slope - whole, "whole": whole, "size": size}
    return found


def messages() -> dict[str, Any]:
    """Half of what a message takes there and back, by its size; alpha and beta of the line through them."""
    from mpi4py import MPI

    world = MPI.COMM_WORLD
    sizes, times = [8, 1024, 16_384, 131_072, 1_048_576, 4_194_304], []
    for size in sizes:
        x, repeats = np.zeros(size, np.uint8), max(20, min(1000, 20_000_000 // size))
        best = np.inf
        for _ in range(3):
            world.Barrier()
            began = time.perf_counter()
            for _ in range(repeats):
                if world.rank == 0:
                    world.Send(x, 1)
                    world.Recv(x, 1)
                elif world.rank == 1:
                    world.Recv(x, 0)
                    world.Send(x, 0)
            best = min(best, (time.perf_counter() - began) / repeats / 2)
        times.append(best)
    beta, alpha = np.polyfit(sizes, times, 1, w=1 / np.array(times))
    gradients = np.zeros(410_404, np.float32)
    world.Barrier()
    began = time.perf_counter()
    for _ in range(50):
        world.Allreduce(MPI.IN_PLACE, gradients)
    return {
        "bytes": sizes,
        "seconds": times,
        "alpha": alpha,
        "beta": beta,
        "allreduce of 410,404 numbers": (time.perf_counter() - began) / 50,
    }


if __name__ == "__main__":
    result = {"steps": steps, "parts": parts, "messages": messages}[sys.argv[1]]()
    if current_ranks().first:
        threads = os.environ.get("OMP_NUM_THREADS", "all")
        print(json.dumps({"ranks": current_ranks().size, "threads": threads, sys.argv[1]: result}, indent=1))
