"""What may be compared, and how it is named."""

import pytest

from sginpaint.cli import contestants
from sginpaint.cli.compare_runs import folders_of
from sginpaint.cli.contestants import parse
from sginpaint.errors import UserError
from sginpaint.evaluation.baselines import BASELINES


@pytest.fixture
def folders(tmp_path, monkeypatch):
  monkeypatch.chdir(tmp_path)
  for name in ("runs/spl", "old/spl", "runs/eval", "out"):
    (tmp_path / name).mkdir(parents=True)
  (tmp_path / "runs/spl/config.json").write_text("{}")
  (tmp_path / "old/spl/config.json").write_text("{}")
  (tmp_path / "runs/eval/metrics.json").write_text("{}")


def test_kinds_names_and_steps(folders):
  given = parse(
    ["runs/spl", "Late=runs/spl@best", "runs/spl@30", "out", "telea",
     "runs/eval"]
  )  # fmt: skip
  assert [(g.name, g.kind, g.path, g.step) for g in given] == [
    ("spl", "checkpoint", "runs/spl", None),
    ("Late", "checkpoint", "runs/spl", "best"),
    ("spl@30", "checkpoint", "runs/spl", 30),
    ("out", "pictures", "out", None),
    ("telea", "baseline", "telea", None),
    ("eval", "evaluation", "runs/eval", None),
  ]


def test_same_last_parts_are_told_apart(folders):
  names = [one.name for one in parse(["runs/spl", "old/spl"])]
  assert names == ["runs/spl", "old/spl"]


@pytest.mark.parametrize(
  ("words", "message"),
  [
    (["runs/spl"], "give 2 to 12"),
    (["runs/spl", "tela"], "tela: no such folder"),
    (["runs/spl", "runs/spl"], "is there twice"),
    (["runs/spl", "runs/spl@last"], "a number or best"),
    (["A=runs/spl", "A=out"], "A: is there twice; .*A=runs/spl B=out"),
  ],
)
def test_mistakes_are_named(folders, words, message):
  with pytest.raises(UserError, match=message):
    parse(words)


def test_no_two_share_a_folder():
  names = ["a b", "a_b", "A/b", "..", "telea"]
  folders = folders_of({name: name for name in names})
  assert list(folders) == ["a_b", "a_b-2", "A_b-3", "_", "telea"]
  assert list(folders.values()) == names


def test_all_baselines_are_known():
  assert tuple(BASELINES) == contestants.BASELINES
