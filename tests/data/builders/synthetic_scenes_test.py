"""The embedded scenes: determinism, exact labels, hardness, records."""

import pathlib

import cv2
import numpy as np
import pytest
from tensorflow_datasets.core import read_only_builder

from sginpaint.data.builders.synthetic_scenes import (
  ATTRIBUTES,
  CLASSES,
  builder,
  render,
  workers,
)
from sginpaint.errors import UserError

NAMES = [name for name, _ in CLASSES]


@pytest.fixture(scope="module")
def many():
  return [render(seed, 32) for seed in range(200)]


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
  root = tmp_path_factory.mktemp("scenes")
  counts = {"train": 6, "validation": 2, "test": 3}
  return root, builder.prepare(str(root), 32, examples=counts, progress=False)


class TestRender:
  def test_same_seed_gives_same_bytes(self):
    first, second = render(11, 64), render(11, 64)
    np.testing.assert_array_equal(first.image, second.image)
    np.testing.assert_array_equal(first.segmentation, second.segmentation)
    assert first.attributes == second.attributes

  def test_order_of_rendering_does_not_matter(self, many):
    for seed in (150, 3, 77):
      np.testing.assert_array_equal(render(seed, 32).image, many[seed].image)

  def test_seeds_differ(self, many):
    assert len({scene.image.tobytes() for scene in many}) == len(many)

  @pytest.mark.parametrize(("small", "large"), [(32, 64), (64, 256)])
  def test_same_layout_at_every_size(self, small, large):
    step = large // small
    for seed in range(8):
      labels = render(seed, small).segmentation
      finer = render(seed, large).segmentation[
        step // 2 :: step, step // 2 :: step
      ]
      assert np.mean(labels == finer) > 0.9

  def test_types_and_ranges(self, many):
    for scene in many:
      assert scene.image.shape == (32, 32, 3)
      assert scene.image.dtype == scene.segmentation.dtype == np.uint8
      assert scene.segmentation.shape == (32, 32)
      assert scene.segmentation.max() < len(CLASSES)

  def test_every_class_occurs(self, many):
    found = np.unique([scene.segmentation for scene in many])
    assert found.tolist() == list(range(len(CLASSES)))

  @pytest.mark.parametrize(("seed", "size"), [(-1, 64), (0, 8)])
  def test_refuses_impossible_arguments(self, seed, size):
    with pytest.raises(ValueError, match="got"):
      render(seed, size)


class TestAttributes:
  def test_presences_agree_with_the_map(self, many):
    for scene in many:
      assert tuple(scene.attributes) == ATTRIBUTES
      for index, name in enumerate(NAMES):
        share = np.mean(scene.segmentation == index)
        if name != "sky":
          assert scene.attributes[f"has_{name}"] == (share >= 0.005)

  def test_one_time_and_one_weather(self, many):
    for scene in many:
      a = scene.attributes
      assert a["day"] + a["dusk"] + a["night"] == 1
      assert a["clear"] + a["cloudy"] + a["fog"] + a["snow"] == 1
      assert a["has_water"] or not a["has_reflection"]

  def test_none_is_trivial(self, many):
    values = np.array([list(scene.attributes.values()) for scene in many])
    assert values.mean(0).min() > 0.05
    assert values.mean(0).max() < 0.95

  def test_light_shows_in_the_picture(self, many):
    def brightness(name):
      return np.mean([s.image.mean() for s in many if s.attributes[name]])

    assert brightness("night") < 0.6 * brightness("dusk")
    assert brightness("dusk") < 0.9 * brightness("day")


def _roughness(scenes, name):
  """Mean |difference| along x and y between neighbours of one class."""
  index, steps = NAMES.index(name), []
  for scene in scenes:
    grey = scene.image.astype(float).mean(-1)
    inside = scene.segmentation == index
    row = np.abs(np.diff(grey, axis=1))[inside[:, 1:] & inside[:, :-1]]
    column = np.abs(np.diff(grey, axis=0))[inside[1:] & inside[:-1]]
    if min(row.size, column.size) > 40:
      steps.append((row.mean(), column.mean()))
  return np.mean(steps, 0)


def test_textures_differ_by_class():
  scenes = [render(seed, 64) for seed in range(60)]
  days = [s for s in scenes if s.attributes["day"] and s.attributes["clear"]]
  x = {name: _roughness(days, name)[0] for name in NAMES}
  y = {name: _roughness(days, name)[1] for name in NAMES}
  for rough in ("building", "tree", "mountain"):  # windows, leaves, gullies
    for smooth in ("sky", "sand", "grass"):
      assert x[rough] > 1.5 * x[smooth]
  assert y["water"] > 1.3 * x["water"]  # horizontal ripples
  assert y["field"] > y["sky"]  # rows of plants


def _hole_psnr(filled, image, hole):
  error = (filled.astype(float) - image)[hole]
  return 10 * np.log10(255**2 / np.mean(error**2))


