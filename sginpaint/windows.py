"""Where to look when a picture is larger than what a network was trained on.

Each hole is filled from its neighbourhood: a square window with a margin of at
least half the hole's side all round, at least as large as the training size
(so that small holes are filled at full resolution), shifted to stay inside the
picture. Holes that fit one window without loss of resolution share it. Where a
picture is too thin for the square, what lacks is added by reflection.

Masks are bool [H, W], True = hole; sizes are in pixels.
"""

import dataclasses

import cv2
import numpy as np

from sginpaint.errors import UserError

_TOGETHER = 512  # pieces that are compared each with each
# That fit into a window of the training size, two cells apart.
_PIECES_EACH = 16


@dataclasses.dataclass(frozen=True)
class Window:
  """A part of a picture that is filled in one go.

  Attributes:
    top: first row.
    left: first column.
    height: rows inside the picture.
    width: columns inside the picture.
    side: of the square, after reflection; the larger of height and width, or
      more where the picture ends.
  """

  top: int
  left: int
  height: int
  width: int
  side: int

  @property
  def rows(self) -> slice:
    """Of the picture."""
    return slice(self.top, self.top + self.height)

  @property
  def columns(self) -> slice:
    """Of the picture."""
    return slice(self.left, self.left + self.width)

  @property
  def inner(self) -> tuple[slice, slice]:
    """Where the picture lies inside the square."""
    above = (self.side - self.height) // 2
    before = (self.side - self.width) // 2
    return (
      slice(above, above + self.height),
      slice(before, before + self.width),
    )

  def cut(self, array: np.ndarray) -> np.ndarray:
    """The square [side, side, ...] out of [H, W, ...], reflected if thin."""
    part = array[self.rows, self.columns]
    if part.shape[:2] == (self.side, self.side):
      return part
    rows, columns = self.inner
    return cv2.copyMakeBorder(
      part,
      rows.start,
      self.side - rows.stop,
      columns.start,
      self.side - columns.stop,
      cv2.BORDER_REFLECT_101,
    )


