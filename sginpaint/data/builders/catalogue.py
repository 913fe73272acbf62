"""The data sets of the papers that `prepare` builds."""

from sginpaint.data.builders.ade20k import ADE20K
from sginpaint.data.builders.celeba import CELEBA
from sginpaint.data.builders.celeba_hq import CELEBA_HQ
from sginpaint.data.builders.cityscapes import CITYSCAPES
from sginpaint.data.builders.data_set import DataSet
from sginpaint.data.builders.ffhq import FFHQ
from sginpaint.data.builders.helen import HELEN
from sginpaint.data.builders.outdoor_scenes import OUTDOOR_SCENES
from sginpaint.data.builders.paris_streetview import PARIS_STREETVIEW
from sginpaint.data.builders.places2 import PLACES2, PLACES2_20
from sginpaint.data.builders.sun_attributes import SUN_ATTRIBUTES

SETS: dict[str, DataSet] = {
  data_set.name: data_set
  for data_set in (
    ADE20K,
    CELEBA,
    CELEBA_HQ,
    CITYSCAPES,
    FFHQ,
    HELEN,
    OUTDOOR_SCENES,
    PARIS_STREETVIEW,
    PLACES2,
    PLACES2_20,
    SUN_ATTRIBUTES,
  )
}
