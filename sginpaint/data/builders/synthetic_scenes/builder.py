"""The tfds builder of the embedded scenes, and `prepare`, which runs it.

Example i of a split is the scene of seed `FIRST_SEED[split] + i`: nothing is
downloaded, and a split can be made longer without changing what it held.
Records are ArrayRecord, so TensorFlow is neither needed to write nor to read
them. The prepared directory describes itself: `metadata.json` (as
`builder.info.metadata`) holds `classes`, `colors` and `attributes` in order.
"""

import contextlib
import fcntl
import io
import pathlib
import shutil
import sys
from collections.abc import Iterator, Mapping

import numpy as np
import tensorflow_datasets as tfds

from sginpaint.data.builders.synthetic_scenes.classes import CLASSES
from sginpaint.data.builders.synthetic_scenes.scene import ATTRIBUTES
from sginpaint.data.builders.synthetic_scenes.workers import encode_range
from sginpaint.errors import UserError

SIZES = (32, 64, 128, 256)
EXAMPLES = {"train": 4000, "validation": 200, "test": 200}
FIRST_SEED = {"train": 0, "validation": 10_000_000, "test": 20_000_000}


class SyntheticScenes(tfds.core.GeneratorBasedBuilder):
  """Generated outdoor scenes; the config is the picture's side in pixels.

  Features: `image` uint8 [s, s, 3], `segmentation` uint8 [s, s, 1] of class
  indices, `attributes` uint8 [A] of 0 and 1, `id` text `<split>-<index>`.
  """

  VERSION = tfds.core.Version("1.0.0")
  # There is nothing to download, so no list of checksums beside the code. To
  # search for one, tfds would import importlib_resources without declaring it.
  code_path = None
  RELEASE_NOTES = {"1.0.0": "First version."}
  BUILDER_CONFIGS = [
    tfds.core.BuilderConfig(name=str(s), description=f"{s} x {s} pixels")
    for s in SIZES
  ]

  def __init__(
    self, *, examples: Mapping[str, int] | None = None, **kwargs
  ) -> None:
    """Makes a builder.

    Args:
      examples: {split: count}; None = EXAMPLES. Splits left out are not made.
      **kwargs: of tfds builders (`config`, `data_dir`, ...).
    """
    self._examples = dict(EXAMPLES if examples is None else examples)
    unknown = sorted(set(self._examples) - set(EXAMPLES))
    if unknown or min(self._examples.values(), default=0) < 1:
      raise UserError(
        f"examples={self._examples}: give at least one example for any of "
        f"{', '.join(EXAMPLES)}"
      )
    super().__init__(**kwargs)

  def _info(self) -> tfds.core.DatasetInfo:
    size = int(self.builder_config.name)
    features = tfds.features.FeaturesDict(
      {
        "image": tfds.features.Image(
          shape=(size, size, 3), encoding_format="png"
        ),
        "segmentation": tfds.features.Image(
          shape=(size, size, 1), encoding_format="png"
        ),
        "attributes": tfds.features.Tensor(
          shape=(len(ATTRIBUTES),),
          dtype=np.uint8,
          encoding=tfds.features.Encoding.BYTES,
        ),
        "id": tfds.features.Text(),
      }
    )
    return tfds.core.DatasetInfo(
      builder=self,
      description="Generated outdoor scenes with exact labels.",
      features=features,
      disable_shuffling=True,
      metadata=tfds.core.MetadataDict(
        classes=[name for name, _ in CLASSES],
        colors=[list(color) for _, color in CLASSES],
        attributes=list(ATTRIBUTES),
      ),
    )

  def _split_generators(self, dl_manager) -> dict[str, Iterator]:
    del dl_manager  # nothing is downloaded
    return {
      split: self._generate_examples(split, count)
      for split, count in self._examples.items()
    }

  def _generate_examples(self, split: str, count: int) -> Iterator:
    first, size = FIRST_SEED[split], int(self.builder_config.name)
    records = encode_range(range(first, first + count), size)
    for index, record in enumerate(records):
      yield index, {**record._asdict(), "id": f"{split}-{index:06d}"}


def prepare(
  data_dir: str,
  size: int,
  *,
  examples: Mapping[str, int] | None = None,
  progress: bool = True,
) -> str:
  """Makes the data set unless it is there already.

  Safe to be called by several processes at once, and after a run that was
  killed: a half-made data set is never taken for a whole one.

  Args:
    data_dir: cache folder of data sets; made when missing.
    size: side of the pictures, one of SIZES.
    examples: {split: count}. None = whatever is there, EXAMPLES when nothing
      is.
    progress: whether to show a progress bar.

  Returns:
    The prepared directory `DATA_DIR/synthetic_scenes/<size>/<version>`, for
    `tfds.builder_from_directory`.

  Raises:
    UserError: another size, the directory holds other counts than asked, or it
      holds nothing and cannot be written; or a process was killed.
  """
  root = _make_root(data_dir, size)
  builder, whole = _look(root, size, examples)
  if not whole:  # else nothing is written: the folder may be read-only
    with _locked(root):
      # Another process may have made it meanwhile.
      builder, whole = _look(root, size, examples)
      if not whole:
        _build(builder, progress)
  held = {name: info.num_examples for name, info in builder.info.splits.items()}
  if examples is not None and held != dict(examples):
    raise UserError(
      f"{builder.data_dir} holds {held} examples, not {dict(examples)}; "
      "delete it or choose another folder"
    )
  return str(builder.data_dir)


def _make_root(data_dir: str, size: int) -> pathlib.Path:
  if size not in SIZES:
    raise UserError(
      f"synthetic_scenes has no pictures of {size} px; "
      f"use one of {', '.join(map(str, SIZES))}"
    )
  root = pathlib.Path(data_dir).expanduser()
  try:
    root.mkdir(parents=True, exist_ok=True)
  except OSError as e:
    raise UserError(f"cannot make the folder {root}: {e.strerror}") from e
  return root


def _look(
  root: pathlib.Path, size: int, examples: Mapping[str, int] | None
) -> tuple[SyntheticScenes, bool]:
  """The builder, and whether what it makes is there."""
  builder = SyntheticScenes(
    config=str(size),
    data_dir=root,
    examples=examples,
    file_format="array_record",
  )
  # Written last; tfds's own check would log a warning where it is missing.
  return builder, (builder.data_path / "dataset_info.json").exists()


@contextlib.contextmanager
def _locked(root: pathlib.Path) -> Iterator[None]:
  """Waits until nobody else writes there."""
  try:
    lock = (root / ".synthetic_scenes.lock").open("w")
  except OSError as e:
    raise UserError(f"{root}: cannot be written ({e.strerror})") from e
  with lock:
    fcntl.flock(lock, fcntl.LOCK_EX)
    yield


def _build(builder: SyntheticScenes, progress: bool) -> None:
  # What a killed run left behind; the lock says that nobody is writing there.
  parent = pathlib.Path(builder.data_dir).parent
  for leftover in parent.glob("incomplete.*"):
    shutil.rmtree(leftover)
  if not progress:
    tfds.disable_progress_bar()
  try:
    # tfds prints that it downloads; whoever reads stdout should not see it.
    with contextlib.redirect_stdout(sys.stderr if progress else io.StringIO()):
      builder.download_and_prepare(file_format="array_record")
  except (OSError, RuntimeError) as e:  # of ArrayRecord, of a killed worker
    raise UserError(
      f"{builder.data_dir}: {e}; see to the rights and to the room on the disk "
      "and in memory, then run the same command again"
    ) from e
  finally:
    if not progress:
      tfds.enable_progress_bar()
