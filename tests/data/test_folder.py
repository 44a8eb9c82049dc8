"""Your own pictures: whatever Pillow reads, once, and whatever else lies there is said."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from scratchgen.data import DataError, Images, folder

pytestmark = pytest.mark.host_only


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "scratchgen" / "pictures"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Twelve plain squares of two classes, as JPEG and PNG; the red of each tells which one it is."""
    for i in range(12):
        where = tmp_path / "holidays" / ("sea" if i % 3 else "alps")
        where.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (40 + i, 30), (20 * i, 100, 50)).save(where / f"{i}.{'png' if i % 2 else 'jpg'}")
    return tmp_path / "holidays"


def all_of(data: Images) -> tuple[np.ndarray, np.ndarray]:
    return np.concatenate([data.train, data.test]), np.concatenate([data.train_labels, data.test_labels])


def test_every_picture_once_with_its_class(place: Path) -> None:
    data = folder(place, 16, channels=3)
    pixels, labels = all_of(data)
    assert (data.name, data.shape, data.levels) == ("holidays", (3, 16, 16), 256)
    assert data.class_names == ("alps", "sea")
    assert (len(data.train), len(data.test)) == (10, 2)
    which = (pixels[:, 0].mean(axis=(1, 2)) * 255 / 20).round().astype(int)
    assert sorted(which) == list(range(12))
    np.testing.assert_array_equal(labels, (which % 3 > 0) * 1)
    np.testing.assert_allclose(pixels[:, 1] * 255, 100, atol=2)  # JPEG is not exact
    assert pixels.dtype == np.float32


def test_grey_pictures(place: Path) -> None:
    data = folder(place, 8)
    pixels, _ = all_of(data)
    assert data.shape == (1, 8, 8)
    expected = sorted(0.299 * 20 * i + 0.587 * 100 + 0.114 * 50 for i in range(12))
    np.testing.assert_allclose(sorted(pixels.mean(axis=(1, 2, 3)) * 255), expected, atol=2)


def test_the_middle_square_of_a_picture(tmp_path: Path) -> None:
    """Wide and tall ones, whose ends are black, turned by the camera's note or not."""
    (tmp_path / "in").mkdir()
    wide = np.zeros((4, 12), np.uint8)
    wide[:, 4:8] = np.arange(0, 256, 17).reshape(4, 4)
    Image.fromarray(wide).save(tmp_path / "in" / "wide.png")
    Image.fromarray(wide.T).save(tmp_path / "in" / "tall.png")
    noted = Image.Exif()
    noted[0x0112] = 6  # to be turned a quarter clockwise
    Image.fromarray(wide).save(tmp_path / "in" / "noted.png", exif=noted)
    pixels, _ = all_of(folder(tmp_path / "in", 4))
    square = (wide[:, 4:8] / 255).astype(np.float32)
    found = {x[0].tobytes() for x in pixels}
    assert found == {np.ascontiguousarray(s).tobytes() for s in (square, square.T, np.rot90(square, -1))}


def test_modes_of_every_kind(tmp_path: Path) -> None:
    place = tmp_path / "modes"
    place.mkdir()
    Image.fromarray(np.full((4, 4), 0x8080, np.uint16)).save(place / "deep.png")  # 16 bits: 128.5 of 255
    Image.new("LA", (4, 4), (0, 0)).save(place / "glass.png")  # black, but transparent: paper
    Image.new("1", (4, 4), 1).save(place / "bits.png")
    Image.new("P", (4, 4), 0).save(place / "palette.gif")
    Image.new("CMYK", (4, 4), (0, 0, 0, 255)).save(place / "press.jpg")
    pixels, _ = all_of(folder(place, 2))
    assert sorted(round(float(x.mean()) * 255) for x in pixels) == [0, 0, 128, 255, 255]


