"""What a picture costs in memory under each policy of `config.remat`.

  python -m benchmarks.memory --config=configs/spl.py --compile

`kept` is what lies between the generator's two passes, found by tracing alone,
in seconds and for any size. `--compile` compiles the whole step besides, with
the discriminator and the networks of the losses in it. Both are taken at two
batch sizes: what does not grow with the batch is `fixed`.
"""

import argparse
from typing import Any

import jax
import numpy as np
from ml_collections import ConfigDict

from benchmarks import command, setups
from sginpaint.errors import UserError
from sginpaint.training import setup, sharding
from sginpaint.training.dry_run import memory_of
from sginpaint.training.loop import compile_step
from sginpaint.training.plan import Plan
from sginpaint.training.remat import POLICIES, rematerialize
from sginpaint.training.step import prepare_batch

_GIB = 2**30
_SIZES = (16, 40, 80, 140)  # GiB of accelerators that people have


def measure(options: argparse.Namespace, config: ConfigDict) -> dict[str, Any]:
  """Traces, and on request compiles, under every policy."""
  policies = options.policies.split(",")
  unknown = sorted(set(policies) - set(POLICIES))
  if unknown:
    raise UserError(
      f"--policies={options.policies}: choose from {', '.join(POLICIES)}"
    )
  count = jax.device_count()
  plans = [setups.plan(_sized(config, count * n)) for n in (1, 2)]
  state = plans[0].state
  # The generator's gradient is there as well when the pass ends.
  fixed = _bytes(state) + _bytes(state.generator.params)
  rows = {}
  for policy in policies:
    kept = [kept_bytes(plan, policy) // count for plan in plans]
    line = _line(fixed, kept[1] - kept[0])
    # Kept or not, its gradient finds all that there is under "none" at once.
    rows[policy] = {"kept": _no_limit(line) if policy == "generator" else line}
    if options.compile:
      total = [_compiled(plan, policy) for plan in plans]
      slope = total[1] - total[0]
      rows[policy]["compiled"] = _line(total[0] - slope, slope)
  return {
    "image_size": config.data.image_size,
    "dtype": config.dtype,
    "state_bytes": _bytes(state),
    "policies": rows,
  }


def kept_bytes(plan: Plan, policy: str) -> int:
  """What the generator's forward pass leaves for its gradient, parameters too.

  Args:
    plan: of the training.
    policy: of `remat.POLICIES`.
  """
  config, system = plan.config, plan.system

  def keep(state: Any, frozen: Any, batch: Any) -> Any:
    masks = setup.mask_options(config)
    batch = prepare_batch(batch, config.seed, state.step, masks)

    def generate(params: Any) -> Any:
      variables = state.generator.replace(params=params).variables
      key = jax.random.key(config.seed)
      return system.generate(variables, frozen, batch, key, train=True)

    generate = rematerialize(generate, policy)
    return jax.vjp(generate, state.generator.params, has_aux=True)[1]

  return _bytes(jax.eval_shape(keep, plan.state, plan.frozen, plan.batch))


def _sized(config: ConfigDict, batch_size: int) -> ConfigDict:
  config = config.copy_and_resolve_references()
  with config.unlocked():
    config.batch_size, config.accumulate = batch_size, 1
  return config


def _compiled(plan: Plan, policy: str) -> int:
  """Bytes on one device of the whole step."""
  config = _sized(plan.config, plan.config.batch_size)
  with config.unlocked():
    config.remat = policy
  mesh = sharding.make_mesh()
  step = compile_step(plan.system, plan.optimizers, config, mesh)
  lowered = step.lower(plan.state, plan.frozen, plan.batch)
  return memory_of(lowered.compile())["total"]


def _line(fixed: int, per_picture: int) -> dict[str, Any]:
  """What is fixed, what a picture takes, and how many pictures fit."""
  fits = {
    f"{size} GiB": max(0, size * _GIB - fixed) // max(per_picture, 1)
    for size in _SIZES
  }
  return {
    "fixed_bytes": fixed,
    "bytes_per_picture": per_picture,
    "pictures_per_gib": _GIB / max(per_picture, 1),
    "largest_batch": fits,
  }


def _no_limit(line: dict[str, Any]) -> dict[str, Any]:
  return line | {"pictures_per_gib": None, "largest_batch": None}


def _bytes(tree: Any) -> int:
  return sum(
    int(np.prod(leaf.shape)) * leaf.dtype.itemsize
    for leaf in jax.tree.leaves(tree)
  )


def _parser() -> command.BenchmarkParser:
  parser = command.BenchmarkParser("memory", __doc__, config="configs/spl.py")
  add = parser.add_argument
  add(
    "--policies",
    default=",".join(POLICIES),
    help=f"of config.remat; default: {','.join(POLICIES)}",
  )
  add("--compile", action="store_true", help="compile the whole step, too")
  return parser


if __name__ == "__main__":
  command.main(_parser(), measure)
