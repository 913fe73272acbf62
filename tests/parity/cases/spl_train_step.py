"""One whole training step of SPL against the published PyTorch code.

The step, the system, the optimisers and their settings are those that train:
only the weight of the hole in the image loss is the published code's (2), not
the paper's. Both sides start from the same parameters, Adam's moments at zero.
"""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from configs import spl as config_file
from sginpaint import convert
from sginpaint.batch import Batch, normalize_image
from sginpaint.systems.spl import region_norm as rn
from sginpaint.systems.spl.objective import SPL
from sginpaint.training.optimizer import build_optimizers
from sginpaint.training.state import Player, TrainState
from sginpaint.training.step import TrainStep
from tests.parity.golden import Golden
from tests.parity.layouts import nchw, nhwc

Arrays = dict[str, Any]

_PLAYERS = {"generator": "spl_generator", "discriminator": "spl_discriminator"}
_LOSSES = {
  "d": "loss/discriminator",
  "gan_after_d_step": "generator/adversarial",
  "l1_weighted": "generator/image",
  "feature_prior": "generator/prior",
  "g_total": "loss/generator",
}


def spl_train_step(golden: Golden) -> Arrays:
  """Forward passes, losses, gradients, updated parameters and vectors."""
  modules, variables = {}, {}
  for name, source in {**_PLAYERS, "teacher": "tresnet_l_trunk"}.items():
    modules[name], variables[name] = convert.from_torch(source, golden.params)
  system = SPL(
    modules["generator"],
    modules["discriminator"],
    {"teacher": modules["teacher"]},
    delta=2.0,
  )
  batch = Batch(
    image=golden.input("in/image_u8"),
    mask=nhwc(golden.input("in/mask")).astype(np.float32),
    teacher_image=golden.input("in/image_big_u8"),
  )
  arrays, taught = _forward(system, variables, batch)
  # As if precomputed: compiled once more in the step, a teacher costs as much
  # as the step does.
  batch = batch.replace(teacher_image=None, teacher_features=taught)
  return arrays | _step(system, variables, batch)


def _forward(
  system: SPL, variables: Any, batch: Batch
) -> tuple[Arrays, jax.Array]:
  """What both networks give, and the teacher's features."""

  @jax.jit
  def run(variables: Any, batch: Batch) -> Any:
    outputs, state = system.generator.apply(
      variables["generator"],
      normalize_image(batch.image),
      batch.mask,
      capture_intermediates=lambda module, _: module.name == "affine",
      mutable="intermediates",
    )
    taught = system.frozen["teacher"].apply(
      variables["teacher"], normalize_image(batch.teacher_image)
    )
    return outputs, taught[system.teacher_layer], state["intermediates"]

  outputs, taught, mids = run(variables, batch)
  arrays = {
    "out/image": nchw((outputs["image"] + 1) / 2),
    "out/features": nchw(outputs["prior"]),
    "mid/teacher_features": nchw(taught),
  }
  for i in range(2):
    affine = mids["decoder"][f"norm_{i}"]["affine"]["__call__"][0]
    distance = np.asarray(affine[0]) - rn.THRESHOLD
    name = f"mid/rnl{i + 1}"
    arrays[f"{name}_mask"] = nchw(distance >= 0).astype(np.uint8)
    arrays[f"{name}_threshold_margin"] = np.min(np.abs(distance))
  return arrays, taught


def _remember() -> optax.GradientTransformation:
  """Keeps the gradients it saw as its state."""
  return optax.GradientTransformation(
    lambda params: jax.tree.map(jnp.zeros_like, params),
    lambda gradients, *_: (gradients, gradients),
  )


def _step(system: SPL, variables: Any, batch: Batch) -> Arrays:
  config = config_file.get_config()
  optimizers, players = {}, {}
  for name, adam in build_optimizers(config.optimizer, config.steps).items():
    optimizers[name] = optax.chain(_remember(), adam)
    collections = dict(variables[name])
    params = collections.pop("params")
    players[name] = Player(params, collections, optimizers[name].init(params))
  step = TrainStep(
    system=system,
    optimizers=optimizers,
    loss_weights=config.loss_weights.to_dict(),
    mask_options={},  # the batch brings its masks
    seed=0,
    ema_decay=config.ema_decay,
  )
  state = TrainState(step=jnp.zeros((), jnp.int32), **players)
  state, metrics = jax.jit(step)(state, {}, batch)
  arrays = {f"loss/{name}": metrics[key] for name, key in _LOSSES.items()}
  for name, source in _PLAYERS.items():
    player = getattr(state, name)
    gradients = {"params": player.opt_state[0]}
    for start, tree in (("grad", gradients), ("after", player.variables)):
      for key, value in convert.to_torch(source, tree).items():
        arrays[f"{start}/{name}.{key}"] = value
  return arrays
