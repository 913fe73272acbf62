"""Networks named by a config field: found, or an error that says what to do."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from ml_collections import ConfigDict

from configs import common
from sginpaint import checkpoints, pretrained
from sginpaint.backbones.vgg import VGG
from sginpaint.errors import UserError

FIELD = "config.losses.perceptual"
SMALL = VGG(layers=(1, 1), widths=(3, 4))


@pytest.fixture
def workdir(tmp_path):
  """A function: section `source` of a config -> (workdir, variables)."""

  def make(source):
    config = common.get_config()
    config.system = "backbone"
    config.data.image_size = 16
    config.model.generator = ConfigDict(
      {"name": "vgg", "layers": [1, 1], "widths": [3, 4]}
    )
    variables = SMALL.init(jax.random.key(3), jnp.zeros((1, 16, 16, 3)))
    if source is not None:
      found = checkpoints.hash_variables(variables)
      config.source = ConfigDict({"hash": found, **source})
    checkpoints.save_generator(str(tmp_path), config, 0, variables)
    return str(tmp_path), variables

  return make


def load(spec, **options):
  return pretrained.load_network(spec, field=FIELD, model="vgg16", **options)


@pytest.mark.parametrize("official", [True, False])
def test_workdir_gives_module_values_and_name(workdir, official):
  path, variables = workdir({"model": "vgg16", "official": official})
  found = load(path)
  assert (found.name, found.official) == ("vgg16", official)
  assert found.hash == checkpoints.hash_variables(variables)
  image = jax.random.uniform(jax.random.key(0), (1, 16, 16, 3))
  np.testing.assert_array_equal(
    found.module.apply(found.variables, image)["relu2_1"],
    SMALL.apply(variables, image)["relu2_1"],
  )


def test_other_values_under_an_official_name_are_not_official(workdir):
  path, _ = workdir({"model": "vgg16", "official": True, "hash": "f" * 64})
  assert not load(path).official


def test_network_trained_here_bears_its_systems_name(workdir):
  found = load(workdir(None)[0])
  assert (found.name, found.official) == ("backbone", False)


def test_none_is_none_and_random_depends_on_its_seed_alone():
  assert load("none") is None
  one, same, other = (
    load(f"random:{seed}", default=SMALL) for seed in (1, 1, 2)
  )
  assert one.hash == same.hash != other.hash
  assert (one.name, one.official) == ("random:1", False)


def test_random_network_of_two_pictures():
  class Distance(nn.Module):
    @nn.compact
    def __call__(self, first, second):
      return nn.Dense(1)(first - second)

  found = load("random:0", default=Distance(), pictures=2)
  assert found.variables["params"]["Dense_0"]["kernel"].shape == (3, 1)


@pytest.mark.parametrize("spec", ["random:0", "random:x", "random:"])
def test_random_where_it_cannot_be(spec):
  default = SMALL if spec != "random:0" else None
  with pytest.raises(UserError, match=rf"{FIELD}={spec}: write "):
    load(spec, default=default)


@pytest.mark.parametrize("spec", ["", "/no/such/folder"])
def test_missing_network_names_field_file_and_command(spec):
  with pytest.raises(UserError) as error:
    load(spec)
  message = str(error.value)
  assert message.startswith(FIELD) and "\n" not in message
  assert "vgg16-397923af.pth from github.com/pytorch/vision" in message
  command = "python -m sginpaint convert --model=vgg16 --input=vgg16-397923af"
  assert command in message
  assert message.endswith(f"--output={spec or 'runs/vgg16'}")
