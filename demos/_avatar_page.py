"""The page of the lesson on avatars: pictures, both rules as numbers, and the answer in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from demos._avatar_models import Learner
from scratchgen import plots
from scratchgen.data import avatars
from scratchgen.metrics import AvatarScores, ExpectedScores, exact_kl, expected_scores
from scratchgen.training import Run

SLACK = 0.1  # total variation beyond that of P_data's own samples
SHARE = 0.5  # of P_data's novelty
LOOKS = 10  # that the Fashion Police asks for

EXPLANATION = """
Rule 1: valid is the share of pictures that are within 5 % of some portrait; TV is the total variation between
the looks that they show and P_data, with "no look" counted as one (0 is perfect, and a thousand samples of
P_data have the value in its line). Rule 2: novel is the share of pictures that show a look which was not
observed; coverage is the share of all 4,032 looks that were drawn. KL(P_data || P_model) is exact, for the
model that knows looks rather than pictures. Brackets hold 95 % bootstrap intervals over the samples.
"""


@dataclass(frozen=True, eq=False)
class Entry:
    """A model with its pictures and its scores."""

    name: str
    learner: Learner
    pictures: np.ndarray
    scores: AvatarScores


def write(rows: np.ndarray, entries: list[Entry], run: Run) -> None:
    """The page: pictures, the table, the answer, and how pictures were read."""
    ideal = expected_scores(len(entries[0].pictures), observed=rows)
    scores = table(entries, ideal)
    different = len(np.unique(avatars.look_numbers(rows)))
    mass = 1 - ideal.novelty
    run.section(
        "When is P_model impressive?",
        f"Each model observed portraits of the same {len(rows):,} people, drawn from P_data: {different} "
        f"different looks of 4,032, which have {mass:.0%} of the mass of P_data. Then each drew "
        f"{len(entries[0].pictures):,} portraits; below are the first, none chosen by hand.\n\n"
        f"{trained(entries)}",
        pictures={"Observed people, and people as each model draws them": gallery(rows, entries)},
    )
    run.section("Both rules as numbers", EXPLANATION, table=scores)
    run.section("The answer", answer(entries, ideal))
    looks = {entry.name: new_looks(rows, entry.pictures) for entry in entries}
    run.section(
        "Ten new looks for the Fashion Police",
        said_of_looks({name: len(found) for name, found in looks.items()}),
        pictures=sheet(looks),
    )
    drawn = [entry for entry in entries if entry.learner.seconds]  # pictures that need reading
    run.section(
        "What the pictures show",
        "Each picture above the portrait nearest to it. Only if the two differ by less than 5 % does the "
        "picture count as showing that look.",
        pictures={"Pictures, and how they are read": plots.image_rows(read_back(drawn))},
    )
    print()
    for cells in scores:
        print(f"{cells[0]:23}" + "".join(f"{cell:>23}" for cell in cells[1:]))
    print(f"\n{conclusion(entries, ideal)}")


def table(entries: list[Entry], ideal: ExpectedScores) -> list[list[str]]:
    """The scores of all models, with 95 % bootstrap intervals, and of P_data."""
    head = ["", "valid (1)", "TV (1)", "novel (2)", "coverage (2)", "KL, nats"]
    best = ["P_data itself", *(f"{value:.3f}" for value in ideal), "0"]
    return [head, best, *map(line, entries)]


def line(entry: Entry) -> list[str]:
    """One model's line."""
    log_prob = entry.learner.log_prob
    kl = f"{exact_kl(log_prob):.3f}" if log_prob else "∞" if entry.name == "copying" else ""
    # The interval may stand below its number, but is not to be broken itself.
    scores = [str(score).replace(", ", ",\N{NO-BREAK SPACE}") for score in entry.scores]
    return [entry.name, *scores, kl]


def keeps(scores: AvatarScores, ideal: ExpectedScores) -> tuple[bool, bool]:
    """Whether a model keeps rule 1, and rule 2."""
    looks_right = scores.total_variation.value <= ideal.total_variation + SLACK
    return looks_right, scores.novelty.value >= SHARE * ideal.novelty


