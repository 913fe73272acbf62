"""From `--config=FILE[:ARG]` and overrides to a locked config."""

import pytest

from sginpaint.cli.config_files import parse_config
from sginpaint.errors import UserError


def test_argument_and_overrides_reach_the_config():
  config = parse_config("configs/spl.py:quick", {"steps": "7"})
  assert (config.system, config.data.image_size, config.steps) == ("spl", 64, 7)
  with pytest.raises(AttributeError):
    config.no_such_field = 1


@pytest.mark.parametrize(
  ("text", "name", "message"),
  [
    (None, "", "is missing"),
    (None, "no.py", "no.py: no such file; configs/ has basic_net.py"),
    (None, "configs/spl.py:quik", "config argument 'quik' is not known"),
    (None, "configs/spl.py:data=x", "no data recipe configs/data/x.py"),
    ("a = 1", "own.py", "has no get_config"),
    ("def get_config(:", "own.py", "cannot be read"),
    ("import no_such_module", "own.py", "cannot be read"),
  ],
)
def test_what_cannot_be_a_config_is_one_line(tmp_path, text, name, message):
  if text is not None:
    (tmp_path / name).write_text(text)
    name = str(tmp_path / name)
  with pytest.raises(UserError, match="^--config=") as error:
    parse_config(name, {})
  assert message in str(error.value)
  assert "\n" not in str(error.value)
