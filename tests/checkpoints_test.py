"""Checkpoints: exact round trips, damage noticed, only what is asked read."""

import json
import pathlib

import chex
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from configs import common
from sginpaint import checkpoints, workdirs
from sginpaint.batch import Batch
from sginpaint.errors import UserError
from sginpaint.training import sharding
from sginpaint.training.state import create_train_state, from_tree, to_tree
from tests.training.toy import ToySystem


def make_state(seed=0):
  optimizers = {
    name: optax.chain(optax.clip_by_global_norm(1.0), optax.adam(1e-3))
    for name in ("generator", "discriminator")
  }
  example = Batch(image=jnp.zeros((1, 8, 8, 3)), mask=jnp.zeros((1, 8, 8, 1)))
  return create_train_state(
    ToySystem.build(), optimizers, example, seed=seed, ema=True
  )


def save(workdir, states, **options):
  config = common.get_config()
  config.checkpoint.update({"every": 1, "keep": 9} | options)
  writer = checkpoints.Writer(str(workdir), config)
  for step, state in states.items():
    writer.save(step, to_tree(state))
  writer.close()


def restore(workdir, state, **options):
  mesh = sharding.make_mesh()
  abstract = sharding.abstract(to_tree(state), sharding.replicated(mesh))
  found = checkpoints.restore(str(workdir), abstract, **options)
  return found and (from_tree(state, found[0]), found[1])


def flip_a_bit(workdir, step):
  """Flips one bit in the largest data file of a step."""
  directory = pathlib.Path(workdir) / "checkpoints" / str(step) / "state"
  path = max(
    (p for p in directory.rglob("d/*") if p.is_file()),
    key=lambda p: p.stat().st_size,
  )
  data = bytearray(path.read_bytes())
  data[len(data) // 2] ^= 1
  path.write_bytes(data)


def test_round_trip_is_exact(tmp_path):
  state = make_state()
  save(tmp_path, {7: state})
  restored, step = restore(tmp_path, make_state(seed=1))
  assert step == 7
  chex.assert_trees_all_equal(restored, state)
  chex.assert_trees_all_equal_structs(restored, state)


def test_flipped_bit_falls_back_to_the_step_before(tmp_path):
  first, second = make_state(1), make_state(2)
  save(tmp_path, {1: first, 2: second})
  flip_a_bit(tmp_path, 2)
  restored, step = restore(tmp_path, first)
  assert step == 1
  chex.assert_trees_all_equal(restored, first)
  assert workdirs.steps(str(tmp_path)) == [2, 1]


def test_training_sets_an_unsound_step_aside(tmp_path):
  save(tmp_path, {1: make_state(1), 2: make_state(2)})
  flip_a_bit(tmp_path, 2)
  restore(tmp_path, make_state(), rename=True)
  names = sorted(p.name for p in (tmp_path / "checkpoints").iterdir())
  assert names == ["1", "2.corrupt"]
  save(tmp_path, {2: make_state(3)})
  restored, step = restore(tmp_path, make_state())
  assert step == 2
  chex.assert_trees_all_equal(restored, make_state(3))


def test_another_network_is_told_by_its_first_array(tmp_path, caplog):
  save(tmp_path, {1: make_state()})
  tree = to_tree(make_state())
  wanted = jax.tree.map(lambda a: jax.ShapeDtypeStruct(a.shape, a.dtype), tree)
  params = wanted["generator"]["params"]
  name = min(params)
  layer = min(params[name])
  params[name][layer] = jax.ShapeDtypeStruct((5, 7), jnp.float32)
  assert checkpoints.restore(str(tmp_path), wanted) is None
  was = tree["generator"]["params"][name][layer].shape
  assert f"generator/params/{name}/{layer}: {was} was saved" in caplog.text


def test_empty_directory_is_not_a_checkpoint(tmp_path):
  save(tmp_path, {1: make_state(1)})
  (tmp_path / "checkpoints" / "99").mkdir()
  assert restore(tmp_path, make_state())[1] == 1


def test_nothing_to_restore(tmp_path):
  assert restore(tmp_path, make_state()) is None


def test_retention(tmp_path):
  state = make_state()
  save(tmp_path, dict.fromkeys(range(1, 8), state), keep=2, keep_every=3)
  assert sorted(workdirs.steps(str(tmp_path))) == [3, 6, 7]


def test_checksums_see_every_bit():
  tree = {"a": {"b": np.zeros(5, np.float32)}}
  sums = {checkpoints.checksums(tree)["a/b"]}
  for bit in range(32):
    values = np.zeros(5, np.uint32)
    values[3] = np.uint32(1) << np.uint32(bit)
    changed = {"a": {"b": values.view(np.float32)}}
    sums.add(checkpoints.checksums(changed)["a/b"])
  assert len(sums) == 33


def test_config_round_trip(tmp_path):
  config = common.get_config()
  workdirs.save_config(str(tmp_path), config)
  loaded = workdirs.load_config(str(tmp_path))
  assert json.loads(loaded.to_json()) == json.loads(config.to_json())


@pytest.mark.parametrize("content", [None, "{not json", "[1, 2]", "{}"])
def test_bad_workdir_is_one_clear_error(tmp_path, content):
  if content is not None:
    (tmp_path / "config.json").write_text(content)
  with pytest.raises(UserError, match="config"):
    checkpoints.load(str(tmp_path))


def test_hash_names_the_values():
  one = {"params": {"w": jnp.ones(3)}}
  assert checkpoints.hash_variables(one) == checkpoints.hash_variables(
    jax.device_get(one)
  )
  other = {"params": {"w": jnp.ones(3).at[1].set(1 + 1e-7)}}
  assert checkpoints.hash_variables(one) != checkpoints.hash_variables(other)


def test_best_is_kept_beside_the_newest_and_found(tmp_path):
  config = common.get_config()
  config.checkpoint.update({"every": 1, "keep": 1, "best": "hole_psnr"})
  state = to_tree(make_state())
  ranks = {1: 3.0, 2: 9.0, 3: 5.0}
  for step, rank in ranks.items():  # each resumed: ranks are read from disk
    writer = checkpoints.Writer(str(tmp_path), config)
    writer.save(step, state, scores={"hole_psnr": rank}, rank=rank)
    writer.close()
  writer = checkpoints.Writer(str(tmp_path), config)
  writer.save(4, state)
  writer.close()
  assert workdirs.steps(str(tmp_path)) == [4, 2]
  assert checkpoints.best_steps(str(tmp_path)) == [2]
  assert checkpoints.read_scores(str(tmp_path), 2) == {"hole_psnr": 9.0}
  assert checkpoints.read_scores(str(tmp_path), 4) == {}


def test_best_without_evaluations_is_one_clear_error(tmp_path):
  save(tmp_path, {1: make_state()})
  config = common.get_config()
  config.system = "spl"
  workdirs.save_config(str(tmp_path), config)
  with pytest.raises(UserError, match="config.checkpoint.best"):
    checkpoints.load(str(tmp_path), step="best")
