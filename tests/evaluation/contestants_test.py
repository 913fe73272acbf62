"""Who may contend: folders of pictures and baselines, and what is refused."""

import logging

import cv2
import numpy as np
import pytest

from sginpaint.errors import UserError
from sginpaint.evaluation import evaluator
from sginpaint.evaluation.contestants import Entrant
from sginpaint.evaluation.given import load_baseline
from sginpaint.evaluation.picture_folder import load_folder
from tests.evaluation.arena import COUNT


@pytest.fixture(scope="module")
def folder(arena, toys):
  """The pictures that `eight` makes, as files."""
  root = arena.root / "pictures"
  root.mkdir()
  for panel in arena.show(toys[0]).values():
    file = root / f"{panel.row.image}.png"
    cv2.imwrite(str(file), panel.fills["system"][..., ::-1])
  return root


class TestGivenPictures:
  def test_folder_scores_as_the_checkpoint_that_made_it(
    self, arena, toys, folder
  ):
    loaded, note = load_folder(
      folder, arena.config, arena.split, arena.manifest
    )
    assert note == ""
    found = arena.score(Entrant("folder", str(folder), loaded))
    made = arena.score(toys[0])
    for one, other in zip(found.rows, made.rows, strict=True):
      assert one.scores == other.scores
    assert found.metrics["provenance"]["seen_in_training"] == {
      "pictures": None,
      "masks": None,
    }

  def test_baseline_scores_as_evaluate_says(self, arena):
    loaded = load_baseline("mean_color", arena.config)
    found = arena.score(Entrant("mean", "mean_color", loaded))
    assert found.metrics["metrics"]["all"]["hole_psnr"] == 100.0

  def test_truncating_protocol_does_not_darken_files(self, arena, folder):
    config = arena.config.copy_and_resolve_references()
    config.eval.protocol = "lama"
    loaded, _ = load_folder(folder, config, arena.split, arena.manifest)
    evaluation = evaluator.run(loaded, arena.split, progress=False)
    scores = evaluation.metrics["metrics"]["all"]
    assert scores["hole_mae"] == pytest.approx(8 / 255, abs=1e-6)

  def test_changed_known_pixels_are_put_back_and_told(
    self, arena, folder, tmp_path, caplog
  ):
    for file in folder.iterdir():
      picture = cv2.imread(str(file)).astype(int) + 3
      cv2.imwrite(str(tmp_path / file.name), picture.astype(np.uint8))
    with caplog.at_level(logging.WARNING):
      loaded, note = load_folder(
        tmp_path, arena.config, arena.split, arena.manifest
      )
    assert f"{COUNT} of its {COUNT} pictures" in note
    assert note in caplog.text
    found = arena.score(Entrant("brighter", str(tmp_path), loaded))
    scores = found.metrics["metrics"]["all"]
    assert scores["hole_mae"] == pytest.approx(11 / 255, abs=1e-5)
    assert found.metrics["known_changed"] == {"system": 0}

  @pytest.mark.parametrize(
    ("harm", "message"),
    [
      (lambda f: f.unlink(), "lacks 1 of 7 pictures, such as plain_3"),
      (lambda f: _write(f, np.zeros((8, 16, 3))), "plain_3 with 16x8"),
      (lambda f: _write(f, np.full((16, 16, 3), 200)), "in 1 of 7 pictures"),
      (lambda f: f.write_bytes(b"no"), "plain_3.png: not a picture"),
      (lambda f: _write(f.with_suffix(".bmp"), np.zeros((16, 16, 3))), "both"),
      (lambda f: _twice(f), "a/plain_3.png and b/plain_3.png are both"),
    ],
  )
  def test_what_does_not_fit_is_refused(
    self, arena, folder, tmp_path, harm, message
  ):
    for file in folder.iterdir():
      (tmp_path / file.name).write_bytes(file.read_bytes())
    harm(tmp_path / "plain_3.png")
    with pytest.raises(UserError, match=message):
      load_folder(tmp_path, arena.config, arena.split, arena.manifest)


def _write(file, picture):
  cv2.imwrite(str(file), picture.astype(np.uint8))


def _twice(file):
  for name in "ab":
    (file.parent / name).mkdir()
    (file.parent / name / file.name).write_bytes(file.read_bytes())
  file.unlink()
