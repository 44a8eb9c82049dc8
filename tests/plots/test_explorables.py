"""Explorables: their numbers against Python's in Node, what they do in a browser, what they may load."""

from __future__ import annotations

import base64
import hashlib
import re
import runpy
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from explorable_pages import in_node, page, play

import scratchgen as sg
from scratchgen.data import avatars
from scratchgen.models import VAE
from scratchgen.models.diffusion import cosine_schedule
from scratchgen.plots.explorables import (
    Explorable,
    Film,
    Game,
    Plane,
    bound,
    decoders,
    dense_layers,
    duel,
    figure as figure_module,
    noise,
    pack,
    planes,
    shop,
    targets,
)
from scratchgen.plots.explorables.figure import FOLDER

BOOK = Path(__file__).resolve().parents[2] / "docs"

pytestmark = pytest.mark.host_only


@pytest.fixture(scope="module")
def model() -> VAE:
    """A VAE with two latents, untrained."""
    return VAE.dense((1, 8, 8), 16, 2, rng=sg.RandomStream(3))


@pytest.fixture(scope="module")
def figure(model: VAE) -> Explorable:
    """Two betas of it, and digits."""
    data = sg.data.digits()
    images, labels = data.test[:60], data.test_labels[:60]
    codes = sg.asnumpy(model.encode(sg.asarray(images)))
    shown = [Plane(f"VAE, beta {b}", "VAE", model.decoder, b * codes, beta=b) for b in (1, 4)]
    return planes(shown, images, labels, data.train[:90], "Drag the point")


def test_the_page_decodes_as_python_does_and_finds_the_same_neighbour(model: VAE, figure: Explorable) -> None:
    z = np.array([[0.3, -1.2], [2.5, 0.01]], np.float32)
    program = """
        const shown = it.prepare(given.data);
        const images = given.z.map((z) => it.decode(shown.models[0].decoder, z));
        const codes = Array.from(shown.models[1].codes.numbers);
        const found = images.map((x) => it.nearest(x, shown.images));
        const middle = it.middle(codes, shown.labels, 3);
        console.log(JSON.stringify({
          images, found, codes, middle, way: it.between([1, 2], [3, 6], 0.25),
          closest: it.closest(codes, [0.5, -0.25]), reach: it.reach(shown.models[1].codes),
        }));
    """
    said = in_node("planes", program, data=figure.data, z=z.tolist())
    images = sg.asnumpy(model.decode(sg.asarray(z))).reshape(2, -1)
    np.testing.assert_allclose(said["images"], images, rtol=1e-5)
    data = sg.data.digits()
    flat = np.round(255 * data.train[:90].reshape(90, -1)) / 255
    distances = np.linalg.norm(images[:, None] - flat, axis=-1)
    assert [found["index"] for found in said["found"]] == distances.argmin(axis=1).tolist()
    np.testing.assert_allclose(
        [found["distance"] for found in said["found"]], distances.min(axis=1), rtol=1e-5
    )
    codes = 4 * sg.asnumpy(model.encode(sg.asarray(data.test[:60])))
    np.testing.assert_allclose(said["codes"], codes.ravel(), rtol=1e-5)
    np.testing.assert_allclose(said["middle"], codes[data.test_labels[:60] == 3].mean(axis=0), rtol=1e-5)
    assert said["way"] == [1.5, 3]
    assert said["closest"] == np.linalg.norm(codes - [0.5, -0.25], axis=1).argmin()
    far = np.sort(np.abs(codes), axis=None)
    assert said["reach"] == pytest.approx(max(2.5, 1.1 * far[int(0.99 * (far.size - 1))]), rel=1e-5)


@pytest.mark.skipif(not BOOK.is_dir(), reason="the book is not beside the tests")
def test_the_book_shows_each_with_what_was_recorded() -> None:
    chapters = "".join(file.read_text(encoding="utf-8") for file in (BOOK / "chapters").glob("*.md"))
    for file in (BOOK / "explorables").glob("*.py"):
        if file.stem in ("record", "page"):
            continue
        shown = runpy.run_path(str(file))["show"]()
        assert (FOLDER / f"{shown.name}.js").exists()
        assert len(shown.html()) < 800_000, file.name  # a page that opens at once
        assert f"```{{explorable}} {file.stem}\n" in chapters, file.name


