"""The course's question: when is P_model impressive? Answered in a world where P_data is known.

Two rules. (1) What the model draws looks as if drawn from P_data. (2) It is suitably different from what the
model observed. Neither alone is worth anything: a copy of the observations keeps the first, noise the second.

In the world of avatars both can be measured. P_data is declared, all 4,032 looks can be drawn, and every
picture can be read back as the look it shows, if it shows one. So six models are trained on the same
portraits, and what they draw is scored beside two who need no training: one that copies the observations,
and P_data itself, the best that any model can be.
"""

# %% Settings, all of which are options on the command line: `python3 demos avatars --help`
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from demos import _avatar_models as models, _avatar_page, _lesson
from demos._avatar_page import Entry
from scratchgen import RandomStream
from scratchgen.data import avatars
from scratchgen.metrics import score_images
from scratchgen.training import Run


@dataclass
class Options(_lesson.OwnWorld, _lesson.Options):
    """Train six models on portraits of the same people, and score them by both rules."""

    steps: int | None = None
    """Training steps; unless given, what suits each model."""
    people: int = 1000
    """How many are observed; with 50, the fifty of the course's table."""
    batch_size: int = 64

    def check(self) -> None:
        """What all lessons check, and that there is more than one person to learn from."""
        super().check()
        if self.people < 2:
            raise SystemExit(f"--people: got {self.people}, expected 2 or more")


MODELS: dict[str, Callable[[np.ndarray, _lesson.Options, Run], models.Learner]] = {
    "copying": models.copying,
    "naive Bayes, features": models.features,
    "naive Bayes, pixels": models.pixels,
    "autoencoder": models.autoencoder,
    "VAE": models.vae,
    "GAN": models.gan,
    "diffusion": models.ddpm,
}


# %% [markdown]
# ## What the models observe
# Fifty people are too few for the two rules to be kept at once by a model that sees pixels: nothing in fifty
# pictures says that hair and glasses are separate things. A thousand show some 440 of the looks, and leave a
# quarter of the mass of P_data to looks that nobody observed: enough to learn from, and enough to invent.
def observed(options: Options) -> np.ndarray:
    """The looks of the observed people, (people, 5)."""
    if options.people == len(avatars.observations()):
        return avatars.observations()
    return avatars.sample(options.people, RandomStream(options.seed, "people"))


# %% Every model in turn: train, draw, read what it drew
def enter(name: str, rows: np.ndarray, options: Options, run: Run) -> Entry:
    """Train one model, have it draw, and score what it drew."""
    print(f"\n{name}")
    learner = MODELS[name](rows, options, run.part(MODELS[name].__name__))
    n, resamples = (100, 50) if options.quick else (1000, 1000)
    rng = RandomStream(options.seed, "avatars", name)
    pictures = learner.draw(n, rng.child("draw"))
    scores = score_images(pictures, rng.child("score"), observed=rows, resamples=resamples)
    print(scores)
    return Entry(name, learner, pictures, scores)


# %% [markdown]
# ## The answer
# Rule 1 is kept if the looks drawn differ from P_data by little more than a sample of P_data does; rule 2 if
# new people are at least half as frequent as they would be there. A thousand samples of P_data itself do not
# have its frequencies either: a model is judged by how far it is from these, not from a perfect score.
def lesson(options: Options, run: Run) -> None:
    """Train all models, and answer the question with a table and pictures."""
    rows = observed(options)
    _avatar_page.write(rows, [enter(name, rows, options, run) for name in MODELS], run)


def main(argv: list[str] | None = None) -> None:
    """`python3 demos avatars`."""
    _lesson.main("avatars", "Avatars: when is P_model impressive?", Options, lesson, argv)


if __name__ == "__main__":
    main()
