"""Scores by networks: names, caches, a whole evaluation, LPIPS by hand."""

import csv
import dataclasses
import json
import re

import flax.linen as nn
import jax.numpy as jnp
import numpy as np
import pytest

from sginpaint.backbones.lpips import LPIPS
from sginpaint.errors import UserError
from sginpaint.evaluation import evaluator, parts, perceptual_metrics
from sginpaint.evaluation.distributions import Moments, frechet_distance
from sginpaint.evaluation.features import Features
from sginpaint.evaluation.measures import Measure
from sginpaint.evaluation.perceptual_metrics import Observer, label, statement
from sginpaint.evaluation.protocols import PROTOCOLS
from sginpaint.evaluation.report_methods import Method
from sginpaint.evaluation.report_scores import bar_chart
from sginpaint.pretrained import Pretrained
from tests.evaluation.toy import SIZE, PlainSystem, load_toy, plain_split

COUNT = 7


class Means(nn.Module):
  """Features that are known by hand: mean of the picture, and its square."""

  def __call__(self, image):
    mean = image.mean((1, 2))
    features = jnp.concatenate([mean[:, :1], mean[:, :1] ** 2], -1)
    return {"map": image, "features": features}


def _network(name="inception_fid", official=True, module=None):
  return Pretrained(
    module=module or Means(),
    variables={},
    name=name,
    hash="f" * 64,
    official=official,
  )


@pytest.fixture
def seen(monkeypatch, tmp_path):
  """Networks by hand, and a fresh cache; counts the pictures looked at."""
  monkeypatch.setenv("SGINPAINT_CACHE", str(tmp_path / "cache"))
  counted = []
  monkeypatch.setattr(
    perceptual_metrics,
    "load_networks",
    lambda config: (_network(), _network("classifier", official=False)),
  )
  monkeypatch.setattr(parts, "load_networks", perceptual_metrics.load_networks)
  features = Observer.features

  def count(self, pictures):
    counted.extend(pictures)
    return features(self, pictures)

  monkeypatch.setattr(Observer, "features", count)
  return counted


class TestNames:
  @pytest.mark.parametrize(
    ("name", "official", "expected"),
    [
      ("inception_fid", True, "fid"),
      ("inception_fid", False, "fid-like(inception_fid)"),
      ("vgg16", True, "fid-like(vgg16)"),
      ("random:3", False, "fid-like(random:3)"),
    ],
  )
  def test_only_the_published_network_gives_fid(self, name, official, expected):
    assert label("fid", _network(name, official)) == expected

  def test_lpips_has_two_published_networks(self):
    for name in ("lpips_alex", "lpips_vgg"):
      assert label("lpips", _network(name)) == "lpips"
    assert label("lpips", _network("vgg16")) == "lpips-like(vgg16)"

  def test_columns_say_so(self):
    measures = Observer(_network(official=False, name="mine")).measures
    assert [m.label for m in measures] == [
      "FID-like(mine)", "KID-like(mine)", "U-IDS-like(mine)",
      "P-IDS-like(mine)",
    ]  # fmt: skip

  def test_few_pictures_are_stated(self):
    assert "2047 pictures, fewer than 2048" in statement(2047, 64)
    assert statement(2048, 2048) == ""
    assert statement(2048, 4096)


class TestLpipsLike:
  def test_is_the_angle_between_colours(self):
    network = _network(official=False, name="mine")
    a = np.zeros((2, 4, 4, 3), np.uint8)
    b = a.copy()
    # Of unit vectors only the direction counts: (-1, -1, -1) and (1, -1, -1).
    b[1, :, :2, 0] = 255
    found = Observer(lpips=network).distances(a, b)["lpips-like(mine)"]
    # Half of the pixels, each |u - v|^2 = (2 / sqrt 3)^2.
    np.testing.assert_allclose(found, [0.0, 0.5 * 4 / 3], rtol=1e-5)

  def test_lpips_itself_takes_pairs(self):
    class Pairs(LPIPS):
      def __call__(self, first, second):
        return jnp.abs(first - second).mean((1, 2, 3))

    observer = Observer(lpips=_network("lpips_alex", module=Pairs()))
    a, b = (np.full((1, 4, 4, 3), level, np.uint8) for level in (0, 51))
    assert observer.distances(a, b)["lpips"] == pytest.approx([0.4], rel=1e-5)


