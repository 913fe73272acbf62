"""Retrieval: a case known by hand, ground truths, whole evaluations."""

import dataclasses
import itertools

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sginpaint.backbones.vgg import VGG
from sginpaint.data.builders.synthetic_scenes.builder import prepare
from sginpaint.data.datasets import load_dataset
from sginpaint.errors import UserError
from sginpaint.evaluation import evaluator, retrieval_review
from sginpaint.evaluation.report import write_report
from sginpaint.evaluation.retrieval import (
  average_precisions,
  normalised,
  relevant_numbers,
)
from sginpaint.pretrained import Pretrained
from tests.evaluation.toy import PlainSystem, load_toy, plain_split

SCENES = 24
NAME = "retrieval_map-like(random:0)"


class TestAveragePrecision:
  # On a line; picture 0 is the query, nearest are 1, 2, 3, 4 in this order.
  GALLERY = np.array([[0.0], [1.0], [2.0], [3.0], [4.0]], np.float32)

  def _of(self, place, relevant=2):
    found = average_precisions(
      self.GALLERY[:1],
      {"x": np.array([[place]], np.float32)},
      self.GALLERY,
      own=np.array([0]),
      relevant=np.array([relevant]),
    )
    return found["x"][0]

  def test_by_hand(self):
    # Relevant are 1 and 2. From 2.9 the order is 3, 2, 4, 1.
    assert self._of(2.9) == pytest.approx((1 / 2 + 2 / 4) / 2)
    # From 10 it is 4, 3, 2, 1.
    assert self._of(10.0) == pytest.approx((1 / 3 + 2 / 4) / 2)
    # From 1.6: 2, 1, 3, 4. All relevant ones come first.
    assert self._of(1.6) == 1.0

  def test_clean_before_damaged_before_masked(self):
    rng = np.random.default_rng(0)
    gallery = normalised(rng.normal(size=(40, 8)))
    noise = rng.normal(size=gallery.shape).astype(np.float32)
    filled = {
      name: normalised(gallery + share * noise)
      for name, share in (("clean", 0.0), ("damaged", 0.1), ("masked", 2.0))
    }
    found = average_precisions(
      gallery,
      filled,
      gallery,
      own=np.arange(40),
      relevant=np.full(40, 10),
    )
    means = {name: values.mean() for name, values in found.items()}
    assert means["clean"] == 1.0
    assert 1.0 > means["damaged"] > means["masked"] > 0.0

  def test_equals_a_loop_in_blocks_of_any_size(self, monkeypatch):
    rng = np.random.default_rng(1)
    clean, filled = normalised(rng.normal(size=(2 * 12, 5))).reshape(2, 12, 5)
    relevant = rng.integers(0, 6, 12)
    expected = []
    for q in range(12):
      others = [i for i in range(12) if i != q]
      near = [
        sorted(others, key=lambda i: ((x - clean[i]) ** 2).sum())  # noqa: B023
        for x in (clean[q], filled[q])
      ]
      ranks = sorted(near[1].index(i) + 1 for i in near[0][: relevant[q]])
      precisions = [(n + 1) / rank for n, rank in enumerate(ranks)]
      expected.append(np.mean(precisions) if precisions else np.nan)
    for block in (2**23, 30, 1):
      monkeypatch.setattr("sginpaint.evaluation.retrieval._BLOCK", block)
      found = average_precisions(
        clean, {"x": filled}, clean, own=np.arange(12), relevant=relevant
      )
      np.testing.assert_allclose(found["x"], expected)


class TestGroundTruth:
  def test_ten_without_groups_or_all_there_are(self):
    assert relevant_numbers(["a"] * 30, "none").tolist() == [10] * 30
    assert relevant_numbers(["a", "b", "c"], "none").tolist() == [2] * 3

  def test_folders_are_groups(self):
    ids = ["cat/1", "cat/2", "dog/1", "cat/3"]
    assert relevant_numbers(ids, "folder").tolist() == [2, 2, 0, 2]
    with pytest.raises(UserError, match="folder: the pictures lie in no sub"):
      relevant_numbers(["1", "2"], "folder")

  def test_file_names_groups_and_queries(self, tmp_path, caplog):
    path = tmp_path / "groups.csv"
    path.write_text(
      "picture,group,query\nx/a,oriel,1\nb.jpg,oriel,0\nc,oriel,\n"
      "d,,1\nelsewhere,oriel,1\n"
    )
    found = relevant_numbers(["x/a", "x/b", "c", "d", "e"], str(path))
    assert found.tolist() == [2, 0, 2, 0, 0]
    assert "1 lines name no picture" in caplog.text

  @pytest.mark.parametrize(
    ("text", "message"),
    [
      (None, "no such file"),
      ("a,oriel\n", "the first line must name picture and group"),
      ("picture,group,query\na,oriel,x\n", "line 2: query is 'x'"),
      ("picture,group\nz,oriel\n", "names no query"),
    ],
  )
  def test_mistakes_name_the_file(self, tmp_path, text, message):
    path = tmp_path / "groups.csv"
    if text is not None:
      path.write_text(text)
    with pytest.raises(UserError, match=message) as caught:
      relevant_numbers(["a", "b"], str(path))
    assert str(path) in str(caught.value)


def _evaluate(split, size=32, system=None, **fields):
  loaded = load_toy(
    system or PlainSystem(), **{"retrieval_network": "random:0", **fields}
  )
  loaded.config.data.image_size = size
  return evaluator.run(loaded, split, progress=False)


