"""Programs that serve hold few of the maps that a CPU could make at once.

The network of these tests makes eight wide maps, each reduced before the next
one is needed: ordered for concurrency all are held at once.
"""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sginpaint import scheduling
from sginpaint.editing import Editor
from sginpaint.evaluation import measures
from sginpaint.evaluation.filling import build_programs
from sginpaint.inference import Inpainter
from tests import inpainting

SIZE, WIDTH, MAPS = 32, 64, 8
MAP_BYTES = SIZE * SIZE * WIDTH * 4
IMAGE = np.full((SIZE, SIZE, 3), 90, np.uint8)
MASK = np.eye(SIZE, dtype=bool)

pytestmark = pytest.mark.skipif(
  jax.default_backend() != "cpu", reason="only programs of a CPU are ordered"
)


def branches(image):
  kernels = [jnp.full((3, WIDTH), i + 1.0) for i in range(MAPS)]
  maps = [jnp.einsum("bhwc,cd->bhwd", image, kernel) for kernel in kernels]
  return sum(jnp.sin(one).mean(-1, keepdims=True) for one in maps)


@dataclasses.dataclass(frozen=True)
class Branching(inpainting.MeanColour):
  def predict(self, variables, frozen, batch):
    image = branches(batch.image)
    return {"image": jnp.broadcast_to(image, batch.image.shape)}


def temporaries(program, *args):
  return program.lower(*args).compile().memory_analysis().temp_size_in_bytes


def test_xla_by_itself_holds_all_maps():
  image = np.zeros((1, SIZE, SIZE, 3), np.float32)
  assert temporaries(jax.jit(branches), image) > MAPS * MAP_BYTES
  ordered = jax.jit(branches, compiler_options=scheduling.for_memory())
  assert temporaries(ordered, image) < 2 * MAP_BYTES


@pytest.mark.parametrize("who", ["inpainter", "editor"])
def test_served_pictures_hold_few_maps(who, monkeypatch):
  inpainter = Inpainter(inpainting.loaded(SIZE, system=Branching()))
  held = []

  def run(program, inputs, *more):
    weights = ({"params": {}}, {})
    held.append(temporaries(program, weights, inputs, *more))
    return Inpainter.run(inpainter, program, inputs, *more)

  monkeypatch.setattr(inpainter, "run", run)
  if who == "inpainter":
    inpainter(IMAGE, MASK)
  else:
    session = Editor(inpainter).begin(IMAGE, MASK)
    session.render(np.zeros((SIZE, SIZE), np.uint8))
  assert held and max(held) < 2 * MAP_BYTES


def test_evaluated_pictures_hold_few_maps():
  _, complete = build_programs(Branching(), (measures.ROUND,), ())
  args = {}, {}, IMAGE[None], MASK[None, ..., None], None, {}
  assert temporaries(complete, *args) < 2 * MAP_BYTES