@pytest.mark.skipif(not BOOK.is_dir(), reason="the book is not beside the tests")
def test_the_page_that_opens_without_installing_is_the_book_s() -> None:
    """`docs/play.html` holds these scripts and the words of `docs/play.md`."""
    made = (BOOK / "play.html").read_text(encoding="utf-8")
    again = "it is older than what it is made of: python3 docs/explorables/page.py"
    text = (BOOK / "play.md").read_text(encoding="utf-8")
    names = re.findall(r"\{explorable\} (\w+)", text)
    assert sorted(names) == sorted(file.stem for file in FOLDER.glob("*.js") if file.stem != "kit")
    for part in (*figure_module.scripts(names), figure_module.STYLE.read_text()):
        assert part in made, again
    for paragraph in re.split(r"\n\n+", re.sub(r"^#+ .*|```.*|More in .*", "", text, flags=re.MULTILINE)):
        assert escape(" ".join(paragraph.split())) in made, again
    for name in ("bound", "shop"):
        assert runpy.run_path(str(BOOK / "explorables" / f"{name}.py"))["show"]().html() in made, again


def test_numbers_survive_the_page() -> None:
    x = np.array([[1.5, -2.25e-8], [np.inf, 3e38]], np.float32)
    program = (
        "const x = kit.unpack(given.x); console.log(JSON.stringify([Array.from(x.numbers, String), x.shape]))"
    )
    numbers, shape = in_node("planes", program, x=pack(x))
    assert [float(number.replace("Infinity", "inf")) for number in numbers] == pytest.approx(
        x.ravel().tolist()
    )
    assert shape == [2, 2]
    assert in_node("planes", program, x=pack(np.uint8([7, 255])))[0] == ["7", "255"]


def test_only_the_scripts_of_the_package_may_run(tmp_path: Path, figure: Explorable) -> None:
    html = page(tmp_path, [Explorable("planes", {**figure.data, "x": "</script><b>"}, "<b>")])
    assert "<b>" not in html
    programs = re.findall(r"<script>(.*?)</script>", html, re.DOTALL)
    assert len(programs) == 2
    policy = re.search(r"script-src ([^\"]*)\"", html)
    assert policy is not None
    digests = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in programs]
    assert policy[1] == " ".join(f"'sha256-{digest}'" for digest in digests)
    assert "http" not in "".join(programs)


def test_each_script_is_short_enough_to_be_read() -> None:
    for file in FOLDER.glob("*.js"):
        lines = file.read_text(encoding="utf-8").splitlines()
        assert len(lines) <= 300, file.name
        assert max(map(len, lines)) <= 130, file.name