@pytest.fixture(name="split", scope="module")
def _split(tmp_path_factory):
  path = str(tmp_path_factory.mktemp("scenes"))
  examples = {"train": 1, "validation": 1, "test": SCENES}
  prepare(path, 32, examples=examples, progress=False)
  return load_dataset(name="synthetic_scenes", path=path, image_size=32).split(
    "test"
  )


@pytest.fixture(name="found", scope="module")
def _found(split, tmp_path_factory):
  with pytest.MonkeyPatch.context() as patch:
    cache = tmp_path_factory.mktemp("cache")
    patch.setenv("SGINPAINT_CACHE", str(cache))
    fields = {"baselines": ("mean_color", "telea"), "masks": "center"}
    first = _evaluate(split, **fields)
    # A second time the gallery is read, and a part is scored as in the whole.
    patch.setattr(retrieval_review.RetrievalReviewer, "_looked_at", _not_again)
    return first, _evaluate(split, **fields, count=6)


class TestEmbeddedSet:
  def test_masked_is_the_lowest_row(self, found):
    section = found[0].metrics["analyses"]["retrieval"]
    methods = section["methods"]
    assert list(methods) == ["system", "mean_color", "telea", "masked"]
    assert methods["masked"] < methods["mean_color"] < 1.0
    assert methods["masked"] < methods["telea"] < 1.0
    assert section["network"]["layer"] == "fc7"
    assert section["network"]["official"] is False
    assert (section["queries"], section["relevant"]) == (SCENES, 10.0)

  def test_scores_are_columns_of_every_method(self, found):
    metrics = found[0].metrics
    mean = np.mean([row.scores["system"][NAME] for row in found[0].rows])
    assert metrics["metrics"]["all"][NAME] == pytest.approx(mean)
    for method, buckets in metrics["baselines"].items():
      expected = metrics["analyses"]["retrieval"]["methods"][method]
      assert buckets["all"][NAME] == pytest.approx(expected)

  def test_part_of_the_pictures_searches_all_of_them(self, found):
    whole = {row.index: row.scores for row in found[0].rows}
    for row in found[1].rows:
      for method, scores in row.scores.items():
        expected = whole[row.index][method][NAME]
        assert scores[NAME] == pytest.approx(expected)

  def test_report_names_network_and_layer(self, found, tmp_path):
    write_report(tmp_path / "report.html", evaluations=[found[0]])
    text = (tmp_path / "report.html").read_text()
    assert "What the filled picture finds" in text
    assert "Network: random:0" in text
    assert "layer fc7" in text


def _not_again(self):
  raise AssertionError("the gallery was looked at again")


class _Colour(nn.Module):
  """Features [B, 2] that tell grey levels apart, on a circle."""

  def __call__(self, image):
    angle = image.mean((1, 2, 3)) * 1.5
    return {"features": nn.tanh(angle)[:, None] * np.ones(2) + np.eye(2)[0]}


class TestWhole:
  @pytest.fixture(autouse=True)
  def _network(self, monkeypatch, tmp_path):
    monkeypatch.setenv("SGINPAINT_CACHE", str(tmp_path))
    network = Pretrained(_Colour(), {}, "mine", "f" * 64, official=False)
    monkeypatch.setattr(
      retrieval_review, "load_network", lambda *_, **__: network
    )

  def test_perfect_fill_finds_what_the_truth_finds(self):
    found = _evaluate(plain_split(13), size=16, batch_size=3)
    methods = found.metrics["analyses"]["retrieval"]["methods"]
    assert methods["system"] == 1.0
    assert methods["masked"] < 1.0

  def test_pictures_that_are_no_queries_are_left_out(self, tmp_path):
    path = tmp_path / "groups.csv"
    lines = [f"plain_{i},{'a' if i < 4 else ''}" for i in range(8)]
    path.write_text("\n".join(["picture,group", *lines]))
    found = _evaluate(
      plain_split(8), size=16, system=PlainSystem(off=60),
      retrieval_groups=str(path),
    )  # fmt: skip
    name = "retrieval_map-like(mine)"
    scores = [row.scores["system"][name] for row in found.rows]
    assert np.isnan(scores[4:]).all()
    section = found.metrics["analyses"]["retrieval"]
    assert (section["queries"], section["relevant"]) == (4, 3.0)
    mean = found.metrics["metrics"]["all"][name]
    assert mean == pytest.approx(np.mean(scores[:4]))


class TestNetworks:
  def test_missing_network_names_field_and_mend(self):
    with pytest.raises(UserError, match="retrieval_network=nowhere.*vgg16"):
      _evaluate(plain_split(2), retrieval_network="nowhere")

  def test_network_without_a_vector_is_refused(self, monkeypatch):
    trunk = VGG(layers=(1,), widths=(2,))
    variables = trunk.init(jax.random.key(0), jnp.zeros((1, 16, 16, 3)))
    network = Pretrained(trunk, variables, "vgg16", "f" * 64, official=True)
    monkeypatch.setattr(
      retrieval_review, "load_network", lambda *_, **__: network
    )
    with pytest.raises(UserError, match="vgg16 with its fully connected"):
      _evaluate(plain_split(2), retrieval_network="trunk")

  def test_only_the_published_network_gives_the_usual_name(self):
    network = Pretrained(_Colour(), {}, "vgg16", "f" * 64, official=True)
    names = []
    for official, name in itertools.product((True, False), ("vgg16", "mine")):
      changed = dataclasses.replace(network, official=official, name=name)
      config = load_toy(PlainSystem()).config
      reviewer = retrieval_review.RetrievalReviewer(
        changed, "features", split=plain_split(3), config=config
      )
      names += [m.name for m in reviewer.measures]
    assert names[0] == "retrieval_map"
    assert all(n.startswith("retrieval_map-like(") for n in names[1:])
