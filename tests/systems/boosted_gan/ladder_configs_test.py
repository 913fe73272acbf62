"""The boosted GAN's rows: the paper's table II, and the 2x2."""

import pathlib

import pytest

from configs import boosted_gan
from sginpaint.cli.ladder import check_comparable, read_configs
from sginpaint.errors import UserError

ROOT = pathlib.Path(__file__).parents[3]
TABLE = ROOT / "configs" / "tables" / "boosted_gan_2.txt"


def lambdas(config):
  """(lambda_a, lambda_s), both as generator and discriminators have them."""
  ours, theirs = (
    config.loss_weights[p] for p in ("generator", "discriminator")
  )
  names = ("attributes", "segmentation")
  found = tuple(theirs.get(name, 0.0) for name in names)
  beta = ours["global"]
  assert beta == 0.01
  shares = tuple(ours.get(name, 0.0) / beta for name in names)
  assert shares == pytest.approx(found)
  for name, weight in zip(names, found, strict=True):
    assert config.model.discriminator[name] == (weight > 0)
    assert config.model.generator[f"{name}_input"]
  return found


def test_table_2_has_the_settings_of_the_paper(monkeypatch):
  monkeypatch.chdir(ROOT)
  configs = read_configs(TABLE.read_text().split(), {})
  check_comparable(configs)
  steps = (0.01, 0.1, 1.0)
  expected = {(a, s) for a in (0, 0.1) for s in steps}
  expected |= {(a, s) for a in steps for s in (0, 0.1)}
  assert sorted(map(lambdas, configs.values())) == sorted(expected)
  for name, config in configs.items():
    a, s = lambdas(config)
    assert name == f"boosted_gan,attributes={a:g},segmentation={s:g}"


def test_rows_of_the_2x2_differ_in_what_is_told_and_judged(monkeypatch):
  monkeypatch.chdir(ROOT)
  names = ["neither", "attributes", "segmentation"]
  files = [f"configs/boosted_gan_{n}.py:quick,data=folder" for n in names]
  configs = read_configs(
    [*files, "configs/boosted_gan.py:quick,data=folder"], {}
  )
  check_comparable(configs)
  assert list(configs) == [f"boosted_gan_{n}" for n in names] + ["boosted_gan"]
  for row, config in configs.items():
    whole = row == "boosted_gan"
    for name, network in (
      ("attributes", "classifier"),
      ("segmentation", "segmenter"),
    ):
      there = whole or row.endswith(name)
      assert config.model.generator[f"{name}_input"] == there
      assert config.model.discriminator[name] == there
      assert (config.objective[network] != "none") == there
      for player in ("generator", "discriminator"):
        assert (name in config.loss_weights[player]) == there


def test_a_weight_must_be_a_number():
  for wrong in ("much", "-1", "nan", "inf", ""):
    with pytest.raises(ValueError, match=f"attributes={wrong}: write a number"):
      boosted_gan.get_config(f"quick,attributes={wrong}")
  with pytest.raises(UserError, match="a second row named boosted_gan,attrib"):
    file = str(ROOT / "configs" / "boosted_gan.py")
    read_configs([f"{file}:attributes=1", f"{file}:quick,attributes=1"], {})


def test_what_a_config_leaves_out_has_no_weight(monkeypatch):
  monkeypatch.chdir(ROOT)
  kept = read_configs(["configs/boosted_gan_attributes.py:attributes=1"], {})
  (config,) = kept.values()
  assert config.loss_weights.discriminator.attributes == 1.0
  with pytest.raises(UserError, match="segmentation=1: this config leaves"):
    read_configs(["configs/boosted_gan_attributes.py:segmentation=1"], {})
