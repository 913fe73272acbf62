"""The compare command on toys that train in a second, and what it refuses."""

import csv
import json
import re
import subprocess
import sys

import cv2
import pytest

from sginpaint.cli import compare, evaluate, train
from sginpaint.errors import UserError
from tests.cli.ladders import config_file


@pytest.fixture(scope="module")
def runs(known_toys, data, tmp_path_factory):
  """Two trainings of a toy."""
  root = tmp_path_factory.mktemp("runs")
  config = config_file(root / "toy.py", data)
  for seed in (0, 1):
    words = [f"--config={config}", f"--config.seed={seed}"]
    assert train.main([f"--workdir={root / str(seed)}", *words]) == 0
  return root


def _words(runs, output, *more):
  first, second = (f"{n}={runs / n}" for n in "01")
  return [first, second, *more, "--masks=center", f"--output={output}"]


@pytest.fixture(scope="module")
def compared(runs, tmp_path_factory):
  """All kinds, the folder of pictures being those of the input."""
  output = tmp_path_factory.mktemp("compared")
  asked = tmp_path_factory.mktemp("asked")
  assert compare.main(_words(runs, asked, "--export")) == 0
  words = ["telea", f"grey={asked / 'input'}", "masked", "--resamples=50"]
  assert compare.main(_words(runs, output, *words)) == 0
  return output


class TestCompare:
  def test_all_kinds_are_in_one_table(self, compared, capsys):
    found = json.loads((compared / "comparison.json").read_text())
    names = ["0", "1", "telea", "grey", "masked"]
    assert [method["name"] for method in found["methods"]] == names
    assert len(found["differences"]) == 10
    assert found["count"] == 4
    with (compared / "comparison.csv").open(newline="") as file:
      assert len(list(csv.DictReader(file))) == 4
    hashes = {m["provenance"]["manifest_hash"] for m in found["methods"]}
    assert hashes == {found["manifest_hash"]}
    # Exported holes are grey, which is what `masked` fills them with.
    grey, masked = (m["metrics"] for m in found["methods"][3:])
    assert grey == masked

  def test_same_command_evaluates_nothing_again(
    self, runs, compared, monkeypatch, tmp_path
  ):
    path = compared / "evaluations" / "0" / "metrics.json"
    before = path.stat().st_mtime_ns
    assert compare.main(_words(runs, compared, "--resamples=5")) == 0
    assert path.stat().st_mtime_ns == before

  def test_evaluations_alone_need_no_data(self, compared, tmp_path):
    folders = [str(compared / "evaluations" / n) for n in ("0", "telea")]
    words = [*folders, "--resamples=5", f"--output={tmp_path}"]
    assert compare.main(words) == 0
    found = json.loads((tmp_path / "comparison.json").read_text())
    assert [m["name"] for m in found["methods"]] == ["0", "telea"]

  def test_evaluation_under_other_holes_is_refused(
    self, runs, compared, tmp_path
  ):
    words = [
      str(runs / "1"),
      str(compared / "evaluations" / "0"),
      "--masks=rectangle",
      f"--output={tmp_path / 'none'}",
    ]
    with pytest.raises(UserError, match="0: manifest_hash is"):
      compare.main(words)
    assert not (tmp_path / "none").exists()

  def test_what_evaluate_found_is_taken(self, runs, compared, tmp_path):
    manifest = compared / "manifest.jsonl"
    words = [f"--workdir={runs / '0'}", f"--manifest={manifest}"]
    assert evaluate.main(words) == 0
    output = tmp_path / "new"
    words = _words(runs, output, "--resamples=5")[:2]
    words += [f"--manifest={manifest}", f"--output={output}"]
    assert compare.main([*words, "--resamples=5"]) == 0
    assert not (output / "evaluations" / "0").exists()
    assert (output / "evaluations" / "1").exists()
    # The center of a hole that a manifest names is drawn from the manifest.
    found = json.loads((output / "comparison.json").read_text())
    before = json.loads((compared / "comparison.json").read_text())
    assert found["manifest_hash"] == before["manifest_hash"]


