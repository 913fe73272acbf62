"""The editor in the browser: paint a hole, repaint the map, see the picture.

python -m sginpaint demo --checkpoint=runs/espa_stage3

Load a picture, paint what is to be filled, press Fill; then paint classes over
the map of what the system saw and press Render. Systems that follow no map fill
only. Pictures are kept in memory only, until nobody has asked for them for an
hour. Only this machine can reach the page unless --host says otherwise:
--host=0.0.0.0 lets in everybody who can reach the machine by its address,
--host=NAME by that name.
"""

import argparse

import numpy as np

from sginpaint.cli.parser import Parser, add_checkpoint_flags
from sginpaint.cli.paths import check_checkpoint


def main(argv: list[str]) -> int:
  """Runs `demo --checkpoint=DIR [--host=H] [--port=P]` until Ctrl-C.

  Raises:
    UserError: a flag needs mending, or the port is taken.
  """
  args = _parse(argv)
  check_checkpoint(args.checkpoint)
  from sginpaint.cli.demo import serving

  # A port that is taken should not wait for JAX and the checkpoint.
  with serving.listen(args.host, args.port) as listening:
    from sginpaint import inference
    from sginpaint.cli import devices
    from sginpaint.cli.demo import server
    from sginpaint.editing import Editor

    devices.initialise()
    inpainter = inference.load(
      args.checkpoint, step=args.step, weights=args.weights
    )
    editor = Editor(inpainter)
    _warm_up(editor, inpainter.size)
    app = server.create_app(
      editor, name=inpainter.config.system, host=args.host
    )
    serving.serve(app, listening, serving.announcement(listening, args.host))
  return 0


def _parse(argv: list[str]) -> argparse.Namespace:
  parser = Parser("demo", __doc__)
  add = parser.add_argument
  add_checkpoint_flags(parser)
  add(
    "--host",
    default="127.0.0.1",
    metavar="NAME",
    help="name or address to serve at; default: this machine",
  )
  add(
    "--port",
    type=int,
    default=8000,
    metavar="N",
    help="to serve at, 0 = any that is free; default: 8000",
  )
  return parser.parse_args(argv)


def _warm_up(editor, size: int) -> None:
  """Compiles, so that nobody waits for it, and finds a useless checkpoint."""
  image = np.zeros((size, size, 3), np.uint8)
  mask = np.zeros((size, size), bool)
  mask[size // 4 : size // 2, size // 4 : size // 2] = True
  nothing = np.full(mask.shape, 255, np.uint8) if editor.editable else None
  editor.begin(image, mask).render(nothing)
