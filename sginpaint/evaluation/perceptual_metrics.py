"""Scores that a network gives: LPIPS per picture; FID, KID and IDS per set.

`config.eval.lpips_network` and `config.eval.feature_network` name the networks
(`pretrained.py` says how). They see the same uint8 pictures as every other
measure, the truth and each method's composite, mapped to [-1, 1]; they resize
as they were published.

Only the scores of a published network bear the published name. Of any other
they are called, say, `fid-like(classifier)`: good for comparing checkpoints
that the same network judged, and nothing else.

LPIPS by a classifier is the same formula over all maps that the classifier puts
out, every channel weighing the same.
"""

import functools
from collections.abc import Mapping
from typing import Any

import chex
import jax
import jax.numpy as jnp
from ml_collections import ConfigDict

from sginpaint.backbones.inception import Inception
from sginpaint.backbones.lpips import LPIPS, unit_vectors
from sginpaint.batch import normalize_image
from sginpaint.errors import UserError
from sginpaint.evaluation.distributions import (
  Moments,
  frechet_distance,
  kernel_distance,
  separability,
)
from sginpaint.evaluation.features import Features
from sginpaint.evaluation.measures import Measure
from sginpaint.evaluation.placement import everywhere
from sginpaint.pretrained import Pretrained, load_network

# Under which model's weights a score bears its usual name.
_OFFICIAL: Mapping[str, tuple[str, ...]] = {
  "fid": ("inception_fid",),
  "kid": ("inception_fid",),
  "u_ids": ("inception_fid",),
  "p_ids": ("inception_fid",),
  "lpips": ("lpips_alex", "lpips_vgg"),
  "retrieval_map": ("vgg16",),
}
_TITLES = {"u_ids": "U-IDS", "p_ids": "P-IDS"}
# FID's bias falls with the number of pictures; with fewer than features the
# covariance is singular besides.
_ENOUGH = 2048


def label(score: str, network: Pretrained) -> str:
  """What a score may be called: `fid`, or `fid-like(<name>)`.

  Args:
    score: fid, kid, u_ids, p_ids, lpips or retrieval_map.
    network: that gave it.
  """
  if network.official and network.name in _OFFICIAL[score]:
    return score
  return f"{score}-like({network.name})"


def load_networks(
  config: ConfigDict,
) -> tuple[Pretrained | None, Pretrained | None]:
  """The networks that `config.eval` names, (features, lpips), None for none.

  Raises:
    UserError: see `load_network`; or a network has no features to compare.
  """
  features = load_network(
    config.eval.feature_network,
    field="config.eval.feature_network",
    model="inception_fid",
    default=Inception(),
  )
  lpips = load_network(
    config.eval.lpips_network,
    field="config.eval.lpips_network",
    model="lpips_alex",
    default=LPIPS(),
    pictures=2,
  )
  if features and isinstance(features.module, LPIPS):
    raise UserError(
      f"config.eval.feature_network={config.eval.feature_network}: "
      f"{features.name} compares pictures and has no features; give "
      "inception_fid or a classifier"
    )
  return features, lpips


def statement(count: int, dimensions: int) -> str:
  """What has to be said of a FID of that many pictures; "" if nothing."""
  enough = max(_ENOUGH, dimensions)
  if count >= enough:
    return ""
  return (
    f"FID, U-IDS and P-IDS are of {count} pictures, fewer than {enough}: FID "
    "is too high by an amount that depends on their number, and a plane may "
    "part any two sets; compare equal numbers only, or KID."
  )