PLAYS = {
    "planes": """
        const says = () => it.words(".says"), [plane] = it.all("canvas");
        const [beta, walk] = it.all("input[type=range]");
        const seen = [says()];
        it.touch(plane, [0.9, 0.1], [0.95, 0.05]);
        seen.push(says());
        it.hover(plane, 0.2, 0.2);
        seen.push(says());
        it.key(plane, "ArrowLeft", { shiftKey: true });
        seen.push(says());
        it.slide(beta, 1);
        seen.push(it.words(".title"));
        it.slide(walk, 100);
        return [...seen, says(), ...it.all("output").map((one) => one.textContent)];
    """,
    "bound": """
        const says = () => it.words(".says"), [guess, decoder] = it.all("canvas"), seen = [says()];
        it.touch(guess, [0.9, 0.5]);
        seen.push(says());
        it.key(guess, "ArrowUp");
        seen.push(says());
        it.touch(decoder, [0.5, 0.1]);
        seen.push(says());
        it.press("a bow");
        seen.push(says());
        it.press("let q climb");
        await wait(2000);
        seen.push(says());
        it.press("draw others");
        it.slide(it.all("input[type=range]")[0], 4);
        return [...seen, it.words("output")];
    """,
    "shop": """
        const [shelf, bar, wall] = it.all("canvas"), [alpha] = it.all("input[type=range]");
        const heading = () => it.all(".title")[1].textContent, picture = () => wall.toDataURL();
        const seen = [heading(), it.words("[aria-live]")];
        it.touch(shelf, [0.44, 0.05], [0.44, 0.3]);
        seen.push(heading(), it.words("[aria-live]"), it.words(".says"));
        it.slide(alpha, 3);
        seen.push(heading());
        it.press("as observed");
        it.slide(alpha, 0);
        it.key(shelf, "ArrowUp");
        it.key(shelf, "ArrowRight");
        it.press("+");
        seen.push(heading(), it.words("[aria-live]"));
        const before = picture();
        it.press("ten others");
        return [...seen, before !== picture()];
    """,
    "duel": """
        const says = () => it.words(".says"), [ratio, scrub] = it.all("input[type=range]"), seen = [says()];
        const [line, history, plane] = it.all("canvas");
        it.press("step of D");
        it.press("step of G");
        it.press("step of G");
        seen.push(says());
        it.press("train");
        await wait(400);
        it.press("pause");
        seen.push(says());
        await wait(100);
        seen.push(says());
        it.press("two hills");
        seen.push(says());
        it.slide(scrub, 1);
        const bumps = () => it.all("[aria-live]")[1].textContent, before = plane.toDataURL();
        seen.push(bumps());
        it.press("fast");
        return [...seen, before !== plane.toDataURL(), it.all("output")[1].textContent];
    """,
    "noise": """
        const [there, back] = it.all("canvas"), [t, way, steps, weight] = it.all("input[type=range]");
        const says = (i) => it.all(".says")[i].textContent, seen = [says(0)];
        it.slide(t, 40);
        it.touch(there, [0.8, 0.5]);
        seen.push(says(0));
        it.key(there, "ArrowLeft");
        seen.push(says(0), says(1));
        it.press("DDPM");
        it.slide(steps, 0);
        seen.push(says(1));
        it.press("one of them");
        it.slide(weight, 3);
        seen.push(says(1));
        const end = back.toDataURL();
        it.slide(way, 0);
        seen.push(end !== back.toDataURL());
        it.press("play");
        await wait(300);
        return [...seen, it.all("output")[1].textContent];
    """,
}


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory, figure: Explorable) -> dict[str, Any]:
    """All explorables on one page as wide as a phone held sideways, played with one after another."""
    world, rng = sg.data.toy.eight_gaussians(), sg.RandomStream(5)
    clouds = np.stack([0 * world.sample(200, rng), world.sample(200, rng)])
    fields = np.linspace(0, 1, 50).reshape(2, 5, 5)
    games = [Game("slowly", clouds, fields, 20, 3.0), Game("fast", clouds[::-1], fields, 20, 3.0)]
    figures = [figure, bound(decoders(), 1.2, "Drag q"), shop(avatars.observations(), "Drag a bar")]
    frames = np.arange(2 * 10 * 16, dtype=np.uint8).reshape(2, 10, 16)
    film = Film([0, 100], frames, frames[::-1], {0.0: frames, 1.0: frames})
    figures += [duel(targets(), "Train", games, world), noise(world, cosine_schedule(100), "Turn t", film)]
    return play(tmp_path_factory.mktemp("page"), figures, PLAYS)


@pytest.mark.slow
def test_a_page_shows_all_without_a_fault(played: dict[str, Any]) -> None:
    assert played["faults"] == []
    assert min(played["drawn"]) > 5
    assert all(played["named"])
    assert played["wide"] <= 500  # nothing sticks out
    assert played["small"] == []  # of what a thumb has to hit


@pytest.mark.slow
def test_a_plane_answers_to_touch_keys_and_sliders(played: dict[str, Any]) -> None:
    first, dragged, let_go, key, title, walked, *outputs = played["seen"]["planes"]
    assert dragged != first  # a finger moves the point
    assert let_go == dragged  # one that is lifted does not
    assert key != let_go
    assert title == "VAE, beta 4"
    assert walked != key
    assert outputs == ["4", "100 %"]


