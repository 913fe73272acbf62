"""Mask files: readable, black and white, and of the polarity that is told."""

import collections
import dataclasses
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from sginpaint.data.builders.irregular_masks import RATIOS, range_name
from sginpaint.data.checks.findings import (
  ERROR,
  NOTE,
  WARNING,
  Findings,
  Kind,
  Report,
)
from sginpaint.data.checks.reading import in_threads, positions
from sginpaint.data.mask_files import (
  INVERTED,
  SUFFIXES,
  find_masks,
  grey_share,
  is_hole,
  read_grey,
)
from sginpaint.errors import UserError

_UNREADABLE = Kind(
  "unreadable-mask",
  ERROR,
  "masks that cannot be read",
  "replace or remove them",
)
_NONE = Kind(
  "no-masks",
  ERROR,
  "no mask file in the folder",
  f"put {' '.join(SUFFIXES)} there",
)
_GREYS = Kind(
  "grey-mask",
  WARNING,
  "masks that are not black and white",
  "JPEG or soft edges? They are cut at half grey: save them as PNG",
)
_EMPTY = Kind(
  "empty-mask",
  WARNING,
  "masks without a hole",
  "nothing is to be filled under them: remove them",
)
_FULL = Kind(
  "full-mask",
  WARNING,
  "masks that leave nothing of a picture",
  "nothing tells how to fill it: remove them",
)
_UNEQUAL = Kind(
  "oblong-mask",
  NOTE,
  "masks that are not square",
  "they are stretched over the square that networks see",
)
_BUCKETS = Kind(
  "mask-ratios",
  NOTE,
  "masks by percent of the picture that is missing",
  shown=len(RATIOS) + 1,
)
_GREY = 0.01  # share of grey pixels that is no accident


@dataclasses.dataclass(frozen=True, slots=True)
class _MaskFacts:
  name: str
  error: str = ""
  ratio: float = 0.0
  grey: float = 0.0
  size: tuple[int, int] = (0, 0)


def check_masks(
  path: str, *, white_is_hole: bool = True, sample: int = 0
) -> Report:
  """Looks at the masks of a folder.

  Args:
    path: the folder.
    white_is_hole: white pixels are missing; False: black ones are.
    sample: how many are read, spread evenly; 0 = all.

  Raises:
    UserError: no such folder.
  """
  folder = Path(path)
  if not folder.is_dir():
    raise UserError(f"{path}: no such folder of masks; check --masks")
  findings = Findings()
  names = sorted(find_masks(folder))
  chosen = [names[i] for _, i in positions({"masks": len(names)}, sample)]

  def inspect(name: str) -> _MaskFacts:
    return _inspect(folder, name, white_is_hole=white_is_hole)

  ratios = []
  sizes: collections.Counter[tuple[int, int]] = collections.Counter()
  for facts in in_threads(inspect, chosen, total=len(chosen), of=path):
    _look_at(facts, findings)
    if not facts.error:
      ratios.append(facts.ratio)
      sizes[facts.size] += 1
  if not names:
    findings.add(_NONE, count=0)
  _look_at_all(ratios, findings, white_is_hole=white_is_hole)
  return Report(
    source=path,
    what=_describe(len(names), len(chosen), sizes, white_is_hole=white_is_hole),
    read={"masks": len(chosen)},
    findings=findings.sorted(),
    use="can be used as masks",
  )


def _inspect(folder: Path, name: str, *, white_is_hole: bool) -> _MaskFacts:
  try:
    grey = read_grey(folder / name)
  except UserError:
    return _MaskFacts(name, error="not a whole picture")
  hole = is_hole(grey, white_is_hole=white_is_hole)
  return _MaskFacts(
    name, "", float(hole.mean()), grey_share(grey), grey.shape[:2]
  )


def _look_at(facts: _MaskFacts, findings: Findings) -> None:
  if facts.error:
    findings.add(_UNREADABLE, f"{facts.name}: {facts.error}")
    return
  if facts.grey > _GREY:
    findings.add(_GREYS, f"{facts.name}: {facts.grey:.1%} of it is grey")
  if facts.ratio in (0.0, 1.0):
    findings.add(_FULL if facts.ratio else _EMPTY, facts.name)
  if facts.size[0] != facts.size[1]:
    findings.add(_UNEQUAL, f"{facts.name}: {facts.size[1]}x{facts.size[0]}")


def _look_at_all(
  ratios: list[float], findings: Findings, *, white_is_hole: bool
) -> None:
  if not ratios:
    return
  mean = float(np.mean(ratios))
  if mean > INVERTED:
    inverted = Kind(
      "inverted-masks",
      WARNING,
      "masks look inverted: of the average picture is missing",
      f"if so, set --config.masks.white_is_hole={not white_is_hole} for "
      f"training, --config.eval.white_is_hole={not white_is_hole} for "
      "evaluation",
    )
    findings.add(inverted, f"{mean:.0%}", count=0)
  counts = collections.Counter(map(range_name, ratios))
  for name in sorted(counts):
    findings.add(_BUCKETS, f"{name}: {counts[name]}", count=0)


def _describe(
  count: int,
  chosen: int,
  sizes: Mapping[tuple[int, int], int],
  *,
  white_is_hole: bool,
) -> str:
  of = f" ({chosen:,} read)" if chosen < count else ""
  polarity = "white" if white_is_hole else "black"
  shapes = [f"{w}x{h}" for (h, w), _ in sorted(sizes.items())]
  text = ", ".join(shapes) if len(shapes) < 4 else f"{len(shapes)} sizes"
  ending = f", {text}" if shapes else ""
  return f"{count:,} masks{of}{ending}, {polarity} = missing"