class Observer:
  """Shows pictures to the networks, batch by batch, on the devices."""

  def __init__(
    self, features: Pretrained | None = None, lpips: Pretrained | None = None
  ):
    """Places the networks on all local devices.

    Args:
      features: for FID, KID, U-IDS and P-IDS.
      lpips: for LPIPS.
    """
    self._features, self._lpips = features, lpips
    self._variables = everywhere(
      tuple(n.variables if n else None for n in (features, lpips))
    )
    if features:
      self._look = jax.jit(functools.partial(_look, features))
    if lpips:
      self._compare = jax.jit(functools.partial(_compare, lpips))

  @property
  def measures(self) -> tuple[Measure, ...]:
    """Columns of the tables, in their order."""
    columns = []
    if self._lpips:
      columns.append(_measure("lpips", self._lpips, digits=4))
    if self._features:
      per_set = functools.partial(
        _measure, network=self._features, per_set=True
      )
      columns += [
        per_set("fid"),
        per_set("kid", digits=5),
        per_set("u_ids", digits=4, higher_is_better=True),
        per_set("p_ids", digits=4, higher_is_better=True),
      ]
    return tuple(columns)

  @property
  def hash(self) -> str | None:
    """Of the network for features; None without one."""
    return self._features.hash if self._features else None

  def features(
    self, pictures: Mapping[str, chex.Array]
  ) -> dict[str, jax.Array]:
    """float32 [B, D] of each uint8 [B, H, W, 3]; {} without a network."""
    if self._features is None:
      return {}
    return {
      name: self._look(self._variables[0], x) for name, x in pictures.items()
    }

  def distances(
    self, truth: chex.Array, composite: chex.Array
  ) -> dict[str, jax.Array]:
    """{name: float32 [B]} of pairs of uint8 [B, H, W, 3]."""
    if self._lpips is None:
      return {}
    distance = self._compare(self._variables[1], truth, composite)
    return {label("lpips", self._lpips): distance}

  def set_scores(
    self, real: Features, fakes: Mapping[str, Features]
  ) -> dict[str, dict[str, float]]:
    """{method: {name: score}} of sets of the same pictures.

    Without scores where there is no network for features, or one picture.
    """
    if self._features is None or len(real.index) < 2:
      return {method: {} for method in fakes}
    moments, found = Moments.of(real.values), {}
    for method, fake in fakes.items():
      a, b = real.aligned(fake)
      ids = separability(a, b)
      scores = {
        "fid": frechet_distance(moments, Moments.of(b)),
        "kid": kernel_distance(a, b),
        "u_ids": ids.u_ids,
        "p_ids": ids.p_ids,
      }
      found[method] = {
        label(name, self._features): value for name, value in scores.items()
      }
    return found

  def describe(self, count: int, dimensions: int) -> dict[str, dict[str, Any]]:
    """The networks, for metrics.json: {purpose: {"name", "hash", ...}}.

    Args:
      count: of pictures.
      dimensions: of the features.
    """
    networks = {"features": self._features, "lpips": self._lpips}
    found = {
      purpose: {"name": n.name, "hash": n.hash, "official": n.official}
      for purpose, n in networks.items()
      if n
    }
    note = statement(count, dimensions)
    if "features" in found and note:
      found["features"]["statement"] = note
    return found


def _measure(
  score: str,
  network: Pretrained,
  *,
  per_set: bool = False,
  digits: int = 2,
  higher_is_better: bool = False,
) -> Measure:
  name = label(score, network)
  title = _TITLES.get(score, score.upper())
  return Measure(
    name,
    None,
    name.replace(score, title, 1),
    higher_is_better=higher_is_better,
    digits=digits,
    per_set=per_set,
  )


def _look(network: Pretrained, variables: Any, pictures: Any) -> jax.Array:
  outputs: Any = network.module.apply(variables, normalize_image(pictures))
  if "features" not in outputs:
    raise UserError(
      f"config.eval.feature_network={network.name}: has no features; give "
      "inception_fid or a classifier"
    )
  return outputs["features"].astype(jnp.float32)


def _compare(
  network: Pretrained, variables: Any, truth: Any, composite: Any
) -> jax.Array:
  a, b = normalize_image(truth), normalize_image(composite)
  apply: Any = network.module.apply
  if isinstance(network.module, LPIPS):
    return apply(variables, a, b)
  maps_a, maps_b = apply(variables, a), apply(variables, b)
  total = jnp.zeros(a.shape[0])
  for name, x in maps_a.items():
    if x.ndim == 4:
      difference = unit_vectors(x) - unit_vectors(maps_b[name])
      total += jnp.mean(jnp.sum(difference**2, axis=-1), axis=(1, 2))
  return total