class TestEvaluation:
  def test_scores_are_those_of_the_features(self, seen):
    loaded = load_toy(PlainSystem(off=8), baselines=("mean_color",))
    evaluation = evaluator.run(loaded, plain_split(COUNT), progress=False)
    scores = evaluation.metrics["metrics"]["all"]
    ratios = np.array([row.ratio for row in evaluation.rows])
    level = (20 + 10 * np.arange(COUNT)) / 127.5 - 1
    filled = level + ratios * 8 / 127.5

    def moments(mean):
      return Moments.of(np.stack([mean, mean**2], -1))

    expected = frechet_distance(moments(level), moments(filled))
    assert scores["fid"] == pytest.approx(expected, rel=1e-3)
    assert scores["p_ids"] in np.arange(COUNT + 1) / COUNT
    baseline = evaluation.metrics["baselines"]["mean_color"]["all"]
    # One colour everywhere: the baseline is exact.
    assert baseline["fid"] == pytest.approx(0.0, abs=1e-9)
    assert baseline["u_ids"] == 0.5
    buckets = dict(evaluation.metrics["metrics"])
    del buckets["all"]
    assert all("fid" not in b and "lpips-like(classifier)" in b
               for b in buckets.values())  # fmt: skip

  def test_files_name_the_networks(self, seen, tmp_path):
    loaded = load_toy(PlainSystem(off=8))
    split = plain_split(COUNT)
    evaluator.evaluate(loaded, split, output_dir=tmp_path, progress=False)
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    networks = metrics["networks"]
    assert networks["features"]["name"] == "inception_fid"
    assert networks["lpips"] == {
      "name": "classifier", "hash": "f" * 64, "official": False,
    }  # fmt: skip
    assert f"{COUNT} pictures" in networks["features"]["statement"]
    with (tmp_path / "per_image.csv").open() as file:
      rows = list(csv.DictReader(file))
    mean = np.mean([float(row["lpips-like(classifier)"]) for row in rows])
    assert mean == pytest.approx(
      metrics["metrics"]["all"]["lpips-like(classifier)"], abs=1e-6
    )
    assert "fid" not in rows[0]
    report = (tmp_path / "report.html").read_text()
    assert networks["features"]["statement"] in report

  def test_truth_is_looked_at_once(self, seen):
    loaded = load_toy(PlainSystem(off=8))
    first = evaluator.run(loaded, plain_split(COUNT), progress=False)
    assert seen == ["system", "truth"] * 2
    seen.clear()
    again = evaluator.run(loaded, plain_split(COUNT), progress=False)
    assert seen == ["system"] * 2
    assert again.metrics["metrics"] == first.metrics["metrics"]
    seen.clear()
    evaluator.run(loaded, plain_split(COUNT - 1), progress=False)
    assert "truth" in seen

  def test_ragged_batches_equal_one_full_batch(self, seen):
    def scores(batch_size):
      loaded = load_toy(PlainSystem(off=8), batch_size=batch_size)
      metrics = evaluator.run(loaded, plain_split(COUNT), progress=False)
      return metrics.metrics["metrics"]["all"]

    # The root of a nearly singular covariance keeps half of the digits.
    assert scores(3) == pytest.approx(scores(7), rel=1e-4, abs=1e-6)

  def test_without_networks_nothing_is_added(self):
    evaluation = evaluator.run(
      load_toy(PlainSystem()), plain_split(COUNT), progress=False
    )
    assert "networks" not in evaluation.metrics
    measured = {m.name for m in PROTOCOLS["standard"].measures}
    assert set(evaluation.metrics["metrics"]["all"]) == {"count"} | measured

  def test_one_picture_has_no_set_scores(self, seen):
    metrics = evaluator.run(
      load_toy(PlainSystem()), plain_split(1), progress=False
    ).metrics
    assert "fid" not in metrics["metrics"]["all"]
    assert "lpips-like(classifier)" in metrics["metrics"]["all"]


class TestRefusals:
  @pytest.mark.parametrize("field", ["feature_network", "lpips_network"])
  def test_missing_network_names_field_and_mend(self, field):
    loaded = load_toy(PlainSystem(), **{field: "nowhere"})
    with pytest.raises(UserError, match=f"config.eval.{field}=nowhere"):
      evaluator.run(loaded, plain_split(2), progress=False)

  def test_network_without_features(self):
    class Pixels(nn.Module):
      def __call__(self, image):
        return {"segmentation_logits": image}

    observer = Observer(_network("segmenter", module=Pixels()))
    with pytest.raises(UserError, match="network=segmenter: has no features"):
      observer.features({"x": np.zeros((1, SIZE, SIZE, 3), np.uint8)})

  def test_scores_of_other_pictures(self):
    ones = np.ones((3, 2), np.float32)
    real = Features(np.arange(3), ones)
    fake = dataclasses.replace(real, index=np.arange(1, 4))
    with pytest.raises(ValueError, match="not of the same pictures"):
      Observer(_network()).set_scores(real, {"x": fake})


@pytest.mark.parametrize("values", [(-0.02, -0.01), (0.0, 0.0), (-0.3, 0.7)])
def test_charts_draw_zeros_and_negative_estimates(values):
  kid = Measure("kid", None, "KID", digits=5, per_set=True)
  methods = [
    Method(name, "#000", {"all": {"count": 3, "kid": value}}, ours=True)
    for name, value in zip("ab", values, strict=True)
  ]
  heights = [
    float(h)
    for h in re.findall(r'<rect .*? height="([\d.]+)"', bar_chart(methods, kid))
  ]
  assert len(heights) == 2
  assert (heights[0] < heights[1]) == (values[0] < values[1])
