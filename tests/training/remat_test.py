"""Rematerialisation: less memory, the same numbers."""

import dataclasses
import functools

import chex
import flax.linen as nn
import jax
import jax.numpy as jnp
import pytest

from sginpaint.layers.normalization import InstanceNorm
from sginpaint.layers.residual import ResidualBlock, SPADEResNetBlock
from sginpaint.systems.spl.region_norm import RegionNormLearned
from sginpaint.training.remat import (
  POLICIES,
  compiler_options,
  rematerialize,
)
from tests.systems.boosted_gan import small as boosted_gan
from tests.training.step_test import make_batch, setup
from tests.training.toy import ToySystem


class Deep(nn.Module):
  """Many blocks with norms, whose insides need far more than their outputs."""

  @nn.compact
  def __call__(self, image, mask, *, train=False):
    x = nn.Conv(16, (3, 3))(jnp.concatenate([image, mask], -1))
    for _ in range(6):
      x = ResidualBlock(1, InstanceNorm)(x)
    return {"image": nn.tanh(nn.Conv(3, (3, 3))(x))}


# The same for all policies, "none" as well: what is compared is what they keep.
_OPTIONS = compiler_options("blocks")


@functools.cache
def gradient(policy):
  """(bytes of temporary memory, the generator's gradient)."""
  system, state, _ = setup(system=deep_system(), size=32)
  batch = make_batch(size=32, batch=4)
  batch = batch.replace(image=batch.image / 127.5 - 1.0)
  generate = rematerialize(
    lambda params: system.generate(
      {"params": params}, {}, batch, None, train=True
    )[0],
    policy,
  )

  def pulled(params):
    outputs, pull_back = jax.vjp(generate, params)
    return pull_back(outputs)

  params = state.generator.params
  compiled = jax.jit(pulled).lower(params).compile(compiler_options=_OPTIONS)
  memory = compiled.memory_analysis().temp_size_in_bytes
  return memory, compiled(params)


def deep_system():
  return dataclasses.replace(ToySystem.build(), generator=Deep())


@pytest.mark.parametrize("policy", POLICIES[1:])
def test_no_number_changes(policy):
  expected, found = gradient("none")[1], gradient(policy)[1]
  size = max(abs(x).max() for x in jax.tree.leaves(expected))
  chex.assert_trees_all_close(found, expected, atol=1e-6 * float(size))


@pytest.mark.parametrize(
  "policy, share", [("convolutions", 0.9), ("blocks", 0.75)]
)
def test_peak_memory_falls(policy, share):
  assert gradient(policy)[0] < share * gradient("none")[0]


def test_blocks_are_recomputed_and_keep_their_parameters():
  def products(policy):
    _, state, step = setup(system=deep_system(), size=32, remat=policy)
    text = str(jax.make_jaxpr(step)(state, {}, make_batch(size=32)))
    return text.count("conv_general_dilated[")

  # Two convolutions of each of six blocks, once more.
  assert products("blocks") == products("none") + 12
  assert products("convolutions") == products("none")
  assert products("generator") == products("none") + 14


class Regions(nn.Module):
  """Between two convolutions a region norm, which scales by a contraction."""

  @nn.compact
  def __call__(self, x):
    x = nn.Conv(16, (3, 3))(x)
    return nn.Conv(3, (3, 3))(nn.relu(RegionNormLearned()(x)))


def test_scaled_maps_are_computed_again():
  module, x = Regions(), jnp.ones((1, 8, 8, 4))
  variables = module.init(jax.random.key(0), x)

  def wide_maps(policy):
    apply = rematerialize(lambda v: module.apply(v, x), policy)
    _, pull_back = jax.vjp(apply, variables)
    kept = jax.tree.leaves(pull_back)
    return sum(array.shape == (1, 8, 8, 16) for array in kept)

  assert wide_maps("convolutions") == 1  # of the first convolution
  assert wide_maps("none") > 2


@functools.cache
def boosted_gradient(policy):
  """Of all outputs of a boosted GAN's generator."""
  system, batch = boosted_gan.system(), boosted_gan.batch()
  # Larger ones saturate the last tanh, of whose gradient little is left.
  variables = boosted_gan.drawn(
    system.generator, *system.generator_inputs(batch), scale=0.1
  )
  generate = rematerialize(
    lambda params: system.generate(
      {"params": params}, boosted_gan.FROZEN, batch, None, train=True
    )[0]["image"],
    policy,
  )
  return jax.jit(jax.grad(lambda params: (generate(params) ** 2).sum()))(
    variables["params"]
  )


@pytest.mark.parametrize("policy", POLICIES[1:])
def test_no_number_of_a_boosted_gan_changes(policy):
  expected, found = boosted_gradient("none"), boosted_gradient(policy)
  size = max(abs(x).max() for x in jax.tree.leaves(expected))
  chex.assert_trees_all_close(found, expected, atol=1e-6 * float(size))


class Normed(nn.Module):
  """A block with spectral norms, which training steps on."""

  @nn.compact
  def __call__(self, image, mask, *, train=False):
    x = SPADEResNetBlock(4, hidden=4)(image, mask, train=train)
    return {"image": nn.Conv(3, (1, 1))(x)}


def test_collections_of_blocks_are_updated():
  system = dataclasses.replace(ToySystem.build(), generator=Normed())
  found = {}
  for policy in ("none", "blocks"):
    _, state, step = setup(system=system, remat=policy)
    found[policy] = jax.jit(step)(state, {}, make_batch())[0].generator
  chex.assert_trees_all_close(found["blocks"], found["none"], atol=1e-6)
  old, new = (
    jax.tree.leaves(player.collections["spectral_norm"])
    for player in (state.generator, found["blocks"])
  )
  assert any((a != b).any() for a, b in zip(old, new, strict=True))