def test_diffusion_fails_where_semantics_would_not():
  hole = np.zeros((64, 64), bool)
  hole[16:48, 16:48] = True
  telea, semantic = [], []
  for seed in range(24):
    image, labels, _ = render(seed, 64)
    fill = cv2.inpaint(image, hole.astype(np.uint8), 3, cv2.INPAINT_TELEA)
    telea.append(_hole_psnr(fill, image, hole))
    means = np.zeros_like(image, dtype=float)
    for index in np.unique(labels):
      means[labels == index] = image[labels == index].mean(0)
    semantic.append(_hole_psnr(means, image, hole))
  assert np.mean(semantic) > np.mean(telea) + 1.0


class TestPrepare:
  def test_records_equal_render(self, prepared):
    data = read_only_builder.builder_from_directory(prepared[1])
    for split, count in {"train": 6, "validation": 2, "test": 3}.items():
      source = data.as_data_source(split)
      assert len(source) == count
      for i in range(count):
        scene = render(builder.FIRST_SEED[split] + i, 32)
        record = source[i]
        np.testing.assert_array_equal(record["image"], scene.image)
        np.testing.assert_array_equal(
          record["segmentation"][..., 0], scene.segmentation
        )
        wanted = list(scene.attributes.values())
        assert record["attributes"].astype(bool).tolist() == wanted
        assert record["id"] == f"{split}-{i:06d}".encode()

  def test_directory_describes_itself(self, prepared):
    info = read_only_builder.builder_from_directory(prepared[1]).info
    assert info.metadata["classes"] == NAMES
    assert info.metadata["colors"] == [list(color) for _, color in CLASSES]
    assert info.metadata["attributes"] == list(ATTRIBUTES)

  def test_second_call_uses_what_is_there(self, prepared):
    files = sorted(pathlib.Path(prepared[1]).iterdir())
    before = [f.stat().st_mtime_ns for f in files]
    assert builder.prepare(str(prepared[0]), 32) == prepared[1]
    assert [f.stat().st_mtime_ns for f in files] == before

  def test_what_is_there_needs_no_right_to_write(self, prepared, monkeypatch):
    def refuse(path, mode="r", **_):
      raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(pathlib.Path, "open", refuse)
    root, directory = prepared
    assert builder.prepare(str(root), 32) == directory
    with pytest.raises(UserError, match="cannot be written .Permission denied"):
      builder.prepare(str(root), 64)

  def test_other_counts_are_refused(self, prepared):
    with pytest.raises(UserError, match="holds"):
      builder.prepare(str(prepared[0]), 32, examples={"train": 5})

  @pytest.mark.parametrize("counts", [{"train": 0}, {"tests": 4}, {}])
  def test_impossible_counts_are_refused(self, tmp_path, counts):
    with pytest.raises(UserError, match="examples"):
      builder.prepare(str(tmp_path), 32, examples=counts)

  def test_a_full_disk_is_one_line(self, tmp_path, monkeypatch):
    def fail(*_):
      raise RuntimeError("write() failed: No space left on device")

    monkeypatch.setattr(builder, "encode_range", fail)
    with pytest.raises(UserError, match="No space left .* command again"):
      builder.prepare(str(tmp_path), 32, progress=False)

  def test_unknown_size_is_refused(self, tmp_path):
    with pytest.raises(UserError, match="32, 64, 128, 256"):
      builder.prepare(str(tmp_path), 100)

  def test_starts_cleanly_after_a_kill(self, tmp_path):
    leftover = tmp_path / "synthetic_scenes/32/incomplete.ABC_1.0.0"
    leftover.mkdir(parents=True)
    (leftover / "half.array_record").write_bytes(b"half")
    path = builder.prepare(
      str(tmp_path), 32, examples={"train": 2}, progress=False
    )
    assert not leftover.exists()
    data = read_only_builder.builder_from_directory(path)
    assert len(data.as_data_source("train")) == 2


class TestWorkers:
  def test_processes_give_the_same_records_in_order(self):
    seeds = range(40, 47)
    alone = list(workers.encode_range(seeds, 32, processes=1))
    shared = list(workers.encode_range(seeds, 32, processes=2))
    assert [r.image for r in shared] == [r.image for r in alone]
    for one, other in zip(shared, alone, strict=True):
      np.testing.assert_array_equal(one.attributes, other.attributes)

  def test_a_dead_worker_is_an_error(self, monkeypatch):
    monkeypatch.setattr(workers.sys, "executable", "/bin/false")
    with pytest.raises(RuntimeError, match="worker died"):
      list(workers.encode_range(range(4), 32, processes=2))

  def test_a_worker_that_dies_in_its_last_record(self, monkeypatch, tmp_path):
    script = tmp_path / "python"
    script.write_text(r"""#!/bin/sh
printf '\001\000\000\000\001\000\000\000x'
""")
    script.chmod(0o755)
    monkeypatch.setattr(workers.sys, "executable", str(script))
    with pytest.raises(RuntimeError, match="worker died"):
      list(workers.encode_range(range(2), 32, processes=2))
