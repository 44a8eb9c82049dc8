"""What is written about the package is true of it: the wheel's contents, dependencies, versions."""

import ast
import email
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

import bootstrap

pytestmark = pytest.mark.host_only

ROOT = Path(bootstrap.ROOT)
PACKAGE = ROOT / "scratchgen"

BROUGHT_BY = {"PIL": "matplotlib", "llvmlite": "numba"}
OPTIONAL = {"cupy", "cupyx", "mpi4py"}

in_checkout = pytest.mark.skipif(not PACKAGE.is_dir(), reason="the package is installed from its wheel")


@pytest.fixture(scope="module")
def project():
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Return the wheel, built from the checkout without isolation, so that nothing is downloaded."""
    pytest.importorskip("hatchling")
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    with zipfile.ZipFile(next(folder.glob("*.whl"))) as opened:
        yield opened


def names(requirements):
    return {re.match(r"[\w-]+", requirement)[0] for requirement in requirements}


@in_checkout
def test_wheel_holds_the_package_whole_and_nothing_else(wheel):
    held = {name for name in wheel.namelist() if ".dist-info/" not in name}
    ignored = ("__pycache__", ".pyc")
    files = {str(path.relative_to(ROOT)) for path in PACKAGE.rglob("*") if path.is_file()}
    assert held == {file for file in files if not any(part in file for part in ignored)}
    assert {"scratchgen/py.typed", "scratchgen/data/digits.npz"} <= held


@in_checkout
def test_wheel_carries_both_licences(wheel):
    metadata = next(name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
    fields = email.message_from_bytes(wheel.read(metadata))
    assert fields["License-Expression"] == "MIT AND CC-BY-4.0"
    for file in fields.get_all("License-File"):
        held = wheel.read(f"{metadata.rpartition('/')[0]}/licenses/{file}")
        assert held == (ROOT / file).read_bytes()


@in_checkout
def test_every_module_that_is_imported_is_a_declared_dependency(project):
    imported = {}
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                imported.update({alias.name.partition(".")[0]: path.name for alias in node.names})
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                imported[node.module.partition(".")[0]] = path.name
    known = sys.stdlib_module_names | names(project["dependencies"]) | OPTIONAL | {"scratchgen"}
    strangers = {name: file for name, file in imported.items() if BROUGHT_BY.get(name, name) not in known}
    assert strangers == {}


def test_bootstrap_and_package_need_the_same_python(project):
    assert project["requires-python"] == ">=" + ".".join(map(str, bootstrap.OLDEST_PYTHON))


def test_version_is_the_same_everywhere(project):
    import scratchgen

    cited = re.search(r"^version: (\S+)$", (ROOT / "CITATION.cff").read_text(), re.MULTILINE)
    assert cited[1] == project["version"]
    assert scratchgen.__version__ == project["version"]


def test_pytorch_is_the_peer_and_not_a_dependency(project):
    extras = project["optional-dependencies"]
    assert "torch" in names(extras["parity"])
    assert "torch" not in names(project["dependencies"] + extras["test"])
