"""Sessions of editing: what is shown, what an edit changes, what is kept."""

import dataclasses
import gc
import pickle
import weakref
from typing import ClassVar

import jax.numpy as jnp
import numpy as np
import pytest

import sginpaint
from sginpaint.batch import composite
from sginpaint.editing import Editor
from sginpaint.errors import UserError
from sginpaint.inference import Inpainter
from tests import inpainting
from tests.systems.sge_net.serving_test import saved

SIZE = 32


@dataclasses.dataclass(frozen=True)
class Staged(inpainting.MeanColour):
  """Coarse: the mean colour; then 10 grey levels per class are added.

  The class is the column over 8, as the network sees it.
  """

  GUIDANCE: ClassVar[tuple[str, ...]] = ("segmentation",)

  def prepare(self, variables, frozen, batch):
    coarse = super().predict(variables, frozen, batch)["image"]
    columns = jnp.arange(SIZE) // 8
    labels = jnp.broadcast_to(columns, batch.image.shape[:3])
    return {
      "coarse": composite(coarse, batch.image, batch.mask),
      "segmentation": labels.astype(jnp.int32),
      "segmentation_logits": jnp.zeros((*labels.shape, 200)),
      "features": batch.image[:, ::4, ::4].astype(jnp.bfloat16),
    }

  def complete(self, variables, frozen, batch, prepared):
    labels = prepared["segmentation"]
    if batch.guidance is not None:
      told = batch.guidance.segmentation
      labels = jnp.where(told == 255, labels, told)
    image = prepared["coarse"] + 10 / 127.5 * labels[..., None]
    return {**prepared, "image": image}

  def predict(self, variables, frozen, batch):
    prepared = self.prepare(variables, frozen, batch)
    return self.complete(variables, frozen, batch, prepared)


def _picture(shape=(SIZE, SIZE)):
  image = np.random.default_rng(0).integers(0, 120, (*shape, 3), np.uint8)
  mask = np.zeros(shape, bool)
  mask[10:20, 4:28] = True
  return image, mask


@pytest.fixture(name="staged", scope="module")
def _staged():
  return Editor(Inpainter(inpainting.loaded(SIZE, system=Staged())))


@pytest.fixture(name="sge_net", scope="module")
def _sge_net(tmp_path_factory):
  workdir = saved("sge_net", tmp_path_factory.mktemp("sge_net"))
  return Editor(sginpaint.load(workdir))


@pytest.mark.parametrize("name", ["staged", "sge_net"])
def test_without_an_edit_it_is_the_inpainter(name, request):
  editor, (image, mask) = request.getfixturevalue(name), _picture()
  session = editor.begin(image, mask)
  served = editor.inpainter(image, mask)
  np.testing.assert_array_equal(session.render(), served.image)
  np.testing.assert_array_equal(session.segmentation, served.segmentation)
  same = session.render(session.segmentation)
  np.testing.assert_array_equal(same, served.image)
  assert session.segmentation.dtype == np.uint8


