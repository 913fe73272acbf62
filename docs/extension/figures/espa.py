"""ESPA's figure: a coarse result, its label map, and the picture of that."""

from docs.extension.drawing import Arrow, Box, draw
from docs.extension.tracing import describe, players


def svg() -> str:
  """The figure."""
  net, judge = players(
    describe("configs/espa_stage3.py:data=celeba_hq", classes=19)
  )
  segmenter, _ = players(
    describe("configs/segmenter.py:data=celeba_hq", classes=19)
  )
  a = "autoencoder/"
  dilated = [f"{a}dilated_{i}" for i in range(4)]
  boxes = {
    "picture": Box(
      0, 0, "picture, hole, ones", (net.into(f"{a}encoder"),), "data", 146
    ),
    "encoder": Box(
      1, 0, "encoder", (f"to {net.out(f'{a}encoder')}", net.size(f"{a}encoder"))
    ),
    "dilated": Box(
      2.05, 0, "4 dilated layers", ("rates 2, 4, 8, 16", net.size(*dilated))
    ),
    "attention": Box(
      2.05, 1.15, "spatial attention",
      ("of rows and columns", net.size(f"{a}attention", f"{a}context")),
      width=150,
    ),
    "fuse": Box(
      3.1, 0, "fusion, decoder",
      ("7 convolutions", net.size(f"{a}fuse", f"{a}decoder", f"{a}output")),
    ),
    "coarse": Box(4.1, 0, "coarse result", (net.out("", 0),), "data", 124),
    "segmenter": Box(
      0.05, 2.6, "segmenter, frozen",
      ("BiSeNet", segmenter.size()), "guidance", 150,
    ),
    "map": Box(
      1.25, 2.6, "label map",
      ("predicted or repainted", f"as {net.into('decoder', 1)}"),
      "guidance", 158,
    ),
    "semantic": Box(
      2.9, 2.6, "semantic decoder",
      ("4 SPADE blocks, spectral norms", net.size("decoder")), width=224,
    ),
    "final": Box(4.1, 2.6, "prediction", (net.out("decoder"),), "data", 124),
    "judge": Box(
      4.1, 3.8, "PatchGAN", (judge.out("patch", 0), judge.size()), "training",
      124,
    ),
  }  # fmt: skip
  arrows = (
    Arrow("picture.right", "encoder.left"),
    Arrow("encoder.right", "dilated.left"),
    Arrow("encoder.bottom", "attention.left"),
    Arrow("dilated.right", "fuse.left"),
    Arrow("attention.right", "fuse.bottom", shift=(0, -30)),
    Arrow("fuse.right", "coarse.left"),
    Arrow("coarse.bottom", "segmenter.top", "composited", "guidance",
          turn=0.74),
    Arrow("segmenter.right", "map.left", "", "guidance"),
    Arrow("map.right", "semantic.left", "", "guidance"),
    Arrow("fuse.bottom", "semantic.top", f"features, {net.into('decoder')}",
          shift=(30, 65.2), label_at=(0, -34)),
    Arrow("semantic.right", "final.left"),
    Arrow("final.bottom", "judge.top", "", "training"),
  )  # fmt: skip
  return draw(boxes, arrows, title="ESPA: data flow, shapes and parameters")
