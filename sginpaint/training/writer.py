"""Where a training leaves traces: JSON lines, TensorBoard, a progress bar."""

import json
import pathlib
import sys
from collections.abc import Mapping

import numpy as np
import tqdm


class Writer:
  """Writes scalars and pictures of one training; process 0 alone has one."""

  def __init__(self, workdir: str, *, start: int, total: int):
    # Imports PyTorch where it is installed: seconds, and 180 MB.
    import tensorboardX

    path = pathlib.Path(workdir)
    self._lines = (path / "log.jsonl").open("a", buffering=1)
    self._board = tensorboardX.SummaryWriter(str(path / "tensorboard"))
    self._bar = tqdm.tqdm(
      initial=start, total=total, unit="step", file=sys.stderr, mininterval=1.0
    )

  def advance(self) -> None:
    """One more step is under way."""
    self._bar.update()

  def scalars(self, step: int, values: Mapping[str, float]) -> None:
    """Writes named numbers of a step."""
    self._lines.write(json.dumps({"step": step, **values}) + "\n")
    for name, value in values.items():
      self._board.add_scalar(name, value, step)
    if "loss/generator" not in values:
      return
    told = f"loss {values['loss/generator']:.4g}"
    if "images_per_second" in values:
      told += f", {values['images_per_second']:.1f} images/s"
    self._bar.set_postfix_str(told)

  def images(self, step: int, name: str, grid: np.ndarray) -> None:
    """Writes a picture, uint8 [H, W, 3]."""
    self._board.add_image(name, grid, step, dataformats="HWC")

  def close(self) -> None:
    """Ends the progress bar and the files."""
    self._bar.close()
    self._lines.close()
    self._board.close()
