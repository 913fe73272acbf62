"""Peak memory of one side alone, in this process.

Our side does not import PyTorch, whose libraries would count.
"""

from collections.abc import Callable
from typing import Any

import jax
from ml_collections import ConfigDict

from benchmarks import machine, setups
from benchmarks.torch_spl import inputs

_CALLS = 3  # the first compiles, the others reach the steady state

Runs = dict[str, Callable[[], Any]]


def measure_side(side: str, config: ConfigDict) -> dict[str, Any]:
  """Peak memory of inference and of training steps.

  Args:
    side: "ours", or the name of a mode of `training`.
    config: of `inputs.spl_config`.
  """
  if side == "ours":
    return _peaks(_our_runs(config), lambda: None)
  # Only now: they import PyTorch.
  from benchmarks.torch_spl import pair, training

  training.set_threads(machine.usable_cores())
  trainer = pair.build_trainer(config, training.MODES[side])
  runs = pair.torch_runs(trainer, inputs.numpy_batch(config))
  return _peaks(runs, trainer.peak_bytes)


def _our_runs(config: ConfigDict) -> Runs:
  training = setups.build_training(config)
  system, variables = training.plan.system, training.state.generator.variables
  batch = setups.predict_batch(config, config.batch_size)
  predict = jax.jit(system.predict)
  return {
    "inference": lambda: jax.block_until_ready(predict(variables, {}, batch)),
    "step": training.step,
  }


def _peaks(runs: Runs, on_device: Callable[[], int | None]) -> dict[str, Any]:
  result = {}
  for work, run in runs.items():
    run()
    with machine.PeakMemory() as peak:
      for _ in range(_CALLS - 1):
        run()
    result[work] = peak.describe()
    if (count := on_device()) is not None:
      result[work] = {"source": "device", "bytes": count}
  return result
