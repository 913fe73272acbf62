"""Batches: what they hold, and that (seed, step) alone decides it."""

import jax
import ml_dtypes
import numpy as np
import pytest

from sginpaint.data.datasets import load_dataset
from sginpaint.data.mask_files import MaskFolder
from sginpaint.data.pipeline import evaluation_batches, training_batches
from sginpaint.data.shuffling import Shuffled
from sginpaint.data.teacher_features import FeatureStore, FeatureWriter
from sginpaint.errors import UserError
from tests.data.example_folders import label, make_folder, picture, save


@pytest.fixture(scope="module")
def root(tmp_path_factory):
  root = make_folder(tmp_path_factory.mktemp("pictures"), 13)
  rows = "".join(f"p{i:02d},{i % 2},\n" for i in range(13))
  (root / "attributes.csv").write_text("id,odd,unsaid\n" + rows)
  return root


@pytest.fixture
def split(root):
  return load_dataset(name="folder", path=str(root)).split("train")


def take(split, count, **options):
  options = {"batch_size": 4, "seed": 7, "image_size": 8} | options
  with training_batches(split, **options) as batches:
    return [next(batches) for _ in range(count)]


def plain(split, *, image_size=12, **options):
  """Every batch of an evaluation."""
  options = {"batch_size": 4, "image_size": image_size} | options
  with evaluation_batches(split, **options) as batches:
    return list(batches)


def join(parts):
  """Batches of several processes, put together again."""
  return [
    jax.tree.map(lambda *blocks: np.concatenate(blocks), *blocks)
    for blocks in zip(*parts, strict=True)
  ]


def assert_equal(batches, others):
  assert len(batches) == len(others)
  jax.tree.map(np.testing.assert_array_equal, list(batches), list(others))


class TestTraining:
  def test_shapes_and_types(self, split):
    batch = take(split, 1, teacher_scale=2)[0]
    found = {
      name: (value.shape, value.dtype.name)
      for name, value in vars(batch).items()
      if value is not None
    }
    assert found == {
      "image": ((4, 8, 8, 3), "uint8"),
      "segmentation": ((4, 8, 8), "int32"),
      "attributes": ((4, 2), "float32"),
      "teacher_image": ((4, 16, 16, 3), "uint8"),
      "index": ((4,), "int32"),
    }

  @pytest.mark.parametrize("crop", ["center", "random"])
  def test_threads_change_nothing(self, split, crop):
    options = {"resize": "shorter_side", "crop": crop}
    one = take(split, 6, threads=1, **options)
    assert_equal(one, take(split, 6, threads=4, **options))
    assert_equal(one, take(split, 6, threads=0, **options))

  @pytest.mark.parametrize("start", [1, 5])
  def test_start_step_is_the_position(self, split, start):
    assert_equal(
      take(split, 8)[start:], take(split, 8 - start, start_step=start)
    )

  def test_processes_share_each_batch(self, split):
    options = {"resize": "shorter_side", "crop": "random", "crop_size": 0.7}
    whole = take(split, 5, **options)
    parts = [
      take(split, 5, process_index=i, process_count=2, **options)
      for i in range(2)
    ]
    assert_equal(whole, join(parts))

  def test_crops_and_mirroring_are_drawn_anew_and_evenly(self, split):
    drawn = Shuffled(9, 7).chances(range(2000))
    assert (np.abs(drawn.mean(0) - 0.5) < 0.03).all()
    assert (np.abs(np.corrcoef(drawn.T) - np.eye(4)) < 0.1).all()
    assert len(np.unique(drawn)) == drawn.size
    assert not np.isin(Shuffled(9, 8).chances(range(2000)), drawn).any()

  def test_far_start_is_quick_to_reach(self, split):
    indices = take(split, 1, start_step=10**8)[0].index
    assert ((indices >= 0) & (indices < len(split))).all()

  def test_every_epoch_is_another_permutation(self, split):
    steps = 4 * len(split) // 4
    indices = np.concatenate([b.index for b in take(split, steps)])
    epochs = indices.reshape(4, len(split))
    np.testing.assert_array_equal(
      np.sort(epochs), np.tile(np.arange(len(split)), (4, 1))
    )
    assert len({tuple(e) for e in epochs}) == 4

  def test_seed_changes_the_order(self, split):
    a, b = (np.stack([x.index for x in take(split, 4, seed=s)]) for s in (1, 2))
    assert (a != b).any()

  def test_damage_while_training_is_an_error(self, tmp_path):
    make_folder(tmp_path)
    split = load_dataset(name="folder", path=str(tmp_path)).split("train")
    save(tmp_path / "images" / "p03.png", picture(99))
    with pytest.raises(UserError, match=r"p03.png: changed"):
      take(split, 4)

  def test_batch_that_processes_cannot_share(self, split):
    with pytest.raises(UserError, match=r"config.batch_size=4"):
      take(split, 1, process_count=3)


