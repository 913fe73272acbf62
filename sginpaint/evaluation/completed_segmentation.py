"""What a segmenter sees in completed pictures, against the system's own map.

Liao et al. (ECCV 2020), figure 10: fill first and segment then, or do both at
once. The segmenter that `config.eval.segmenter` names is shown the composite of
every method, and the true picture, whose row is the most that it can do, at the
scale of its training. Scores are those of hole_segmentation.py, over labelled
hole pixels.

Who judges must not have helped in training: a segmenter that lies among the
frozen networks of the workdir is refused.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import chex
import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from sginpaint import checkpoints
from sginpaint.batch import Batch, normalize_image
from sginpaint.checkpoints import Loaded
from sginpaint.data.transforms import input_size
from sginpaint.errors import UserError
from sginpaint.evaluation.analysis import (
  Analysis,
  Counts,
  Findings,
  View,
  map_scores,
)
from sginpaint.evaluation.results import SYSTEM, TRUTH, Row
from sginpaint.evaluation.segmentation import confusion_matrices
from sginpaint.evaluation.served import output_names
from sginpaint.workdirs import steps

OWN_MAP = "own_map"
_FIRST = (TRUTH, OWN_MAP, SYSTEM)  # in tables; the baselines follow
_FIELD = "config.eval.segmenter"


@dataclasses.dataclass(frozen=True)
class CompletedSegmentation(Analysis):
  """Confusion matrices of a segmenter's maps, and of the system's own."""

  NAME: ClassVar[str] = "completed_segmentation"

  @property
  def keys(self) -> tuple[str, ...]:
    """The system's own map, where it has one."""
    return tuple(self.available & {"segmentation"})

  @property
  def shown(self) -> tuple[str, ...]:
    """The same."""
    return self.keys

  def look(self, view: View) -> Findings:
    """Counts a confusion matrix [B, K, K] of each map."""
    if view.labels is None:
      return Findings()
    maps = dict(view.judged)
    if self.keys:
      maps[OWN_MAP] = view.outputs["segmentation"]
    return Findings(
      counts={
        method: confusion_matrices(view.hole_labels, found, len(self.classes))
        for method, found in maps.items()
      }
    )

  def section(
    self, counts: Mapping[str, Counts], rows: Sequence[Row]
  ) -> dict[str, Any]:
    """Scores of every method per bucket; who the segmenter is."""
    del rows
    named = {"segmenter": dict(self.segmenter)}
    if not self.labelled:
      return named | {"statement": self.statement}
    return named | {
      "buckets": {
        bucket: {
          method: map_scores(found[method])
          for method in dict.fromkeys((*_FIRST, *found))
          if method in found
        }
        for bucket, found in counts.items()
      }
    }


class Judge:
  """A segmenter on all local devices, shown completed pictures."""

  def __init__(self, loaded: Loaded):
    """Places the network.

    Args:
      loaded: whose `predict` gives `segmentation_logits`.
    """
    mesh = Mesh(np.array(jax.local_devices()), ("data",))
    self._variables = jax.device_put(
      (loaded.variables, loaded.frozen), NamedSharding(mesh, PartitionSpec())
    )

    data = loaded.config.data

    def see(variables, frozen, picture):
      b, h, w, _ = picture.shape
      size = input_size(
        *(h, w, data.image_size),
        resize=data.resize,
        crop_size=data.crop_size,
      )
      image = jax.image.resize(
        normalize_image(picture), (b, *size, 3), "linear"
      )
      logits = loaded.system.predict(variables, frozen, Batch(image=image))[
        "segmentation_logits"
      ]
      logits = jax.image.resize(logits, (b, h, w, logits.shape[-1]), "linear")
      return jnp.argmax(logits, axis=-1)

    self._see = jax.jit(see)
    self.record = {
      "name": loaded.config.system,
      "workdir": loaded.workdir,
      "step": str(loaded.step),
      "image_size": str(data.image_size),
      "hash": loaded.hash,
    }

  def __call__(
    self, pictures: Mapping[str, chex.Array]
  ) -> dict[str, jax.Array]:
    """int32 [B, H, W] of each uint8 [B, H, W, 3]."""
    return {
      method: self._see(*self._variables, x) for method, x in pictures.items()
    }


def load_judge(loaded: Loaded) -> Judge | None:
  """The segmenter that `config.eval.segmenter` names; None for none.

  Args:
    loaded: the system that will be judged.

  Raises:
    UserError: there is no such workdir, what it holds is no segmenter, knows
      other classes, or took part in the training of `loaded`.
  """
  path = loaded.config.eval.segmenter
  if path == "none":
    return None
  if not steps(path):
    raise UserError(
      f"{_FIELD}={path}: no checkpoint there; train one with "
      "configs/segmenter.py on the same data, or give none"
    )
  judge = checkpoints.load(path)
  names, expected = (
    [info["name"] for info in each.config.data.classes]
    for each in (judge, loaded)
  )
  outputs = output_names(judge)
  if "image" in outputs or "segmentation_logits" not in outputs:
    raise UserError(
      f"{_FIELD}={path}: holds a {judge.config.system}; give a segmenter"
    )
  if names != expected:
    raise UserError(
      f"{_FIELD}={path}: knows the classes {', '.join(names)}; "
      f"the checkpoint knows {', '.join(expected)}"
    )
  for name, guide in _guides(loaded).items():
    if checkpoints.load(guide).hash == judge.hash:
      raise UserError(
        f"{_FIELD}={path}: is the network {name!r} that guided the training; "
        "give another one"
      )
  return Judge(judge)


def _guides(loaded: Loaded) -> dict[str, str]:
  """{name: workdir} of the networks that help in the training."""
  folder = Path(loaded.workdir) / "frozen"
  if folder.is_dir():
    return {path.name: str(path) for path in sorted(folder.iterdir())}
  # Before a training they lie where its config says.
  fields = loaded.config.objective.items()
  return {n: v for n, v in fields if isinstance(v, str) and steps(v)}
