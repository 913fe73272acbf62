"""The part of an evaluation that runs on devices, one batch at a time.

Labels never reach `predict`. What a system may know of the hole comes by
`batch.guidance`, filled according to `config.eval.guidance`:
  predicted: None; the system uses its own prediction of the meaning,
  none: an empty `Guidance`; the system fills without meaning if it can,
  truth: the labels of the data set (an upper bound, not a result).
"""

import dataclasses
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from sginpaint.batch import Batch, Guidance, composite, normalize_image
from sginpaint.checkpoints import Loaded
from sginpaint.errors import UserError
from sginpaint.evaluation.baselines import fill_batch
from sginpaint.evaluation.perceptual_metrics import Observer
from sginpaint.evaluation.protocols import ROUND, Protocol, quantise
from sginpaint.evaluation.results import SYSTEM

TRUTH = "truth"  # among methods, what was there

GUIDANCE = ("none", "predicted", "truth")


@dataclasses.dataclass(frozen=True)
class Measured:
  """A batch with its scores; padding is gone, n pictures are left.

  Attributes:
    index: int [n], of the pictures in the split.
    truth: uint8 [n, S, S, 3].
    mask: float32 [n, S, S, 1].
    fills: {method: uint8 composite [n, S, S, 3], rounded}.
    scores: {method: {measure: float [n]}}.
    outputs: {name: [>= n, ...]} intermediates, still on the device.
    features: {method: float32 [n, D]} of the fills, and of the truth under
      `TRUTH`; empty without a network that makes them.
  """

  index: np.ndarray
  truth: np.ndarray
  mask: np.ndarray
  fills: Mapping[str, np.ndarray]
  scores: Mapping[str, Mapping[str, np.ndarray]]
  outputs: Mapping[str, jax.Array]
  features: Mapping[str, np.ndarray]


def take_guidance(batch: Batch, mode: str) -> Guidance | None:
  """What `predict` may know of the hole; see the module's docstring.

  Raises:
    UserError: `mode` is not known, or is "truth" without labels.
  """
  if mode not in GUIDANCE:
    raise UserError(
      f"config.eval.guidance is {mode!r}; choose from {', '.join(GUIDANCE)}"
    )
  if mode == "predicted":
    return None
  if mode == "none":
    return Guidance()
  if batch.segmentation is None and batch.attributes is None:
    raise UserError(
      "config.eval.guidance is 'truth', but the data set has no labels; "
      "use predicted or none"
    )
  return Guidance(segmentation=batch.segmentation, attributes=batch.attributes)


class Predictor:
  """Fills and measures batches of one fixed size with one checkpoint."""

  def __init__(
    self,
    loaded: Loaded,
    protocol: Protocol,
    *,
    outputs: Sequence[str] = (),
    guidance: str = "predicted",
    observer: Observer | None = None,
    look_at_truth: bool = True,
  ):
    """Places the network on all local devices.

    Args:
      loaded: a checkpoint.
      protocol: what is measured.
      outputs: intermediates to hand back, where the system makes them.
      guidance: see the module's docstring.
      observer: networks that measure too.
      look_at_truth: give the features of the truth beside those of the fills.
    """
    mesh = Mesh(np.array(jax.local_devices()), ("data",))
    self._split = NamedSharding(mesh, PartitionSpec("data"))
    self._guidance = guidance
    self._observer = observer or Observer()
    self._look_at_truth = look_at_truth
    self._variables = jax.device_put(
      (loaded.variables, loaded.frozen), NamedSharding(mesh, PartitionSpec())
    )
    self._measure = jax.jit(protocol.measure)
    self._rules = tuple({ROUND, *protocol.quantisers})

    def predict(variables, frozen, truth, mask, guidance):
      # Nothing under the hole may help; systems fill it as they like.
      image = jnp.where(mask > 0.5, 0.0, normalize_image(truth))
      results = loaded.system.predict(
        variables, frozen, Batch(image=image, mask=mask, guidance=guidance)
      )
      prediction = results["image"]
      fills = {
        rule: composite(quantise(prediction, rule), truth, mask)
        for rule in self._rules
      }
      finite = jnp.isfinite(prediction).all((1, 2, 3))
      return fills, finite, {n: results[n] for n in outputs if n in results}

    self._predict = jax.jit(predict)

  @staticmethod
  def batch_size(wanted: int) -> int:
    """The nearest size from above that spreads evenly over the devices."""
    devices = jax.local_device_count()
    return -(-wanted // devices) * devices

  def __call__(
    self,
    batch: Batch,
    mask: np.ndarray,
    baselines: Sequence[str],
    pool: ThreadPoolExecutor,
  ) -> Measured:
    """Fills and measures one batch.

    Args:
      batch: numpy, uint8 pictures, with `valid` and `index`.
      mask: float32 [B, S, S, 1]; rows of the padding are not looked at.
      baselines: names of fills that are measured too.
      pool: threads for the baselines.

    Raises:
      UserError: the network puts out NaN or infinity.
    """
    n = int(np.asarray(batch.valid).sum())
    truth, index = np.asarray(batch.image), np.asarray(batch.index)
    placed = jax.device_put(
      (truth, mask, take_guidance(batch, self._guidance)), self._split
    )
    # Returns at once: the devices work while the host fills the baselines.
    by_rule, finite, outputs = self._predict(*self._variables, *placed)
    host_fills = {
      name: fill_batch(name, truth, mask, pool) for name in baselines
    }
    if not np.asarray(finite)[:n].all():
      bad = index[:n][~np.asarray(finite)[:n]][0]
      raise UserError(
        f"the network puts out NaN or infinity (picture {bad} of the split); "
        "choose an earlier --step"
      )
    spread = {
      name: dict.fromkeys(self._rules, jax.device_put(fill, self._split))
      for name, fill in host_fills.items()
    }
    scores, features = self._judge(
      placed[0], placed[1], {SYSTEM: by_rule, **spread}
    )
    fills = {SYSTEM: np.asarray(by_rule[ROUND]), **host_fills}
    return Measured(
      index=index[:n],
      truth=truth[:n],
      mask=mask[:n],
      fills={name: fill[:n] for name, fill in fills.items()},
      # Not by tree.map, which would sort the methods by name.
      scores={
        method: {name: np.asarray(v)[:n] for name, v in values.items()}
        for method, values in scores.items()
      },
      outputs=outputs,
      features={name: np.asarray(x)[:n] for name, x in features.items()},
    )

  def _judge(
    self,
    truth: jax.Array,
    mask: jax.Array,
    composites: Mapping[str, Mapping[str, jax.Array]],
  ) -> tuple[dict[str, dict[str, jax.Array]], dict[str, jax.Array]]:
    """Scores and features of {method: {quantise rule: uint8 composite}}."""
    scores = {
      method: self._measure(truth, by_rule, mask)
      | self._observer.distances(truth, by_rule[ROUND])
      for method, by_rule in composites.items()
    }
    seen = {method: by_rule[ROUND] for method, by_rule in composites.items()}
    if self._look_at_truth:
      seen[TRUTH] = truth
    return scores, self._observer.features(seen)
