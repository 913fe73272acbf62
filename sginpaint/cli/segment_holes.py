"""What a system makes of a picture with holes, before a person edits it.

The part of `segment` that --masks asks for: see there.
"""

import dataclasses
import pathlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

from sginpaint import images
from sginpaint.cli.jobs import plan_jobs, progress
from sginpaint.errors import UserError

if TYPE_CHECKING:
  from sginpaint.checkpoints import Loaded
  from sginpaint.cli.label_values import Values


@dataclasses.dataclass(frozen=True)
class HoledJob:
  """A picture, its mask, and the two files to write."""

  image: pathlib.Path
  mask: pathlib.Path
  labels: pathlib.Path
  coarse: pathlib.Path


def plan(image: str, mask: str, output: str) -> list[HoledJob]:
  """Pairs pictures and masks as `inpaint` does; decodes and writes nothing.

  Args:
    image: file or folder.
    mask: file (for every picture) or folder.
    output: folder.

  Raises:
    UserError: something is missing, does not fit or would be overwritten.
  """
  pairs = plan_jobs(image, mask, f"{output}/", flags=("--images", "--masks"))
  inputs = {path.resolve() for job in pairs for path in (job.image, job.mask)}
  jobs = []
  taken: set[pathlib.Path] = set()
  for pair in pairs:
    labels = pair.output.with_name(f"{pair.output.stem}.png")
    coarse = pair.output.with_name(f"{pair.output.stem}_coarse.png")
    for path in (labels, coarse):
      if path in taken:
        raise UserError(f"{path}: two pictures would be written there")
      if path.resolve() in inputs:
        raise UserError(f"{path}: is also an input; choose another output")
      taken.add(path)
    jobs.append(HoledJob(pair.image, pair.mask, labels, coarse))
  return jobs


def run(jobs: Sequence[HoledJob], loaded: "Loaded", values: "Values") -> None:
  """Writes label map and coarse result of every picture, and classes.csv."""
  from sginpaint.cli.label_values import write_code
  from sginpaint.editing import Editor
  from sginpaint.inference import Inpainter

  editor = Editor(Inpainter(loaded))
  code = write_code(values, editor.classes)
  for job in progress(jobs):
    picture = images.read_picture(job.image)
    mask = images.read_mask(job.mask, picture.size)
    session = editor.begin(picture.rgb, mask)
    values.describe()
    data = images.encode_label_map(session.segmentation, code)
    images.write_bytes(job.labels, data)
    images.write_picture(job.coarse, picture, session.coarse, mask)
