"""Which picture gets which hole: seeded pairs, saved with every evaluation.

A pair depends on (seed, pictures of the split, masks) only, never on the
method, the checkpoint, the batch size or how many pictures are evaluated: the
pictures are shuffled once, the pair of a picture follows from its place in
that order, and an evaluation of n pictures takes the first n. So scores of two
checkpoints compare picture by picture, and a small evaluation is a subset of
the large one.

`masks` is one of
  irregular: strokes; places cycle through the buckets 0.01-0.1, 0.1-0.2, ...,
    0.5-0.6 (as far as they lie within `irregular_ratio`),
  center: a square, rectangle: random sides and place,
  a folder of mask files: a seeded permutation of the files, a fresh one each
    time it is used up.

`manifest_file.py` writes pairs down and reads them again.
"""

import dataclasses
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property

import numpy as np

from sginpaint.data.mask_files import MaskFolder
from sginpaint.data.transforms import Framing
from sginpaint.errors import UserError
from sginpaint.evaluation import drawn_masks

KINDS = ("irregular", "center", "rectangle")
_TOLERANCE = 2e-6  # of a ratio that was written with six digits
RATIO_BUCKETS = (0.01, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6)


@dataclasses.dataclass(frozen=True)
class Pair:
  """One picture and its hole.

  Attributes:
    index: of the picture in its split.
    image: id of the picture.
    mask: file of the mask, or its kind.
    place: in the seeded order; with the manifest's seed it makes the mask.
    bucket: hole ratios between which an irregular mask is drawn.
    ratio: hole area / picture area of the mask as it is used, after resizing;
      None until it was made.
    crop: (top, left, height, width) of what is cut out of the picture, in its
      own pixels; None = as all pictures are, see `Manifest.preprocessing`.
    flip: whether the picture is mirrored; the hole never is.
    image_hash: content of the picture, `Split.content`; "" = not known.
    mask_hash: sha256 of the file of the mask; "" for a drawn one.
  """

  index: int
  image: str
  mask: str
  place: int
  bucket: tuple[float, float] | None = None
  ratio: float | None = None
  crop: tuple[int, int, int, int] | None = None
  flip: bool = False
  image_hash: str = ""
  mask_hash: str = ""


@dataclasses.dataclass(frozen=True)
class Manifest:
  """Pairs in the order of the split, and how to make their masks.

  Attributes:
    pairs: in the order of the split.
    masks: irregular, center, rectangle, or the folder of mask files.
    seed: of the order and of drawn masks.
    image_size: side of the masks.
    center_size: side of the central square / side of the picture.
    rectangle_size: sides of rectangles / side of the picture.
    preprocessing: what stands between a stored picture and its square,
      `transforms.describe_preprocessing`.
    folder: of mask files; None where masks are drawn.
  """

  pairs: tuple[Pair, ...]
  masks: str
  seed: int
  image_size: int
  center_size: float
  rectangle_size: tuple[float, float]
  preprocessing: str = ""
  folder: MaskFolder | None = None

  @property
  def indices(self) -> list[int]:
    """Positions in the split, ascending."""
    return [pair.index for pair in self.pairs]

  @cached_property
  def _by_index(self) -> dict[int, Pair]:
    return {pair.index: pair for pair in self.pairs}

  @cached_property
  def _files(self) -> dict[str, int]:
    names = self.folder.ids if self.folder else ()
    return {name: i for i, name in enumerate(names)}

  def pair(self, index: int) -> Pair:
    """The pair of picture `index` of the split."""
    return self._by_index[index]

  @property
  def framings(self) -> dict[int, Framing]:
    """{index: (crop, flip)} of the pictures that have their own."""
    return {p.index: (p.crop, p.flip) for p in self.pairs if p.crop or p.flip}

  def draw(self, indices: Sequence[int] | np.ndarray) -> np.ndarray:
    """Masks of some pictures.

    Returns:
      float32 [len(indices), S, S, 1], 1 = hole.

    Raises:
      UserError: the ratio of one is known, and it is another.
    """
    pairs = [self.pair(int(i)) for i in indices]
    masks = self._draw(pairs)
    ratios = masks.astype(np.float64).mean((1, 2, 3)).tolist()
    for pair, ratio in zip(pairs, ratios, strict=True):
      if pair.ratio is not None and abs(pair.ratio - ratio) > _TOLERANCE:
        raise UserError(
          f"picture {pair.image}: its hole covers {ratio:.6f} of it, but "
          f"{pair.ratio:.6f} when the manifest was written: the masks are made "
          "otherwise now; evaluate without --manifest to write a new one"
        )
    return masks

  def _draw(self, pairs: Sequence[Pair]) -> np.ndarray:
    size = self.image_size
    if self.folder is not None:
      files = (self._files[pair.mask] for pair in pairs)
      return np.stack([self.folder.load(i, size, size) for i in files])
    places = [pair.place for pair in pairs]
    if self.masks == "center":
      return drawn_masks.centers(len(pairs), size, self.center_size)
    if self.masks == "rectangle":
      return drawn_masks.rectangles(
        self.seed, places, size, self.rectangle_size
      )
    ratios = [pair.bucket for pair in pairs]
    return drawn_masks.irregular(self.seed, places, size, ratios)

  def completed(self, ratios: Mapping[int, float]) -> "Manifest":
    """With the ratios {index of the picture: ratio} filled in."""
    pairs = (
      dataclasses.replace(pair, ratio=round(float(ratios[pair.index]), 6))
      for pair in self.pairs
    )
    return dataclasses.replace(self, pairs=tuple(pairs))

  @property
  def set_hash(self) -> str | None:
    """Of the folder of mask files; None where masks are drawn."""
    return None if self.folder is None else self.folder.set_hash

  @property
  def hash(self) -> str:
    """Names the pairs: equal hashes, same pictures under the same holes.

    Where the pictures stand in a split, and where mask files lie, is not in it.
    """
    sizes = {"center": self.center_size, "rectangle": self.rectangle_size}
    settings = [
      "files" if self.masks not in KINDS else self.masks,
      str(self.seed),
      str(self.image_size),
      json.dumps(sizes.get(self.masks)),
      self.preprocessing,
    ]
    total = hashlib.sha256("\n".join(settings).encode())
    for pair in sorted(self.pairs, key=lambda pair: pair.place):
      fields = dataclasses.asdict(pair)
      del fields["index"]
      total.update(json.dumps(fields, sort_keys=True).encode())
    return total.hexdigest()


