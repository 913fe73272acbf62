"""Fills the holes of pictures with a trained system.

python -m sginpaint inpaint --checkpoint=runs/spl --image=photo.jpg \\
  --mask=mask.png --output=filled.png

White in the mask is hole. Every other pixel is written as it was read: output
is PNG, WebP (lossless) or TIFF and keeps depth, alpha and colour profile;
pictures come out upright. In a folder, masks belong to pictures by name (x.jpg:
x.png, x_mask.png or x_mask001.png). Outputs that exist are replaced.
"""

import argparse
import sys
import time

import numpy as np

from sginpaint import images
from sginpaint.cli.jobs import Job, plan_jobs
from sginpaint.cli.parser import (
  Parser,
  add_checkpoint_flags,
  check_workdir,
)
from sginpaint.errors import UserError


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
  check_workdir(args.checkpoint)
  # JAX takes seconds to import: a mistyped path should not wait for it.
  import tqdm

  from sginpaint import inference
  from sginpaint.cli import devices

  devices.initialise()
  inpainter = inference.load(
    args.checkpoint, step=args.step, weights=args.weights
  )
  if args.segmentation and "segmentation" not in inpainter.guidance:
    raise UserError(
      f"--segmentation: {inpainter.config.system} takes no label map; "
      "leave it out"
    )
  quiet = len(jobs) == 1 or not sys.stderr.isatty()
  for job in tqdm.tqdm(jobs, unit="picture", disable=quiet):
    tqdm.tqdm.write(_fill(job, inpainter, full=args.full, lossy=args.lossy))
  return 0


def _parse(argv: list[str]) -> argparse.Namespace:
  parser = Parser("inpaint", __doc__)
  add = parser.add_argument
  add(
    "--checkpoint", required=True, metavar="DIR", help="workdir of a training"
  )
  add("--image", required=True, metavar="I", help="picture, or folder of them")
  add("--mask", required=True, metavar="M", help="mask for all, or folder")
  add("--output", required=True, metavar="O", help="file, or folder")
  add("--segmentation", metavar="S", help="label map (class indices) or folder")
  add_checkpoint_flags(parser)
  add("--full", action="store_true", help="run whole pictures, not windows")
  add("--lossy", action="store_true", help="allow .jpg output")
  return parser.parse_args(argv)


def _fill(job: Job, inpainter, *, full: bool, lossy: bool) -> str:
  """Fills one picture and writes it; returns a line to print."""
  start = time.perf_counter()
  picture = images.read_picture(job.image)
  mask = images.read_mask(job.mask, picture.size)
  if not mask.any() and _may_copy(job):
    images.write_bytes(job.output, job.image.read_bytes())
    return f"{job.output}: nothing to fill, copied"
  filled = picture.rgb
  if mask.any():
    filled = _inpaint(job, inpainter, filled, mask, full=full)
  images.write_picture(job.output, picture, filled, mask, lossy=lossy)
  height, width = picture.size
  seconds = time.perf_counter() - start
  return (
    f"{job.output}: {width}x{height}, {100 * mask.mean():.1f} % filled, "
    f"{seconds:.1f} s"
  )


def _inpaint(
  job: Job, inpainter, image: np.ndarray, mask: np.ndarray, *, full: bool
) -> np.ndarray:
  guidance = {}
  if job.segmentation:
    labels = images.read_labels(job.segmentation, mask.shape)
    guidance["segmentation"] = labels
  try:
    return inpainter(image, mask, full=full, **guidance).image
  except ValueError as e:
    # Only the values of the label map have not been checked by now.
    if job.segmentation is None:
      raise
    raise UserError(f"{job.segmentation}: {e}") from e


def _may_copy(job: Job) -> bool:
  """Whether the picture's own file can serve as the output."""
  header = images.read_header(job.image)
  same_format = header.format == images.output_format(job.output)
  return same_format and not header.turned