class TestFlip:
  @pytest.fixture
  def flipped(self, split):
    """(batch, plain example, position in the batch, was it flipped)."""
    found = []
    for batch in take(split, 12, image_size=12, teacher_scale=1):
      for b, index in enumerate(batch.index):
        (alone,) = plain(split, batch_size=1, indices=[index])
        mirrored = (batch.image[b] != alone.image[0]).any()
        found.append((batch, alone, b, mirrored))
    return found

  def test_both_kinds_occur_and_differ_between_epochs(self, flipped):
    kinds = {(int(alone.index[0]), bool(m)) for _, alone, _, m in flipped}
    assert len(kinds) > len({index for index, _ in kinds})

  def test_image_labels_and_teacher_image_go_together(self, flipped):
    swap = np.arange(256)
    swap[[1, 2]] = 2, 1
    for batch, alone, b, mirrored in flipped:
      turn = (slice(None), slice(None, None, -1 if mirrored else 1))
      labels = alone.segmentation[0]
      expected = swap[labels] if mirrored else labels
      np.testing.assert_array_equal(batch.image[b], alone.image[0][turn])
      np.testing.assert_array_equal(batch.teacher_image[b], batch.image[b])
      np.testing.assert_array_equal(batch.segmentation[b], expected[turn])

  def test_off(self, split):
    for batch in take(split, 3, flip=False, image_size=12, resize="stretch"):
      (unturned,) = plain(split, indices=batch.index)
      np.testing.assert_array_equal(unturned.image, batch.image)


class TestAttributeFlip:
  def test_left_and_right_swap(self, tmp_path):
    make_folder(tmp_path)
    for i in range(10):
      # The left eye shows in all even pictures, the right eye in none of them.
      values = np.full((12, 16), 1 + i % 2, np.uint8)
      save(tmp_path / "labels" / f"p{i:02d}.png", values)
    split = load_dataset(name="folder", path=str(tmp_path)).split("train")
    assert split.attributes == ("left_eye", "right_eye")
    for batch in take(split, 4):
      present = [
        np.isin(i, batch.segmentation[b]) for b in range(4) for i in (1, 2)
      ]
      assert batch.attributes.ravel().astype(bool).tolist() == present


class TestTeacher:
  @pytest.fixture
  def store(self, split, tmp_path):
    """Features whose values tell example and view."""
    tell = np.arange(len(split))[:, None] + np.array([0.0, 0.5])
    features = np.broadcast_to(
      tell[:, :, None, None, None], (len(split), 2, 2, 3, 4)
    )
    with FeatureWriter(tmp_path / "f", {}, split.ids) as writer:
      for _ in writer.claim():
        writer.write(features)
    return FeatureStore(tmp_path / "f", {})

  def test_features_are_of_the_example_and_its_view(self, split, store):
    for batch in take(split, 6, teacher=store, image_size=12):
      assert batch.teacher_features.shape == (4, 2, 3, 4)
      assert batch.teacher_features.dtype == ml_dtypes.bfloat16
      (unturned,) = plain(split, indices=batch.index)
      mirrored = (unturned.image != batch.image).any(axis=(1, 2, 3))
      expected = batch.index + 0.5 * mirrored
      found = batch.teacher_features.astype(np.float32)
      assert (found == expected[:, None, None, None]).all()

  def test_random_crops_are_refused(self, split, store):
    with pytest.raises(UserError, match=r"teacher.mode=online"):
      take(split, 1, teacher=store, resize="shorter_side", crop="random")
    take(split, 1, teacher=store, resize="stretch", crop="random")

  def test_features_of_another_split_are_refused(self, split, store, root):
    val = load_dataset(name="folder", path=str(root)).split("val")
    with pytest.raises(UserError, match="features of 11 pictures"):
      take(val, 1, teacher=store)


