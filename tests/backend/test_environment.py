import json
import os
import re
import subprocess
import sys
import types

import pytest

from scratchgen.backend import device, environment as module, process
from scratchgen.backend.environment import advice, describe, environment

pytestmark = pytest.mark.host_only


def machine(**changes):
    found = {
        "scratchgen": "0.1.0",
        "python": "3.11.7",
        "numpy": "2.4.6",
        "platform": "Linux",
        "processor": "a fast one",
        "cores": 4,
        "cuda": "none: no driver",
        "loops": "compiled by Numba 0.68.0",
        "blas": [{"library": "openblas", "version": "0.3.30", "kernels": "SkylakeX", "threads": 4}],
        "pinned": {},
    }
    return found | changes


@pytest.fixture(autouse=True)
def _unpinned(monkeypatch):
    for name in module.PINNING_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(module, "_has_avx512", lambda: True)
    monkeypatch.setattr(module.process, "TOO_LATE", False)
    monkeypatch.setattr(module.compiled, "_folder", lambda: "/tmp")


def test_environment_can_be_written_beside_a_run():
    found = environment()
    assert set(found) == set(machine())
    assert json.loads(json.dumps(found)) == found
    assert found["cores"] >= 1


def test_environment_names_the_blas_library():
    import numpy  # noqa: F401, for its BLAS to be loaded

    assert {"library", "version", "kernels", "threads"} == set(environment()["blas"][0])


def test_pinned_variables_are_reported(monkeypatch):
    assert environment()["pinned"] == {}
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Haswell")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    assert environment()["pinned"] == {"OPENBLAS_CORETYPE": "Haswell", "OMP_NUM_THREADS": "1"}
    assert "pinned     OPENBLAS_CORETYPE=Haswell, OMP_NUM_THREADS=1" in describe()


def test_nothing_to_advise():
    assert advice(machine()) == []


def test_loops_are_named_by_their_compiler_or_by_what_is_missing(monkeypatch):
    monkeypatch.setattr(module.compiled, "available", lambda: True)
    assert re.fullmatch(r"compiled by Numba [\d.]+", environment()["loops"])
    monkeypatch.setattr(module.compiled, "available", lambda: False)
    monkeypatch.delenv("SCRATCHGEN_LOOPS", raising=False)
    assert environment()["loops"] == "none: Numba is not installed"
    monkeypatch.setenv("SCRATCHGEN_LOOPS", "0")
    assert environment()["loops"] == "none: SCRATCHGEN_LOOPS=0 leaves all to formulas"


def test_advice_on_loops_says_what_their_want_costs(monkeypatch):
    (line,) = advice(machine(loops="none: Numba is not installed"))
    assert line == "Numba is not installed, so a training step takes two to three times as long"
    monkeypatch.setattr(module.compiled, "_folder", lambda: None)
    (line,) = advice(machine())
    assert line == "compiled loops cannot be kept, so each process compiles them; set NUMBA_CACHE_DIR"


def test_the_processor_is_named(monkeypatch):
    monkeypatch.setattr(
        module, "_cpuinfo", lambda: "processor : 0\nmodel name : AMD EPYC 9\nmodel name : other\n"
    )
    assert environment()["processor"] == "AMD EPYC 9"
    monkeypatch.setattr(module, "_cpuinfo", lambda: "")
    monkeypatch.setattr(module.platform, "processor", lambda: "arm")
    assert environment()["processor"] == "arm"


def test_without_an_nvidia_device_cupy_is_not_even_tried(monkeypatch):
    monkeypatch.setattr(module, "nvidia_device", lambda: False)
    monkeypatch.setattr(module, "get_device", None)
    assert environment()["cuda"] == "none: no NVIDIA device"


def test_advice_on_pinned_kernels():
    (line,) = advice(machine(pinned={"OPENBLAS_CORETYPE": "Haswell"}))
    assert line.startswith("OPENBLAS_CORETYPE=Haswell pins the BLAS kernels; unset it")


