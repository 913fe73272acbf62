"""Networks that judge what somebody painted: which may, and what they see.

Who judges must not have helped in the training: a network that lies among the
frozen ones of the workdir is refused, by the hash of its values, unless
`config.eval.guide_judges` lets it. Of a training that step judges which would
guide, the best: nobody judges as the newest what guided as the best. The record
of a judge names those that guided either way.
"""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import chex
import jax
from ml_collections import ConfigDict

from sginpaint import checkpoints
from sginpaint.batch import normalize_image
from sginpaint.checkpoints import Loaded
from sginpaint.data.transforms import input_size
from sginpaint.errors import UserError
from sginpaint.evaluation.served import output_names
from sginpaint.workdirs import steps


@dataclasses.dataclass(frozen=True)
class Judge:
  """A network that reads pictures.

  Attributes:
    loaded: the network.
    guides: {name: hash} of those that helped in the training of the judged.
  """

  loaded: Loaded
  guides: Mapping[str, str] = dataclasses.field(default_factory=dict)

  @property
  def record(self) -> dict[str, Any]:
    """Who it is, for metrics.json and the report."""
    return {
      "name": self.loaded.config.system,
      "workdir": self.loaded.workdir,
      "step": str(self.loaded.step),
      "image_size": str(self.loaded.config.data.image_size),
      "hash": self.loaded.hash,
      "guides": dict(self.guides),
    }


def load_judge(loaded: Loaded, *, field: str, output: str) -> Judge | None:
  """The network that `config.eval.<field>` names; None for none.

  Args:
    loaded: the system that will be judged.
    field: "segmenter" or "classifier", also the config that trains one.
    output: what it has to say of a picture, e.g. "segmentation_logits".

  Raises:
    UserError: there is no such workdir, what it holds paints pictures or says
      something else, or it took part in the training of `loaded`.
  """
  path = loaded.config.eval[field]
  if path == "none":
    return None
  named = f"config.eval.{field}={path}"
  if not steps(path):
    raise UserError(
      f"{named}: no checkpoint there; train one with "
      f"configs/{field}.py on the same data, or give none"
    )
  judge = _load(path)
  outputs = output_names(judge)
  if "image" in outputs or output not in outputs:
    raise UserError(f"{named}: holds a {judge.config.system}; give a {field}")
  guides = {n: _load(p).hash for n, p in _guides(loaded).items()}
  for name, found in guides.items():
    if found == judge.hash and not loaded.config.eval.guide_judges:
      raise UserError(
        f"{named}: is the network {name!r} that guided the training; give "
        "another one, or allow it by --config.eval.guide_judges=True"
      )
  return Judge(judge, guides)


def at_training_size(pictures: chex.Array, data: ConfigDict) -> jax.Array:
  """Pictures at the scale that a network was trained at.

  Args:
    pictures: uint8 or [-1, 1] [B, H, W, 3].
    data: `config.data` of the network.

  Returns:
    float32 [B, h, w, 3] in [-1, 1].
  """
  b, h, w, _ = pictures.shape
  size = input_size(
    *(h, w, data.image_size), resize=data.resize, crop_size=data.crop_size
  )
  return jax.image.resize(normalize_image(pictures), (b, *size, 3), "linear")


def _load(path: str) -> Loaded:
  return checkpoints.load(path, step=checkpoints.guiding_step(path))


def _guides(loaded: Loaded) -> dict[str, str]:
  """{name: workdir} of the networks that help in the training."""
  folder = Path(loaded.workdir) / "frozen"
  if folder.is_dir():
    return {path.name: str(path) for path in sorted(folder.glob("[!.]*"))}
  # Before a training they lie where its config says.
  fields = loaded.config.objective.items()
  return {n: v for n, v in fields if isinstance(v, str) and steps(v)}
