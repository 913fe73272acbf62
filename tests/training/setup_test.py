"""What a training needs is missed before its first step, with a way out."""

import pytest

from configs import spl
from sginpaint.errors import UserError
from sginpaint.training import setup


@pytest.mark.parametrize("mode", ["precomputed", "online"])
@pytest.mark.parametrize("path", ["", "/nowhere"])
def test_missing_teacher_tells_what_to_fetch_or_train(tmp_path, mode, path):
  config = spl.get_config("quick")
  config.teacher.path, config.teacher.mode = path, mode
  with pytest.raises(UserError) as error:
    setup.open_teacher(config, None, str(tmp_path))
  message = str(error.value)
  assert message.startswith("config.teacher.path")
  for part in (
    "configs/classifier.py",
    "MS_COCO_TRresNet_L_448_86.6.pth from github.com/Alibaba-MIIL/ASL",
    "python -m sginpaint convert --model tresnet_l",
  ):
    assert part in message


def test_teacher_that_the_workdir_holds_is_not_missed(tmp_path):
  config = spl.get_config("quick")
  config.teacher.path, config.teacher.mode = "/moved/away", "online"
  (tmp_path / "frozen" / "teacher").mkdir(parents=True)
  assert setup.open_teacher(config, None, str(tmp_path)) is None