def test_advice_on_kernels_older_than_the_processor(monkeypatch):
    blas = [{"library": "openblas", "version": "0.3.21", "kernels": "Haswell", "threads": 4}]
    (line,) = advice(machine(blas=blas))
    assert "has AVX-512, but BLAS runs its haswell kernels" in line
    monkeypatch.setattr(module, "_has_avx512", lambda: False)
    assert advice(machine(blas=blas)) == []


def test_no_advice_on_kernels_nobody_knows():
    blas = [{"library": "mkl", "version": "2024", "kernels": "unknown", "threads": 4}]
    assert advice(machine(blas=blas)) == []


def test_advice_on_too_few_threads_names_what_limits_them():
    blas = [{"library": "openblas", "version": "0.3.30", "kernels": "SkylakeX", "threads": 1}]
    (line,) = advice(machine(blas=blas, pinned={"OMP_NUM_THREADS": "1"}))
    assert line == "openblas uses 1 of 4 cores; unset OMP_NUM_THREADS to use them all"
    assert advice(machine(blas=blas)) == []


@pytest.mark.parametrize(
    ("imports", "chosen", "late"),
    [("numpy, scratchgen", "", True), ("scratchgen", "", False), ("numpy, scratchgen", "20", False)],
)
def test_whether_numpy_was_imported_first(imports, chosen, late):
    inherited = {name: value for name, value in os.environ.items() if name != process.VARIABLE}
    variables = inherited | ({process.VARIABLE: chosen} if chosen else {})
    code = f"import {imports}; from scratchgen.backend import process; print(process.TOO_LATE)"
    ran = subprocess.run([sys.executable, "-c", code], env=variables, capture_output=True, text=True)
    assert ran.stdout.strip() == str(late), ran.stderr


def test_advice_to_import_scratchgen_first(monkeypatch):
    monkeypatch.setattr(process, "TOO_LATE", True)
    (suggestion,) = advice(machine())
    assert "import scratchgen first" in suggestion
    assert f"{process.VARIABLE}={process.CYCLES}" in suggestion
    assert advice(machine(cores=1)) == []


def test_advice_on_a_numpy_without_blas():
    (line,) = advice(machine(blas=[]))
    assert "no known BLAS library" in line


def test_description_is_one_line_for_each_thing(monkeypatch):
    pinned = {"OPENBLAS_CORETYPE": "Haswell"}
    monkeypatch.setattr(module, "environment", lambda: machine(pinned=pinned))
    assert describe().splitlines() == [
        "scratchgen 0.1.0, Python 3.11.7, NumPy 2.4.6",
        "machine    Linux",
        "processor  a fast one, 4 cores",
        "GPU        none: no driver",
        "loops      compiled by Numba 0.68.0",
        "BLAS       openblas 0.3.30, SkylakeX kernels, 4 threads",
        "pinned     OPENBLAS_CORETYPE=Haswell",
        f"advice     {advice(machine(pinned=pinned))[0]}",
    ]


def test_why_there_is_no_gpu_is_one_line(monkeypatch):
    def fail():
        raise RuntimeError("no\n  driver")

    monkeypatch.setitem(device.makers, "cuda", fail)
    monkeypatch.setattr(module, "nvidia_device", lambda: True)
    monkeypatch.delitem(device._made, "cuda", raising=False)
    assert environment()["cuda"] == "none: no driver"


def test_a_gpu_is_called_by_its_name(monkeypatch):
    runtime = types.SimpleNamespace(getDeviceProperties=lambda number: {"name": b"NVIDIA H200"})
    cuda = types.SimpleNamespace(runtime=runtime, Device=lambda: types.SimpleNamespace(id=0))
    monkeypatch.setitem(sys.modules, "cupy", types.SimpleNamespace(cuda=cuda, __version__="14.2.0"))
    monkeypatch.setattr(module, "get_device", lambda name: None)
    monkeypatch.setattr(module, "nvidia_device", lambda: True)
    assert environment()["cuda"] == "NVIDIA H200, CuPy 14.2.0"
