"""What devices tell each other in a step, read off the compiled program."""

import collections
import json
import os
import re
import subprocess
import sys

import jax

from sginpaint.training import sharding
from tests.training.step_test import make_batch, setup

# Both players' gradients; losses and norms travel with the generator's.
EXPECTED = {
  "all-reduce": {
    "transpose(jvp(ToyDiscriminator))": 1,
    "transpose(jvp(ToyGenerator))": 1,
  }
}
_COLLECTIVES = (
  "all-reduce|all-gather|all-to-all|collective-permute|reduce-scatter|"
  "collective-broadcast"
)


def collectives(text):
  """{kind: {player whose gradients are among what it carries: how often}}."""
  found = collections.defaultdict(collections.Counter)
  for line in text.splitlines():
    match = re.search(rf" ({_COLLECTIVES})(-start)?\(", line)
    if match:
      name = re.search(r'op_name="([^"]*)"', line)
      player = re.search(r"transpose\(jvp\(\w+\)\)", name[1] if name else "")
      found[match[1]][player[0] if player else str(name)] += 1
  return {kind: dict(counts) for kind, counts in found.items()}


def compiled_step(**options):
  mesh = sharding.make_mesh()
  _, state, step = setup(shards=mesh.size, **options)
  copied, split = sharding.replicated(mesh), sharding.batch_sharding(mesh)
  step = jax.jit(
    step, in_shardings=(copied, copied, split), out_shardings=copied
  )
  # The masks are drawn in the step: each device draws its own.
  batch = make_batch(batch=16).replace(mask=None)
  return step.lower(state, {}, batch).compile().as_text()


def test_one_all_reduce_for_each_player_and_nothing_else():
  result = subprocess.run(
    [sys.executable, "-m", "tests.training.collectives_test"],
    env=os.environ | {"XLA_FLAGS": "--xla_force_host_platform_device_count=8"},
    capture_output=True,
    check=True,
    text=True,
  )
  found = json.loads(result.stdout)
  assert found["whole"] == EXPECTED
  # In parts: once in the body of each scan.
  assert found["parts"] == EXPECTED


def main() -> int:
  found = {
    "whole": collectives(compiled_step()),
    "parts": collectives(compiled_step(accumulate=2)),
  }
  print(json.dumps(found))
  return 0


if __name__ == "__main__":
  sys.exit(main())
