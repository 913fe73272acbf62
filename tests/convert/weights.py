"""Small state dicts of published layouts, and files of them."""

import io
import pickle
import zipfile

import jax
import numpy as np
import safetensors.numpy

from sginpaint import convert
from sginpaint.systems.spl import networks


def drawn(module, *inputs):
  """Variables of a module, every number different."""
  variables = jax.eval_shape(module.init, jax.random.key(0), *inputs)
  generator = np.random.default_rng(0)

  def draw(path, leaf):
    values = 0.1 * generator.standard_normal(leaf.shape).astype("float32")
    return np.abs(values) if path[-1].key == "var" else values

  return jax.tree_util.tree_map_with_path(draw, variables)


def small_spl():
  """(module, variables, state dict) of a narrow SPL generator."""
  module = networks.Generator(
    width=4,
    blocks=1,
    dense_blocks=1,
    dense_layers=2,
    residual_blocks=1,
    prior_channels=5,
  )
  inputs = np.zeros((1, 32, 32, 3), "float32"), np.zeros((1, 32, 32, 1))
  variables = drawn(module, *inputs)
  return module, variables, convert.to_torch("spl_generator", variables)


def save(path, state):
  """Writes .safetensors."""
  whole = {k: np.ascontiguousarray(v) for k, v in state.items()}
  safetensors.numpy.save_file(whole, path)
  return path


class Harmful:
  """Unpickling it makes the folder `path`."""

  def __init__(self, path):
    self.path = str(path)

  def __reduce__(self):
    import os

    return os.mkdir, (self.path,)


def zipped_pickle(path, value, protocol=2):
  """A file laid out as torch.save lays it out, of any object."""
  stream = io.BytesIO()
  pickle.dump(value, stream, protocol=protocol)
  with zipfile.ZipFile(path, "w") as archive:
    archive.writestr("archive/data.pkl", stream.getvalue())
    archive.writestr("archive/version", "3\n")
  return path
