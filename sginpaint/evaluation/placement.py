"""Where an evaluation puts arrays: networks everywhere, pictures in parts."""

from typing import Any

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec


def everywhere(tree: Any) -> Any:
  """A copy of every array on each local device."""
  return jax.device_put(tree, NamedSharding(_mesh(), PartitionSpec()))


def in_parts() -> NamedSharding:
  """The first axis spread over the local devices, see `batch_size`."""
  return NamedSharding(_mesh(), PartitionSpec("data"))


def batch_size(unit: int) -> int:
  """Pictures of a batch of which every local device gets a unit."""
  return unit * jax.local_device_count()


def _mesh() -> Mesh:
  return Mesh(np.array(jax.local_devices()), ("data",))
