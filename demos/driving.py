"""Driving: how often an automatic car collides, if it does so hardly ever.

Trying it on the road takes a thousand drives for one collision. So scenarios are simulated: the car in front
brakes, somebody steps into the lane, and the controller answers. But which scenarios? A VAE learns them from
recorded ones, x = (speeds of the car in front, the step), and draws new ones. And it can do more: since it
turns latents z ~ N(0, I) into scenarios, one can look for the z that end badly, draw mostly those, and divide
by how much too often they were drawn:

    P(collision)  =  E_p(z) h(z)  =  E_q(z) [ p(z) / q(z)  h(z) ].

Here the recorded scenarios come from a known density, so it can be told what all of that is worth.
"""

# %% Settings, all of which are options on the command line: `python3 demos driving --help`
from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

import scratchgen as sg
from demos import _driving_page, _lesson
from demos._training import learn
from scratchgen.data import driving
from scratchgen.data.driving import CAREFUL, HURRIED, Controller
from scratchgen.metrics.rare import Tilted, world_log_weights
from scratchgen.models import VAE
from scratchgen.training import Run

CONTROLLERS = {"careful": CAREFUL, "hurried": HURRIED}
ROUNDS, WIDER, SHARE, FEWEST, FAST = 3, 1.5, 0.1, 20, 16.0
"""Of the search: rounds, spread of the first, share of N(0, I) that stays, collisions to go by, m/s."""


@dataclass
class Options(_lesson.OwnWorld, _lesson.Options):
    """Learn scenarios of traffic, and find out how often two controllers collide."""

    recorded: int = 20_000
    """Scenarios to learn from."""
    simulations: int = 100_000
    """Of brute force; importance sampling gets a tenth."""
    latent_dim: int = 8
    hidden_dim: int = 128
    batch_size: int = 256
    lr: float = 2e-3


# %% The model of scenarios: a VAE, on numbers of mean 0 and variance 1
class Scenarios(NamedTuple):
    """A VAE and the units of its numbers."""

    vae: VAE
    mean: np.ndarray
    unit: np.ndarray

    def decode(self, z: np.ndarray, rng: sg.RandomStream) -> tuple[np.ndarray, np.ndarray]:
        """Scenarios drawn from p(x|z), and log p(x|z) per unit of x."""
        with sg.no_grad():
            p = self.vae.likelihood(sg.asarray(z.astype(np.float32)))
            x = p.sample(rng)
            log_p = sg.asnumpy(p.log_prob_per_example(x)).astype(np.float64)
        return self.mean + self.unit * sg.asnumpy(x), log_p - np.log(self.unit).sum()

    def log_encoder(self, z: np.ndarray, x: np.ndarray) -> np.ndarray:
        """Log q(z|x)."""
        with sg.no_grad():
            q = self.vae.posterior(sg.asarray(((x - self.mean) / self.unit).astype(np.float32)))
            return sg.asnumpy(q.log_prob_per_example(sg.asarray(z.astype(np.float32)))).astype(np.float64)

    def sample(self, n: int, rng: sg.RandomStream) -> np.ndarray:
        """New scenarios."""
        return self.decode(sg.asnumpy(rng.normal((n, self.vae.latent_dim))), rng)[0]


def scenarios(recorded: np.ndarray, options: Options, run: Run) -> Scenarios:
    """A VAE of recorded scenarios."""
    mean, unit = recorded.mean(axis=0), recorded.std(axis=0)
    rng = sg.RandomStream(options.seed, "driving", "weights")
    vae = VAE.dense(
        recorded.shape[1], options.hidden_dim, options.latent_dim, "normal", sigma="pixels", rng=rng
    )
    x = ((recorded - mean) / unit).astype(np.float32)
    learn(vae, vae.loss, x, 4000, options, run.part("vae"))
    return Scenarios(vae, mean.astype(np.float64), unit.astype(np.float64))


# %% Towards the dangerous: wider latents find the first collisions, and these say where to draw next
def search(model: Scenarios, controller: Controller, n: int, rng: sg.RandomStream) -> tuple[Tilted, int]:
    """A density of latents that leans towards collisions, and how many simulations it took to find."""
    k = model.vae.latent_dim
    proposal = Tilted(np.zeros((1, k)), WIDER**2 * np.eye(k)[None], SHARE)
    for i in range(ROUNDS):
        z = proposal.sample(n, rng.child("z", i))
        x, _ = model.decode(z, rng.child("x", i))
        found = driving.drive(x, controller)
        person, fast = (found.person <= found.car).any(axis=1), found.speed[:, 0] > FAST
        bad = np.where(person, 1 + fast, 3 * found.collided)  # a person, in slow or fast traffic; or the car
        if found.collided.sum() < FEWEST:  # then what came nearest shows the way
            gaps = (np.minimum(found.lead, found.person) - found.car).min(axis=1)
            bad = (gaps <= np.sort(gaps)[FEWEST]).astype(int)
        proposal = Tilted.towards(z, bad, proposal.log_weights(z), SHARE, ridge=0.1)
    return proposal, ROUNDS * n


class Tries(NamedTuple):
    """Simulations: whether each collided, with the logarithm of its weight; and what finding q cost."""

    hits: np.ndarray
    log_weights: np.ndarray
    searching: int = 0


def simulate(model: Scenarios, controller: Controller, options: Options) -> dict[str, Tries]:
    """The probability of a collision in four ways."""
    n = 500 if options.quick else options.simulations
    rng = sg.RandomStream(options.seed, "driving", "simulate")
    true = driving.collides(driving.sample(n, rng.child("true")), controller)
    new = driving.collides(model.sample(n, rng.child("new")), controller)
    proposal, cost = search(model, controller, max(100, n // 25), rng.child("search"))
    z = proposal.sample(n // 10, rng.child("z"))
    x, log_decoder = model.decode(z, rng.child("x"))
    hits = driving.collides(x, controller)
    corrected = world_log_weights(
        sg.asnumpy(driving.log_prob(x)), model.log_encoder(z, x), proposal.log_prob(z), log_decoder
    )
    return {
        "counted, true scenarios": Tries(true, np.zeros(n)),
        "counted, the VAE's": Tries(new, np.zeros(n)),
        "latents by importance": Tries(hits, proposal.log_weights(z), cost),
        "with true weights": Tries(hits, corrected, cost),
    }


# %% The page
def lesson(options: Options, run: Run) -> _lesson.Outcome:
    """Learn scenarios, judge them, and count collisions."""
    rng = sg.RandomStream(options.seed, "driving")
    recorded = sg.asnumpy(driving.sample(1000 if options.quick else options.recorded, rng.child("recorded")))
    model = scenarios(recorded, options, run)
    tries = {name: simulate(model, controller, options) for name, controller in CONTROLLERS.items()}
    numbers = _driving_page.write(model, recorded, tries, options, run)
    print("  ".join(f"{name}: {value}" for name, value in numbers.items()))
    return _lesson.Outcome(numbers, model.vae.parameter_count(), 0.0, model.sample)


def main(argv: list[str] | None = None) -> None:
    """`python3 demos driving`."""
    _lesson.main("driving", "Driving", Options, lesson, argv)


if __name__ == "__main__":
    main()
