"""The contract every system keeps, so that one step trains them all.

A system owns Linen modules and says how they are called; it holds no state.
`variables` is always one player's Flax variables, `{"params": ...,
<collection>: ...}`; `frozen` in the calls is `{name: variables}` of networks
that no optimiser touches.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any, ClassVar

import chex
import flax.linen as nn
import jax

from sginpaint.batch import Batch
from sginpaint.errors import check_choice
from sginpaint.losses.perceptual import Preset

Variables = Mapping[str, Any]
Outputs = dict[str, jax.Array]
Terms = dict[str, jax.Array]


def name_at(output: str, scale: int) -> str:
  """Key of an output of a coarser scale: `image_4` ... `image_1`, `image`."""
  return f"{output}_{scale}" if scale else output


def scale_of(name: str) -> tuple[str, int]:
  """(output, scale) of a key that `name_at` makes."""
  output, _, scale = name.rpartition("_")
  return (output, int(scale)) if output and scale.isdigit() else (name, 0)


def apply_module(
  module: nn.Module,
  variables: Variables,
  *args,
  train: bool,
  key: jax.Array | None = None,
  **kwargs,
) -> tuple[Any, dict[str, Any]]:
  """Applies `module`; returns its result and its (updated) collections.

  Outside training the collections come back as they went in.
  """
  collections = {k: v for k, v in variables.items() if k != "params"}
  rngs = None if key is None else {"dropout": key}
  if not train or not collections:
    result = module.apply(variables, *args, train=train, rngs=rngs, **kwargs)
    return result, collections
  result, updated = module.apply(
    variables, *args, train=True, rngs=rngs, mutable=list(collections), **kwargs
  )
  return result, dict(updated)


@dataclasses.dataclass(frozen=True)
class System:
  """Base of all systems; subclasses add the fields of their objective.

  Attributes:
    generator: the network that is trained and served.
    discriminator: its opponent, or None.
    frozen: networks that the calls need but no optimiser touches.
  """

  generator: nn.Module
  discriminator: nn.Module | None = None
  frozen: Mapping[str, nn.Module] = dataclasses.field(default_factory=dict)

  # Frozen networks that `predict` uses where there are such; the others serve
  # losses only and are not looked for when a checkpoint is loaded.
  SERVED: ClassVar[tuple[str, ...]] = ()
  # Fields of `Guidance` that `predict` reads.
  GUIDANCE: ClassVar[tuple[str, ...]] = ()
  # What the network of `config.objective.perceptual` is asked, where there is
  # such a field.
  PERCEPTUAL: ClassVar[Preset | None] = None

  @property
  def needs_map(self) -> bool:
    """Whether it takes a map and has none of its own where none is given."""
    return False

  @property
  def learns_from_maps(self) -> bool:
    """Whether its training needs label maps."""
    return False

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
  ) -> "System":
    """Builds the system from the sections of a config.

    Args:
      model: {player: keyword arguments of its network}.
      objective: the subclass's own fields.
      num_classes: K, segmentation classes of the data set.
      num_attributes: A, its attributes.
      dtype: of the computation, "float32" or "bfloat16".
      frozen: modules of networks that are used but not trained.
    """
    raise NotImplementedError

  def init(self, key: jax.Array, batch: Batch) -> dict[str, Variables | None]:
    """Fresh variables of both players for examples shaped like `batch`."""
    generator_key, discriminator_key = jax.random.split(key)
    variables: dict[str, Variables | None] = {
      "generator": self.generator.init(
        generator_key, *self.generator_inputs(batch), train=False
      ),
      "discriminator": None,
    }
    if self.discriminator is not None:
      variables["discriminator"] = self.discriminator.init(
        discriminator_key, *self.discriminator_inputs(batch), train=False
      )
    return variables

  def generator_inputs(self, batch: Batch) -> tuple[chex.Array, ...]:
    """Positional arguments of `generator.__call__`."""
    raise NotImplementedError

  def discriminator_inputs(self, batch: Batch) -> tuple[chex.Array, ...]:
    """Positional arguments of `discriminator.__call__` for a real picture."""
    raise NotImplementedError

  def generate(
    self,
    variables: Variables,
    frozen: Mapping[str, Variables],
    batch: Batch,
    key: jax.Array | None,
    *,
    train: bool,
  ) -> tuple[Outputs, dict[str, Any]]:
    """Runs the generator once; needs no frozen network unless overridden.

    Returns:
      A dict of *float* arrays with `"image"` (raw prediction in [-1, 1], where
      the system makes pictures) and every useful intermediate; and the
      generator's updated collections.
    """
    del frozen
    return apply_module(
      self.generator,
      variables,
      *self.generator_inputs(batch),
      train=train,
      key=key,
    )

  def discriminator_terms(
    self,
    variables: Variables,
    frozen: Mapping[str, Variables],
    batch: Batch,
    outputs: Outputs,
    key: jax.Array,
    *,
    train: bool,
  ) -> tuple[Terms, dict[str, Any]]:
    """Unweighted losses {name: [B]} of the discriminator, and collections."""
    raise NotImplementedError

  def generator_terms(
    self,
    disc_variables: Variables | None,
    frozen: Mapping[str, Variables],
    batch: Batch,
    outputs: Outputs,
    key: jax.Array,
    *,
    train: bool,
  ) -> tuple[Terms, dict[str, Any]]:
    """Unweighted losses {name: [B]} of the generator, given its outputs.

    Returns:
      The losses, and the discriminator's collections after this pass.
    """
    raise NotImplementedError

  def predict(
    self, variables: Variables, frozen: Mapping[str, Variables], batch: Batch
  ) -> dict[str, jax.Array]:
    """What is served: reads `image`, `mask` and `guidance`, never labels."""
    return self.generate(variables, frozen, batch, None, train=False)[0]

  def prepare(
    self, variables: Variables, frozen: Mapping[str, Variables], batch: Batch
  ) -> dict[str, jax.Array]:
    """The part of `predict` that guidance does not change.

    Whoever edits a segmentation keeps it from edit to edit. {} unless a system
    overrides this and `complete`; then "coarse" [B, H, W, 3] in [-1, 1] and
    "segmentation" int32 [B, H, W], where they are in it, can be shown to that
    person. "segmentation_logits" and "confidence" are not kept: `complete` does
    not read them.
    """
    del variables, frozen, batch
    return {}

  def complete(
    self,
    variables: Variables,
    frozen: Mapping[str, Variables],
    batch: Batch,
    prepared: Mapping[str, jax.Array],
  ) -> dict[str, jax.Array]:
    """`predict` of the same pictures, given what `prepare` returned."""
    del prepared
    return self.predict(variables, frozen, batch)


def build_network(
  networks: Mapping[str, type[nn.Module]],
  section: Mapping[str, Any],
  **fields: Any,
) -> nn.Module:
  """Builds the network that a config's `model.generator` names.

  Args:
    networks: {name: class} of what may be named.
    section: the name, under "name", and fields; lists stand for tuples.
    **fields: further fields, which no config gives.

  Raises:
    UserError: the name is missing or not known.
    TypeError: the network has no such field.
  """
  section = dict(section)
  name = section.pop("name", None)
  check_choice("model.generator.name", name, networks)
  return networks[name](**_tuples(section), **fields)


def _tuples(value: Any) -> Any:
  """Lists, which JSON has for tuples, as tuples: modules must be hashable."""
  if isinstance(value, Mapping):
    return {name: _tuples(inner) for name, inner in value.items()}
  if isinstance(value, list | tuple):
    return tuple(map(_tuples, value))
  return value
