"""Explorables: their numbers against Python's in Node, what they do in a browser, what they may load."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import scratchgen as sg
from scratchgen.models import VAE
from scratchgen.plots.explorables import Explorable, Plane, dense_layers, pack, planes
from scratchgen.plots.explorables.figure import FOLDER
from scratchgen.training import Run

pytestmark = pytest.mark.host_only

NODE = shutil.which("node")
BROWSER = shutil.which("chromium") or shutil.which("google-chrome")


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


def in_node(name: str, program: str, **given: Any) -> Any:
    """What a program says that has the explorable's functions as `it`, and what is given as `given`."""
    if NODE is None:
        pytest.skip("there is no Node to run the page's mathematics")
    scripts = [json.dumps(str(FOLDER / f"{file}.js")) for file in ("kit", name)]
    head = "".join(f"require({script});" for script in scripts)
    program = (
        f"{head} const it = globalThis.explorables.{name}; const kit = globalThis.explorables.kit; {program}"
    )
    read = 'const given = JSON.parse(require("fs").readFileSync(0));'
    command = [NODE, "-e", read + program]
    ran = subprocess.run(
        command, input=json.dumps(given), capture_output=True, text=True, check=True, timeout=60
    )
    return json.loads(ran.stdout)


def test_the_page_decodes_as_python_does_and_finds_the_same_neighbour(model: VAE, figure: Explorable) -> None:
    z = np.array([[0.3, -1.2], [2.5, 0.01]], np.float32)
    program = """
        const shown = it.prepare(given.data);
        const images = given.z.map((z) => it.decode(shown.models[0].decoder, z));
        const codes = Array.from(shown.models[1].codes.numbers);
        const found = images.map((x) => it.nearest(x, shown.images));
        const middle = it.middle(codes, shown.labels, 3);
        console.log(JSON.stringify({ images, found, codes, middle, way: it.between([1, 2], [3, 6], 0.25) }));
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


def page(tmp_path: Path, figure: Explorable) -> str:
    """The HTML of a run with one explorable."""
    run = Run("vae", root=tmp_path)
    run.section("A plane", explorables=[figure])
    return run.write_report().read_text(encoding="utf-8")


def test_only_the_scripts_of_the_package_may_run(tmp_path: Path, figure: Explorable) -> None:
    html = page(tmp_path, Explorable("planes", {**figure.data, "x": "</script><b>"}, "<b>"))
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


HARNESS = """
const wait = (ms) => new Promise((done) => setTimeout(done, ms));
addEventListener("load", async () => {
  const says = () => document.querySelector(".says").textContent;
  const [plane] = document.querySelectorAll("canvas");
  const at = (type, x, y) => {
    const box = plane.getBoundingClientRect();
    const place = { clientX: box.left + x * box.width, clientY: box.top + y * box.height, bubbles: true };
    plane.dispatchEvent(new PointerEvent(type, { ...place, pointerId: 1, pointerType: "touch" }));
  };
  const slide = (input, value) => { input.value = value; input.dispatchEvent(new Event("input")); };
  await wait(100);
  const seen = [says()];
  at("pointerdown", 0.9, 0.1); at("pointermove", 0.95, 0.05); at("pointerup", 0.95, 0.05);
  seen.push(says());
  at("pointermove", 0.2, 0.2);
  seen.push(says());
  plane.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowLeft", shiftKey: true }));
  seen.push(says());
  const [beta, walk] = document.querySelectorAll("input[type=range]");
  slide(beta, 1);
  seen.push(document.querySelector(".title").textContent);
  slide(walk, 100);
  seen.push(says());
  const drawn = plane.getContext("2d").getImageData(0, 0, plane.width, plane.height).data;
  const ink = drawn.some((byte) => byte > 0);
  const wide = document.documentElement.scrollWidth <= innerWidth;
  const result = document.createElement("pre");
  result.id = "result";
  const outputs = [...document.querySelectorAll("output")].map((output) => output.textContent);
  result.textContent = JSON.stringify({ seen, ink, wide, outputs });
  document.body.append(result);
});
"""


@pytest.mark.slow
@pytest.mark.skipif(BROWSER is None, reason="there is no Chromium to play with the page")
def test_it_answers_to_touch_keys_and_sliders(tmp_path: Path, figure: Explorable) -> None:
    html = page(tmp_path, figure)
    digest = base64.b64encode(hashlib.sha256(HARNESS.encode()).digest()).decode()
    html = html.replace("script-src ", f"script-src 'sha256-{digest}' ", 1)
    html = html.replace("</body>", f"<script>{HARNESS}</script></body>")
    (tmp_path / "page.html").write_text(html, encoding="utf-8")
    command = [str(BROWSER), "--headless", "--no-sandbox", "--disable-gpu", "--window-size=500,900"]
    command += [f"--user-data-dir={tmp_path}/profile", "--virtual-time-budget=3000", "--dump-dom"]
    ran = subprocess.run(
        [*command, (tmp_path / "page.html").as_uri()], capture_output=True, text=True, timeout=120,
        env={**os.environ, "HOME": str(tmp_path)},
    )  # fmt: skip
    found = re.search(r'<pre id="result">(.*?)</pre>', ran.stdout, re.DOTALL)
    assert found, ran.stderr[-2000:]
    result = json.loads(found[1].replace("&lt;", "<").replace("&amp;", "&"))
    first, dragged, let_go, key, title, walked = result["seen"]
    assert dragged != first  # a finger moves the point
    assert let_go == dragged  # one that is lifted does not
    assert key != let_go
    assert title == "VAE, beta 4"
    assert walked != key
    assert result["outputs"] == ["4", "100 %"]
    assert result["ink"]
    assert result["wide"]  # nothing sticks out of a narrow page


def test_what_cannot_be_shown(model: VAE) -> None:
    images = sg.data.digits().test[:4]
    with pytest.raises(ValueError, match=r"codes of VAE: got shape \(4, 3\), expected \(4, 2\)"):
        planes([Plane("VAE", "VAE", model.decoder, np.zeros((4, 3)))], images, np.zeros(4, int), images, "")
    with pytest.raises(ValueError, match=r"train: got shape \(4, 1, 8, 4\)"):
        planes([], images, np.zeros(4, int), images[..., :4], "")
    with pytest.raises(TypeError, match=r"decoder: got Tanh\(\), expected Linear layers with ReLU"):
        dense_layers(sg.nn.Sequential(sg.nn.Linear(2, 3), sg.nn.Tanh()))
