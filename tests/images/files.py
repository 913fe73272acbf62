"""Pictures of every kind, written for tests."""

import functools
import pathlib

import numpy as np
from PIL import Image, ImageCms

from sginpaint.images import deep


def noise(shape, dtype=np.uint8, seed=0) -> np.ndarray:
  """Full-range random samples: no filter or predictor can hide a mistake."""
  top = np.iinfo(dtype).max
  return np.random.default_rng(seed).integers(0, top, shape, dtype, True)


def save(path: pathlib.Path, samples: np.ndarray, **options) -> pathlib.Path:
  """Writes uint8 with Pillow, uint16 [H, W, C] with our encoders."""
  if samples.dtype == np.uint16:
    encode = deep.encode_png if path.suffix == ".png" else deep.encode_tiff
    path.write_bytes(encode(samples, options.get("icc_profile")))
  else:
    Image.fromarray(np.squeeze(samples)).save(path, **options)
  return path


def save_turned(path: pathlib.Path, samples, orientation: int) -> pathlib.Path:
  """Stores `samples` as they are, with an EXIF orientation."""
  image = Image.fromarray(samples)
  exif = image.getexif()
  exif[274] = orientation
  image.save(path, exif=exif)
  return path


@functools.cache  # a profile holds the second it was made in
def icc_profile() -> bytes:
  """A small but real profile."""
  profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
  return profile.tobytes()
