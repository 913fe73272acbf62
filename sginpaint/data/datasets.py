"""Opens a data set by the fields of `config.data`.

`synthetic_scenes` is made on first use, `folder` is a folder of one's own,
`tfds` any directory that a tfds builder prepared; every other name is a data
set that `python -m sginpaint prepare` built. All look the same from outside:
`Dataset` and `Split` (in `splits`).
"""

import pathlib
from collections.abc import Sequence

from sginpaint.data.builders.catalogue import SETS
from sginpaint.data.splits import Dataset, Split
from sginpaint.data.views import keep_attributes
from sginpaint.errors import UserError, check_choice
from sginpaint.files import cache_directory

__all__ = ["NAMES", "Dataset", "Split", "load_dataset"]

NAMES = ("synthetic_scenes", "folder", "tfds", *SETS)


def load_dataset(
  *,
  name: str,
  path: str = "",
  builder_config: str = "",
  image_size: int = 256,
  attributes: Sequence[str] = (),
) -> Dataset:
  """Opens, and where it can make it, prepares a dataset.

  Args:
    name: one of NAMES.
    path: the folder; the prepared directory ("" = data/<name>); or where
      synthetic_scenes is kept ("" = the cache directory of the user).
    builder_config: picture size of synthetic_scenes, e.g. "64"; "" = the
      smallest that is not below `image_size`. The others have none.
    image_size: side of the square that networks see.
    attributes: to keep, where the data has any; none = all.

  Raises:
    UserError: an unknown name, or what is found at `path` is not in order.
  """
  dataset = _open(name, path, builder_config, image_size)
  return keep_attributes(dataset, attributes)


def _open(
  name: str, path: str, builder_config: str, image_size: int
) -> Dataset:
  check_choice("data.name", name, NAMES)
  if name == "synthetic_scenes":
    return _synthetic_scenes(path, builder_config, image_size)
  if name in SETS:
    return _built(name, path or f"data/{name}")
  if not path:
    raise UserError(f"config.data.path: empty, but {name} needs a directory")
  if name == "folder":
    from sginpaint.data.folder import load_folder

    return load_folder(path)
  from sginpaint.data.prepared import load_prepared

  return load_prepared(path)


def _built(name: str, path: str) -> Dataset:
  if not (pathlib.Path(path) / "dataset_info.json").is_file():
    raise UserError(
      f"{path}: no {name} there; {SETS[name].how_to_get()}; or, where you have "
      "it, set --config.data.path to its place"
    )
  from sginpaint.data.prepared import load_prepared

  return load_prepared(path, name=name)


def _synthetic_scenes(
  path: str, builder_config: str, image_size: int
) -> Dataset:
  # tfds takes seconds to import: not before the fields are known to be good.
  from sginpaint.data.builders.synthetic_scenes.builder import SIZES, prepare
  from sginpaint.data.prepared import load_prepared

  fitting = [size for size in SIZES if size >= image_size] or [max(SIZES)]
  config = builder_config or str(min(fitting))
  check_choice("data.builder_config", config, tuple(map(str, SIZES)))
  directory = prepare(path or str(cache_directory() / "tfds"), int(config))
  return load_prepared(directory, name="synthetic_scenes")