@dataclasses.dataclass(frozen=True)
class Plan:
  """Windows of one picture, and which of them fills which pixel.

  Attributes:
    windows: in any order.
    cell: side of the cells that `owner` counts in.
    owner: int32 [ceil(H / cell), ceil(W / cell)], index of the window that
      fills the hole pixels of a cell; -1 where there are none.
  """

  windows: tuple[Window, ...]
  cell: int
  owner: np.ndarray

  def owned(self, index: int, mask: np.ndarray) -> np.ndarray:
    """Hole pixels that window `index` fills, bool [height, width]."""
    window = self.windows[index]
    rows = np.arange(window.height) + window.top
    columns = np.arange(window.width) + window.left
    mine = self.owner[np.ix_(rows // self.cell, columns // self.cell)] == index
    return mine & mask[window.rows, window.columns]


def plan_windows(
  mask: np.ndarray, size: int, *, max_windows: int | None = None
) -> Plan:
  """Finds windows such that every hole pixel belongs to exactly one.

  Args:
    mask: bool [H, W].
    size: side of the pictures that the network was trained on.
    max_windows: that may be needed; None = any number.

  Raises:
    UserError: more windows are needed.
  """
  # Holes are found on a grid: what is closer than two cells becomes one, and
  # a photograph costs a few kilobytes.
  cell = max(1, size // 32)
  cells = _any_in_cells(mask, cell)
  _, labels = cv2.connectedComponents(
    cv2.dilate(cells, np.ones((3, 3), np.uint8))
  )
  labels[cells == 0] = 0
  boxes = _bounding_boxes(labels)
  # Also before they are grouped, which takes a while for a hundred thousand.
  limit = np.inf if max_windows is None else max_windows
  if len(boxes) <= _PIECES_EACH * limit:
    group = _share_windows(boxes, (size // cell - 2) // 2)
  if len(boxes) > _PIECES_EACH * limit or group.max(initial=-1) >= limit:
    raise UserError(
      f"the hole is in {len(boxes)} pieces, too many for {max_windows} parts "
      "of the picture; fill fewer at a time"
    )
  owner = np.concatenate([[-1], group]).astype(np.int32)[labels]
  ends = np.array([*mask.shape, *mask.shape])
  windows = [
    _around(np.minimum(union * cell, ends), mask.shape, size)
    for union in _unions(boxes, group)
  ]
  return Plan(tuple(windows), cell, owner)


def _any_in_cells(mask: np.ndarray, cell: int) -> np.ndarray:
  """uint8 [ceil(H / cell), ceil(W / cell)], 1 where a cell has a hole pixel."""
  height, width = mask.shape
  padded = np.pad(mask, ((0, -height % cell), (0, -width % cell)))
  grid = padded.reshape(
    padded.shape[0] // cell, cell, padded.shape[1] // cell, cell
  )
  return np.any(grid, axis=(1, 3)).astype(np.uint8)


def _bounding_boxes(labels: np.ndarray) -> np.ndarray:
  """int [n, 4] (top, left, bottom, right) of labels 1..n, ends exclusive."""
  ys, xs = np.nonzero(labels)
  return _unions(np.stack([ys, xs, ys + 1, xs + 1], 1), labels[ys, xs] - 1)


def _unions(boxes: np.ndarray, group: np.ndarray) -> np.ndarray:
  """int [m, 4], the box around the boxes [n, 4] of each of the groups [n]."""
  unions = np.empty((group.max(initial=-1) + 1, 4), np.int64)
  unions[:, :2], unions[:, 2:] = np.iinfo(np.int64).max, 0
  np.minimum.at(unions[:, :2], group, boxes[:, :2])
  np.maximum.at(unions[:, 2:], group, boxes[:, 2:])
  return unions


def _share_windows(boxes: np.ndarray, free: int) -> np.ndarray:
  """Groups boxes whose union needs no larger window; int [n].

  Of very many, one half of the picture is grouped after the other.

  Args:
    boxes: int [n, 4].
    free: side up to which a union costs nothing.
  """
  if len(boxes) <= _TOGETHER:
    return _share_at_once(boxes, free)
  axis = np.ptp(boxes[:, :2], axis=0).argmax()
  first, second = np.array_split(boxes[:, axis].argsort(kind="stable"), 2)
  group = np.empty(len(boxes), np.int64)
  group[first] = _share_windows(boxes[first], free)
  group[second] = _share_windows(boxes[second], free) + group[first].max() + 1
  return group


def _share_at_once(boxes: np.ndarray, free: int) -> np.ndarray:
  sides = (boxes[:, 2:] - boxes[:, :2]).max(1, initial=0)
  group = np.zeros(len(boxes), np.int64)
  unions = np.empty_like(boxes)
  count = 0
  for index in np.argsort(-sides, kind="stable"):
    box, known = boxes[index], unions[:count]
    joint = np.concatenate(
      [
        np.minimum(known[:, :2], box[:2]),
        np.maximum(known[:, 2:], box[2:]),
      ],
      axis=1,
    )
    side = (joint[:, 2:] - joint[:, :2]).max(1, initial=0)
    # The boxes come by falling side, so a group is never smaller than `box`.
    allowed = np.maximum((known[:, 2:] - known[:, :2]).max(1, initial=0), free)
    extra = np.where(side <= allowed, side, np.iinfo(np.int64).max)
    best = int(extra.argmin()) if count else 0
    if count and side[best] <= allowed[best]:
      unions[best], group[index] = joint[best], best
    else:
      unions[count], group[index] = box, count
      count += 1
  return group


def _around(box: np.ndarray, shape: tuple[int, int], size: int) -> Window:
  """The window of holes inside a box, int [4]."""
  top, left, bottom, right = box
  hole = max(bottom - top, right - left)
  # Two more than twice the hole: half a pixel of rounding on either side.
  side = min(max(size, 2 * hole + 2), max(shape))
  height, width = (min(side, extent) for extent in shape)
  first_row = top - (height - (bottom - top)) // 2
  first_column = left - (width - (right - left)) // 2
  return Window(
    top=int(np.clip(first_row, 0, shape[0] - height)),
    left=int(np.clip(first_column, 0, shape[1] - width)),
    height=int(height),
    width=int(width),
    side=int(side),
  )
