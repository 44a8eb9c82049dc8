"""The tour: five models learn the same images, draw new ones, and are compared on one page.

Naive Bayes, autoencoder, VAE, GAN and diffusion, each as its own lesson has it (`python3 demos --list`),
about three minutes of training in all. Then a judge, a classifier that the project trains itself, looks at
what each of them draws: is it one of the things in the data, are all kinds there, is it new?
"""

# %% Settings: `python3 demos --help` lists the lessons, `python3 demos tour --help` these options
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from demos import _judge, _lesson, _options, _pictures, autoencoder, ddpm, gan, naive_bayes, vae
from scratchgen import plots
from scratchgen.data import Images
from scratchgen.metrics import SampleQuality
from scratchgen.training import Run


@dataclass
class Options(_pictures.OwnPictures, _lesson.Options):
    """Run all lessons on the same images and compare their models on one page."""

    steps: int | None = None
    """Training steps of every model; unless given, what suits each."""


@dataclass(frozen=True)
class Stop:
    """One stop of the tour: a lesson, what to call its model, and where its samples come from."""

    lesson: Any
    name: str
    source: str

    @property
    def folder(self) -> str:
        """The name of the lesson's file."""
        return str(self.lesson.__name__.rpartition(".")[2])


STOPS = [
    Stop(naive_bayes, "naive Bayes", "pixel by pixel"),
    Stop(autoencoder, "autoencoder", "random codes"),
    Stop(vae, "VAE", "codes of N(0, I)"),
    Stop(gan, "GAN", "noise, class"),
    Stop(ddpm, "diffusion", "noise, class"),
]


# %% Each lesson keeps its own run folder inside the tour's; their sections become one page
def lesson(options: Options, run: Run) -> None:
    """Each lesson in turn, with the options that all share; the page begins with their comparison."""
    data = _lesson.images(options)
    compared, sections = [], []
    for stop in STOPS:
        print(f"\n{stop.name}: {(stop.lesson.__doc__ or '').splitlines()[0]}")
        part = run.part(stop.folder)
        outcome = stop.lesson.lesson(_options.shared(options, stop.lesson.Options).settled(), part)
        compared.append(draw(stop, outcome, data, options))
        sections += part.sections
    page(compared, data, options, run)
    run.sections += sections


# %% What each model draws, how long that takes, and what the judge says of it
@dataclass(frozen=True, eq=False)
class Compared:
    """A model, and all that the table says of it."""

    stop: Stop
    outcome: _lesson.Outcome
    drawn: _judge.Drawn


def draw(stop: Stop, outcome: _lesson.Outcome, data: Images, options: Options) -> Compared:
    """The samples by which a model is judged; those of the lesson's own page, where the judge was asked."""
    return Compared(stop, outcome, outcome.drawn or _judge.draw(outcome.sample, data, options))


Column = tuple[str, Compared | None, SampleQuality]  # of the table: a model, or real images


def line(name: str, columns: list[Column], show: Callable[[Any, SampleQuality], str]) -> list[str]:
    """A line of the table: a measure, and what it is for each model."""
    return [name.replace(" ", "\N{NO-BREAK SPACE}"), *(show(it, quality) for _, it, quality in columns)]


def table(columns: list[Column]) -> list[list[str]]:
    """The comparison: a line for each measure, a column for each model."""
    by_class = [
        line("judge is sure", columns, lambda _, quality: f"{quality.confident:.1%}"),
        line("rarest class", columns, lambda _, quality: f"{quality.smallest_share:.1%}"),
    ]
    return [
        ["", *(name for name, _, _ in columns)],
        line("parameters", columns, lambda it, _: f"{it.outcome.parameters:,}" if it else ""),
        line("training, s", columns, lambda it, _: f"{it.outcome.seconds:.1f}" if it else ""),
        line("drawing, ms", columns, lambda it, _: f"{it.drawn.milliseconds:.2g}" if it else ""),
        *(by_class if len(columns[-1][2].class_shares) > 1 else []),
        line("Fréchet distance", columns, lambda _, quality: f"{quality.frechet:.1f}"),
        line("nearest image", columns, lambda _, quality: f"{quality.nearest:.2f}"),
        line("copies", columns, lambda _, quality: f"{quality.copies:.1%}"),
    ]


def page(compared: list[Compared], data: Images, options: Options, run: Run) -> None:
    """The picture and the table that the page begins with."""
    columns: list[Column] = [(it.stop.name, it, it.drawn.quality) for it in compared]
    real = _judge.quality(data.test, data, options)
    floor = columns[0][2].frechet_real  # test images have no distance from themselves
    columns.append(("real", None, replace(real, frechet=floor)))
    rows = {"real\ntest images": data.test}
    rows |= {f"{it.stop.name}\n{it.stop.source}": it.drawn.samples for it in compared}
    run.section(
        "What each model draws",
        "The first samples of each model, none chosen by hand, after it has learnt from the same "
        f"{len(data.train):,} images. {TOLD if _pictures.classes(data) else ''}",
        pictures={"Real images, and samples of each model": plots.image_rows(rows)},
    )
    run.section("The models compared", EXPLANATION, table=table(columns))
    print()
    for cells in table(columns):
        print("".join(f"{cell:>{13 if i else 18}}" for i, cell in enumerate(cells)))


TOLD = "GAN and diffusion were told the class of each, the others were not."
EXPLANATION = """
Rule 1, samples look as if drawn from P_data: the judge, a classifier trained on the same images, is sure
(more than 90 %) of what they show; it finds no class rare; and the features it sees in them are distributed
as in test images, which is the Fréchet distance. Rule 2, they are suitably different from the observations:
as far from the nearest training image as test images are (1), rather than copies (0). The last column is
what real images score: test images, and for the Fréchet distance training images. No model should be expected
to do better.
"""


def main(argv: list[str] | None = None) -> None:
    """`python3 demos`."""
    _lesson.main("tour", "scratchgen: the tour", Options, lesson, argv)


if __name__ == "__main__":
    main()
