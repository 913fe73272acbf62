"""Pairs of pictures and holes: the same for everyone, for ever."""

import collections

import numpy as np
import pytest
from PIL import Image

from sginpaint.errors import UserError
from sginpaint.evaluation.manifest import (
  build_manifest,
  clip_buckets,
)

IDS = [f"picture_{i}" for i in range(14)]


def _build(masks="irregular", *, ids=IDS, **options):
  options = {"seed": 3, "image_size": 24, **options}
  return build_manifest(ids, masks=str(masks), **options)


@pytest.fixture
def folder(tmp_path):
  for i in range(4):
    mask = np.zeros((48, 48), np.uint8)
    mask[: 4 * (i + 1), :12] = 255
    Image.fromarray(mask).save(tmp_path / f"{i}.png")
  return tmp_path


class TestManifest:
  @pytest.mark.parametrize(
    "kind", ["irregular", "rectangle", "center", "folder"]
  )
  def test_masks_do_not_depend_on_batching(self, kind, folder):
    masks = folder if kind == "folder" else kind
    first, second = _build(masks), _build(masks)
    assert first.pairs == second.pairs
    assert first.hash == second.hash
    together = first.draw(range(14))
    assert together.shape == (14, 24, 24, 1)
    assert set(np.unique(together)) == {0.0, 1.0}
    halves = [second.draw(range(7, 14)), second.draw(range(7))]
    np.testing.assert_array_equal(together, np.concatenate(halves[::-1]))

  @pytest.mark.parametrize("kind", ["irregular", "folder"])
  def test_fewer_pictures_are_a_subset(self, kind, folder):
    masks = folder if kind == "folder" else kind
    some, every = _build(masks, count=7), _build(masks)
    assert len(some.pairs) == 7
    assert set(some.pairs) < set(every.pairs)
    np.testing.assert_array_equal(
      some.draw(some.indices), every.draw(some.indices)
    )

  def test_seed_changes_pairs_and_masks(self):
    first, second = _build(seed=3), _build(seed=4)
    assert first.hash != second.hash
    assert (first.draw(range(7)) != second.draw(range(7))).any()

  def test_central_squares_have_the_size_asked_for(self):
    small, usual = _build("center", center_size=0.375), _build("center")
    assert small.hash != usual.hash
    for manifest, ratio in ((small, 0.375**2), (usual, 0.25)):
      means = manifest.draw(range(3)).mean((1, 2, 3))
      np.testing.assert_allclose(means, ratio)

  def test_irregular_masks_spread_over_the_buckets(self):
    manifest = _build()
    buckets = collections.Counter(pair.bucket for pair in manifest.pairs)
    assert sorted(buckets.values()) == [2, 2, 2, 2, 3, 3]
    ratios = manifest.draw(range(14)).mean((1, 2, 3))
    for pair, ratio in zip(manifest.pairs, ratios, strict=True):
      assert pair.bucket[0] - 1e-6 <= ratio <= pair.bucket[1] + 1e-6

  def test_folder_is_used_up_before_it_repeats(self, folder):
    manifest = _build(folder)
    used = collections.Counter(pair.mask for pair in manifest.pairs)
    assert sorted(used.values()) == [3, 3, 4, 4]

  def test_folder_masks_belong_to_their_names(self, folder):
    manifest = _build(folder)
    ratios = manifest.draw(range(14)).mean((1, 2, 3))
    for pair, ratio in zip(manifest.pairs, ratios, strict=True):
      rows = 2 * (int(pair.mask.removesuffix(".png")) + 1)
      assert ratio == pytest.approx(rows * 6 / 24**2)

  def test_center_is_half_of_the_side(self):
    mask = _build("center").draw([0])[0, ..., 0]
    assert mask.sum() == 144
    assert mask[6:18, 6:18].all()

  def test_a_mask_that_is_drawn_otherwise_is_noticed(self):
    manifest = _build("center").completed(dict.fromkeys(range(14), 0.25))
    assert manifest.draw([0]).mean() == 0.25
    other = manifest.completed({0: 0.26, **dict.fromkeys(range(1, 14), 0.25)})
    with pytest.raises(UserError, match="picture_0: its hole covers 0.25"):
      other.draw([0, 1])

  def test_hash_is_of_contents_not_of_places(self, folder):
    first = _build(folder, content=lambda i: f"content {i}")
    moved = folder.rename(folder.with_name("moved"))
    assert _build(moved, content=lambda i: f"content {i}").hash == first.hash
    assert _build(moved, content=lambda i: f"other {i}").hash != first.hash
    Image.new("L", (48, 48), 0).save(moved / "0.png")
    assert _build(moved, content=lambda i: f"content {i}").hash != first.hash

  def test_nothing_to_evaluate_is_refused(self):
    with pytest.raises(UserError, match="no picture"):
      _build(ids=[])


class TestClipBuckets:
  def test_keeps_what_lies_inside(self):
    assert clip_buckets(0.15, 0.4) == [(0.15, 0.2), (0.2, 0.3), (0.3, 0.4)]

  def test_beside_the_six(self):
    assert clip_buckets(0.7, 0.8) == [(0.7, 0.8)]

  def test_turned_round_is_refused(self):
    with pytest.raises(UserError, match="smaller one first"):
      clip_buckets(0.4, 0.2)
