"""What SPL's published PyTorch checkpoints call the tensors of our networks.

Data for `sginpaint.convert`: rows of (PyTorch layer, Flax layer, kind of
layer), `{}` standing for the same index on both sides. The checkpoints are the
`state_dict` of the whole training model: generator, discriminator, teacher and
the constants of the adversarial loss.
"""

from collections.abc import Mapping
from typing import Any

from sginpaint.systems.spl.networks import Discriminator, Generator

Shapes = Mapping[str, tuple[int, ...]]

_PLAYERS = ("generator", "discriminator", "tresnet_xL_hold", "adversarial_loss")

_REGION_NORM = (
  ("foreground_gamma", "hole_gamma"),
  ("foreground_beta", "hole_beta"),
  ("background_gamma", "known_gamma"),
  ("background_beta", "known_beta"),
)


def _image_encoder() -> list[tuple[str, str, str]]:
  rows = []
  for i in range(3):
    ours = f"image_encoder/conv_{i}"
    rows.append((f"encoder_conv{i + 1}", ours, "conv"))
    for theirs, name in _REGION_NORM:
      ours = f"image_encoder/norm_{i}/{name}"
      rows.append((f"encoder_in{i + 1}.{theirs}", ours, "tensor"))
  return rows


def _decoder() -> list[tuple[str, str, str]]:
  rows = [("decoder.9", "decoder/output", "conv")]
  for i, (conv, norm) in enumerate(((0, 2), (4, 6))):
    rows.append((f"decoder.{conv}", f"decoder/conv_{i}", "conv"))
    for theirs, name in (
      ("conv1", "importance"),
      ("gamma_conv", "gamma"),
      ("beta_conv", "beta"),
    ):
      ours = f"decoder/norm_{i}/affine/{name}"
      rows.append((f"decoder.{norm}.sa.{theirs}", ours, "conv"))
  return rows


_SPADE = (
  ("mlp_shared.0", "shared"),
  ("mlp_gamma", "gamma"),
  ("mlp_beta", "beta"),
)


def _blocks() -> list[tuple[str, str, str]]:
  rows = []
  for i, (spade, conv) in enumerate(((0, 3), (4, 7))):
    theirs, ours = "middle.{}.conv_block", "block_{}"
    rows.append((f"{theirs}.{conv}", f"{ours}/conv_{i}", "conv"))
    for their_name, name in _SPADE:
      ours_spade = f"{ours}/spade_{i}/{name}"
      rows.append((f"{theirs}.{spade}.{their_name}", ours_spade, "conv"))
  return rows


_LEARNER = (
  *(
    (f"encoder_conv{i + 1}_sm", f"learner/encoder/conv_{i}", "conv")
    for i in range(4)
  ),
  ("encoder_sm_out", "learner/dense_input", "conv"),
  ("rdbs.{}.layers.{}.conv", "learner/dense_{}/conv_{}", "conv"),
  ("rdbs.{}.lff", "learner/dense_{}/fuse", "conv"),
  ("gff.{}", "learner/fuse_{}", "conv"),
  ("feature_recon.{}.conv_block.1", "learner/residual_{}/conv_0", "conv"),
  ("feature_recon.{}.conv_block.4", "learner/residual_{}/conv_1", "conv"),
  ("feature_mapping", "prior", "conv"),
)


def _count(shapes: Shapes, prefix: str) -> int:
  """Number of layers called `<prefix>.<i>.`, by the largest i."""
  parts = prefix.count(".") + 1
  indices = (
    int(name.split(".")[parts])
    for name in shapes
    if name.startswith(prefix + ".")
  )
  return max(indices, default=-1) + 1


def build_generator(shapes: Shapes) -> Generator:
  """The generator that tensors of these shapes belong to."""
  return Generator(
    width=shapes["encoder_conv1.weight"][0],
    blocks=_count(shapes, "middle"),
    learner="dense",
    dense_blocks=_count(shapes, "rdbs"),
    dense_layers=_count(shapes, "rdbs.0.layers"),
    growth=shapes["rdbs.0.layers.0.conv.weight"][0],
    residual_blocks=_count(shapes, "feature_recon"),
    spade_hidden=shapes["middle.0.conv_block.0.mlp_shared.0.weight"][0],
    prior_channels=shapes["feature_mapping.weight"][0],
  )


def build_discriminator(shapes: Shapes) -> Discriminator:
  """The discriminator that tensors of these shapes belong to."""
  return Discriminator(
    widths=tuple(shapes[f"conv{i}.0.weight_orig"][0] for i in range(1, 5))
  )


GENERATOR: dict[str, Any] = {
  "layers": (*_image_encoder(), *_LEARNER, *_blocks(), *_decoder()),
  "build": build_generator,
  "inputs": ((1, 32, 32, 3), (1, 32, 32, 1)),
  "prefix": "generator",
  "siblings": _PLAYERS,
}

DISCRIMINATOR: dict[str, Any] = {
  "layers": tuple(
    (f"conv{i + 1}.0", f"patch/conv_{i}", "spectral_conv") for i in range(5)
  ),
  "build": build_discriminator,
  "inputs": ((1, 32, 32, 3),),
  "prefix": "discriminator",
  "siblings": _PLAYERS,
  # The first layer is registered twice, as conv1 and as features.
  "ignored": ("features.*",),
}
