import sys

import numpy as np
import pytest
from strict import StrictArray, host_synchronisations, upload
from tools import assert_close, to_device

import scratchgen as sg
from scratchgen.backend import current_device, device, device_of, erf, get_device, scatter_add, use_device


@pytest.fixture
def no_gpu(monkeypatch):
    def fail():
        raise RuntimeError("device 'cuda' failed its trial run:\nno driver\n")

    monkeypatch.setitem(device.makers, "cuda", fail)
    monkeypatch.delitem(device._made, "cuda", raising=False)
    monkeypatch.setattr(device, "nvidia_device", lambda: True)


def test_use_device_returns_and_sets_the_device():
    chosen = use_device("cpu")
    assert chosen is current_device() is get_device("cpu")
    assert chosen.name == "cpu"


def test_auto_falls_back_to_the_cpu_and_says_why_in_one_line(no_gpu, capsys):
    assert use_device("auto").name == "cpu"
    said = capsys.readouterr()
    assert said.err == "scratchgen: using the CPU: device 'cuda' failed its trial run: no driver\n"
    assert said.out == ""


def test_auto_says_nothing_where_there_is_no_nvidia_device(no_gpu, monkeypatch, capsys):
    monkeypatch.setattr(device, "nvidia_device", lambda: False)
    assert use_device("auto").name == "cpu"
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("file", "program", "expected"), [(False, None, False), (True, None, True), (False, "/usr/bin/smi", True)]
)
def test_an_nvidia_device_is_known_by_its_driver(monkeypatch, file, program, expected):
    monkeypatch.setattr(device.os.path, "exists", lambda path: file and path == "/dev/nvidiactl")
    monkeypatch.setattr(device.shutil, "which", lambda name: program if name == "nvidia-smi" else None)
    assert device.nvidia_device() is expected


def test_auto_takes_a_gpu_that_works(monkeypatch, capsys):
    monkeypatch.setattr(device, "nvidia_device", lambda: True)
    monkeypatch.setitem(device.makers, "cuda", lambda: get_device("strict"))
    monkeypatch.delitem(device._made, "cuda", raising=False)
    assert use_device("auto").name == "strict"
    assert capsys.readouterr().err == ""
    del device._made["cuda"]


def test_asking_for_a_missing_gpu_is_an_error_and_changes_nothing(no_gpu):
    before = current_device()
    with pytest.raises(RuntimeError, match="no driver"):
        use_device("cuda")
    assert current_device() is before


def test_without_cupy_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "cupy", None)
    with pytest.raises(RuntimeError, match=r"needs CuPy.*install scratchgen\[cuda12\]"):
        device._cuda()


def test_cupy_that_imports_but_does_not_work_is_no_gpu(monkeypatch):
    class Broken:
        float32 = np.float32

        def ones(self, *args, **kwargs):
            raise OSError("libcuda.so not found")

    monkeypatch.setitem(sys.modules, "cupy", Broken())
    with pytest.raises(RuntimeError, match=r"failed its trial run: libcuda.so not found"):
        device._cuda()


def test_unknown_name_lists_the_known_ones():
    with pytest.raises(ValueError, match=r"device: got 'gpu', expected one of 'auto', 'cpu', 'cuda'"):
        use_device("gpu")


@pytest.mark.parametrize(
    ("x", "dtype", "expected"),
    [
        (0.5, None, "float32"),
        ([0.5, 1.5], None, "float32"),
        ([[1, 2]], None, "int64"),
        (True, None, "bool"),
        ([], None, "float32"),
        (np.float64(0.5), None, "float64"),
        (np.zeros(2), None, "float64"),
        (np.zeros(2, np.float32), None, "float32"),
        (np.zeros(2, np.uint8), None, "uint8"),
        (0.5, "float64", "float64"),
        ([1, 2], "float32", "float32"),
        (np.zeros(2), "float32", "float32"),
        (np.zeros(2, np.float32), "float64", "float64"),
    ],
)
def test_asarray_dtypes(x, dtype, expected):
    y = sg.asarray(x, dtype)
    assert str(y.dtype) == expected
    assert device_of(y) is current_device()
    assert_close(y, np.asarray(x))


def test_asarray_keeps_all_digits_of_a_float_meant_as_float64():
    assert float(sg.asarray(0.1, "float64")) == 0.1
    assert float(sg.asarray(0.1)) != 0.1


def test_asarray_of_an_array_of_the_device_is_that_array():
    x = to_device(np.arange(3.0))
    assert sg.asarray(x) is x
    assert sg.asarray(x, "float64") is x


def test_asarray_takes_the_value_of_a_tensor():
    x = sg.tensor([1.0, 2.0], requires_grad=True)
    assert sg.asarray(x) is x.data
    assert sg.asnumpy(x).tolist() == [1.0, 2.0]


@pytest.mark.parametrize("x", [None, "text", ["a"], [object()], np.array(["a"])])
def test_asarray_refuses_what_is_no_number(x):
    with pytest.raises(TypeError, match=r"x: got an array of .*, expected numbers"):
        sg.asarray(x)


def test_arrays_of_an_unknown_library_are_refused():
    class Foreign:
        dtype = np.dtype("float32")

    for function in (device_of, sg.asarray, sg.asnumpy):
        with pytest.raises(TypeError, match="got Foreign, which is an array of no known device"):
            function(Foreign())


def test_asnumpy_returns_the_dtype_it_got():
    for dtype in ("float32", "float64", "int64", "bool"):
        y = sg.asnumpy(to_device(np.ones((2, 3)), dtype))
        assert type(y) is np.ndarray
        assert (y.dtype, y.shape) == (dtype, (2, 3))
    assert sg.asnumpy(2).dtype == np.int64
    assert sg.asnumpy([0.5]).dtype == np.float64


def test_device_of():
    assert device_of(np.zeros(1)).name == "cpu"
    assert device_of(upload(np.zeros(1))).name == "strict"
    assert device_of(to_device(0.0)) is current_device()


def test_device_of_costs_no_transfer():
    x = upload(np.zeros(1))
    with host_synchronisations() as traffic:
        device_of(x)
    assert (traffic.uploads, traffic.synchronisations) == (0, 0)


def test_asarray_moves_arrays_between_devices():
    x = np.arange(3.0)
    use_device("strict")
    there = sg.asarray(x)
    assert type(there) is StrictArray
    use_device("cpu")
    back = sg.asarray(there)
    assert type(back) is np.ndarray
    assert_close(back, x)
    back[0] = 9
    assert_close(there, x)


def test_scatter_add_counts_repeated_indices():
    target = to_device(np.zeros((3, 2)))
    scatter_add(target, to_device([2, 0, 2]), to_device([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], "float64"))
    assert_close(target, [[3.0, 4.0], [0.0, 0.0], [6.0, 8.0]])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_erf(dtype):
    y = erf(to_device([-1.0, 0.0, 0.5], dtype))
    assert y.dtype == dtype
    assert_close(
        y, [-0.8427007929497149, 0.0, 0.5204998778130465], rtol=1e-6 if dtype == "float32" else 1e-15
    )
