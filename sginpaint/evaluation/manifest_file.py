"""The pairs of an evaluation as a file, to hand on and to evaluate again.

JSON lines: a header with the settings and a `hash` over all of it, then a line
per pair with the fields of `manifest.Pair`. A drawn mask follows from the
header's seed and the pair's place, so nobody has to send masks; mask files are
looked for in `config.eval.masks` where that is a folder, else where they lay.

Read again, a manifest is checked before anything is evaluated: every picture
must be in the split, by its id, with the content that it had, and every mask
file likewise. That a drawn mask is still the same is known by its ratio.
"""

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sginpaint.data.mask_files import MaskFolder
from sginpaint.data.splits import Split
from sginpaint.errors import UserError
from sginpaint.evaluation.manifest import KINDS, Manifest, Pair

_VERSION = 2
_AGAIN = "evaluate without --manifest to write one"


def to_jsonl(manifest: Manifest, provenance: Mapping[str, Any]) -> str:
  """The file's text.

  Args:
    manifest: with its ratios filled in.
    provenance: further facts for the header.
  """
  header = {
    "manifest": _VERSION,
    **provenance,
    "masks": manifest.masks,
    "seed": manifest.seed,
    "image_size": manifest.image_size,
    "center_size": manifest.center_size,
    "rectangle_size": manifest.rectangle_size,
    "preprocessing": manifest.preprocessing,
    "count": len(manifest.pairs),
    "hash": manifest.hash,
  }
  lines = (dataclasses.asdict(pair) for pair in manifest.pairs)
  return "".join(f"{json.dumps(line)}\n" for line in (header, *lines))


def load_manifest(
  path: str | Path,
  split: Split,
  *,
  preprocessing: str,
  masks: str = "",
  white_is_hole: bool = True,
) -> Manifest:
  """Reads pairs and finds their pictures and masks.

  Args:
    path: of the file.
    split: whose pictures they are.
    preprocessing: of the evaluation, see `Manifest`.
    masks: a folder in which mask files are looked for; anything else = where
      the manifest says.
    white_is_hole: polarity of the files.

  Returns:
    The pairs at their positions in `split`.

  Raises:
    UserError: the file is no manifest, was changed, or is of pictures or masks
      that are not there, or not as they were.
  """
  manifest = _parse(Path(path))
  if manifest.preprocessing != preprocessing:
    raise UserError(
      f"{path}: of pictures made by {manifest.preprocessing}, but these are "
      f"made by {preprocessing}; set config.data.image_size, resize and "
      "crop_size alike"
    )
  manifest = _found_pictures(path, manifest, split)
  if manifest.masks in KINDS:
    return manifest
  given = masks if masks not in KINDS and Path(masks).is_dir() else ""
  return _found_masks(path, manifest, given or manifest.masks, white_is_hole)


def _parse(path: Path) -> Manifest:
  try:
    header, *lines = map(json.loads, path.read_text("utf-8").splitlines())
    version, stated = header["manifest"], header["hash"]
    manifest = Manifest(
      pairs=tuple(map(_pair, lines)),
      masks=header["masks"],
      seed=header["seed"],
      image_size=header["image_size"],
      center_size=header["center_size"],
      rectangle_size=tuple(header["rectangle_size"]),
      preprocessing=header["preprocessing"],
    )
    found = manifest.hash
  except OSError as e:
    raise UserError(f"{path}: cannot be read ({e.strerror})") from e
  except (ValueError, KeyError, TypeError) as e:
    raise UserError(f"{path}: not a manifest ({e}); {_AGAIN}") from e
  if version != _VERSION or not manifest.pairs:
    raise UserError(f"{path}: holds no pairs of version {_VERSION}; {_AGAIN}")
  if found != stated:
    raise UserError(
      f"{path}: changed since it was written, for its hash is another; restore "
      f"it, or {_AGAIN}"
    )
  return manifest


def _pair(fields: Mapping[str, Any]) -> Pair:
  tuples = {
    name: tuple(fields[name])
    for name in ("bucket", "crop")
    if fields[name] is not None
  }
  return Pair(**{**fields, **tuples})


def _found_pictures(
  path: str | Path, manifest: Manifest, split: Split
) -> Manifest:
  """At their positions in `split`, in its order."""
  position = {name: i for i, name in enumerate(split.ids)}
  names = [pair.image for pair in manifest.pairs]
  absent = [name for name in names if name not in position]
  if absent:
    raise UserError(
      f"{path}: {len(absent)} of its {len(names)} pictures are not in split "
      f"{split.name}, such as {absent[0]}; choose the data and --split that it "
      "was made for"
    )
  if len(set(names)) < len(names):
    raise UserError(f"{path}: lists a picture twice; keep one line of each")
  pairs = [
    dataclasses.replace(pair, index=position[pair.image])
    for pair in manifest.pairs
  ]
  for pair in pairs:
    if pair.image_hash not in ("", split.content(pair.index)):
      raise UserError(
        f"{path}: picture {pair.image} of split {split.name} is not the one "
        "that it was made for; restore that"
      )
  pairs.sort(key=lambda pair: pair.index)
  return dataclasses.replace(manifest, pairs=tuple(pairs))


def _found_masks(
  path: str | Path, manifest: Manifest, masks: str, white_is_hole: bool
) -> Manifest:
  """With the folder of its mask files."""
  if not Path(masks).is_dir():
    raise UserError(
      f"{path}: its masks lay in {masks}, which is not here; name their folder "
      "with --masks"
    )
  folder = MaskFolder(masks, white_is_hole=white_is_hole)
  position = {name: i for i, name in enumerate(folder.ids)}
  used = {pair.mask: pair.mask_hash for pair in manifest.pairs}
  absent = [name for name in used if name not in position]
  if absent:
    raise UserError(
      f"{path}: {len(absent)} of its {len(used)} masks are not in {masks}, "
      f"such as {absent[0]}; name their folder with --masks"
    )
  for name, content in used.items():
    if content not in ("", folder.file_hash(position[name])):
      raise UserError(
        f"{path}: mask {name} in {masks} is not the one that it was made for; "
        "restore that"
      )
  return dataclasses.replace(manifest, masks=masks, folder=folder)
