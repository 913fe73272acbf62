"""The part of an evaluation that runs on devices, one batch at a time.

Labels never reach `predict`. What a system may know of the hole comes by
`batch.guidance` (guidance.py); an edit (edits.py) is one more prediction under
a changed one. The analyses compare with labels afterwards.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import chex
import jax
import jax.numpy as jnp
import numpy as np

from sginpaint.batch import Batch, Guidance
from sginpaint.checkpoints import Loaded
from sginpaint.evaluation import placement
from sginpaint.evaluation.analyses import Analyst
from sginpaint.evaluation.analysis import Findings, View
from sginpaint.evaluation.baselines import fill_batch
from sginpaint.evaluation.edits import Edits
from sginpaint.evaluation.filling import build_programs
from sginpaint.evaluation.given import given_fills
from sginpaint.evaluation.guidance import take_guidance
from sginpaint.evaluation.measures import ROUND
from sginpaint.evaluation.perceptual_metrics import Observer
from sginpaint.evaluation.protocols import Protocol
from sginpaint.evaluation.results import SYSTEM, TRUTH
from sginpaint.evaluation.reviewers import Reviewer
from sginpaint.evaluation.served import check_finite


@dataclasses.dataclass(frozen=True)
class Measured:
  """A batch with its scores; padding is gone, n pictures are left.

  Attributes:
    index: int [n], of the pictures in the split.
    truth: uint8 [n, S, S, 3].
    mask: float32 [n, S, S, 1].
    fills: {method: uint8 composite [n, S, S, 3], rounded}.
    scores: {method: {measure: float [n]}}.
    labels: int32 [n, S, S], 255 = ignore; None without usable ones.
    outputs: {name: [>= n, ...]} intermediates, still on the device.
    judged: {method: int32 [>= n, S, S]} what a segmenter sees in the fills and,
      under `TRUTH`, in the truth, still on the device; empty without one.
    found: {analysis: findings of n pictures}.
    told: int [n, S, S], the map that guided; None where none did.
    edits: of >= n pictures, still on the device; None where nobody edits.
    features: {method: float32 [n, D]} of the fills, and of the truth under
      `TRUTH`; empty without a network that makes them.
  """

  index: np.ndarray
  truth: np.ndarray
  mask: np.ndarray
  fills: Mapping[str, np.ndarray]
  scores: Mapping[str, Mapping[str, np.ndarray]]
  labels: np.ndarray | None
  outputs: Mapping[str, jax.Array]
  judged: Mapping[str, jax.Array]
  found: Mapping[str, Findings]
  told: np.ndarray | None
  edits: Edits | None
  features: Mapping[str, np.ndarray]


_Scores = dict[str, dict[str, chex.Array]]  # {method: {measure: [B]}}
# Truth, mask and guidance on the devices.
Placed = tuple[jax.Array, jax.Array, Guidance | None]


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
    analyst: Analyst | None = None,
    reviewers: Sequence[Reviewer] = (),
    look_at_truth: bool = True,
  ):
    """Places the network on all local devices.

    Args:
      loaded: a checkpoint.
      protocol: what is measured.
      outputs: intermediates to hand back, where the system makes them.
      guidance: see guidance.py.
      observer: networks that measure too.
      analyst: looks at the intermediates.
      reviewers: look at every method's pictures.
      look_at_truth: give the features of the truth beside those of the fills.
    """
    self._split = placement.in_parts()
    self._guidance = guidance
    self._observer = observer or Observer()
    self._analyst = analyst or Analyst()
    self._reviewers = tuple(reviewers)
    self._look_at_truth = look_at_truth
    self._takes_map = "segmentation" in loaded.system.GUIDANCE
    self._given = given_fills(loaded.system)
    self.use(loaded.variables, loaded.frozen)
    self._measure = jax.jit(protocol.measure)
    self._rules = tuple({ROUND, *protocol.quantisers})
    self._prepare, self._complete = build_programs(
      loaded.system, self._rules, {*outputs, *self._analyst.keys}
    )

  def use(
    self, variables: Mapping[str, Any], frozen: Mapping[str, Any]
  ) -> None:
    """Takes other values of the same network and of its frozen ones."""
    self._variables = placement.everywhere((variables, frozen))

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
    labels = None if self._analyst.statement else batch.segmentation
    guidance = take_guidance(batch, self._guidance)
    placed, prepared = self._place(truth, mask, guidance)
    # Returns at once: devices work while the host fills the baselines.
    by_rule, finite, outputs = self._fill(placed, prepared)
    host_fills = {
      name: fill_batch(name, truth, mask, pool) for name in baselines
    }
    host_fills |= self._given(index, truth, mask, pool)
    check_finite(np.asarray(finite)[:n], index[:n])
    composites = {SYSTEM: by_rule} | self._by_rule(host_fills)
    scores, features, pictures = self._score(placed, composites, batch)
    drawn = self._drawn(batch, mask, guidance)
    edits = self._edited(placed, prepared, drawn, index[:n])
    view = self._view(placed, labels, pictures, outputs, edits)
    found = self._analyst(view)
    for findings in found.values():
      scores[SYSTEM] |= findings.values
    fills = {SYSTEM: by_rule[ROUND], **host_fills}
    rows = lambda x: np.asarray(x)[:n]  # without the padding
    return Measured(
      index=rows(index),
      truth=rows(truth),
      mask=rows(mask),
      fills={name: rows(fill) for name, fill in fills.items()},
      # Not by tree.map, which would sort the methods by name.
      scores={
        method: {name: rows(v) for name, v in values.items()}
        for method, values in scores.items()
      },
      labels=None if labels is None else rows(labels),
      outputs=outputs,
      judged=view.judged,
      edits=edits,
      told=self._told(guidance, n),
      found=jax.tree.map(rows, found),
      features={name: rows(x) for name, x in features.items()},
    )

  def _place(
    self, truth: np.ndarray, mask: np.ndarray, guidance: Guidance | None
  ) -> tuple[Placed, Mapping[str, jax.Array]]:
    """On the devices, with what the system prepares for any guidance."""
    placed = jax.device_put((truth, mask, guidance), self._split)
    return placed, self._prepare(*self._variables, *placed[:2])

  def _fill(self, placed: Placed, prepared: Mapping[str, jax.Array]):
    """(composites by rule, whether finite, other outputs)."""
    return self._complete(*self._variables, *placed, prepared)

  def _by_rule(
    self, fills: Mapping[str, np.ndarray]
  ) -> dict[str, dict[str, jax.Array]]:
    """On the devices; of uint8 every rule makes the same."""
    return {
      name: dict.fromkeys(self._rules, jax.device_put(fill, self._split))
      for name, fill in fills.items()
    }

  def _score(
    self,
    placed: Placed,
    composites: Mapping[str, Mapping[str, jax.Array]],
    batch: Batch,
  ) -> tuple[_Scores, dict[str, jax.Array], dict[str, jax.Array]]:
    """Scores and features, and the rounded pictures, `TRUTH` among them."""
    truth, mask, _ = placed
    scores: _Scores = {
      method: self._measure(truth, by_rule, mask)
      | self._observer.distances(truth, by_rule[ROUND])
      for method, by_rule in composites.items()
    }
    fills = {method: by_rule[ROUND] for method, by_rule in composites.items()}
    pictures = {TRUTH: truth, **fills}
    looked_at = {**fills, TRUTH: truth} if self._look_at_truth else fills
    features = self._observer.features(looked_at)
    for reviewer in self._reviewers:
      for method, values in reviewer.review(pictures, batch).items():
        scores[method] |= values
    return scores, features, pictures

  def _view(
    self,
    placed: Placed,
    labels: np.ndarray | None,
    pictures: Mapping[str, jax.Array],
    outputs: Mapping[str, jax.Array],
    edits: Edits | None,
  ) -> View:
    """What the analyses look at, with what a segmenter sees in the pictures."""
    return View(
      truth=placed[0],
      mask=placed[1],
      labels=jax.device_put(labels, self._split),
      outputs={key: outputs[key] for key in self._analyst.keys},
      judged=self._analyst.judge(pictures),
      edits=edits,
    )

  def _drawn(
    self, batch: Batch, mask: np.ndarray, guidance: Guidance | None
  ) -> Edits | None:
    editor = self._analyst.editor
    if editor is None or batch.segmentation is None or batch.index is None:
      return None
    base = guidance.segmentation if guidance else None
    return editor.draw(batch.index, mask, batch.segmentation, base)

  def _edited(
    self,
    placed: Placed,
    prepared: Mapping[str, jax.Array],
    drawn: Edits | None,
    index: np.ndarray,
  ) -> Edits | None:
    """Fills the pictures once more for each edit, and has the fills read."""
    if drawn is None:
      return None
    truth, mask, guidance = placed
    edits: Edits = jax.device_put(drawn, self._split)
    if not self._takes_map:
      return edits
    fills = {}
    for e in range(edits.classes.shape[1]):
      told = (guidance or Guidance()).replace(segmentation=edits.told[:, e])
      by_rule, finite, _ = self._fill((truth, mask, told), prepared)
      check_finite(np.asarray(finite)[: len(index)], index)
      fills[str(e)] = by_rule[ROUND]
    read = self._analyst.judge(fills)
    return edits.replace(
      fills=jnp.stack(list(fills.values()), axis=1),
      readings=jnp.stack([read[e] for e in fills], axis=1),
    )

  def _told(self, guidance: Guidance | None, n: int) -> np.ndarray | None:
    if guidance is None or guidance.segmentation is None:
      return None
    return np.asarray(guidance.segmentation)[:n] if self._takes_map else None
