"""A comparison of toys: its numbers, stored evaluations, its page."""

import dataclasses
import json

import numpy as np
import pytest

from sginpaint.errors import UserError
from sginpaint.evaluation import evaluator, stored
from sginpaint.evaluation.comparison import (
  Contestant,
  by_quality,
  compare,
  most_different,
)
from sginpaint.evaluation.contestants import Entrant
from sginpaint.evaluation.report_compare import chosen_pictures, write_page
from tests.evaluation.arena import COUNT
from tests.evaluation.report_test import Checker


class TestDifferences:
  def test_known_error_gives_the_known_difference(self, scored):
    found = compare(scored, resamples=200)
    expected = 20 * np.log10(8 / 5)
    difference = found.differences[0, 1]["all"]["hole_psnr"]
    assert difference.mean == pytest.approx(expected, abs=1e-3)
    assert (difference.low, difference.high) == pytest.approx(
      (expected, expected), abs=1e-3
    )
    assert difference.positive == difference.pictures == 1.0
    # An error is lower where the fill is better.
    assert found.differences[0, 1]["all"]["hole_mae"].positive == 0.0
    assert found.differences[0, 1]["classes 1-2"]["hole_psnr"].count == COUNT

  def test_a_method_is_not_told_apart_from_itself(self, scored):
    twin = dataclasses.replace(scored[0], name="twin")
    found = compare([scored[0], twin], resamples=200)
    for bucket in found.differences[0, 1].values():
      for difference in bucket.values():
        assert difference.low <= 0 <= difference.high

  def test_files_hold_every_pair_and_picture(self, scored):
    third = dataclasses.replace(scored[0], name="third")
    found = compare([*scored, third], resamples=20)
    pairs = found.to_json()["differences"]
    assert [(p["of"], p["minus"]) for p in pairs] == [
      ("five", "eight"), ("third", "eight"), ("third", "five"),
    ]  # fmt: skip
    lines = found.to_csv().splitlines()
    assert len(lines) == COUNT + 1
    assert "five: hole_psnr" in lines[0]

  def test_order_of_pictures_by_hand(self, scored):
    levels = [[10, 20, np.nan, 40], [12, 15, 30, 41]]
    made = []
    for contestant, values in zip(scored, levels, strict=True):
      rows = [
        dataclasses.replace(row, scores={"system": {"hole_psnr": v}})
        for row, v in zip(contestant.rows, values, strict=False)
      ]
      changed = dataclasses.replace(contestant.stored, rows=rows)
      made.append(dataclasses.replace(contestant, stored=changed))
    found = compare(made, resamples=5)
    assert most_different(found) == [1, 0, 3]
    assert by_quality(found) == [3, 1, 0]


def _measured_by(contestant, **hashes):
  """Says that networks with these hashes measured it."""
  networks = {what: {"hash": sha} for what, sha in hashes.items()}
  metrics = contestant.metrics | {"networks": networks}
  kept = dataclasses.replace(contestant.stored, metrics=metrics)
  return dataclasses.replace(contestant, stored=kept)


class TestStored:
  def test_scores_of_two_networks_do_not_mix(self, scored):
    eight, five = scored
    some = [eight, _measured_by(eight, lpips="a"), _measured_by(five, fid="b")]
    found = compare(some, resamples=5).to_json()
    told = [method["judges"] for method in found["methods"]]
    assert told == [{}, {"lpips": "a"}, {"fid": "b"}]
    with pytest.raises(UserError, match="five: network of lpips is c, but a"):
      compare([*some[:2], _measured_by(five, lpips="c")])

  def test_measured_by_another_network_is_measured_again(self, tmp_path):
    metrics = {"networks": {"lpips": {"hash": "a"}}}
    metrics |= {"analyses": {"retrieval": {"hash": "b"}, "calibration": {}}}
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "metrics.json").write_text(json.dumps(metrics))
    (tmp_path / "one" / "per_image.csv").touch()
    for judges, there in (({"a", "b"}, True), (set(), True), ({"c"}, False)):
      wanted = {"measures": set(), "judges": judges}
      assert (stored.find([tmp_path], wanted) is not None) == there

  def test_what_was_evaluated_is_not_again(
    self, arena, toys, scored, monkeypatch
  ):
    monkeypatch.setattr(evaluator, "evaluate", None)
    assert arena.score(toys[1]).rows == scored[1].rows
    other = Entrant("other", "other", arena.toy("x", 6.0).loaded)
    with pytest.raises(TypeError):
      arena.score(other)

  @pytest.mark.parametrize("what", ["protocol", "manifest_hash"])
  def test_other_ways_of_evaluating_do_not_mix(self, scored, what):
    first, second = scored
    metrics = dict(second.metrics)
    if what == "protocol":
      metrics["protocol"] = "spl"
    else:
      metrics["provenance"] = metrics["provenance"] | {what: "other"}
    changed = dataclasses.replace(second.stored, metrics=metrics)
    with pytest.raises(UserError, match=f"five: {what} is "):
      compare([first, dataclasses.replace(second, stored=changed)])

  def test_damage_is_named(self, arena, scored, tmp_path):
    with pytest.raises(UserError, match="holds no evaluation"):
      stored.read(tmp_path)
    whole = arena.root / "evaluations" / "five"
    (tmp_path / "metrics.json").write_bytes(
      (whole / "metrics.json").read_bytes()
    )
    with pytest.raises(UserError, match="evaluate again"):
      stored.read(tmp_path)
    lines = (whole / "per_image.csv").read_text().splitlines(keepends=True)
    (tmp_path / "per_image.csv").write_text("".join(lines[:-1]))
    with pytest.raises(UserError, match="has 6 pictures, but metrics.json is"):
      stored.read(tmp_path)
    for text in ("[]", '{"protocol": "standard"}'):
      (tmp_path / "metrics.json").write_text(text)
      with pytest.raises(UserError, match="holds no evaluation"):
        stored.read(tmp_path)


class TestPage:
  def test_is_whole_and_loads_nothing(self, arena, toys, scored, tmp_path):
    third = dataclasses.replace(scored[0], name="no <pictures>")
    comparison = compare([*scored, third], resamples=50)
    chosen = chosen_pictures(comparison, arena.manifest)
    panels = {toy.name: arena.show(toy) for toy in toys}
    write_page(
      tmp_path / "r.html", comparison, chosen, panels=panels, curves={}
    )
    text = (tmp_path / "r.html").read_text()
    checker = Checker()
    checker.feed(text)
    assert not checker.open
    assert all(s.startswith("data:image/") for s in checker.sources)
    assert "http" not in text
    assert "no &lt;pictures&gt;" in text
    assert "not told apart" in text
    # Five is better than eight; the other way round among all pairs.
    assert '<span class="up">+4.08</span>' in text
    assert '<span class="down">&minus;4.08</span>' in text
    # All seven differ, all seven are blind, three are best, three worst.
    assert checker.classes.count("strip") == 7 + 7 + 3 + 3
    assert checker.classes.count("viewer") == 1

  def test_without_pictures_the_tables_stand(self, scored, tmp_path):
    only = [Contestant(c.name, c.source, c.stored) for c in scored]
    comparison = compare(only, resamples=20)
    write_page(tmp_path / "r.html", comparison, {}, panels={}, curves={})
    assert "Differences to eight" in (tmp_path / "r.html").read_text()
