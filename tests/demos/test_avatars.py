"""The lesson on avatars: what the models observe, and that the words follow from the numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from demos import _avatar_models, _avatar_page as page, avatars as lesson
from scratchgen.backend import RandomStream
from scratchgen.data import avatars
from scratchgen.metrics import AvatarScores, Estimate, expected_scores, score_images
from scratchgen.training import Run

IDEAL = expected_scores(1000, observed=avatars.observations())


def entry(name: str, validity: float, total_variation: float, novelty: float) -> page.Entry:
    numbers = (validity, total_variation, novelty, 0.1)
    scores = AvatarScores(*(Estimate(value, value, value) for value in numbers))
    learner = _avatar_models.Learner(lambda n, rng: np.zeros((n, 3, 32, 32)), 7, 12.3)
    return page.Entry(name, learner, np.zeros((10, 3, 32, 32), np.float32), scores)


def run(tmp_path: Path) -> Run:
    return Run("avatars", root=tmp_path)


def test_fifty_people_are_those_of_the_course_and_others_are_drawn() -> None:
    np.testing.assert_array_equal(lesson.observed(lesson.Options(people=50)), avatars.observations())
    rows = lesson.observed(lesson.Options(people=300))
    assert rows.shape == (300, 5)
    assert (avatars.probabilities()[avatars.look_numbers(rows)] > 0).all()
    np.testing.assert_array_equal(rows, lesson.observed(lesson.Options(people=300)))
    assert (rows != lesson.observed(lesson.Options(people=300, seed=1))).any()


@pytest.mark.parametrize("people", [1, 0, -5])
def test_one_person_is_too_few(people: int) -> None:
    with pytest.raises(SystemExit, match=r"--people: got .*, expected"):
        lesson.Options(people=people).check()


def test_copying_keeps_rule_one_and_p_data_both() -> None:
    best = entry("best", 1.0, IDEAL.total_variation, IDEAL.novelty)
    assert page.keeps(best.scores, IDEAL) == (True, True)
    assert page.keeps(entry("copy", 1.0, IDEAL.total_variation, 0.0).scores, IDEAL) == (True, False)
    assert page.keeps(entry("new", 1.0, 0.9, 1.0).scores, IDEAL) == (False, True)
    assert page.keeps(entry("noise", 0.0, 1.0, 0.0).scores, IDEAL) == (False, False)


def test_the_words_say_what_the_numbers_do() -> None:
    copying, odd = entry("copying", 1.0, IDEAL.total_variation, 0.0), entry("odd", 1.0, 0.8, 0.9)
    words = page.answer([copying, odd], IDEAL)
    assert "Copying: 100% of its pictures show a person" in words
    assert "breaks rule 2" in words
    assert "breaks rule 1" in words
    assert words.endswith("the nearest to P_data is odd.")
    good = entry("good", 1.0, IDEAL.total_variation + 0.01, IDEAL.novelty)
    assert page.conclusion([copying, odd, good], IDEAL) == "So P_model is impressive here for: good."
    assert "none draws enough new people" in page.conclusion([copying], IDEAL)


def test_the_table_has_a_line_for_each_model_and_for_p_data(tmp_path: Path) -> None:
    rows, options = avatars.observations(), lesson.Options(out=tmp_path)
    learner = _avatar_models.features(rows, options, run(tmp_path))
    known = page.Entry("naive Bayes, features", learner, np.zeros(1), entry("", 1, 0.5, 0.5).scores)
    head, best, first, second = page.table([known, entry("GAN", 1, 0.4, 0.2)], IDEAL)
    assert {len(line) for line in (head, best, first, second)} == {len(head)}
    assert best[1:4] == ["1.000", f"{IDEAL.total_variation:.3f}", f"{IDEAL.novelty:.3f}"]
    assert first[5] == "0.786"  # as the lesson on naive Bayes has it for the fifty with add-one smoothing
    assert [cell.replace("\N{NO-BREAK SPACE}", " ") for cell in second[1:]] == [
        "1.000 [1.000, 1.000]",
        "0.400 [0.400, 0.400]",
        "0.200 [0.200, 0.200]",
        "0.100 [0.100, 0.100]",
        "",
    ]
    assert page.trained([entry("GAN", 1, 0.4, 0.2)]).endswith(": GAN 7 in 12 s.")


def test_models_that_need_no_training_score_as_they_should(tmp_path: Path) -> None:
    rows, options, rng = avatars.observations(), lesson.Options(out=tmp_path), RandomStream(0)
    scores = {
        make.__name__: score_images(make(rows, options, run(tmp_path)).draw(200, rng), rng, resamples=20)
        for make in (_avatar_models.features, _avatar_models.copying, _avatar_models.pixels)
    }
    assert scores["copying"].validity.value == scores["features"].validity.value == 1
    assert scores["copying"].novelty.value == 0
    assert scores["features"].novelty.value > 0.8
    assert scores["pixels"].validity.value == 0


def test_the_sheet_of_new_looks_has_only_looks_that_are_new_and_different() -> None:
    rows, all_looks = avatars.observations(), avatars.all_looks()
    new = all_looks[~np.isin(np.arange(len(all_looks)), avatars.look_numbers(rows))][::97]
    smear = np.full((1, *avatars.SHAPE), 0.5, np.float32)
    pictures = np.concatenate([smear, avatars.draw(rows[:5]), avatars.draw(np.repeat(new[:3], 2, axis=0))])
    np.testing.assert_array_equal(page.new_looks(rows, pictures), avatars.draw(new[:3]))
    many = page.new_looks(rows, avatars.draw(new[:15]))
    np.testing.assert_array_equal(many, avatars.draw(new[:10]))
    (picture,) = page.sheet({"copying": many[:0], "good, one": many, "fair": many[:3]}).values()
    assert [text.get_text() for text in picture.axes[0].texts] == ["good", "one", "fair"]
    assert page.sheet({"copying": many[:0]}) == {}
    said = page.said_of_looks({"copying": 0, "good": 10, "fair": 3})
    assert "among the portraits of good. Fewer: copying 0, fair 3." in said
    assert "no model" in page.said_of_looks({"copying": 0})


@pytest.mark.slow
@pytest.mark.parametrize("name", ["autoencoder", "VAE", "GAN", "diffusion"])
def test_models_that_are_trained_draw_portraits(name: str, tmp_path: Path) -> None:
    options = lesson.Options(out=tmp_path, steps=2, batch_size=8)
    learner = lesson.MODELS[name](avatars.observations(), options, run(tmp_path))
    drawn = learner.draw(3, RandomStream(0))
    assert drawn.shape == (3, *avatars.SHAPE)
    assert drawn.min() >= 0
    assert drawn.max() <= 1
    assert learner.parameters > 1e5
