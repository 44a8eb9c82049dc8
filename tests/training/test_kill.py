"""kill -9 at any moment of a save leaves a checkpoint that loads."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from scratchgen import nn
from scratchgen.training import load_checkpoint

SAVES = """
import sys, itertools
import numpy as np
from scratchgen import nn
from scratchgen.training import save_checkpoint
model = nn.Linear(300, 300)
for step in itertools.count(1):
    model.weight.data[...] = step
    model.bias.data[...] = step
    save_checkpoint(sys.argv[1], step=step, model=model)
    if step == 1:
        print("saved", flush=True)
"""


@pytest.mark.host_only
def test_the_file_loads_whenever_the_process_was_killed(tmp_path: Path) -> None:
    path, moments = tmp_path / "checkpoint.npz", random.Random(0)
    root, steps = Path(__file__).parents[2], []
    for _ in range(6):
        process = subprocess.Popen([sys.executable, "-c", SAVES, str(path)], cwd=root, stdout=subprocess.PIPE)
        assert process.stdout is not None
        assert process.stdout.readline() == b"saved\n"
        time.sleep(moments.uniform(0, 0.2))
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        model = nn.Linear(300, 300)
        steps.append(load_checkpoint(path, model=model).step)
        for value in model.state_dict().values():
            np.testing.assert_array_equal(value, steps[-1])  # every array of one and the same save
    assert max(steps) > 1
