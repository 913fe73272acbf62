"""One mesh axis, `data`: the batch is split over it, everything else copied."""

from typing import Any

import jax
import numpy as np
from jax.sharding import AxisType, Mesh, NamedSharding, PartitionSpec

from sginpaint.errors import UserError


def make_mesh() -> Mesh:
  """A mesh over all devices of all processes.

  Axes are Auto: with Explicit ones, a mask that is drawn on the device could
  not be mixed with a picture that arrived sharded.
  """
  return jax.make_mesh(
    (jax.device_count(),), ("data",), axis_types=(AxisType.Auto,)
  )


def replicated(mesh: Mesh) -> NamedSharding:
  """A copy on every device."""
  return NamedSharding(mesh, PartitionSpec())


def batch_sharding(mesh: Mesh) -> NamedSharding:
  """The leading axis split over the devices."""
  return NamedSharding(mesh, PartitionSpec("data"))


def check_batch_size(batch_size: int, mesh: Mesh, *, parts: int = 1) -> None:
  """Raises UserError unless the devices share each part of the batch evenly.

  Args:
    batch_size: of the whole batch.
    mesh: over whose devices it is split.
    parts: that it is cut into by `config.accumulate`.
  """
  if batch_size % (mesh.size * parts):
    cut = f" times config.accumulate={parts}" if parts > 1 else ""
    raise UserError(
      f"config.batch_size={batch_size}: not a multiple of the {mesh.size} "
      f"devices{cut}; choose one that is"
    )


def put_batch(batch: Any, mesh: Mesh) -> Any:
  """Numpy leaves, this process's block, to one global sharded array each."""
  sharding = batch_sharding(mesh)
  return jax.tree.map(
    lambda leaf: jax.make_array_from_process_local_data(
      sharding, np.asarray(leaf)
    ),
    batch,
  )


def abstract(tree: Any, sharding: NamedSharding) -> Any:
  """Shapes of `tree` that carry `sharding`, as a checkpoint is read with."""
  return jax.tree.map(
    lambda leaf: jax.ShapeDtypeStruct(
      leaf.shape, leaf.dtype, sharding=sharding
    ),
    tree,
  )
