"""Makes a workdir of weights that were published for PyTorch.

python -m sginpaint convert --model=tresnet_l \\
  --input=MS_COCO_TRresNet_L_448_86.6.pth --output=runs/teacher

Reads .safetensors; also .pth, .pt and .bin where PyTorch is installed
(pip install 'sginpaint[torch]'). A file that would run code is refused. Weights
that come in several files (LPIPS: trunk and heads) take --input for each.
"""

import argparse
import os
import pathlib

import sginpaint
from sginpaint import upstream
from sginpaint.cli.parser import Parser
from sginpaint.cli.paths import check_output_folder
from sginpaint.errors import UserError


def main(argv: list[str]) -> int:
  """Runs `convert --model=NAME --input=FILE [--input=FILE] --output=DIR`.

  Raises:
    UserError: a flag, a path or a file needs mending; nothing was written.
  """
  options = _parse(argv)
  inputs = [pathlib.Path(text) for text in options.input]
  _check_inputs(options.model, inputs)
  check_output_folder(options.output, new=True)
  # JAX takes seconds to import: a mistyped path should not wait for it.
  from sginpaint.cli import devices
  from sginpaint.convert.workdir import to_workdir

  devices.initialise()
  output = pathlib.Path(os.path.abspath(options.output))
  done = to_workdir(
    options.model, inputs, output, version=sginpaint.__version__
  )
  source = done.config.source
  kind = "official weights" if source.official else "weights of this file"
  print(
    f"{options.model}: {done.tensors} tensors, {done.parameters:,} parameters, "
    f"{kind}, system {done.config.system}"
  )
  for note in done.notes:
    print(f"  {note}")
  print(f"written to {options.output}")
  return 0


def _parse(argv: list[str]) -> argparse.Namespace:
  parser = Parser("convert", __doc__)
  add = parser.add_argument
  add(
    "--model",
    required=True,
    metavar="NAME",
    choices=sorted(upstream.MODELS),
    help=f"one of {', '.join(sorted(upstream.MODELS))}",
  )
  add("--input", required=True, action="append", metavar="FILE", help="weights")
  add("--output", required=True, metavar="DIR", help="workdir to make")
  return parser.parse_args(argv)


def _check_inputs(model: str, inputs: list[pathlib.Path]) -> None:
  for path in inputs:
    if not os.path.isfile(path):
      files = upstream.MODELS[model]
      names = " and ".join(f"{f.name} of {f.project}" for f in files)
      raise UserError(f"--input={path}: no such file; give {names}")
    if not os.access(path, os.R_OK):
      raise UserError(f"--input={path}: cannot be read; change its permissions")
