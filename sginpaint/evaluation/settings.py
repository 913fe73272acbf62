"""The evaluations of three papers: sizes, crops, holes, and which pictures.

SGE-Net (section 4.1): 256x256 out of pictures whose shorter side was made 256
(Outdoor Scenes, 300 test pictures) or 512 (Cityscapes, 500); a central hole of
128 or of 96, or irregular ones; nobody tells the network the labels. ESPA
(section IV): every picture stretched to 256x256, a central hole of 128; its
tables differ in what the decoder is told, so that is left open. Boosted GAN
(section IV): 256x256, rectangles of 80 to 160 pixels a side. All take the whole
test split.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any

from ml_collections import ConfigDict

from sginpaint.data.splits import Split
from sginpaint.evaluation.manifest import KINDS, Manifest

FOLDER = "a folder of mask files"
_SIZE, _RESIZE = "config.data.image_size", "config.data.resize"
_CROP, _GUIDANCE = "config.data.crop_size", "config.eval.guidance"
_MASKS, _CENTER = "config.eval.masks", "config.masks.center_size"
_RECTANGLE = "config.masks.rectangle_size"
_SPLIT, _COUNT = "--split", "the number of pictures"
_TEST = "that of config.data.test_split"


@dataclasses.dataclass(frozen=True)
class Setting:
  """One evaluation of a paper.

  Attributes:
    name: of the data set.
    values: {field: what it may be}.
  """

  name: str
  values: Mapping[str, tuple[Any, ...]]

  def departure(self, facts: Mapping[str, Any]) -> tuple[int, str] | None:
    """How many fields differ, and a line on the first; None = none does.

    Args:
      facts: of an evaluation, see `facts_of`.
    """
    wrong = [
      field
      for field, allowed in self.values.items()
      # Sizes that do not matter to these holes are not among the facts.
      if field in facts and facts[field] not in allowed
    ]
    if not wrong:
      return None
    allowed = " or ".join(map(str, self.values[wrong[0]]))
    return len(wrong), (
      f"{wrong[0]} is {facts[wrong[0]]}, the paper's {self.name} has {allowed}"
    )


def facts_of(
  config: ConfigDict, split: Split, manifest: Manifest
) -> dict[str, Any]:
  """What `Setting.values` are compared with, of an evaluation.

  Args:
    config: of the evaluation.
    split: that it is of.
    manifest: its pairs, which tell what the holes are.
  """
  tested = split.name == config.data.test_split
  count = len(manifest.pairs)
  facts = {
    _SIZE: config.data.image_size,
    _RESIZE: config.data.resize,
    _CROP: config.data.crop_size,
    _MASKS: manifest.masks if manifest.masks in KINDS else FOLDER,
    _GUIDANCE: config.eval.guidance,
    _SPLIT: _TEST if tested else split.name,
    _COUNT: "all" if count == len(split) else count,
  }
  if manifest.masks == "center":
    facts[_CENTER] = manifest.center_size
  if manifest.masks == "rectangle":
    facts[_RECTANGLE] = tuple(manifest.rectangle_size)
  return facts


def _sge_net(name: str, crop_size: float, center_size: float) -> Setting:
  return Setting(
    name,
    {
      _SIZE: (256,),
      _RESIZE: ("shorter_side",),
      _CROP: (crop_size,),
      _MASKS: ("center", "irregular", FOLDER),
      _CENTER: (center_size,),
      _GUIDANCE: ("predicted", "none"),
      _SPLIT: (_TEST,),
      _COUNT: ("all",),
    },
  )


SGE_NET = (
  _sge_net("Outdoor Scenes", 1.0, 0.5),
  _sge_net("Cityscapes", 0.5, 0.375),
)
ESPA = (
  Setting(
    "evaluation",
    {
      _SIZE: (256,),
      _RESIZE: ("stretch",),
      _MASKS: ("center",),
      _CENTER: (0.5,),
      _SPLIT: (_TEST,),
      _COUNT: ("all",),
    },
  ),
)
BOOSTED_GAN = (
  Setting(
    "evaluation",
    {
      _SIZE: (256,),
      _MASKS: ("rectangle",),
      _RECTANGLE: ((0.3125, 0.625),),
      _GUIDANCE: ("predicted", "none"),
      _SPLIT: (_TEST,),
      _COUNT: ("all",),
    },
  ),
)
