"""One side of the comparison, alone in a process: a worker (see workers.py).

  python -m benchmarks.torch_spl.side CONFIG SIDE

CONFIG holds the arguments of `inputs.spl_config` in JSON, SIDE is "ours" or a
mode of PyTorch. The lines "inference" and "step" prepare that work and drop the
one before; "run" does it once, "peak" twice, and tells the memory. Neither side
imports the other's libraries, which would count as its memory.
"""

import json
import sys
from collections.abc import Callable
from typing import Any

from ml_collections import ConfigDict

from benchmarks import process, workers
from benchmarks.torch_spl import inputs

_WARMUP = 2  # the first call compiles, the second reaches the steady state

Run = Callable[[], Any]


class Ours:
  """SPL as it is used here."""

  def __init__(self, config: ConfigDict):
    from sginpaint.cli import devices

    devices.initialise()
    self._config = config
    self.peak_bytes = process.jax_peak_bytes

  def step(self) -> Run:
    """A training step as train.py makes it."""
    from benchmarks import setups

    return setups.build_training(self._config).step

  def inference(self) -> Run:
    """`predict` on values of no meaning."""
    import jax

    from benchmarks import values
    from sginpaint import scheduling
    from sginpaint.batch import Batch
    from sginpaint.systems import build_system

    given = inputs.numpy_batch(self._config)
    batch = Batch(image=given["image"] / 127.5 - 1.0, mask=given["mask"])
    batch = jax.device_put(batch)
    system = build_system(self._config)
    shapes = jax.eval_shape(
      system.generator.init, jax.random.key(0), batch.image, batch.mask
    )
    variables = jax.device_put(values.random_values(shapes))
    predict = jax.jit(system.predict, compiler_options=scheduling.for_memory())
    return lambda: jax.block_until_ready(predict(variables, {}, batch))


class Theirs:
  """The baseline in PyTorch."""

  def __init__(self, config: ConfigDict, mode: str):
    from benchmarks.torch_spl import theirs, training

    training.set_threads(process.usable_cores())
    trainer = theirs.build_trainer(config, training.MODES[mode])
    self._runs = theirs.torch_runs(trainer, inputs.numpy_batch(config))
    self.peak_bytes = trainer.peak_bytes

  def step(self) -> Run:
    """A training step."""
    return self._runs["step"]

  def inference(self) -> Run:
    """The generator, without gradients."""
    return self._runs["inference"]


def main(given: str, side: str) -> None:
  """Serves until its input ends."""
  answers = workers.open_answers()
  config = inputs.spl_config(**json.loads(given))
  one = Ours(config) if side == "ours" else Theirs(config, side)
  makers = {"inference": one.inference, "step": one.step}
  run: Run | None = None
  print("null", file=answers)  # ready
  for line in map(str.strip, sys.stdin):
    if line in makers:
      run = None  # frees what it holds before the next is made
      run = makers[line]()
    assert run is not None, line
    print(json.dumps(_answer(line, run, one.peak_bytes)), file=answers)


def _answer(
  line: str, run: Run, peak_bytes: Callable[[], int | None]
) -> dict[str, Any] | None:
  if line == "peak":
    with process.PeakMemory(peak_bytes) as peak:
      run()
      run()
    return peak.describe()
  for _ in range(1 if line == "run" else _WARMUP):
    run()
  return None


if __name__ == "__main__":
  main(*sys.argv[1:])
