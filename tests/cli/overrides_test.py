"""Overrides on the command line, right and mistyped."""

import json

import pytest
from ml_collections import ConfigDict

from configs import spl
from configs.common import get_config
from sginpaint.cli.overrides import apply_overrides, split_overrides
from sginpaint.errors import UserError


def _config(*, from_json: bool) -> ConfigDict:
  config = get_config()
  return ConfigDict(json.loads(config.to_json())) if from_json else config


def _get(config, field):
  for part in field.split("."):
    config = config[part]
  return list(config) if isinstance(config, list | tuple) else config


class TestApplyOverrides:
  @pytest.mark.parametrize("from_json", [False, True])
  @pytest.mark.parametrize(
    ("field", "text", "value"),
    [
      ("eval.seed", "12", 12),
      ("eval.white_is_hole", "False", False),
      ("data.path", "/a=b", "/a=b"),
      ("optimizer.generator.b1", "0.5", 0.5),
      ("eval.irregular_ratio", "(0.2, 0.4)", [0.2, 0.4]),
      ("eval.baselines", "telea,mean_color", ["telea", "mean_color"]),
      ("eval.baselines", "", []),
      ("data.flip", "0", False),
    ],
  )
  def test_value_takes_the_type_of_its_field(
    self, from_json, field, text, value
  ):
    config = _config(from_json=from_json)
    apply_overrides(config, {field: text})
    assert _get(config, field) == value

  @pytest.mark.parametrize("from_json", [False, True])
  @pytest.mark.parametrize(
    ("field", "text", "value"),
    [
      ("optimizer.boundaries", "100,200", [100, 200]),
      ("optimizer.boundaries", "(750_000,)", [750_000]),
      ("optimizer.boundaries", "1e3, 2", [1000.0, 2.0]),
      ("optimizer.boundaries", "", []),
      ("data.attributes", "day,7", ["day", "7"]),
      ("optimizer.frozen", "generator/learner", ["generator/learner"]),
    ],
  )
  def test_empty_field_takes_numbers_or_text(
    self, from_json, field, text, value
  ):
    config = _config(from_json=from_json)
    apply_overrides(config, {field: text})
    result = _get(config, field)
    assert result == value
    assert list(map(type, result)) == list(map(type, value))

  def test_weight_of_a_loss_stays_a_float(self):
    config = spl.get_config("quick")
    apply_overrides(config, {"loss_weights.generator.prior": "2"})
    weight = config.loss_weights.generator.prior
    assert (weight, type(weight)) == (2.0, float)

  @pytest.mark.parametrize("from_json", [False, True])
  def test_lists_get_longer_and_shorter(self, from_json):
    config = spl.get_config("quick")
    if from_json:
      config = ConfigDict(json.loads(config.to_json()))
    for text, value in (("8,16", [8, 16]), ("1,2,3,4", [1, 2, 3, 4])):
      apply_overrides(config, {"model.discriminator.widths": text})
      assert _get(config, "model.discriminator.widths") == value
    apply_overrides(config, {"optimizer.boundaries": "5,7"})
    assert _get(config, "optimizer.boundaries") == [5, 7]
    apply_overrides(config, {"optimizer.boundaries": ""})
    assert _get(config, "optimizer.boundaries") == []

  def test_lists_of_lists_are_left_to_config_files(self):
    config = ConfigDict({"weights": [[0, 1.0], [10, 2.0]]})
    with pytest.raises(UserError, match="set it in a config file"):
      apply_overrides(config, {"weights": "[[0, 1], [10, 2]]"})

  @pytest.mark.parametrize(
    ("field", "text", "message"),
    [
      ("eval.sed", "1", "did you mean --config.eval.seed?"),
      ("data.baselines", "x", "did you mean --config.eval.baselines?"),
      ("eval.seed", "many", "write a whole number"),
      ("eval.seed", "1.5", "write a whole number"),
      ("eval.white_is_hole", "maybe", "write true or false"),
      ("eval.irregular_ratio", "0.2", "write 2 numbers"),
      ("eval.irregular_ratio", "low,high", "write a number"),
      ("seed", "1", "only config.eval and config.data can change here"),
      ("optimizer.generator.b1", "0", "was fixed by the training"),
      ("eval", "1", "no such field"),
      ("xyzzy", "1", "no such field"),
    ],
  )
  def test_mistyped_is_one_line_with_the_mend(self, field, text, message):
    config = _config(from_json=True)
    before = config.to_json()
    with pytest.raises(UserError) as error:
      apply_overrides(config, {field: text}, sections=("eval", "data"))
    assert message in str(error.value)
    assert f"--config.{field}" in str(error.value)
    assert "\n" not in str(error.value)
    assert config.to_json() == before


class TestSplitOverrides:
  def test_both_spellings(self):
    rest, overrides = split_overrides(
      ["--workdir=w", "--config.a.b=c=d", "--config.e", "f", "--step", "3"]
    )
    assert rest == ["--workdir=w", "--step", "3"]
    assert overrides == {"a.b": "c=d", "e": "f"}

  @pytest.mark.parametrize("argv", [["--config.e"], ["--config.e", "--step"]])
  def test_missing_value(self, argv):
    with pytest.raises(UserError, match="a value is missing"):
      split_overrides(argv)
