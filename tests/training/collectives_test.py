"""What devices tell each other in a step, read off the compiled program.

  python -m tests.training.collectives_test [SYSTEM ...]

prints it for eight devices; steps are compiled from shapes alone.
"""

import collections
import json
import os
import re
import subprocess
import sys
from unittest import mock

import jax
import pytest

from sginpaint.cli.config_files import parse_config
from sginpaint.layers import convolution
from sginpaint.training import sharding
from sginpaint.training.dry_run import compile_plan
from sginpaint.training.plan import plan_training
from tests.systems import guides
from tests.training.step_test import make_batch, setup

EIGHT = "--xla_force_host_platform_device_count=8"
_COLLECTIVES = (
  "all-reduce|all-gather|all-to-all|collective-permute|reduce-scatter|"
  "collective-broadcast"
)
# Both players' gradients; losses and norms travel with the generator's.
GRADIENTS = {"all-reduce Discriminator": 1, "all-reduce Generator": 1}
# What was predicted of other pictures, whole batches of it: see mismatch.py.
MISMATCHED = {"all-gather f32[16,18]": 1, "all-gather f32[16,32,32,10]": 1}
_SMALL = {
  "data.image_size": "32",
  "data.builder_config": "32",
  "batch_size": "16",
  "model.discriminator.widths": "4,4,4,4",
}
# Those without batch norm; of each the config, and what makes it small. SG-Net
# and Basic-Net are parts of SGE-Net.
SYSTEMS = {
  "sge_net": {
    "model.generator.width": "4",
    "model.generator.dilations": "2,2",
    "model.generator.spade_hidden": "4",
    "model.discriminator.scales": "1",
  },
  "spl_no_teacher": {
    "model.generator.width": "4",
    "model.generator.blocks": "1",
    "model.generator.residual_blocks": "1",
    "model.discriminator.widths": "4,4,4",
  },
  "espa_stage3": {
    "model.generator.autoencoder.width": "4",
    "model.generator.decoder.widths": "8,8,4,4",
    "model.generator.decoder.hidden": "4",
  },
  "boosted_gan": {
    "model.generator.widths": "4,4,4,4,4",
    "model.generator.decoder_widths": "4,4,4,4",
    "model.discriminator.hidden": "4",
  },
}


def collectives(text):
  """{"all-reduce <player>" or "<kind> <shape>": how often}.

  A player is named whose gradients are among what is summed.
  """
  found = collections.Counter()
  for line in text.splitlines():
    match = re.search(rf"= (.*) ({_COLLECTIVES})(-start)?\(", line)
    if match:
      shape, kind = match[1].split("{")[0], match[2]
      player = re.search(r"transpose\(jvp\((?:Toy)?(\w+)\)\)", line)
      found[f"{kind} {player[1] if player else shape}"] += 1
  return dict(found)


def compiled_toy(**options):
  mesh = sharding.make_mesh()
  _, state, step = setup(shards=mesh.size, **options)
  copied, split = sharding.replicated(mesh), sharding.batch_sharding(mesh)
  step = jax.jit(
    step, in_shardings=(copied, copied, split), out_shardings=copied
  )
  # The masks are drawn in the step: each device draws its own.
  batch = make_batch(batch=16).replace(mask=None)
  return step.lower(state, {}, batch).compile().as_text()


def compiled_system(name):
  config = parse_config(f"configs/{name}.py:quick", _SMALL | SYSTEMS[name])
  plan = plan_training(config, stand_ins=stand_ins())
  return compile_plan(plan).call.as_text()


def stand_ins():
  """Configs of the networks that guide the boosted GAN, tiny ones."""
  return {
    "classifier": guides.config_of("embedding_attributes"),
    "segmenter": guides.config_of("embedding_segmentation"),
  }


@pytest.fixture(scope="module")
def found():
  result = subprocess.run(
    [sys.executable, "-m", "tests.training.collectives_test"],
    env=os.environ | {"XLA_FLAGS": f"{os.environ['XLA_FLAGS']} {EIGHT}"},
    capture_output=True,
    text=True,
  )
  assert result.returncode == 0, result.stderr
  return json.loads(result.stdout)


@pytest.mark.parametrize("name", SYSTEMS)
def test_one_all_reduce_for_each_player_and_nothing_else(found, name):
  others = MISMATCHED if name == "boosted_gan" else {}
  assert found[name] == GRADIENTS | others


def test_convolutions_of_large_maps_tell_nothing_more(found):
  assert found["large maps"] == GRADIENTS


def test_in_parts_it_is_once_in_the_body_of_each_scan(found):
  assert found["toy"] == found["toy in parts"] == GRADIENTS


def main(names) -> int:
  told = {
    "toy": collectives(compiled_toy()),
    "toy in parts": collectives(compiled_toy(accumulate=2)),
  }
  with guides.known():
    for name in names or SYSTEMS:
      told[name] = collectives(compiled_system(name))
  # As all maps that are large enough are convolved on CPUs.
  with mock.patch.object(convolution, "_pays", lambda *_: True):
    told["large maps"] = collectives(compiled_system("spl_no_teacher"))
  print(json.dumps(told))
  return 0


if __name__ == "__main__":
  sys.exit(main(sys.argv[1:]))
