"""Compiles a training step from shapes and prints what it will need.

`train.py --config=... --config.dry_run=True`: no data is read, no parameter is
initialised, nothing is written. Of the compiled step XLA counts what one device
runs, the body of a loop once, and nothing inside a library call (as
convolutions are on GPUs); FLOPs are therefore counted before compilation too.
"""

import dataclasses
import time
from typing import Any

import jax
import numpy as np
from ml_collections import ConfigDict

from sginpaint.training import sharding
from sginpaint.training.loop import compile_step
from sginpaint.training.plan import Plan, plan_training


@dataclasses.dataclass(frozen=True)
class Compiled:
  """A compiled step, and what it costs.

  Attributes:
    call: (state, frozen, batch) -> (state, metrics).
    trace_seconds: from Python to StableHLO.
    compile_seconds: from there to the executable.
    flops: of a step on one device, after XLA's optimisations.
    flops_written: of the whole step as the library writes it, before them,
      with neither accumulation nor rematerialisation.
    memory: bytes on one device: arguments, outputs, of these aliased (donated)
      ones, temporaries, and their total.
  """

  call: Any
  trace_seconds: float
  compile_seconds: float
  flops: float
  flops_written: float
  memory: dict[str, int]


def compile_plan(plan: Plan) -> Compiled:
  """Compiles the step of a training for all devices."""
  config = plan.config
  sharding.check_batch_size(
    config.batch_size, sharding.make_mesh(), parts=config.accumulate
  )
  begin = time.perf_counter()
  lowered = _lower(plan, config)
  traced = time.perf_counter()
  call = lowered.compile()
  compiled = time.perf_counter()
  plain = config if is_plain(config) else _plain(config)
  return Compiled(
    call=call,
    trace_seconds=traced - begin,
    compile_seconds=compiled - traced,
    flops=flops_of(call),
    flops_written=flops_of(lowered if plain is config else _lower(plan, plain)),
    memory=memory_of(call),
  )


def is_plain(config: ConfigDict) -> bool:
  """Whether nothing of a step is computed twice, or in a loop."""
  return config.accumulate == 1 and config.remat == "none"


def _plain(config: ConfigDict) -> ConfigDict:
  config = config.copy_and_resolve_references()
  with config.unlocked():
    config.accumulate, config.remat = 1, "none"
  return config


def _lower(plan: Plan, config: ConfigDict) -> Any:
  mesh = sharding.make_mesh()
  step = compile_step(plan.system, plan.optimizers, config, mesh)
  return step.lower(plan.state, plan.frozen, plan.batch)


def flops_of(stage: Any) -> float:
  """What XLA counts of a `Lowered` or `Compiled`; NaN where it does not."""
  return float((stage.cost_analysis() or {}).get("flops", np.nan))


def memory_of(compiled: Any) -> dict[str, int]:
  """Bytes on one device that a compiled program takes."""
  stats = compiled.memory_analysis()
  memory = {
    "arguments": stats.argument_size_in_bytes,
    "outputs": stats.output_size_in_bytes,
    "aliased": stats.alias_size_in_bytes,
    "temporaries": stats.temp_size_in_bytes,
  }
  shared = memory["aliased"]
  return memory | {"total": sum(memory.values()) - 2 * shared}


def count_parameters(plan: Plan) -> dict[str, int]:
  """{player or frozen network: number of parameters}."""
  players = {"generator": plan.state.generator.params}
  if plan.state.discriminator is not None:
    players["discriminator"] = plan.state.discriminator.params
  for name, variables in plan.frozen.items():
    players[f"frozen {name}"] = variables["params"]
  return {
    name: sum(int(np.prod(leaf.shape)) for leaf in jax.tree.leaves(tree))
    for name, tree in players.items()
  }


def dry_run(config: ConfigDict) -> int:
  """Prints size, memory, FLOPs and compile time of a training.

  Returns:
    0.

  Raises:
    UserError: see `plan_training`; the batch does not spread over the devices.
  """
  plan = plan_training(config)
  print(describe(plan, compile_plan(plan)))
  return 0


def describe(plan: Plan, compiled: Compiled) -> str:
  """The lines that `dry_run` prints."""
  config, memory = plan.config, compiled.memory
  device = jax.devices()[0]
  size = config.data.image_size
  parameters = [
    f"{name} {count / 1e6:.2f} M"
    for name, count in count_parameters(plan).items()
  ]
  parts = [f"{name} {_mib(count)}" for name, count in memory.items()]
  written = compiled.flops_written
  return "\n".join(
    (
      f"{config.system}, {size}x{size}, batch {config.batch_size}, "
      f"{config.dtype}, {jax.device_count()} x {device.device_kind}",
      f"parameters   {', '.join(parameters)}",
      f"FLOPs        {written / 1e9:.2f} G a step, "
      f"{written / config.batch_size / 1e9:.2f} G a picture; "
      f"{compiled.flops / 1e9:.2f} G on each device as compiled",
      f"memory       {', '.join(parts)} on each device",
      f"compiled in  {compiled.compile_seconds:.1f} s, traced in "
      f"{compiled.trace_seconds:.1f} s",
    )
  )


def _mib(count: int) -> str:
  return f"{count / 2**20:.1f} MiB"
