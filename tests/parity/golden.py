"""One golden case: what a reference network was fed and what came out.

A case is `<case>.npz` and `<case>.json`. Parameters are not stored: each is
drawn again from its name by the rule that the json states. Arrays are in the
reference's layout (NCHW, OIHW), large ones thinned by a slice per axis.
"""

import dataclasses
import functools
import hashlib
import json
import pathlib
from typing import Any

import numpy as np


@dataclasses.dataclass(frozen=True)
class Golden:
  """A case read from disk."""

  name: str
  meta: dict[str, Any]
  stored: dict[str, np.ndarray]

  @property
  def arrays(self) -> dict[str, dict[str, Any]]:
    """{key: description} of every array that has to be matched."""
    return self.meta["arrays"]

  def input(self, key: str) -> np.ndarray:
    """An input, stored or drawn by its rule."""
    if key in self.stored:
      return self.stored[key]
    entry = self.meta["inputs"][key]
    return self._draw(entry["rule_name"], entry["rule"], entry["shape"])

  def image(self, key: str = "in/image_u8") -> np.ndarray:
    """A uint8 input picture as float32 in [0, 1]."""
    return self.input(key).astype(np.float32) / np.float32(255)

  @functools.cached_property
  def params(self) -> dict[str, np.ndarray]:
    """The reference's state dict."""
    state: dict[str, np.ndarray] = {}
    for entry in self.meta["params"]:
      name = entry["name"]
      state[name] = self._parameter(entry, state)
      total = float(state[name].astype(np.float64).sum())
      if "sum" in entry:
        scale = max(1.0, float(np.abs(state[name]).sum(dtype=np.float64)))
        if abs(total - entry["sum"]) > 1e-9 * scale:
          raise ValueError(f"{self.name}: {name} was not drawn again alike")
    return state

  def _parameter(
    self, entry: dict[str, Any], state: dict[str, np.ndarray]
  ) -> np.ndarray:
    full = entry["name"]
    if entry.get("group"):
      full = f"{entry['group']}/{full}"
    if entry["dist"] == "alias":
      return state[entry["of"]]
    if entry["dist"] == "stored":
      return self.stored[f"param/{full}"]
    return self._draw(full, entry, entry["shape"])

  def _draw(
    self, full: str, rule: dict[str, Any], shape: list[int]
  ) -> np.ndarray:
    digest = hashlib.sha256(f"{self.meta['seed']}:{full}".encode()).digest()
    key = int.from_bytes(digest[:8], "little")
    generator = np.random.Generator(np.random.Philox(key=key))
    n = int(np.prod(shape, dtype=np.int64))
    if rule["dist"] == "int_const":
      return np.full(shape, rule["value"], np.int64)
    if rule["dist"] == "const":
      values = np.full(n, rule["value"], np.float64)
    elif rule["dist"] == "uniform":
      low, high = rule["low"], rule["high"]
      values = low + (high - low) * generator.random(n)
    elif rule["dist"] in ("normal", "abs_normal"):
      values = generator.standard_normal(n)
      if rule["dist"] == "abs_normal":
        values = np.abs(values)
      values = rule["mean"] + rule["std"] * values
    else:
      raise ValueError(f"{self.name}: unknown rule {rule['dist']!r}")
    return values.reshape(shape).astype(np.float32)


def load(directory: pathlib.Path, name: str) -> Golden:
  """Reads a case."""
  meta = json.loads((directory / f"{name}.json").read_text())
  with np.load(directory / f"{name}.npz") as stored:
    return Golden(name, meta, dict(stored))


def names(directory: pathlib.Path) -> list[str]:
  """All cases in a directory."""
  return sorted(path.stem for path in directory.glob("*.json"))