def build_manifest(
  image_ids: Sequence[str],
  *,
  masks: str,
  seed: int,
  image_size: int,
  count: int = 0,
  irregular_ratio: tuple[float, float] = (0.01, 0.6),
  center_size: float = 0.5,
  rectangle_size: tuple[float, float] = (0.3125, 0.625),
  white_is_hole: bool = True,
  preprocessing: str = "",
  content: Callable[[int], str] | None = None,
) -> Manifest:
  """Pairs the pictures of a split with masks; see `Manifest` as well.

  Args:
    image_ids: of all pictures of the split, in its order.
    masks: irregular, center, rectangle, or a folder of mask files.
    seed: of the order and of the masks.
    image_size: side of the pictures that are evaluated.
    count: pictures to evaluate; 0 = all.
    irregular_ratio: limits of the buckets of irregular masks.
    center_size: a share of the side.
    rectangle_size: smallest and largest share of the side.
    white_is_hole: polarity of the files.
    preprocessing: of the pictures.
    content: hash of the picture at a position; None = not known.

  Raises:
    UserError: nothing to evaluate, or the folder cannot be used.
  """
  order = _order(len(image_ids), seed)[: count or None]
  drawn = masks in KINDS
  folder = None if drawn else MaskFolder(masks, white_is_hole=white_is_hole)
  files = _files_of(folder, len(order), seed) if folder else [(masks, "")]
  buckets = _buckets(masks, *irregular_ratio)
  pairs = [
    Pair(
      index=index,
      image=str(image_ids[index]),
      mask=files[place % len(files)][0],
      place=place,
      bucket=buckets[place % len(buckets)],
      image_hash=content(index) if content else "",
      mask_hash=files[place % len(files)][1],
    )
    for place, index in enumerate(order)
  ]
  return Manifest(
    tuple(sorted(pairs, key=lambda pair: pair.index)),
    masks=masks,
    seed=seed,
    image_size=image_size,
    center_size=center_size,
    rectangle_size=rectangle_size,
    preprocessing=preprocessing,
    folder=folder,
  )


def _order(length: int, seed: int) -> list[int]:
  """Positions in the split, shuffled."""
  if not length:
    raise UserError("the split holds no picture; choose another --split")
  return np.random.default_rng([seed, 0]).permutation(length).tolist()


def _buckets(
  masks: str, low: float, high: float
) -> Sequence[tuple[float, float] | None]:
  return clip_buckets(low, high) if masks == "irregular" else [None]


def _files_of(
  folder: MaskFolder, count: int, seed: int
) -> list[tuple[str, str]]:
  """(name, sha256 of the file) for each place."""
  names = _repeated_permutations(folder.ids, count, seed)
  position = {name: i for i, name in enumerate(folder.ids)}
  hashes = {name: folder.file_hash(position[name]) for name in set(names)}
  return [(name, hashes[name]) for name in names]


def clip_buckets(low: float, high: float) -> list[tuple[float, float]]:
  """The six buckets as far as they lie within [low, high].

  Raises:
    UserError: nothing is left.
  """
  edges = zip(RATIO_BUCKETS[:-1], RATIO_BUCKETS[1:], strict=True)
  clipped = [(max(low, lo), min(high, hi)) for lo, hi in edges]
  clipped = [(lo, hi) for lo, hi in clipped if lo < hi]
  if clipped:
    return clipped
  if 0 <= low <= high <= 1 and high > 0:  # narrower than, or beside, the six
    return [(low, high)]
  raise UserError(
    f"config.eval.irregular_ratio={low},{high}: give two shares of the "
    "picture, the smaller one first, such as 0.01,0.6"
  )


def _repeated_permutations(
  names: Sequence[str], length: int, seed: int
) -> list[str]:
  rounds = -(-length // len(names))
  chosen: list[str] = []
  for i in range(rounds):
    order = np.random.default_rng([seed, 1, i]).permutation(len(names))
    chosen += [names[j] for j in order]
  return chosen[:length]
