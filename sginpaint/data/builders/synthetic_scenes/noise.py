"""Tileable noise that every scene samples instead of making its own.

A tile is float32 [SIDE, SIDE] in [0, 1] that repeats without a seam. It is made
once per process from a fixed seed by shaping the spectrum of white noise
(amplitude ~ frequency**-slope), then read at offsets drawn by the scene.
Positions are in tiles (1 = one whole tile), never in pixels: a scene looks the
same at every picture size.
"""

import functools

import cv2
import numpy as np

SIDE = 512
_SEED = 20_191_119


@functools.cache
def tile(slope: float) -> np.ndarray:
  """Noise with the given spectral slope.

  Args:
    slope: 0.9 is gritty, 1.3 looks like rock, 1.8 like clouds.

  Returns:
    float32 [SIDE, SIDE], 0.5 on average, deviation about 0.2, inside [0, 1].
  """
  rng = np.random.default_rng([_SEED, round(slope * 100)])
  frequency = np.hypot(
    np.fft.fftfreq(SIDE)[:, None], np.fft.rfftfreq(SIDE)[None]
  )
  frequency[0, 0] = np.inf
  spectrum = np.fft.rfft2(rng.standard_normal((SIDE, SIDE)))
  noise = np.fft.irfft2(spectrum * frequency**-slope, s=(SIDE, SIDE))
  return np.clip(0.5 + 0.2 * noise / noise.std(), 0, 1).astype(np.float32)


@functools.cache
def _wide_tile(slope: float) -> np.ndarray:
  return np.tile(tile(slope), (2, 2))


def sample(slope: float, u: np.ndarray, v: np.ndarray) -> np.ndarray:
  """Bilinear noise at any positions.

  Args:
    slope: which tile.
    u: [..., W] horizontal position in tiles, broadcast against `v`.
    v: [H, ...] vertical position in tiles.

  Returns:
    float32 [H, W].
  """
  columns, rows = (
    np.asarray(SIDE * (t - np.floor(t)), np.float32) for t in (u, v)
  )
  shape = np.broadcast_shapes(columns.shape, rows.shape)
  return cv2.remap(
    _wide_tile(slope),
    np.ascontiguousarray(np.broadcast_to(columns, shape)),
    np.ascontiguousarray(np.broadcast_to(rows, shape)),
    cv2.INTER_LINEAR,
  )


def patch(
  slope: float,
  shape: tuple[int, int],
  *,
  offset: tuple[float, float],
  extent: tuple[float, float],
) -> np.ndarray:
  """A rectangle of a tile at any resolution; quicker than `sample`.

  Args:
    slope: which tile.
    shape: (H, W) of the result.
    offset: (x, y) of the corner in tiles.
    extent: (width, height) in tiles, at most 1 each.

  Returns:
    float32 [H, W].
  """
  x, y = (int(o % 1.0 * SIDE) for o in offset)
  w, h = (max(2, int(e * SIDE)) for e in extent)
  region = _wide_tile(slope)[y : y + h, x : x + w]
  shrinks = shape[0] < h and shape[1] < w
  interpolation = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
  return cv2.resize(region, shape[::-1], interpolation=interpolation)


def ridge_line(position: np.ndarray, *, seed: float) -> np.ndarray:
  """A one-dimensional mountain profile.

  Args:
    position: [W] in units of one big summit.
    seed: in [0, 1], which part of which line.

  Returns:
    [W] in about [0, 1]: sharp summits, blunt valleys, jagged everywhere.
  """
  total = np.zeros_like(position)
  amplitude = 0.62
  for octave in range(6):
    line = _white_line(octave)
    at = (position * 2**octave + seed * 97.0 * (octave + 1)) % len(line)
    low = at.astype(int)
    value = line[low] + (at - low) * (line[(low + 1) % len(line)] - line[low])
    total += amplitude * (1 - np.abs(2 * value - 1) if octave < 2 else value)
    amplitude *= 0.42
  return total


@functools.cache
def _white_line(octave: int) -> np.ndarray:
  return np.random.default_rng([_SEED, 7, octave]).random(251)