@pytest.mark.slow
def test_the_bound_answers_and_climbs(played: dict[str, Any]) -> None:
    first, moved, wider, other, bow, top, samples = played["seen"]["bound"]
    assert first.startswith("−1.67 = ")
    assert moved.startswith("−1.67 = ")  # log p(x) does not depend on q
    assert len({first, moved, wider, other, bow, top}) == 6
    assert not other.startswith("−1.67 = ")  # but on x
    assert "two hills" in top
    assert samples == "1000"


@pytest.mark.slow
def test_the_shop_counts_again(played: dict[str, Any]) -> None:
    first, chosen, never, none, why, smoothed, more, other, drawn_anew = played["seen"]["shop"]
    assert first == "From the truth: 0.73 nats"
    assert chosen.startswith("hair, long hair straight: counted 23 times, probability 46.0 %")
    assert never == "From the truth: infinitely many nats"
    assert none.startswith("hair, long hair straight: counted 0 times, probability 0.0 %")
    assert "rules out looks that do exist" in why
    assert 0.74 < float(smoothed.split()[3]) < 5
    assert 0.73 <= float(more.split()[3]) < 0.76  # two counts more hardly matter
    assert other.startswith("hair, short hair short waved: counted 2 times")
    assert drawn_anew


@pytest.mark.slow
def test_the_duel_is_fought_step_by_step(played: dict[str, Any]) -> None:
    first, stepped, trained, paused, restarted, bumps, other, step = played["seen"]["duel"]
    assert first.startswith("Steps: 0 of D, 0 of G.")
    assert stepped.startswith("Steps: 1 of D, 2 of G.")
    found = re.match(r"Steps: (\d+) of D, (\d+) of G", trained)
    assert found is not None
    assert int(found[1]) > 1
    assert int(found[2]) == int(found[1]) + 1
    assert paused == trained
    assert restarted.startswith("Steps: 0 of D, 0 of G.")
    assert bumps == "8 of 8 bumps reached."
    assert other  # another training shows another picture
    assert step == "20"


@pytest.mark.slow
def test_noise_goes_there_and_back(played: dict[str, Any]) -> None:
    first, dragged, key, ddim, ddpm, guided, moved, way = played["seen"]["noise"]
    assert first.startswith("From x = (0.90, 0.40) at t = 16 ")
    assert dragged.startswith("From x = (1.86, 0.00) at t = 80 ")
    assert key.startswith("From x = (1.79, 0.00) at t = 80 ")
    assert ddim.startswith("20 steps of DDIM")
    assert float(re.findall(r"([\d.]+) %", ddim)[0]) > 97
    assert ddpm.startswith("5 steps of DDPM")
    assert guided.endswith("All were sent to one bump, with w = 2.")
    assert moved
    assert way == "100 %"  # played to its end


def test_what_cannot_be_shown(model: VAE) -> None:
    images = sg.data.digits().test[:4]
    with pytest.raises(ValueError, match=r"codes of VAE: got shape \(4, 3\), expected \(4, 2\)"):
        planes([Plane("VAE", "VAE", model.decoder, np.zeros((4, 3)))], images, np.zeros(4, int), images, "")
    with pytest.raises(ValueError, match=r"train: got shape \(4, 1, 8, 4\)"):
        planes([], images, np.zeros(4, int), images[..., :4], "")
    with pytest.raises(ValueError, match=r"samples of fast: got shape \(3, 7\)"):
        duel(targets(), "", [Game("fast", np.zeros((3, 7)), np.zeros((3, 5, 5)), 1, 3.0)])
    with pytest.raises(ValueError, match=r"schedule: got 70 steps, expected a multiple of 50"):
        noise(sg.data.toy.eight_gaussians(), cosine_schedule(70), "")
    with pytest.raises(TypeError, match=r"decoder: got Tanh\(\), expected Linear layers with ReLU"):
        dense_layers(sg.nn.Sequential(sg.nn.Linear(2, 3), sg.nn.Tanh()))