class TestStudy:
  def test_from_page_to_preferences(self, runs, tmp_path, capsys):
    words = _words(runs, tmp_path, "telea", "--study", "--questions=6")
    assert compare.main(words) == 0
    text = (tmp_path / "study.html").read_text()
    assert "telea" not in text
    study = json.loads(re.search(r'id="study">(.*?)</script>', text)[1])
    assert len(study["questions"]) == 6
    answers = [q | {"choice": "left"} for q in study["questions"]]
    told = {"study": study["study"], "rater": "x", "answers": answers}
    (tmp_path / "x.json").write_text(json.dumps(told))
    capsys.readouterr()
    words = ["--tally", str(tmp_path / "x.json"), f"--output={tmp_path}"]
    assert compare.main(words) == 0
    assert "6 answers of 1 people" in capsys.readouterr().out
    found = json.loads((tmp_path / "preferences.json").read_text())
    assert found["share_left"] == 1.0
    assert sum(p["wins"] + p["losses"] for p in found["strata"]["all"]) == 6


class TestRefusals:
  @pytest.mark.parametrize(
    ("more", "message"),
    [
      (["--masks=nowhere"], "--masks=nowhere: no such folder"),
      (["--resamples=0"], "--resamples=0"),
      (["--seed=-1"], "--seed=-1: give at least 0"),
      (["--config.eval.sed=1"], "did you mean --config.eval.seed?"),
      (["nothing"], "nothing: no such folder"),
      (["--tally", "x.json"], "--tally: takes answers only"),
    ],
  )
  def test_flags_are_named(self, runs, tmp_path, more, message):
    output = tmp_path / "none"
    words = [str(runs / "0"), "telea", f"--output={output}", *more]
    with pytest.raises(UserError) as error:
      compare.main(words)
    assert message in str(error.value)
    assert not output.exists()

  def test_output_that_cannot_be_made_is_named_at_once(self, runs, tmp_path):
    (tmp_path / "file").touch()
    words = [str(runs / "0"), "telea", f"--output={tmp_path / 'file' / 'x'}"]
    with pytest.raises(UserError, match="file is a file; choose another"):
      compare.main(words)

  def test_baselines_alone_do_not_say_the_data(self, tmp_path):
    with pytest.raises(UserError, match="--config: no workdir"):
      compare.main(["telea", "masked", f"--output={tmp_path / 'none'}"])

  def test_other_sizes_are_refused_until_one_is_chosen(self, runs, tmp_path):
    other = tmp_path / "big"
    other.mkdir()
    config = json.loads((runs / "0" / "config.json").read_text())
    config["data"]["image_size"] = 64
    (other / "config.json").write_text(json.dumps(config))
    with pytest.raises(UserError, match="was trained at 64 px, but 32"):
      compare.main([str(runs / "0"), str(other)])

  def test_folder_of_another_size_writes_nothing(self, runs, tmp_path):
    asked, output = tmp_path / "asked", tmp_path / "none"
    assert compare.main(_words(runs, asked, "--export")) == 0
    file = next((asked / "input").rglob("*.png"))
    cv2.imwrite(str(file), cv2.resize(cv2.imread(str(file)), (16, 16)))
    words = _words(runs, output, f"theirs={asked / 'input'}")
    with pytest.raises(UserError, match="1 of 4 pictures are not 32x32"):
      compare.main(words)
    assert not output.exists()

  def test_mistakes_do_not_wait_for_jax(self, runs):
    program = (
      "import sys; from sginpaint.cli import compare\n"
      "try: compare.main(sys.argv[1:])\n"
      "except Exception as e: print(type(e).__name__, 'jax' in sys.modules)"
    )
    argv = [str(runs / "0"), "telea", "--config.eval.sed=1"]
    done = subprocess.run(
      [sys.executable, "-c", program, *argv], capture_output=True, text=True
    )
    assert done.stdout.split() == ["UserError", "False"], done.stderr
