import json
import pathlib
import subprocess
import sys

import pytest

from configs import sge_net
from sginpaint import workdirs
from sginpaint.errors import UserError


def write(workdir: pathlib.Path, fields: dict) -> str:
  (workdir / "config.json").write_text(json.dumps(fields))
  return str(workdir)


def test_what_was_saved_is_read(tmp_path):
  config = sge_net.get_config("quick")
  config.eval.feature_network = "random:3"
  workdirs.save_config(str(tmp_path), config)
  found = workdirs.load_config(str(tmp_path))
  assert workdirs.plain_config(found) == workdirs.plain_config(config)


def test_a_config_of_before_a_field_means_what_it_meant(tmp_path):
  fields = workdirs.plain_config(sge_net.get_config())
  del fields["eval"]["lpips_network"], fields["optimizer"]["generator"]["name"]
  found = workdirs.load_config(write(tmp_path, fields))
  assert found.eval.lpips_network == "none"
  assert found.optimizer.generator.name == "adam"


@pytest.mark.parametrize("section", ["eval", "data", "system"])
def test_a_file_that_lacks_a_section_is_no_config(tmp_path, section):
  fields = workdirs.plain_config(sge_net.get_config())
  del fields[section]
  with pytest.raises(UserError, match=r"config\.json: not a config"):
    workdirs.load_config(write(tmp_path, fields))


def test_checkpoints_are_listed_newest_first(tmp_path):
  for name in ("9", "10", "10.corrupt", "tmp"):
    (tmp_path / "checkpoints" / name).mkdir(parents=True)
  assert workdirs.steps(str(tmp_path)) == [10, 9]
  assert workdirs.steps(str(tmp_path / "nowhere")) == []


needs_locks = pytest.mark.skipif(
  sys.platform == "win32", reason="Windows has no flock"
)


@needs_locks
def test_a_workdir_is_claimed_once_at_a_time(tmp_path):
  workdir = str(tmp_path / "new")
  with workdirs.claim(workdir):
    with (
      pytest.raises(UserError, match="another process trains there"),
      workdirs.claim(workdir),
    ):
      pass
    with workdirs.claim(str(tmp_path / "other")):
      pass
  with workdirs.claim(workdir):
    pass


_CLAIM = """
import sys, time
from sginpaint import workdirs
with workdirs.claim(sys.argv[1]):
  print("claimed", flush=True)
  time.sleep(600)
"""


@needs_locks
def test_the_claim_of_a_killed_process_is_void(tmp_path):
  command = [sys.executable, "-c", _CLAIM, str(tmp_path)]
  with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as other:
    try:
      assert other.stdout.readline() == "claimed\n"
      with (
        pytest.raises(UserError, match="another process"),
        workdirs.claim(str(tmp_path)),
      ):
        pass
    finally:
      other.kill()
  with workdirs.claim(str(tmp_path)):
    pass