def test_coarse_is_what_was_prepared(staged):
  image, mask = _picture()
  session = staged.begin(image, mask)
  mean = image[~mask].astype(float).mean(0)
  assert np.abs(session.coarse[mask] - mean).max() <= 1
  np.testing.assert_array_equal(session.coarse[~mask], image[~mask])
  classes = np.broadcast_to(np.arange(SIZE) // 8, (SIZE, SIZE))
  np.testing.assert_array_equal(session.segmentation, classes)


def test_an_edit_changes_its_pixels_and_no_others(staged):
  image, mask = _picture()
  session = staged.begin(image, mask)
  before, edited = session.render(), session.segmentation.copy()
  edited[12:15, 6:12] = 9
  after = session.render(edited)
  changed = np.zeros_like(mask)
  changed[12:15, 6:12] = True
  np.testing.assert_array_equal(after[~changed], before[~changed])
  rise = after[changed].astype(int) - session.coarse[changed]
  assert np.abs(rise - 90).max() <= 1
  np.testing.assert_array_equal(session.render(), before)


@pytest.mark.parametrize("name", ["staged", "sge_net"])
def test_maps_and_edits_count_inside_the_windows(name, request):
  editor, (image, mask) = request.getfixturevalue(name), _picture((70, 150))
  mask[60:64, 140:145] = True
  session = editor.begin(image, mask)
  np.testing.assert_array_equal(session.coarse[~mask], image[~mask])
  labels = session.segmentation
  assert (labels[mask] != 255).all()
  assert (labels[:, 75:85] == 255).all()  # between the windows
  before, edited = session.render(), labels.copy()
  edited[:, 75:85] = 2
  np.testing.assert_array_equal(session.render(edited), before)
  edited[60:64, 140:145] = (edited[60:64, 140:145] + 1) % 3
  after = session.render(edited)
  np.testing.assert_array_equal(after[~mask], image[~mask])
  np.testing.assert_array_equal(after[:, :75], before[:, :75])
  assert np.any(after[60:64, 140:145] != before[60:64, 140:145])


def test_unedited_windows_are_those_of_the_inpainter(staged):
  image, mask = _picture((70, 150))
  session = staged.begin(image, mask)
  served = staged.inpainter(image, mask)
  np.testing.assert_array_equal(session.render(), served.image)


def test_many_windows(staged):
  image = _picture((40, 700))[0]
  mask = np.zeros((40, 700), bool)
  mask[18:22, 30::60] = True
  session = staged.begin(image, mask)
  served = staged.inpainter(image, mask)
  assert len(served.windows[0]) > 8
  np.testing.assert_array_equal(session.mask, mask)
  np.testing.assert_array_equal(session.render(), served.image)


def test_a_system_without_parts_or_maps():
  inpainter = Inpainter(inpainting.loaded(SIZE, system=inpainting.Untold()))
  editor, (image, mask) = Editor(inpainter), _picture()
  session = editor.begin(image, mask)
  served = inpainter(image, mask).image
  assert not editor.editable
  assert (session.segmentation == 255).all()
  np.testing.assert_array_equal(session.coarse, served)
  np.testing.assert_array_equal(session.render(), served)
  with pytest.raises(ValueError, match="takes no segmentation"):
    session.render(np.zeros(mask.shape, np.uint8))


def test_a_map_guides_where_none_is_predicted():
  editor = Editor(Inpainter(inpainting.loaded(SIZE)))
  image, mask = _picture()
  session = editor.begin(image, mask)
  assert editor.editable
  assert (session.segmentation == 255).all()
  np.testing.assert_array_equal(
    session.render(session.segmentation), editor.inpainter(image, mask).image
  )
  told = session.render(np.full(mask.shape, 7, np.uint8))
  np.testing.assert_array_equal(told[mask], np.full((mask.sum(), 3), 7))


@pytest.mark.parametrize("shape", [(SIZE, SIZE), (50, 70)])
def test_without_a_hole_there_is_nothing_to_do(staged, shape):
  image, _ = _picture(shape)
  session = staged.begin(image, np.zeros(shape))
  for picture in (session.coarse, session.render()):
    np.testing.assert_array_equal(picture, image)
    assert picture is not image


def test_what_the_caller_draws_later_does_not_matter(staged):
  image, mask = _picture()
  session = staged.begin(image, mask)
  before = session.render()
  image[:], mask[:] = 0, False
  before[:] = 0
  assert session.render()[0].any()


@pytest.mark.parametrize(
  ("segmentation", "words"),
  [
    (np.zeros((SIZE, 31), int), "31"),
    (np.zeros((SIZE, SIZE)), "float64"),
    (np.full((SIZE, SIZE), 200), "class 200; there are 0..199"),
  ],
)
def test_bad_maps_are_value_errors(staged, segmentation, words):
  session = staged.begin(*_picture())
  with pytest.raises(ValueError, match=words):
    session.render(segmentation)


def test_bad_pictures_are_refused(staged):
  image, mask = _picture()
  with pytest.raises(ValueError, match=r"must be \[H, W, 3\]"):
    staged.begin(image[None], mask[None])
  with pytest.raises(ValueError, match="uint8"):
    staged.begin(image / 255.0, mask)
  broken = inpainting.loaded(SIZE, system=inpainting.MeanColour(broken=True))
  with pytest.raises(UserError, match="not finite"):
    Editor(Inpainter(broken)).begin(image, mask)


def test_sessions_hold_arrays_of_the_host_and_go_at_once(staged):
  image, mask = _picture()
  session = staged.begin(image, mask)
  kept = session._prepared
  names = {"coarse", "segmentation", "features"}
  assert [set(part) for part in kept] == [names]
  assert all(type(x) is np.ndarray for x in kept[0].values())
  assert pickle.loads(pickle.dumps(kept))[0]["features"].shape == (1, 8, 8, 3)
  pixels = SIZE * SIZE
  # Picture, coarse result; mask, map; float coarse, int32 map, features.
  least = pixels * (3 + 3 + 1 + 1 + 12 + 4) + 8 * 8 * 3 * 2
  assert least <= session.nbytes <= least + 4 * pixels
  gc.disable()
  try:
    gone = weakref.ref(session)
    del session
    assert gone() is None
  finally:
    gc.enable()


def test_one_program_each_serves_all_pictures_holes_and_maps():
  editor = Editor(Inpainter(inpainting.loaded(SIZE, system=Staged())))
  for shape in ((SIZE, SIZE), (50, 70), (40, 190)):
    image, mask = _picture(shape)
    mask[12:16, -4:] = True
    session = editor.begin(image, mask)
    edited = session.segmentation.copy()
    edited[12:15, 6:12] = 9
    session.render()
    session.render(edited)
  assert len(session._prepared) == 2
  assert editor._begin._cache_size() == 1
  assert editor._render._cache_size() == 1


def test_windows_are_bounded_before_any_is_filled(staged, monkeypatch):
  monkeypatch.setattr(staged, "start", None)
  mask = np.zeros((600, 600), bool)
  mask[::24, ::24] = True
  with pytest.raises(UserError, match="hole is in 625 pieces, too many for 8"):
    staged.begin(np.zeros((600, 600, 3), np.uint8), mask, max_windows=8)
