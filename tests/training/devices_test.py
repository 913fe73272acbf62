"""One device and eight devices train alike."""

import os
import subprocess
import sys

import numpy as np

from tests.training.small import flags, losses, prepare_scenes

STEPS = 10


def test_one_device_and_eight_give_the_same_losses(tmp_path):
  words = flags(
    prepare_scenes(tmp_path / "data"),
    **{"steps": STEPS, "batch_size": 8, "log.every": 1},
  )
  curves = []
  for count in (1, 8):
    workdir = tmp_path / str(count)
    devices = f"--xla_force_host_platform_device_count={count}"
    subprocess.run(
      [sys.executable, "train.py", f"--workdir={workdir}", *words],
      env=os.environ | {"XLA_FLAGS": f"{os.environ['XLA_FLAGS']} {devices}"},
      check=True,
      capture_output=True,
    )
    curves.append(losses(workdir))
  assert curves[0].shape == (STEPS, 2)
  np.testing.assert_allclose(curves[1], curves[0], rtol=1e-5)
