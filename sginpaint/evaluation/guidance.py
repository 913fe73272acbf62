"""What a system may know of the meaning of the hole while it is evaluated.

`config.eval.guidance` fills `batch.guidance`; it is one of
  predicted: None; the system uses its own prediction of the meaning,
  none: an empty `Guidance`; the system fills without meaning if it can,
  truth: the labels of the data set (an upper bound, not a result),
  others: the label map of another picture of the split, as in figure 2 of Yu
    et al., "Interactive Image Inpainting Using Semantic Guidance".
"""

import numpy as np
from ml_collections import ConfigDict

from sginpaint.batch import Batch, Guidance
from sginpaint.data.splits import Split
from sginpaint.errors import UserError, check_choice
from sginpaint.systems import System

OTHERS = "others"
GUIDANCE_MODES = ("none", "predicted", "truth", OTHERS)
_LABELLED = ("truth", OTHERS)


def take_guidance(batch: Batch, mode: str) -> Guidance | None:
  """What `predict` may know of the hole; see the module's docstring.

  Args:
    batch: its labels are the truth; for `others` it has its guidance already.
    mode: see the module's docstring.

  Raises:
    UserError: `mode` is not known, or is "truth" without labels.
  """
  check_choice("eval.guidance", mode, GUIDANCE_MODES)
  if mode == OTHERS:
    return batch.guidance
  if mode == "predicted":
    return None
  if mode == "none":
    return Guidance()
  if batch.segmentation is None and batch.attributes is None:
    raise UserError(
      "config.eval.guidance=truth: the data set has no labels; use predicted "
      "or none"
    )
  return Guidance(segmentation=batch.segmentation, attributes=batch.attributes)


def check_guidance(system: System, split: Split, config: ConfigDict) -> None:
  """Labels may guide only if system and data mean the same by class 3.

  Raises:
    UserError: the split has no labels, too few for `others`, or other classes
      or attributes than the training; or the system has no map to predict.
  """
  mode = config.eval.guidance
  attributes: tuple[str, ...] = ()
  if "attributes" in system.GUIDANCE and mode == "truth":
    attributes = tuple(split.attributes)
    if not attributes and "segmentation" not in system.GUIDANCE:
      raise UserError(
        f"config.eval.guidance={mode}: split {split.name} has no attributes; "
        "use predicted"
      )
    _check_attributes(attributes, config)
  if "segmentation" in system.GUIDANCE and (split.labelled or not attributes):
    _check_maps(system, split, config)


def _check_attributes(names: tuple[str, ...], config: ConfigDict) -> None:
  trained = tuple(config.data.attributes)
  if names and names != trained:
    raise UserError(
      "config.eval.guidance=truth: the attributes of the data set are "
      f"not those of the training ({', '.join(trained)}); use predicted, or "
      "name those as config.data.keep_attributes"
    )


def _check_maps(system: System, split: Split, config: ConfigDict) -> None:
  mode = config.eval.guidance
  if mode == "predicted" and system.needs_map:
    raise UserError(
      f"config.eval.guidance={mode}: this {config.system} was trained "
      "without config.objective.segmenter and predicts no map; use truth, "
      "others or none"
    )
  if mode not in _LABELLED:
    return
  if not split.labelled:
    raise UserError(
      f"config.eval.guidance={mode}: split {split.name} has no labels; "
      "use predicted"
    )
  if mode == OTHERS and split.examples.labelled.sum() < 2:
    raise UserError(
      f"config.eval.guidance={mode}: split {split.name} has labels "
      "of one picture only; use predicted"
    )
  trained = [info["name"] for info in config.data.classes]
  if [info.name for info in split.classes] != trained:
    raise UserError(
      f"config.eval.guidance={mode}: the classes of the data set are "
      f"not those of the training ({', '.join(trained)}); use predicted"
    )


def other_pictures(split: Split, seed: int) -> dict[int, int]:
  """{picture: the one whose labels guide it}, positions in the split.

  All pictures stand in a circle in a seeded order; the next one that has
  labels guides. So it is never the picture itself, and depends on nothing but
  the split and the seed.

  Args:
    split: with labels of at least two pictures.
    seed: `config.eval.seed`.
  """
  labelled = split.examples.labelled
  order = np.random.default_rng([seed, 2]).permutation(len(split)).tolist()
  others = {}
  following = next(i for i in order if labelled[i])
  for i in reversed(order):
    others[i] = following
    if labelled[i]:
      following = i
  return others
