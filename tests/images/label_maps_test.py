"""Label maps as paint programs hand them back."""

import io

import numpy as np
import pytest
from PIL import Image

from sginpaint import images
from sginpaint.errors import UserError
from tests.images.files import noise, save, save_turned

COLOURS = np.array([[0, 0, 200], [34, 139, 34], [0, 0, 0]], np.uint8)


def _code(lookup=None, colours=COLOURS):
  table = np.full(256, -1, np.int32)
  for value, index in {0: 0, 1: 1, 2: 2, **(lookup or {}), 255: 255}.items():
    table[value] = index
  return images.LabelCode(("sky", "tree", "night"), colours, table, "somebody")


CODE = _code()
# The white corner is the one that is farthest from all three.
GREY = (255, 255, 255)
SIZE = (6, 5)
LABELS = np.array([0, 1, 2, 255], np.uint8)[noise(SIZE) % 4]


def _shown(labels=LABELS):
  """In the classes' colours; 255, since black is one, in a grey."""
  colours = np.vstack([COLOURS, np.zeros((252, 3), np.uint8), [GREY]])
  return colours[labels].astype(np.uint8)


def _read(path, code=CODE):
  labels = images.read_label_map(path, SIZE, code)
  assert labels.dtype == np.uint8
  return labels


def _indexed(path, numbers, palette, **options):
  image = Image.fromarray(np.asarray(numbers, np.uint8))
  image.putpalette(np.asarray(palette, np.uint8).tobytes())
  image.save(path, **options)
  return path


@pytest.mark.parametrize("code", [CODE, _code({0: -1, 1: -1, 7: 0, 90: 1})])
def test_written_maps_are_numbers_in_colours(tmp_path, code):
  path = tmp_path / "s.png"
  path.write_bytes(images.encode_label_map(LABELS, code))
  np.testing.assert_array_equal(_read(path, code), LABELS)
  with Image.open(path) as image:
    assert image.mode == "P"
    np.testing.assert_array_equal(code.lookup[np.asarray(image)], LABELS)
    np.testing.assert_array_equal(np.asarray(image.convert("RGB")), _shown())


def test_grey_files_are_numbers(tmp_path):
  np.testing.assert_array_equal(_read(save(tmp_path / "s.png", LABELS)), LABELS)
  few = LABELS % 2
  Image.fromarray(few * 255).convert("1").save(tmp_path / "b.png")
  np.testing.assert_array_equal(_read(tmp_path / "b.png"), few)


def test_palettes_in_another_order_are_read_by_colour(tmp_path):
  order = [255, 2, 0, 1]
  palette = np.vstack([_shown(np.array(order)), noise((9, 3))])
  numbers = np.array([2, 3, 1, 0])[np.minimum(LABELS, 3)]
  path = _indexed(tmp_path / "s.png", numbers, palette)
  np.testing.assert_array_equal(_read(path), LABELS)


def test_foreign_palettes_are_read_by_number(tmp_path):
  for name, palette in {
    "grey": np.arange(256)[:, None].repeat(3, 1),
    "red": np.arange(256)[:, None] * [1, 0, 0] + [0, 3, 0],
  }.items():
    path = _indexed(tmp_path / f"{name}.png", LABELS % 2, palette)
    np.testing.assert_array_equal(_read(path), LABELS % 2)


@pytest.mark.parametrize("suffix", [".png", ".tif", ".bmp", ".webp"])
def test_colours_of_the_classes(tmp_path, suffix):
  options = {"lossless": True} if suffix == ".webp" else {}
  path = save(tmp_path / f"s{suffix}", _shown(), **options)
  np.testing.assert_array_equal(_read(path), LABELS)


def test_deep_colours_and_transparency(tmp_path):
  deep = save(tmp_path / "deep.png", _shown().astype(np.uint16) * 257)
  np.testing.assert_array_equal(_read(deep), LABELS)
  alpha = np.full((*SIZE, 1), 255, np.uint8)
  alpha[2, 3] = 0
  path = save(tmp_path / "a.png", np.concatenate([_shown(), alpha], -1))
  want = LABELS.copy()
  want[2, 3] = 255
  np.testing.assert_array_equal(_read(path), want)
  buffer = io.BytesIO()
  Image.open(path).quantize(8).save(buffer, "PNG")
  path.write_bytes(buffer.getvalue())
  np.testing.assert_array_equal(_read(path), want)


def _refused(path, code=CODE):
  with pytest.raises(UserError) as error:
    _read(path, code)
  assert "\n" not in str(error.value)
  return str(error.value).removeprefix(str(path) + ": ")


def test_soft_brushes_are_refused_with_place_count_and_class(tmp_path):
  colours = _shown(np.zeros(SIZE, int))
  colours[4, 1:4] = 30, 140, 40
  said = "3 pixels have colours of no class, first at x=1, y=4 (#1e8c28; "
  mend = "nearest is tree #228b22): use a hard-edged brush"
  assert _refused(save(tmp_path / "s.png", colours)) == said + mend
  image = Image.fromarray(colours).quantize(8)
  image.save(tmp_path / "p.png")
  assert _refused(tmp_path / "p.png").startswith("3 pixels have colours")
  colours[4, 1:3] = 0, 0, 200
  assert "1 pixel has colours" in _refused(save(tmp_path / "s.png", colours))


def test_half_transparent_paint_is_refused(tmp_path):
  alpha = np.full((*SIZE, 1), 255, np.uint8)
  alpha[0, 2] = 128
  samples = np.concatenate([_shown(np.ones(SIZE, int)), alpha], -1)
  said = _refused(save(tmp_path / "s.png", samples))
  assert "x=2, y=0 (#228b2280; nearest is tree #228b22)" in said


def test_unknown_numbers_are_refused_with_place_and_count(tmp_path):
  numbers = np.zeros(SIZE, np.uint8)
  numbers[1, 3:] = 9
  path = save(tmp_path / "s.png", numbers)
  assert _refused(path) == (
    "2 pixels have numbers of no class, first at x=3, y=1 (9): use 0..2 as "
    "somebody does, and 255 where nothing is said"
  )
  assert "use 0, 2, 7 as" in _refused(path, _code({1: -1, 7: 1}))


def test_classes_of_one_colour_are_told_apart_by_number(tmp_path):
  twins = _code(colours=COLOURS[[0, 1, 1]])
  path = tmp_path / "s.png"
  path.write_bytes(images.encode_label_map(LABELS, twins))
  np.testing.assert_array_equal(_read(path, twins), LABELS)
  path = save(path, COLOURS[[0, 1]][np.eye(*SIZE, dtype=int)])
  said = "5 pixels have a colour that several classes share, first at x=0, y=0"
  assert said in _refused(path, twins)


def test_lossy_turned_deep_and_misfit_files_are_refused(tmp_path):
  said = _refused(save(tmp_path / "s.jpg", _shown()))
  assert "JPEG blurs the colours of a label map; save it as PNG" in said
  turned = save_turned(tmp_path / "t.png", LABELS, 3)
  assert "turned (EXIF); save it upright" in _refused(turned)
  deep = save(tmp_path / "d.png", noise((*SIZE, 1), np.uint16))
  assert "8-bit indices" in _refused(deep)
  said = _refused(save(tmp_path / "m.png", LABELS[:-1]))
  assert said.startswith("is 5x5 but its picture 5x6")
