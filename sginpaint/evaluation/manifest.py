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

File format, JSON lines: a header with the settings and `hash` (sha256 of the
pair lines), then one line per pair. `ratio` is hole area / picture area of the
mask as it was used, after resizing.
"""

import dataclasses
import hashlib
import json
from collections.abc import Mapping, Sequence
from functools import cached_property, partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from sginpaint.data import masks as mask_shapes
from sginpaint.data.mask_files import MaskFolder
from sginpaint.errors import UserError

KINDS = ("irregular", "center", "rectangle")
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
    ratio: hole area / picture area; None until the mask was made.
  """

  index: int
  image: str
  mask: str
  place: int
  bucket: tuple[float, float] | None = None
  ratio: float | None = None


@dataclasses.dataclass(frozen=True)
class Manifest:
  """Pairs in the order of the split, and how to make their masks."""

  pairs: tuple[Pair, ...]
  masks: str
  seed: int
  image_size: int
  center_size: float
  rectangle_size: tuple[float, float]
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

  def draw(self, indices: Sequence[int] | np.ndarray) -> np.ndarray:
    """Masks of some pictures.

    Returns:
      float32 [len(indices), S, S, 1], 1 = hole.
    """
    pairs = [self.pair(int(i)) for i in indices]
    size = self.image_size
    if self.folder is not None:
      files = (self._files[pair.mask] for pair in pairs)
      return np.stack([self.folder.load(i, size, size) for i in files])
    places = jnp.asarray([pair.place for pair in pairs], jnp.uint32)
    if self.masks == "center":
      shape = (len(pairs), size, size)
      return np.asarray(
        mask_shapes.center(shape, round(self.center_size * size))
      )
    if self.masks == "rectangle":
      low, high = (round(side * size) for side in self.rectangle_size)
      return np.asarray(_rectangles(self.seed, places, size, low, high))
    ratios = jnp.asarray([pair.bucket for pair in pairs], jnp.float32)
    return np.asarray(_irregular(self.seed, places, ratios, size))

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

  def lines(self) -> list[str]:
    """The pair lines of the file."""
    return [
      json.dumps(dataclasses.asdict(pair), sort_keys=True)
      for pair in self.pairs
    ]

  @property
  def hash(self) -> str:
    """Names the pairs: equal hashes, same pictures under the same holes."""
    sizes = {"center": self.center_size, "rectangle": self.rectangle_size}
    settings = [
      self.set_hash or self.masks,
      str(self.seed),
      str(self.image_size),
      str(sizes.get(self.masks, "")),
    ]
    text = "\n".join([*settings, *self.lines()])
    return hashlib.sha256(text.encode()).hexdigest()

  def to_jsonl(self, **provenance: Any) -> str:
    """The file's text; `provenance` goes into the header."""
    header = {
      "manifest": 1,
      **provenance,
      "masks": self.masks,
      "seed": self.seed,
      "image_size": self.image_size,
      "count": len(self.pairs),
      "hash": self.hash,
    }
    return "\n".join([json.dumps(header), *self.lines()]) + "\n"


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
) -> Manifest:
  """Pairs the pictures of a split with masks.

  Args:
    image_ids: of all pictures of the split, in its order.
    masks: irregular | center | rectangle | a folder of mask files.
    seed: of the order and of the masks.
    image_size: side of the pictures that are evaluated.
    count: pictures to evaluate; 0 = all.
    irregular_ratio: limits of the buckets of irregular masks.
    center_size: side of the central square / side of the picture.
    rectangle_size: sides of rectangles / side of the picture.
    white_is_hole: polarity of the files.

  Raises:
    UserError: nothing to evaluate, or the folder cannot be used.
  """
  if not image_ids:
    raise UserError("the split holds no picture; choose another --split")
  order = np.random.default_rng([seed, 0]).permutation(len(image_ids))
  if count:
    order = order[:count]
  folder = None
  if masks not in KINDS:
    folder = MaskFolder(masks, white_is_hole=white_is_hole)
    names = _repeated_permutations(folder.ids, len(order), seed)
  else:
    names = [masks] * len(order)
  drawn = masks == "irregular"
  buckets = [*clip_buckets(*irregular_ratio)] if drawn else [None]
  pairs = (
    Pair(
      index=int(index),
      image=str(image_ids[index]),
      mask=str(names[place]),
      place=place,
      bucket=buckets[place % len(buckets)],
    )
    for place, index in enumerate(order)
  )
  return Manifest(
    pairs=tuple(sorted(pairs, key=lambda pair: pair.index)),
    masks=masks,
    seed=seed,
    image_size=image_size,
    center_size=center_size,
    rectangle_size=rectangle_size,
    folder=folder,
  )


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
    f"config.eval.irregular_ratio is ({low}, {high}); give two shares of the "
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


# A mask is drawn alone under its own key, so that it does not depend on which
# other pictures share its batch.


@partial(jax.jit, static_argnames="size")
def _irregular(
  seed: int, places: jax.Array, ratios: jax.Array, size: int
) -> jax.Array:
  def one(place: jax.Array, ratio: jax.Array) -> jax.Array:
    key = jax.random.fold_in(jax.random.key(seed), place)
    return mask_shapes.irregular(
      key, (1, size, size), ratio=ratio[None], exact=True
    )[0]

  return jax.vmap(one)(places, ratios)


@partial(jax.jit, static_argnames=("size", "low", "high"))
def _rectangles(
  seed: int, places: jax.Array, size: int, low: int, high: int
) -> jax.Array:
  def one(place: jax.Array) -> jax.Array:
    key = jax.random.fold_in(jax.random.key(seed), place)
    return mask_shapes.rectangle(key, (1, size, size), low=low, high=high)[0]

  return jax.vmap(one)(places)
