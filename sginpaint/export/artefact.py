"""Writes a trained system as programs (StableHLO) that need no code of ours.

An artefact is a folder:

  load.py         the loader, runs as a program and as a module
  artefact.json   inputs, programs with their outputs, classes, hashes
  programs/*.bin  `jax.export` programs, one per size
  variables.npz   values, which all programs share
  flatbuffers/    the package with which JAX reads them; JAX does not install it
"""

import importlib.util
import os
import pathlib
import shutil
from collections.abc import Mapping, Sequence
from typing import Any

import jax
import numpy as np
from jax import export

from sginpaint.checkpoints import Loaded
from sginpaint.errors import UserError
from sginpaint.evaluation.served import output_names
from sginpaint.export.programs import (
  MULTIPLE,
  Size,
  describe_inputs,
  flat_weights,
  trace,
)
from sginpaint.files import write_json
from sginpaint.systems.base import scale_of


def write_artefact(
  loaded: Loaded,
  output: pathlib.Path,
  *,
  sizes: Sequence[Size | None] = (),
  batch: int | None = None,
  platforms: Sequence[str] = ("cpu",),
  version: str = "",
) -> list[str]:
  """Writes an artefact; nothing is left half-written.

  Args:
    loaded: an inpainting system; its batch norms are folded already.
    output: folder to make, or an empty one.
    sizes: (height, width) of each program, None = any multiple of `MULTIPLE`;
      () = that of the training.
    batch: how many pictures at a time; None = any number.
    platforms: where it will run: cpu, cuda, rocm, tpu.
    version: of this library, to be noted.

  Returns:
    What each program takes, in words.

  Raises:
    UserError: the system fills no holes or not at such sizes, or `output` is
      not empty or cannot be written.
  """
  if "image" not in output_names(loaded):
    raise UserError(
      f"{loaded.workdir}: holds a {loaded.config.system}, which fills no "
      "holes; export an inpainting system"
    )
  side = int(loaded.config.data.image_size)
  # Programs of one size go first: the loader takes the first that fits.
  wanted = list(dict.fromkeys(sizes or [(side, side)]))
  wanted.sort(key=lambda size: size is None)
  programs = {
    _name(size): trace(loaded, size, batch=batch, platforms=platforms)
    for size in wanted
  }
  about = _describe(loaded, version, platforms)
  about["programs"] = [
    _describe_program(size, batch, programs[_name(size)], loaded)
    for size in wanted
  ]
  _write(pathlib.Path(os.path.abspath(output)), loaded, programs, about)
  return [program["takes"] for program in about["programs"]]


def _write(
  output: pathlib.Path,
  loaded: Loaded,
  programs: Mapping[str, export.Exported],
  about: Mapping[str, Any],
) -> None:
  draft = output.with_name(f".{output.name}.{os.getpid()}.part")
  try:
    (draft / "programs").mkdir(parents=True)
    for name, program in programs.items():
      (draft / _file(name)).write_bytes(program.serialize())
    values = {k: np.asarray(v) for k, v in flat_weights(loaded).items()}
    np.savez(draft / "variables.npz", **values)  # type: ignore[arg-type]
    write_json(draft / "artefact.json", about)
    _copy_loader(draft)
    os.rename(draft, output)
  except OSError as e:
    raise UserError(f"{output}: cannot be written ({e.strerror or e})") from e
  finally:
    shutil.rmtree(draft, ignore_errors=True)


def _describe(
  loaded: Loaded, version: str, platforms: Sequence[str]
) -> dict[str, Any]:
  config = loaded.config
  return {
    "system": config.system,
    "step": loaded.step,
    "hash": loaded.hash,
    "frozen_hashes": dict(loaded.frozen_hashes),
    "image_size": int(config.data.image_size),
    "classes": [
      {"name": c["name"], "colour": list(c["colour"])}
      for c in config.data.classes
    ],
    "attributes": list(config.data.attributes),
    "platforms": list(platforms),
    "versions": {"sginpaint": version, "jax": jax.__version__},
    "inputs": describe_inputs(loaded),
  }


def _describe_program(
  size: Size | None,
  batch: int | None,
  program: export.Exported,
  loaded: Loaded,
) -> dict[str, Any]:
  sides = _name(size) if size else f"sides that are multiples of {MULTIPLE}"
  avals = jax.tree.unflatten(program.out_tree, program.out_avals)
  return {
    "file": _file(_name(size)),
    "takes": f"{sides}, {batch or 'any number'} at a time",
    "batch": batch,
    "size": list(size) if size else None,
    "multiple": 1 if size else MULTIPLE,
    "outputs": {
      name: {
        "shape": [n if isinstance(n, int) else str(n) for n in aval.shape],
        "dtype": str(aval.dtype),
        "range": _range(name, len(loaded.config.data.classes)),
      }
      for name, aval in avals.items()
    },
  }


def _range(name: str, classes: int) -> list[int] | None:
  """Least and greatest value of an output; None where it has no bounds."""
  ranges: Mapping[str, list[int]] = {
    "segmentation": [0, classes - 1],
    "attributes": [0, 1],
    "confidence": [0, 1],
    "reliability": [0, 1],
    "finite": [0, 1],
    # Raw, unlike "image" itself.
    "coarse": [-1, 1],
    "image": [-1, 1],
    "scales": [-1, 1],
  }
  if name == "image":
    return [0, 255]
  return ranges.get(scale_of(name.partition("/")[0])[0])


def _name(size: Size | None) -> str:
  return f"{size[0]}x{size[1]}" if size else "any"


def _file(name: str) -> str:
  return f"programs/{name}.bin"


def _copy_loader(folder: pathlib.Path) -> None:
  shutil.copyfile(
    pathlib.Path(__file__).with_name("load.py"), folder / "load.py"
  )
  package = importlib.util.find_spec("flatbuffers")
  if package is None or package.origin is None:
    raise UserError("flatbuffers is not installed; pip install flatbuffers")
  shutil.copytree(
    pathlib.Path(package.origin).parent,
    folder / "flatbuffers",
    ignore=shutil.ignore_patterns("__pycache__", "flexbuffers.py"),
  )