def test_what_cannot_be_read_is_told_once(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (place / "sea" / "cut.jpg").write_bytes((place / "sea" / "2.jpg").read_bytes()[:400])
    (place / "notes.txt").write_text("no picture")
    (place / ".hidden").write_text("nobody's")
    data = folder(place, 16)
    said = capsys.readouterr().err
    assert "left out 2 of 14 files" in said
    assert "sea/cut.jpg (" in said
    assert "notes.txt (" in said
    assert "hidden" not in said
    assert len(data.train) + len(data.test) == 12
    assert folder(place, 16).train.shape == data.train.shape
    assert capsys.readouterr().err == ""


def test_the_cache_goes_by_contents(place: Path, cache: Path, tmp_path: Path) -> None:
    first = folder(place, 16)
    place.rename(tmp_path / "elsewhere")
    (tmp_path / "elsewhere" / "sea" / "1.png").rename(tmp_path / "elsewhere" / "sea" / "one.png")
    again = folder(tmp_path / "elsewhere", 16)
    np.testing.assert_array_equal(again.train, first.train)
    assert len(list(cache.glob("*.f32"))) == 1
    folder(tmp_path / "elsewhere", 8)
    Image.new("L", (5, 5), 3).save(tmp_path / "elsewhere" / "sea" / "one.png")
    assert (folder(tmp_path / "elsewhere", 16).train.shape, len(list(cache.glob("*.f32")))) == (
        first.train.shape,
        3,
    )
    assert not list(cache.glob("*.part"))


def test_copies_stay_on_one_side(tmp_path: Path) -> None:
    """What is for testing must not be a picture that was trained on."""
    for i in range(30):
        (tmp_path / "in").mkdir(exist_ok=True)
        Image.new("L", (4, 4), 10 * (i // 3)).save(tmp_path / "in" / f"{i}.png")
    data = folder(tmp_path / "in", 4)
    assert not {x.tobytes() for x in data.train} & {x.tobytes() for x in data.test}
    assert len(data.test) == 6


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({}, "hold no files, expected pictures"),
        ({"a.txt": b"words", "b.txt": b"more"}, "holds 0 pictures, expected two at least"),
    ],
)
def test_no_pictures_is_an_error(tmp_path: Path, files: dict[str, bytes], said: str, cache: Path) -> None:
    (tmp_path / "in").mkdir()
    for name, content in files.items():
        (tmp_path / "in" / name).write_bytes(content)
    with pytest.raises(DataError, match=said):
        folder(tmp_path / "in", 16)
    assert not list(cache.glob("*")) if cache.exists() else True


def test_bad_arguments(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="'nowhere' is not a folder"):
        folder("nowhere", 16)
    with pytest.raises(ValueError, match="size: got 0"):
        folder(tmp_path, 0)
    with pytest.raises(ValueError, match="channels: got 2"):
        folder(tmp_path, 16, channels=2)


def test_a_damaged_cache_is_named(place: Path, cache: Path) -> None:
    folder(place, 16)
    (file,) = cache.glob("*.f32")
    file.write_bytes(file.read_bytes()[:100])
    with pytest.raises(DataError, match=r"is damaged .*; remove it"):
        folder(place, 16)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux counts a process's own memory so")
def test_more_pictures_than_memory(place: Path, cache: Path) -> None:
    """96 MiB of pictures with 64 MiB of memory left: mapped pages are the file's, not the process's."""
    folder(place, 16)
    (file,), (note,) = cache.glob("*.f32"), cache.glob("*.json")
    count = 98_304
    with open(file, "wb") as sparse:
        sparse.truncate(count * 256 * 4)
    note.write_text(f'{{"labels": {[0] * count}, "test": 1}}')
    program = f"""
        import resource
        import numpy as np
        import scratchgen as sg
        model = sg.models.Autoencoder.dense((1, 16, 16), 8, 2)
        optimiser = sg.optim.SGD(model.parameters(), 0.1)
        sg.training.fit(model.loss, np.zeros((8, 1, 16, 16), np.float32), optimiser, steps=1, quiet=True)
        (used,) = [int(l.split()[1]) for l in open("/proc/self/status") if l.startswith("VmData")]
        resource.setrlimit(resource.RLIMIT_DATA, ((used + 65536) * 1024,) * 2)
        data = sg.data.folder({str(place)!r}, 16)
        assert data.train.nbytes > 95 << 20
        sg.training.fit(model.loss, data.train, optimiser, steps=3, quiet=True)
        try:
            data.train.copy()
        except MemoryError:
            print("as it should be")
    """
    command = [sys.executable, "-c", textwrap.dedent(program)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.stdout == "as it should be\n", ended.stderr
