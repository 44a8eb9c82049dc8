"""A run's folder holds what it promises, and its report is one safe page."""

from __future__ import annotations

import base64
import json
import re
import time
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from scratchgen import plots
from scratchgen.training import Run


@dataclass
class Settings:
    steps: int = 3
    widths: tuple[int, ...] = (2, 3)


def test_two_runs_of_one_second_get_two_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "strftime", lambda form: "20250102-030405")
    folders = [Run("vae", root=tmp_path / "runs").folder.name for _ in range(3)]
    assert folders == ["vae-20250102-030405", "vae-20250102-030405-2", "vae-20250102-030405-3"]
    assert Run.reopen(tmp_path / "runs" / folders[2]).name == "vae"


def test_what_a_new_folder_holds(tmp_path: Path) -> None:
    run = Run("vae", Settings(), root=tmp_path)
    assert json.loads((run.folder / "config.json").read_text()) == {"steps": 3, "widths": [2, 3]}
    assert {"python", "numpy", "blas", "command"} <= set(
        json.loads((run.folder / "environment.json").read_text())
    )
    assert Run.reopen(run.folder).configuration == run.configuration
    assert not run.checkpoint.exists()


@pytest.mark.parametrize("name", ["", "../x", "a/b", ".hidden"])
def test_names_that_are_no_folder_names(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="name: got"):
        Run(name, root=tmp_path)


def test_a_folder_that_is_no_run(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="expected the folder of a run"):
        Run.reopen(tmp_path)


def test_a_part_is_a_run_within_the_run(tmp_path: Path) -> None:
    run = Run("tour", {"seed": 1}, root=tmp_path)
    part = run.part("vae")
    part.log({"step": 1, "loss": 2.5})
    assert part.folder == run.folder / "vae"
    again = run.part("vae")
    assert (again.name, again.configuration, again.metrics()) == (
        "vae",
        {"seed": 1},
        [{"step": 1, "loss": 2.5}],
    )
    assert part.write_report().exists()


def test_rows_are_on_the_disk_at_once(tmp_path: Path) -> None:
    run = Run("vae", root=tmp_path)
    run.log({"step": 1, "loss": 2.5})
    assert (run.folder / "metrics.csv").read_text() == "step,loss\n1,2.5\n"
    assert run.metrics() == [{"step": 1, "loss": 2.5}]


class Page(HTMLParser):
    """Every tag with its attributes, and the text between tags."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attributes)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.fixture
def page(tmp_path: Path) -> Page:
    """A report in which everything a caller gives tries to be HTML."""
    evil = '<script src="https://example.com/x.js">alert("&")</script>'
    run = Run("vae", {evil: evil}, root=tmp_path)
    images = np.random.default_rng(0).uniform(size=(6, 1, 8, 8))
    gif = plots.animation(images, run.folder / "walk.gif")
    figure = plots.image_grid(images, columns=3)
    run.section(
        evil, f"{evil}\n\n    kept:  as it is\n    {evil}", numbers={evil: evil, "parameters": 410404}
    )
    run.section("Pictures", pictures={evil: figure, "Again": figure, "A walk": gif})
    run.section("Formula", "$$" + evil + "$$ \n\nand $x_" + evil + "$")
    run.section("Numbers", table=[["term", "nats"], [evil, -98.765432], ["kl", 3.0]])
    return Page(run.write_report(evil, evil))


def test_nothing_a_caller_says_becomes_html(page: Page) -> None:
    assert not page.all("script")
    assert page.text.count('alert("&")') >= 9
    assert not any(name.startswith("on") for _, attributes in page.tags for name in attributes)


def test_no_request_leaves_the_page(page: Page) -> None:
    addresses = [a[name] for _, a in page.tags for name in ("src", "href", "srcset", "action") if name in a]
    assert addresses
    assert all(re.match(r"data:|#section-\d", address or "") for address in addresses)
    assert "default-src 'none'" in (page.all("meta")[1]["content"] or "")
    assert "url(" not in page.text
    assert "@import" not in page.text


def test_a_chart_keeps_its_size_on_a_phone_and_images_are_made_to_fit(tmp_path: Path) -> None:
    images, run = np.zeros((6, 1, 8, 8)), Run("vae", root=tmp_path)
    rows = [{"step": step, "loss": 1 / step} for step in (1.0, 2.0)]
    for picture, chart in {
        plots.image_grid(images): False,
        plots.image_rows({"real": images}): True,
        plots.curves(rows): True,
    }.items():
        run.section("One", pictures={"picture": picture})
        assert run.sections[-1].pictures[0].chart == chart
    assert Page(run.write_report()).tags.count(("div", {"class": "chart"})) == 2


def test_pictures_are_inside_and_in_the_folder(page: Page, tmp_path: Path) -> None:
    (folder,) = tmp_path.iterdir()
    images = page.all("img")
    files = ["pictures.png", "pictures-2.png", "walk.gif"]
    night = [base64.b64decode((tag["srcset"] or "").partition("base64,")[2]) for tag in page.all("source")]
    assert night == [(folder / f"pictures{end}-dark.png").read_bytes() for end in ("", "-2")]
    for image, file in zip(images, files, strict=True):
        content = base64.b64decode((image["src"] or "").partition("base64,")[2])
        assert content == (folder / file).read_bytes()
    assert images[1]["alt"] == "Again"
    from PIL import Image

    with Image.open(folder / files[0]) as picture:  # drawn at twice the size it is shown at
        assert [2 * int(images[0][side] or 0) for side in ("width", "height")] == list(picture.size)


def test_text_numbers_and_tables(page: Page) -> None:
    assert "kept:  as it is\n" in page.text
    assert "410,404" in page.text
    assert "−98.77" in page.text
    assert sum(a.get("class") == "number" for tag, a in page.tags if tag in ("td", "th")) == 3
    anchors = [a["id"] for a in page.all("section")]
    assert [a["href"] for a in page.all("a")] == [f"#{anchor}" for anchor in anchors]


def test_a_file_that_is_no_picture(tmp_path: Path) -> None:
    run = Run("vae", root=tmp_path)
    (tmp_path / "a.png").write_bytes(b"<!DOCTYPE html>")
    with pytest.raises(ValueError, match=r"pictures: .*a.png starts with b'<!DOCTYP', expected a PNG or GIF"):
        run.section("Title", pictures={"caption": tmp_path / "a.png"})


def test_a_page_says_what_makes_it_again_and_leaves_out_what_was_not_used(tmp_path: Path) -> None:
    run = Run("vae", {"steps": 3, "root": None}, root=tmp_path)
    page = Page(run.write_report("VAE", command="python3 demos vae --steps 3"))
    assert "python3 demos vae --steps 3" in page.text
    assert "steps" in page.text
    assert "None" not in page.text


def test_a_part_knows_the_whole_and_a_renamed_folder_what_it_is_of(tmp_path: Path) -> None:
    run = Run("tour", root=tmp_path)
    assert run.part("vae").whole == run.folder
    again = Run.reopen(run.folder.rename(tmp_path / "mine"))
    assert (again.name, again.whole) == ("tour", tmp_path / "mine")
    part = again.part("vae")
    assert (part.name, part.whole) == ("vae", tmp_path / "mine")


def test_formulas_are_mathml_and_others_stay_as_written(tmp_path: Path) -> None:
    run = Run("vae", root=tmp_path)
    run.section("A", r"$$\frac{1}{2} x$$" + "\n\nwith $x_1$ and $\\nothing$ of it")
    html = run.write_report().read_text()
    assert html.count("<math") == 2
    assert "<code>\\nothing</code>" in html
