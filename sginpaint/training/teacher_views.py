"""A frozen teacher's features of pictures and of their mirror images."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec
from ml_collections import ConfigDict

from sginpaint import checkpoints
from sginpaint.batch import normalize_image
from sginpaint.errors import UserError


class TeacherViews:
  """Asks the teacher on the devices of this process alone.

  Processes take different shards of a store, at their own pace. A device sees
  `config.eval.batch_size` pictures at once, however many devices there are, so
  that features are the same, bit for bit.

  Attributes:
    batch_size: pictures to ask about at once.
    hash: of the teacher.
    shape: (h, w, F) of the features of one picture.
    input_size: side of the pictures that it takes.
  """

  def __init__(self, config: ConfigDict):
    """Loads `config.teacher`.

    Raises:
      UserError: no such layer.
    """
    mesh = Mesh(np.array(jax.local_devices()), ("data",))
    self.batch_size = config.eval.batch_size * mesh.size
    self._batch = NamedSharding(mesh, PartitionSpec("data"))
    teacher = checkpoints.load(config.teacher.path)
    self.hash = teacher.hash
    self.input_size = config.teacher.input_scale * config.data.image_size
    module, layer = teacher.system.generator, config.teacher.layer
    self.shape = _layer_shape(teacher, config, self.input_size)

    def features(variables: Any, image: jax.Array) -> jax.Array:
      outputs: Any = module.apply(variables, image, train=False)
      return outputs[layer].astype(jnp.float32)

    @jax.jit
    def views(variables: Any, image: jax.Array) -> jax.Array:
      image = normalize_image(image)
      both = image, jnp.flip(image, axis=2)
      return jnp.stack([features(variables, each) for each in both], axis=1)

    self._views = views
    self._variables = jax.device_put(
      teacher.variables, NamedSharding(mesh, PartitionSpec())
    )

  def __call__(self, image: np.ndarray) -> np.ndarray:
    """uint8 [B, S, S, 3] -> float32 [B, 2, h, w, F], the second mirrored."""
    placed = jax.device_put(image, self._batch)
    return np.asarray(self._views(self._variables, placed))


def _layer_shape(
  teacher: checkpoints.Loaded, config: ConfigDict, size: int
) -> tuple[int, int, int]:
  module, layer = teacher.system.generator, config.teacher.layer
  outputs = jax.eval_shape(
    lambda variables, image: module.apply(variables, image, train=False),
    teacher.variables,
    jax.ShapeDtypeStruct((1, size, size, 3), jnp.float32),
  )
  if layer not in outputs:
    raise UserError(
      f"config.teacher.layer={layer!r} is not an output of "
      f"{config.teacher.path}; choose from {', '.join(sorted(outputs))}"
    )
  return outputs[layer].shape[1:]
