"""The files of an evaluation."""

from pathlib import Path

import cv2
import numpy as np

from sginpaint.evaluation import pairing, results
from sginpaint.evaluation.report import write_report
from sginpaint.evaluation.report_curves import points
from sginpaint.evaluation.results import SYSTEM, Evaluation, Panel
from sginpaint.evaluation.visualize import grid, with_hole
from sginpaint.files import write_atomically, write_json

_GRID_ROWS = 8


def save(evaluation: Evaluation, output_dir: str | Path) -> None:
  """Writes metrics.json, per_image.csv, grid.png, report.html, manifest.jsonl.

  metrics.json comes last: where it is, the others are.
  """
  output = Path(output_dir)
  provenance = evaluation.metrics["provenance"]
  write_atomically(
    output / "manifest.jsonl",
    pairing.jsonl(evaluation.manifest, provenance),
  )
  write_atomically(
    output / "per_image.csv",
    results.to_csv(evaluation.rows, evaluation.protocol),
  )
  samples = [p for p in evaluation.panels if p.role == "sample"]
  if samples:
    picture = panel_grid(samples[:_GRID_ROWS])
    encoded = cv2.imencode(".png", picture[..., ::-1])[1]
    write_atomically(output / "grid.png", encoded.tobytes())
  write_report(
    output / "report.html",
    evaluations=[evaluation],
    curves={evaluation.name: points(output.parent, evaluation.metrics)},
  )
  write_json(output / "metrics.json", evaluation.metrics)


def panel_grid(panels: list[Panel]) -> np.ndarray:
  """uint8 picture: input | result | truth | intermediates | baselines."""
  first = panels[0]
  extras, methods = list(first.extras), list(first.fills)[1:]
  rows = [
    [
      with_hole(panel.truth, panel.mask),
      panel.fills[SYSTEM],
      panel.truth,
      *(panel.extras[name] for name in extras),
      *(panel.fills[name] for name in methods),
    ]
    for panel in panels
  ]
  titles = ["input", "result", "truth", *extras, *methods]
  return grid(rows, [title.replace("_", " ") for title in titles])