class TestMaskFolder:
  @pytest.fixture
  def folder(self, tmp_path):
    """Five masks; in the i-th, the first i + 1 of ten rows are missing."""
    for i in range(5):
      mask = np.zeros((10, 20), np.uint8)
      mask[: i + 1] = 255
      save(tmp_path / f"{i}.png", mask)
    return MaskFolder(tmp_path)

  def test_masks_are_those_of_the_files(self, split, folder):
    batches = take(split, 6, mask_folder=folder, image_size=10)
    masks = np.concatenate([batch.mask for batch in batches])
    assert (masks.shape, masks.dtype) == ((24, 10, 10, 1), np.float32)
    rows = masks.sum((1, 2, 3)) / 10
    assert set(rows) == {1, 2, 3, 4, 5}
    expected = np.arange(10) < rows[:, None]
    np.testing.assert_array_equal(
      masks[..., 0], np.repeat(expected[..., None], 10, axis=-1)
    )

  def test_seed_and_step_alone_decide(self, split, folder):
    options = {"mask_folder": folder, "image_size": 10}
    batches = take(split, 6, threads=1, **options)
    assert_equal(batches, take(split, 6, threads=4, **options))
    assert_equal(batches[4:], take(split, 2, start_step=4, **options))
    others = take(split, 6, seed=8, **options)
    pairs = zip(batches, others, strict=True)
    assert any((a.mask != b.mask).any() for a, b in pairs)

  def test_pictures_are_those_of_drawn_masks(self, split, folder):
    with_files = take(split, 6, mask_folder=folder)
    without = [batch.replace(mask=None) for batch in with_files]
    assert_equal(without, take(split, 6))


class TestEvaluation:
  def test_ragged_end(self, split):
    batches = plain(split)
    index = np.concatenate([b.index for b in batches])
    valid = np.concatenate([b.valid for b in batches])
    assert index.tolist() == [*range(11), 10]
    assert valid.tolist() == [True] * 11 + [False]
    np.testing.assert_array_equal(batches[-1].image[2], batches[-1].image[3])

  def test_pixels_of_a_central_crop(self, split):
    (batch,) = plain(split, batch_size=2, resize="shorter_side", indices=[4, 1])
    np.testing.assert_array_equal(batch.image[0], picture(4)[:, 2:14])
    np.testing.assert_array_equal(batch.image[1], picture(1)[:, 2:14])
    values = label(1)[:, 2:14]
    expected = np.select([values == v for v in (0, 1, 2)], [0, 1, 2], 255)
    np.testing.assert_array_equal(batch.segmentation[1], expected)

  def test_processes_share_each_batch(self, split):
    parts = [plain(split, process_index=i, process_count=2) for i in range(2)]
    assert_equal(plain(split), join(parts))

  def test_nothing_left_to_do(self, split):
    assert plain(split, indices=range(11, 11)) == []

  def test_framings_cut_and_mirror_single_pictures(self, split):
    options = {"batch_size": 2, "image_size": 12, "indices": [0, 1]}
    whole, own = (
      next(evaluation_batches(split, **options, framings=framings))
      for framings in ({}, {1: (None, True)})
    )
    np.testing.assert_array_equal(own.image[0], whole.image[0])
    np.testing.assert_array_equal(own.image[1], whole.image[1][:, ::-1])
    assert (own.image[1] != whole.image[1]).any()
