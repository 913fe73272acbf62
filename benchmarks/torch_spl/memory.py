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

Makers = dict[str, Callable[[], Callable[[], Any]]]


def measure_side(side: str, config: ConfigDict) -> dict[str, Any]:
  """Peak memory of inference and of training steps.

  Args:
    side: "ours", or the name of a mode of `training`.
    config: of `inputs.spl_config`.
  """
  if side == "ours":
    makers = {
      "inference": lambda: _our_predictor(config),
      "step": lambda: setups.build_training(config).step,
    }
    return _peaks(makers, lambda: None)
  # Only now: they import PyTorch.
  from benchmarks.torch_spl import pair, training

  training.set_threads(machine.usable_cores())
  # Its optimisers take no memory before the first step.
  trainer = pair.build_trainer(config, training.MODES[side])
  runs = pair.torch_runs(trainer, inputs.numpy_batch(config))
  makers = {work: lambda run=run: run for work, run in runs.items()}
  return _peaks(makers, trainer.peak_bytes)


def _our_predictor(config: ConfigDict) -> Callable[[], Any]:
  shapes = setups.plan(config)
  variables = jax.device_put(
    setups.random_values(shapes.state.generator.variables)
  )
  batch = setups.predict_batch(config, config.batch_size)
  predict = jax.jit(shapes.system.predict)
  return lambda: jax.block_until_ready(predict(variables, {}, batch))


def _peaks(
  makers: Makers, on_device: Callable[[], int | None]
) -> dict[str, Any]:
  result = {}
  for work, make in makers.items():
    run = make()
    run()
    with machine.PeakMemory() as peak:
      for _ in range(_CALLS - 1):
        run()
    result[work] = peak.describe()
    if (count := on_device()) is not None:
      result[work] = {"source": "device", "bytes": count}
    del run  # and what it holds, before the next is made
  return result