def answer(entries: list[Entry], ideal: ExpectedScores) -> str:
    """The course's question, answered from the numbers: a sentence for each model, and a conclusion."""
    return "\n\n".join([*(sentence(entry, ideal) for entry in entries), conclusion(entries, ideal)])


def sentence(entry: Entry, ideal: ExpectedScores) -> str:
    """What the two rules say of one model."""
    scores, (first, second) = entry.scores, keeps(entry.scores, ideal)
    verdict = {
        (True, True): "It keeps both rules.",
        (True, False): "It keeps rule 1, and breaks rule 2: what it draws is not new.",
        (False, True): "It keeps rule 2, and breaks rule 1: what it draws is new, and not as P_data has it.",
        (False, False): "It breaks both rules.",
    }[first, second]
    name = entry.name[0].upper() + entry.name[1:]
    return (
        f"{name}: {scores.validity.value:.0%} of its pictures show a person; the looks are "
        f"{scores.total_variation.value:.2f} from P_data in total variation, where samples of P_data are "
        f"{ideal.total_variation:.2f}; {scores.novelty.value:.0%} of its pictures show people whom nobody "
        f"observed, where P_data has {ideal.novelty:.0%}. {verdict}"
    )


def conclusion(entries: list[Entry], ideal: ExpectedScores) -> str:
    """Which model is impressive."""
    both = [entry.name for entry in entries if all(keeps(entry.scores, ideal))]
    new = [entry for entry in entries if keeps(entry.scores, ideal)[1]]
    if both:
        return f"So P_model is impressive here for: {', '.join(both)}."
    if not new:
        return "So no P_model is impressive here: none draws enough new people."
    nearest = min(new, key=lambda entry: entry.scores.total_variation.value)
    return (
        "So no P_model is impressive here by these measures. Among those who draw new people, the nearest to "
        f"P_data is {nearest.name}."
    )


def trained(entries: list[Entry]) -> str:
    """How large the trained models are, and how long training took."""
    said = [
        f"{entry.name} {entry.learner.parameters:,} in {entry.learner.seconds:.0f} s"
        for entry in entries
        if entry.learner.seconds
    ]
    return f"Parameters, and seconds of training: {', '.join(said)}."


def gallery(rows: np.ndarray, entries: list[Entry]) -> Any:
    """Observed people, then a row of each model's."""
    shown = {"observed\nP_data": avatars.draw(rows[:8])}
    for entry in entries:
        name, _, kind = entry.name.partition(", ")
        shown[f"{name}\n{kind}" if kind else name] = entry.pictures
    return plots.image_rows(shown)


def new_looks(rows: np.ndarray, pictures: np.ndarray) -> np.ndarray:
    """The first ten pictures, none of the same look, that show a look which was not observed."""
    read, distances = avatars.read(pictures)
    numbers = avatars.look_numbers(read)
    new = (distances <= avatars.TOLERANCE) & ~np.isin(numbers, avatars.look_numbers(rows))
    _, first = np.unique(numbers[new], return_index=True)
    return pictures[new][np.sort(first)[:LOOKS]]


def sheet(looks: dict[str, np.ndarray]) -> dict[str, Any]:
    """The picture with a row for each model that has any; none if nobody has."""
    rows = {name.replace(", ", "\n"): found for name, found in looks.items() if len(found)}
    return {"For each model, its first ten": plots.image_rows(rows, columns=LOOKS)} if rows else {}


def said_of_looks(found: dict[str, int]) -> str:
    """Who solved the task of the course."""
    solved = [name for name, count in found.items() if count == LOOKS]
    fewer = [f"{name} {count}" for name, count in found.items() if count < LOOKS]
    said = f"The Fashion Police asked for {LOOKS} people whom nobody has seen. Found among the portraits of "
    said += f"{', '.join(solved)}." if solved else "no model."
    if fewer:
        said += f" Fewer: {', '.join(fewer)}."
    return f"{said} These are chosen: the first that show a person, each of another look than all others."


def read_back(entries: list[Entry]) -> dict[str, np.ndarray]:
    """Pictures, and the portraits that they are read as, by name."""
    rows = {}
    for entry in entries:
        rows[f"{entry.name}\nas drawn"] = entry.pictures[:8]
        rows[f"{entry.name}\nas read"] = avatars.draw(avatars.read(entry.pictures[:8]).rows)
    return rows
