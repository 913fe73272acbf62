"""Fills the holes of pictures with a trained system.

python -m sginpaint inpaint --checkpoint=runs/spl --image=photo.jpg \\
  --mask=mask.png --output=filled.png

White in the mask is hole. Every other pixel is written as it was read: output
is PNG, WebP (lossless) or TIFF and keeps depth, alpha and colour profile;
pictures come out upright. In a folder, masks belong to pictures by name (x.jpg:
x.png, x_mask.png or x_mask001.png). Outputs that exist are replaced.

--segmentation says what the holes show, where a system can be told: what
`segment` wrote and a paint program changed. Of a grey file the numbers count;
of an indexed one (palette) the colours, if any is that of a class, because many
programs sort palettes anew, else the numbers; of an RGB file the colours, which
must be exactly those of the classes (fully transparent = nothing is said). 255
says nothing. A classes.csv beside the map tells its numbers; without, they are
class indices. Paint with a hard-edged brush, and do not save as JPEG. A map
counts where it differs from what the system sees itself, so one that was not
changed gives what no map gives; with --full all of it counts.

--attributes says what the filled picture is to be, where a system can be told:
Smiling=1,Eyeglasses=0 for all pictures, or a CSV file with a row per picture,
its name in the first column and attributes in the others: 1, 0, or nothing
where the system may choose, as it does for attributes that are not named.
"""

import argparse
import functools
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from sginpaint import images
from sginpaint.cli.jobs import Job, plan_jobs, progress
from sginpaint.cli.parser import Parser, add_checkpoint_flags
from sginpaint.cli.paths import check_checkpoint
from sginpaint.errors import UserError

if TYPE_CHECKING:
  from sginpaint.editing import Editor
  from sginpaint.inference import Inpainter


def main(argv: list[str]) -> int:
  """Runs `inpaint --checkpoint=DIR --image=I --mask=M --output=O [flags]`.

  Raises:
    UserError: a path, a file or a flag needs mending.
  """
  args = _parse(argv)
  jobs = plan_jobs(
    args.image,
    args.mask,
    args.output,
    segmentation=args.segmentation,
    lossy=args.lossy,
  )
  check_checkpoint(args.checkpoint)
  # JAX takes seconds to import: a mistyped path should not wait for it.
  import tqdm

  from sginpaint import inference
  from sginpaint.cli import devices
  from sginpaint.cli.attributes import read_attributes
  from sginpaint.editing import Editor

  devices.initialise()
  inpainter = inference.load(
    args.checkpoint, step=args.step, weights=args.weights
  )
  _check_guidance(args, inpainter)
  told = read_attributes(
    args.attributes,
    [job.image for job in jobs],
    inpainter.config.data.attributes,
  )
  classes = inpainter.config.data.classes
  for job in jobs:  # all, before any picture is written
    _read_map(job, classes)
  editor = Editor(inpainter)
  for job in progress(jobs):
    labels = _read_map(job, classes)
    guides: dict[str, Any] = {"attributes": told.get(job.image)}
    if labels is None or args.full:
      fill = functools.partial(
        _filled, inpainter, segmentation=labels, full=args.full, **guides
      )
    else:
      fill = functools.partial(_edited, editor, labels, **guides)
    tqdm.tqdm.write(_fill(job, fill, lossy=args.lossy))
  return 0


def _parse(argv: list[str]) -> argparse.Namespace:
  parser = Parser("inpaint", __doc__)
  add = parser.add_argument
  add_checkpoint_flags(parser)
  picture = "picture, or folder of them"
  add("--image", required=True, metavar="PATH", help=picture)
  mask = "mask for all pictures, or folder of masks"
  add("--mask", required=True, metavar="PATH", help=mask)
  output = "file, or folder, to write to"
  add("--output", required=True, metavar="PATH", help=output)
  add("--segmentation", metavar="PATH", help="label map, or folder of them")
  add(
    "--attributes",
    metavar="NAME=0|1,...|FILE",
    help="of the filled pictures, see above",
  )
  add("--full", action="store_true", help="run whole pictures, not windows")
  add("--lossy", action="store_true", help="allow .jpg output")
  return parser.parse_args(argv)


def _check_guidance(args: argparse.Namespace, inpainter: "Inpainter") -> None:
  for name, what in (
    ("segmentation", "label map"),
    ("attributes", "attributes"),
  ):
    if getattr(args, name) and name not in inpainter.guidance:
      raise UserError(
        f"--{name}: {inpainter.config.system} takes no {what}; leave it out"
      )


def _read_map(
  job: Job, classes: Sequence[Mapping[str, Any]]
) -> np.ndarray | None:
  """The label map that guides a filling, uint8 [H, W], if there is one."""
  from sginpaint.cli.label_values import read_code

  if job.segmentation is None:
    return None
  code = read_code(job.segmentation.parent, classes)
  size = images.read_header(job.image).size
  return images.read_label_map(job.segmentation, size, code)


def _filled(
  inpainter: "Inpainter", image: np.ndarray, mask: np.ndarray, **options: Any
) -> np.ndarray:
  return inpainter(image, mask, **options).image


def _edited(
  editor: "Editor",
  labels: np.ndarray,
  image: np.ndarray,
  mask: np.ndarray,
  **options: Any,
) -> np.ndarray:
  return editor.begin(image, mask, **options).render(labels)


def _fill(job: Job, fill: Callable[..., np.ndarray], *, lossy: bool) -> str:
  """Fills one picture and writes it; returns a line to print."""
  start = time.perf_counter()
  picture = images.read_picture(job.image)
  mask = images.read_mask(job.mask, picture.size)
  if not mask.any() and _may_copy(job):
    images.write_bytes(job.output, job.image.read_bytes())
    return f"{job.output}: nothing to fill, copied"
  filled = picture.rgb
  if mask.any():
    filled = fill(filled, mask)
  images.write_picture(job.output, picture, filled, mask, lossy=lossy)
  height, width = picture.size
  seconds = time.perf_counter() - start
  return (
    f"{job.output}: {width}x{height}, {100 * mask.mean():.1f} % filled, "
    f"{seconds:.1f} s"
  )


def _may_copy(job: Job) -> bool:
  """Whether the picture's own file can serve as the output."""
  header = images.read_header(job.image)
  same_format = header.format == images.output_format(job.output)
  return same_format and not header.turned
