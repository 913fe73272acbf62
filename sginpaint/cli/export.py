"""Makes a folder that fills pictures where only JAX and NumPy are installed.

python -m sginpaint export --checkpoint=runs/spl --output=spl_artefact
python spl_artefact/load.py image.npy mask.npy out.npy

image.npy is uint8 [B, H, W, 3], mask.npy [B, H, W] with non-zero = hole; both
may lack B. The pictures that come out are those of `inpaint --full`. Where the
system can be told, load.py takes segmentation=FILE.npy (class indices, 255 =
not said) and attributes=FILE.npy (0..1, NaN = not said). Called out.npz, the
output holds all that the system says, not the pictures only. artefact.json
describes what goes in and what comes out.

--size=any makes one program for all sides that are multiples of 16. Not every
system allows that (SPL without region norm does, SGE-Net and ESPA do not): of
the others name the sizes. All programs share the values.
"""

import argparse
import pathlib
import re

import sginpaint
from sginpaint.cli.parser import Parser, add_checkpoint_flags
from sginpaint.cli.paths import check_checkpoint, check_output_folder
from sginpaint.errors import UserError
from sginpaint.workdirs import load_config

_PLATFORMS = ("cpu", "cuda", "rocm", "tpu")
_ANY = "any"


def main(argv: list[str]) -> int:
  """Runs `export --checkpoint=DIR --output=DIR [flags]`.

  Raises:
    UserError: a path or a flag needs mending; nothing was written.
  """
  args = _parse(argv)
  sizes = _read_sizes(args.size)
  batch = _read_batch(args.batch)
  platforms = _read_platforms(args.platforms)
  check_checkpoint(args.checkpoint)
  load_config(args.checkpoint)
  check_output_folder(args.output, new=True)
  # JAX takes seconds to import: a mistyped path should not wait for it.
  from sginpaint import checkpoints
  from sginpaint.cli import devices
  from sginpaint.export import write_artefact

  devices.initialise()
  loaded = checkpoints.load(
    args.checkpoint, step=args.step, weights=args.weights
  )
  takes = write_artefact(
    loaded,
    pathlib.Path(args.output),
    sizes=sizes,
    batch=batch,
    platforms=platforms,
    version=sginpaint.__version__,
  )
  print(f"{loaded.config.system}, step {loaded.step}, on {args.platforms}:")
  for line in takes:
    print(f"  {line}")
  print(f"written to {args.output}; see load.py there")
  return 0


def _parse(argv: list[str]) -> argparse.Namespace:
  parser = Parser("export", __doc__)
  add = parser.add_argument
  add_checkpoint_flags(parser)
  add("--output", required=True, metavar="DIR", help="folder to make")
  add(
    "--size",
    default="",
    metavar="HxW[,HxW...]|any",
    help="of the pictures; default: that of the training",
  )
  add(
    "--batch",
    default=_ANY,
    metavar="N|any",
    help="how many pictures at a time; default: any",
  )
  add(
    "--platforms",
    default="cpu,cuda,tpu",
    metavar="P[,P...]",
    help=f"where it will run, of {', '.join(_PLATFORMS)}; "
    "default: cpu,cuda,tpu",
  )
  return parser.parse_args(argv)


def _read_sizes(text: str) -> list[tuple[int, int] | None]:
  sizes: list[tuple[int, int] | None] = []
  for word in text.split(",") if text else ():
    match = re.fullmatch(r"([1-9]\d{0,4})x([1-9]\d{0,4})", word)
    if not match and word != _ANY:
      raise UserError(
        f"--size={text}: {word!r} is no size; write HEIGHTxWIDTH, as 256x256, "
        "or any"
      )
    sizes.append((int(match[1]), int(match[2])) if match else None)
  return sizes


def _read_batch(text: str) -> int | None:
  if text == _ANY:
    return None
  if not re.fullmatch(r"[1-9]\d{0,4}", text):
    raise UserError(f"--batch={text}: give a number of pictures, or any")
  return int(text)


def _read_platforms(text: str) -> list[str]:
  platforms = text.split(",")
  for name in platforms:
    if name not in _PLATFORMS:
      raise UserError(
        f"--platforms={text}: no platform {name!r}; there are "
        f"{', '.join(_PLATFORMS)}"
      )
  return list(dict.fromkeys(platforms))
