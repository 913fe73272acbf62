"""The boosted GAN's training (Li et al., arXiv 1908.04503, eqs. 2-6), serving.

Two frozen networks say what a picture shows: the classifier Wa its attributes
(sigmoid probabilities [B, A]), the segmenter Ws its classes (softmax
probabilities [B, H, W, K]). The generator is told what they see in the
corrupted picture, grey in the hole; the discriminators, what they see in the
uncorrupted one, beside the real and the restored picture alike. No label of the
data set is used.

Each discriminator's two or three terms (eqs. 3-5) have weight 1 and are summed;
the generator's adversarial losses are non-saturating. Eq. 6's distance is the
mean squared error of the whole raw picture; beta, lambda_a and lambda_s are
weights in the config. A discriminator of weight 0 does not exist.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any, ClassVar

import chex
import flax.linen as nn
import jax
import jax.numpy as jnp

from sginpaint.batch import Batch
from sginpaint.errors import UserError
from sginpaint.losses import adversarial, reconstruction
from sginpaint.systems import base
from sginpaint.systems.boosted_gan.discriminators import Discriminator
from sginpaint.systems.boosted_gan.meaning import (
  Meaning,
  guided,
  probabilities,
)
from sginpaint.systems.boosted_gan.mismatch import (
  mismatched_attributes,
  mismatched_maps,
)
from sginpaint.systems.boosted_gan.networks import Generator
from sginpaint.systems.holes import grey_holes

_MISMATCHED = {
  "attributes": mismatched_attributes,
  "segmentation": mismatched_maps,
}


@dataclasses.dataclass(frozen=True)
class BoostedGAN(base.System):
  """Guided and judged by attributes and segmentation; this class by both.

  Attributes:
    classifier: which network names the attributes, `frozen["classifier"]`;
      "none" where neither generator nor discriminators are told them.
    segmenter: which one the classes, `frozen["segmenter"]`; "none" alike.
  """

  SERVED: ClassVar[tuple[str, ...]] = ("classifier", "segmenter")
  GUIDANCE: ClassVar[tuple[str, ...]] = ("attributes", "segmentation")

  classifier: str = "none"
  segmenter: str = "none"

  @classmethod
  def build(
    cls,
    *,
    model: Mapping[str, Any],
    objective: Mapping[str, Any],
    num_classes: int,
    num_attributes: int,
    dtype: str,
    frozen: Mapping[str, nn.Module],
  ) -> "BoostedGAN":
    """Builds the networks from config sections; see the base class.

    Raises:
      UserError: what generator or discriminators are to be told nobody says,
        or there is nothing to tell.
    """
    generator = Generator(
      **model["generator"],
      num_attributes=num_attributes,
      num_classes=num_classes,
      dtype=dtype,
    )
    discriminator = Discriminator(**model["discriminator"], dtype=dtype)
    for switch, network, judged, least in (
      ("attributes", "classifier", num_attributes, 1),
      ("segmentation", "segmenter", num_classes, 2),
    ):
      told = (generator, f"{switch}_input"), (discriminator, switch)
      if any(getattr(*field) for field in told):
        _check_network(switch, network, objective[network], judged, least)
    system = _VARIANTS[generator.attributes_input, generator.segmentation_input]
    return system(
      generator=generator,
      discriminator=discriminator,
      frozen=frozen,
      **objective,
    )

  def generator_inputs(self, batch: Batch) -> tuple[chex.Array, ...]:
    """Of the right shapes only: `generate` asks the frozen networks."""
    said = self._nothing(batch)
    return batch.image, batch.mask, said["attributes"], said["segmentation"]

  def discriminator_inputs(self, batch: Batch) -> tuple[Any, ...]:
    """Of the right shapes only."""
    said = self._nothing(batch)
    return batch.image, [said["attributes"]], [said["segmentation"]]

  def _nothing(self, batch: Batch) -> Meaning:
    b, h, w, _ = batch.image.shape
    net = self.generator
    return {
      "attributes": jnp.zeros((b, net.num_attributes)),
      "segmentation": jnp.zeros((b, h, w, net.num_classes)),
    }

  def generate(self, variables, frozen, batch, key, *, train):
    """Asks the frozen networks and fills the hole (eq. 1).

    Returns:
      "image" [B, H, W, 3] in [-1, 1]; "attribute_logits" [B, A] and
      "segmentation_logits" [B, H, W, K] of the corrupted picture, as far as
      there are the networks; "attributes" [B, A], the probabilities that
      guided, if they did. In training also "real_attributes" and
      "real_segmentation", the probabilities of the uncorrupted picture, for the
      discriminators.
    """
    seen = grey_holes(None, batch.image, batch.mask, train=False)
    logits = self._read(frozen, seen)
    read = probabilities(logits)
    # Not what the discriminators alone are told.
    said = guided({n: read[n] for n in self.GUIDANCE}, batch.guidance)
    outputs, collections = base.apply_module(
      self.generator,
      variables,
      batch.image,
      batch.mask,
      said.get("attributes"),
      said.get("segmentation"),
      train=train,
      key=key,
    )
    outputs = {**outputs, **logits}
    if "attributes" in said:
      outputs["attributes"] = said["attributes"]
    if train:
      # Once here, not in each player's terms.
      real = probabilities(self._read(frozen, batch.image))
      outputs |= {f"real_{name}": value for name, value in real.items()}
    return outputs, collections

  def discriminator_terms(
    self, variables, frozen, batch, outputs, key, *, train
  ):
    """Eqs. 3-5: real and matching, restored, and real but mismatched."""
    del frozen
    right = self._judged(outputs)
    keys = dict(zip(_MISMATCHED, jax.random.split(key), strict=True))
    wrong = {n: _MISMATCHED[n](keys[n], value) for n, value in right.items()}
    real, collections = self._judge(
      variables, batch.image, (right, wrong), key, train
    )
    variables = {**variables, **collections}
    fake, collections = self._judge(
      variables, outputs["image"], (right,), key, train
    )
    terms = {}
    for name, (matching, *mismatched) in real.items():
      terms[name] = adversarial.real_loss(matching)
      for logits in (*fake[name], *mismatched):
        terms[name] += adversarial.fake_loss(logits)
    return terms, collections

  def generator_terms(
    self, disc_variables, frozen, batch, outputs, key, *, train
  ):
    """Eq. 6: the distance, and an adversarial term per discriminator."""
    del frozen
    fake, collections = self._judge(
      disc_variables, outputs["image"], (self._judged(outputs),), key, train
    )
    terms = {"image": reconstruction.l2(outputs["image"], batch.image)}
    for name, (logits,) in fake.items():
      terms[name] = adversarial.generator_loss(logits)
    return terms, collections

  def predict(self, variables, frozen, batch):
    """What is served.

    Returns:
      "image" [B, H, W, 3] in [-1, 1], raw. Where attributes guide,
      "attributes" [B, A], the probabilities that did; where there is a
      classifier, "attribute_logits" [B, A]; where there is a segmenter,
      "segmentation" int32 [B, H, W], "confidence" [B, H, W] and
      "segmentation_logits" [B, H, W, K]: their own reading also where somebody
      said otherwise.
    """
    outputs, _ = self.generate(variables, frozen, batch, None, train=False)
    if "segmentation_logits" in outputs:
      logits = outputs["segmentation_logits"]
      outputs["segmentation"] = jnp.argmax(logits, -1).astype(jnp.int32)
      outputs["confidence"] = jnp.max(jax.nn.softmax(logits), -1)
    return outputs

  def _read(self, frozen, picture: jax.Array) -> dict[str, jax.Array]:
    """Logits of the frozen networks that there are; no gradient."""
    logits = {}
    for network, theirs, ours in (
      ("classifier", "logits", "attribute_logits"),
      ("segmenter", "segmentation_logits", "segmentation_logits"),
    ):
      if getattr(self, network) != "none":
        module: Any = self.frozen[network]
        found = module.apply(frozen[network], picture, train=False)
        logits[ours] = jax.lax.stop_gradient(found[theirs])
    return logits

  def _judged(self, outputs: base.Outputs) -> Meaning:
    """What the discriminators are told, as far as there are such."""
    return {
      name: jax.lax.stop_gradient(outputs[f"real_{name}"])
      for name in _MISMATCHED
      if getattr(self.discriminator, name)
    }

  def _judge(self, variables, image, pairs, key, train):
    """Logits of pictures beside what each of `pairs` (`Meaning`) says."""
    vectors, maps = (
      [said[name] for said in pairs if name in said] for name in _MISMATCHED
    )
    return base.apply_module(
      self.discriminator,
      variables,
      image,
      vectors,
      maps,
      train=train,
      key=key,
    )


@dataclasses.dataclass(frozen=True)
class _AttributesOnly(BoostedGAN):
  GUIDANCE: ClassVar[tuple[str, ...]] = ("attributes",)


@dataclasses.dataclass(frozen=True)
class _SegmentationOnly(BoostedGAN):
  GUIDANCE: ClassVar[tuple[str, ...]] = ("segmentation",)


@dataclasses.dataclass(frozen=True)
class _Neither(BoostedGAN):
  GUIDANCE: ClassVar[tuple[str, ...]] = ()


# By what the generator is told: (attributes, segmentation).
_VARIANTS: Mapping[tuple[bool, bool], type[BoostedGAN]] = {
  (True, True): BoostedGAN,
  (True, False): _AttributesOnly,
  (False, True): _SegmentationOnly,
  (False, False): _Neither,
}


def _check_network(
  switch: str, network: str, spec: str, count: int, least: int
) -> None:
  if spec == "none":
    raise UserError(
      f"config.objective.{network}=none: a network is told the "
      f"{switch}; name a workdir, or switch off "
      f"config.model.generator.{switch}_input and "
      f"config.model.discriminator.{switch}"
    )
  if count < least:
    what = "attributes" if switch == "attributes" else "classes"
    raise UserError(
      f"config.data has {count} {what}, too few to guide by; train the network "
      f"in config.objective.{network} on data that has, or use "
      f"configs/boosted_gan_neither.py"
    )
