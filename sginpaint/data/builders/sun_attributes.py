"""SUN Attributes (Patterson and Hays, CVPR 2012): 14,340 scenes.

`SUNAttributeDB.tar.gz`: attributes.mat (the 102 names), images.mat (paths such
as a/abbey/sun_x.jpg), attributeLabels_continuous.mat (`labels_cv`: the share of
three voters who saw the attribute); `SUNAttributeDB_Images.tar.gz`:
`images/<path>`. The category in a path gives the boosted GAN's 20 scenes as
further attributes. Nobody published splits: 90 % / 5 % / 5 % by a hash of the
file's name.
"""

import io
import logging
import pathlib
import zlib

import numpy as np

from sginpaint.data.builders.archives import ManualDir
from sginpaint.data.builders.data_set import DataSet, Item, Plan
from sginpaint.data.builders.members import Member
from sginpaint.data.builders.scenes import SCENES, scene_values
from sginpaint.data.folder_layout import split_by_hash
from sginpaint.data.images import UnreadableError
from sginpaint.errors import UserError

_LOG = logging.getLogger(__name__)


def plan(manual: ManualDir) -> Plan:
  """The pictures that images.mat names, as far as they are there."""
  tables = manual.members("SUNAttributeDB")
  names = _column(_matrix(tables, "attributes.mat", "attributes"))
  paths = _column(_matrix(tables, "images.mat", "images"))
  votes = _matrix(tables, "attributeLabels_continuous.mat", "labels_cv")
  if votes.shape != (len(paths), len(names)):
    raise UserError(
      f"SUNAttributeDB: labels_cv is {votes.shape}, but there are {len(paths)} "
      f"pictures and {len(names)} attributes; get it anew"
    )
  stem = manual.one_of("SUNAttributeDB_Images", "images")
  pictures = {
    path.partition("images/")[2] or path: member
    for path, member in manual.members(stem).items()
  }
  # Without published splits no count of one tells that some are missing.
  if missing := set(paths) - pictures.keys():
    _LOG.warning(
      "%s: %d of the %d pictures that images.mat names are missing",
      *(stem, len(missing), len(paths)),
    )
  items = []
  for path, row in zip(paths, votes.tolist(), strict=True):
    if path not in pictures:
      continue
    parts = pathlib.PurePosixPath(path)
    category = "/".join(parts.parts[1:-1])
    name = str(parts.with_suffix(""))
    values = (*scene_values(category), *row)
    split = split_by_hash(parts.stem)
    items.append(Item(name, split, pictures[path], (), values))
  scenes = (f"scene:{name}" for name in SCENES)
  return Plan(items, attributes=(*scenes, *names))


def _matrix(members: dict[str, Member], file: str, name: str) -> np.ndarray:
  # SciPy comes with JAX.
  from scipy.io import loadmat
  from scipy.io.matlab import MatReadError

  # All that loadmat raises of damaged files.
  damaged = (
    *(UnreadableError, MatReadError, OSError, zlib.error),
    *(ValueError, TypeError, LookupError),
  )
  for path, member in members.items():
    if path.endswith(f"/{file}"):
      try:
        return loadmat(io.BytesIO(member.read()))[name]
      except damaged as e:
        raise UserError(f"{member}: no {name} in it; get it anew") from e
  raise UserError(f"SUNAttributeDB: no {file} in it; get the archive anew")


def _column(cells: np.ndarray) -> list[str]:
  """Texts of a MATLAB cell array."""
  return [str(np.ravel(cell)[0]) for cell in cells.ravel()]


SUN_ATTRIBUTES = DataSet(
  name="sun_attributes",
  title="SUN Attributes",
  home="https://cs.brown.edu/~gmpatter/sunattributes.html",
  terms="research only, photos belong to their photographers",
  files="SUNAttributeDB.tar.gz, SUNAttributeDB_Images.tar.gz",
  plan=plan,
  size=512,
)
