"""What identifies the values of a network: per array, and as a whole."""

import hashlib
import zlib
from collections.abc import Mapping
from typing import Any

import jax
import numpy as np
from flax import traverse_util


def checksums(tree: Mapping[str, Any]) -> dict[str, int]:
  """crc32 of each array's bytes, keyed by its path `a/b/c`."""
  flat = traverse_util.flatten_dict(dict(tree), sep="/")
  return {
    # Replicated arrays hold every value on each process's first device.
    name: zlib.crc32(np.ascontiguousarray(_local(leaf)).tobytes())
    for name, leaf in flat.items()
  }


def _local(leaf: Any) -> np.ndarray:
  if isinstance(leaf, jax.Array) and not leaf.is_fully_addressable:
    return np.asarray(leaf.addressable_data(0))
  return np.asarray(leaf)


def hash_variables(variables: Mapping[str, Any]) -> str:
  """sha256 over names and values: two equal hashes, two equal networks."""
  digest = hashlib.sha256()
  flat = traverse_util.flatten_dict(dict(variables), sep="/")
  for name in sorted(flat):
    digest.update(name.encode())
    digest.update(np.ascontiguousarray(_local(flat[name])).tobytes())
  return digest.hexdigest()
