"""The pairs of picture and hole that a config asks for, and their record."""

from typing import Any

from ml_collections import ConfigDict

from sginpaint.data.splits import Split
from sginpaint.data.transforms import describe_preprocessing
from sginpaint.errors import UserError
from sginpaint.evaluation.manifest import Manifest, build_manifest
from sginpaint.evaluation.manifest_file import load_manifest, to_jsonl

NONE = "none"


def manifest_of(split: Split, config: ConfigDict, *, count: int) -> Manifest:
  """Pairs as `config.eval` and `config.masks` say.

  Args:
    split: of a data set.
    config: of an evaluation; where it names a manifest, that file's pairs are
      taken, all of them and no others.
    count: pictures in the seeded order; 0 = all.

  Raises:
    UserError: there are to be no holes, or see `build_manifest` and
      `load_manifest`.
  """
  preprocessing = describe_preprocessing(
    resize=config.data.resize,
    crop="center",
    crop_size=config.data.crop_size,
    size=config.data.image_size,
  )
  if config.eval.manifest:
    return load_manifest(
      config.eval.manifest,
      split,
      preprocessing=preprocessing,
      masks=config.eval.masks,
      white_is_hole=config.eval.white_is_hole,
    )
  if config.eval.masks == NONE:
    raise UserError(
      f"config.eval.masks={NONE}: {config.system} fills holes; use "
      "irregular, center, rectangle, or a folder of masks"
    )
  return build_manifest(
    split.ids,
    masks=config.eval.masks,
    seed=config.eval.seed,
    image_size=config.data.image_size,
    count=count,
    irregular_ratio=tuple(config.eval.irregular_ratio),
    center_size=config.masks.center_size,
    rectangle_size=tuple(config.masks.rectangle_size),
    white_is_hole=config.eval.white_is_hole,
    preprocessing=preprocessing,
    content=split.content,
  )


def describe(manifest: Manifest, holes: str) -> dict[str, Any]:
  """What metrics.json says of the pairs under `provenance`.

  Args:
    manifest: with its ratios filled in.
    holes: sha256 of the masks as they were used.
  """
  return {
    "seed": manifest.seed,
    "manifest_hash": manifest.hash,
    "mask_set_hash": manifest.set_hash or holes,
  }


def jsonl(manifest: Manifest, provenance: dict[str, Any]) -> str:
  """The text of manifest.jsonl, with what its header takes of `provenance`."""
  names = ("data", "split", "split_fingerprint", "mask_set_hash")
  return to_jsonl(manifest, {name: provenance[name] for name in names})
