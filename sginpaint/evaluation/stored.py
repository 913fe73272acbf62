"""Evaluations read back from the folders that `output.save` wrote."""

import csv
import dataclasses
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from sginpaint.errors import UserError
from sginpaint.evaluation.measures import Measure
from sginpaint.evaluation.protocols import (
  PROTOCOLS,
  Protocol,
  get_protocol,
)
from sginpaint.evaluation.results import ALL, SYSTEM, Row

METRICS = "metrics.json"
_CSV = "per_image.csv"
# Names that networks' errors begin with; all else is better when higher.
_ERRORS = ("lpips", "fid", "kid")


@dataclasses.dataclass(frozen=True)
class Stored:
  """One evaluation without its pictures; no baselines.

  Attributes:
    metrics: contents of its metrics.json.
    rows: with the scores of `SYSTEM` only.
    protocol: with a measure for every score that it has.
  """

  metrics: Mapping[str, Any]
  rows: Sequence[Row]
  protocol: Protocol


def read(folder: str | Path) -> Stored:
  """Reads metrics.json and per_image.csv.

  Raises:
    UserError: they are missing, damaged, or of no pictures.
  """
  folder = Path(folder)
  metrics = read_metrics(folder)
  if (
    metrics is None
    or metrics.get("protocol") not in PROTOCOLS
    or "provenance" not in metrics
  ):
    raise UserError(
      f"{folder}: holds no evaluation of filled pictures; give a folder that "
      "evaluate wrote"
    )
  try:
    with (folder / _CSV).open(newline="") as file:
      lines = list(csv.DictReader(file))
    own = _own_columns(list(lines[0]), metrics)
    rows = [_row(line, own) for line in lines]
  except (OSError, ValueError, KeyError, IndexError) as e:
    raise UserError(
      f"{folder / _CSV}: cannot be read ({e}); evaluate again"
    ) from e
  if len(rows) != (count := metrics.get("count")):
    raise UserError(
      f"{folder / _CSV}: has {len(rows)} pictures, but {METRICS} is of "
      f"{count}; evaluate again"
    )
  protocol = get_protocol(metrics["protocol"])
  known = {m.name for m in protocol.measures}
  more = (name for name in metrics["metrics"][ALL] if name != "count")
  extra = tuple(
    _measure(name, per_set=name not in own)
    for name in more
    if name not in known
  )
  return Stored(metrics, rows, protocol.extended(extra))


def read_metrics(folder: Path) -> dict[str, Any] | None:
  """Contents of metrics.json; None where there is none that can be read."""
  try:
    metrics = json.loads((folder / METRICS).read_text())
  except (OSError, ValueError):
    return None
  return metrics if isinstance(metrics, dict) else None


def judges(metrics: Mapping[str, Any]) -> dict[str, str]:
  """{what: hash} of the networks that measured, of a metrics.json."""
  used = metrics.get("networks", {}) | metrics.get("analyses", {})
  return {what: said["hash"] for what, said in used.items() if "hash" in said}


def _own_columns(header: list[str], metrics: Mapping[str, Any]) -> list[str]:
  first = header.index("classes" if "classes" in header else "ratio") + 1
  others = tuple(f"{name}_" for name in metrics["baselines"])
  return [name for name in header[first:] if not name.startswith(others)]


def _row(line: Mapping[str, str], names: Sequence[str]) -> Row:
  classes = line.get("classes")
  return Row(
    index=int(line["index"]),
    image=line["image"],
    mask=line["mask"],
    ratio=float(line["ratio"]),
    scores={SYSTEM: {name: float(line[name] or "nan") for name in names}},
    classes=int(classes) if classes else None,
  )


def _measure(name: str, *, per_set: bool) -> Measure:
  return Measure(
    name,
    None,
    name.replace("_", " "),
    higher_is_better=not name.startswith(_ERRORS),
    digits=4,
    per_set=per_set,
    partial=True,
  )


def find(roots: Sequence[Path], wanted: Mapping[str, Any]) -> Path | None:
  """The folder below one of `roots` with an evaluation like that, if any.

  Args:
    roots: folders of folders of evaluations.
    wanted: fields that metrics.json or its `provenance` must have, with these
      values; under "measures", names that must have been measured, and under
      "judges", hashes of networks that must have measured.
  """
  for folder, metrics in evaluations_in(roots):
    if not (folder / _CSV).is_file():
      continue
    scores = metrics.get("metrics", {}).get(ALL, {})
    facts = metrics | metrics.get("provenance", {})
    facts["measures"] = wanted["measures"] & scores.keys()
    facts["judges"] = wanted["judges"] & set(judges(metrics).values())
    if all(facts.get(name) == value for name, value in wanted.items()):
      return folder
  return None


def evaluations_in(
  roots: Sequence[Path],
) -> Iterator[tuple[Path, dict[str, Any]]]:
  """(folder, contents of metrics.json) of all folders right below `roots`."""
  for root in roots:
    for path in sorted(root.glob(f"*/{METRICS}")):
      metrics = read_metrics(path.parent)
      if metrics is not None:
        yield path.parent, metrics
