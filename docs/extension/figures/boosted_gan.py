"""The boosted GAN's figure: attributes and segmentation guide and judge."""

from docs.extension.drawing import Arrow, Box, draw
from docs.extension.tracing import describe, players


def svg() -> str:
  """The figure."""
  data = {"classes": 19, "attributes": 18}
  net, judge = players(
    describe("configs/boosted_gan.py:data=celeba_hq", **data)
  )
  classifier, _ = players(
    describe("configs/embedding_attributes.py:data=celeba_hq", **data)
  )
  segmenter, _ = players(
    describe("configs/embedding_segmentation.py:data=celeba_hq", **data)
  )
  judges = [
    f"{name}: {judge.size(name)}"
    for name in ("global", "attributes", "segmentation")
  ]
  boxes = {
    "picture": Box(
      0, 1.2, "picture, hole", (f"{net.into('')} + 1",), "data", 120
    ),
    "classifier": Box(
      1.05, 0, "classifier, frozen", ("ResNet-50", classifier.size()),
      "guidance", 150,
    ),
    "segmenter": Box(
      1.05, 2.4, "segmenter, frozen", ("BiSeNet", segmenter.size()),
      "guidance", 150,
    ),
    "encoder": Box(
      1.05, 1.2, "encoder",
      (f"from {net.into('encoder')}", net.size("encoder")),
    ),
    "middle": Box(
      2.2, 1.2, "dilated middle",
      (f"from {net.into('joined')}", net.size("joined", "middle")),
    ),
    "attributes": Box(
      2.2, 0, "attributes", (net.into("", 2), "predicted or told"),
      "guidance", 134,
    ),
    "decoder": Box(
      3.2, 1.2, "decoder", ("4 doublings", net.size("decoder", "output")),
      width=120,
    ),
    "filled": Box(4.2, 1.2, "prediction", (net.out("output"),), "data", 120),
    "map": Box(
      2.2, 2.4, "segmentation", (net.into("", 3), "predicted or told"),
      "guidance", 134,
    ),
    "judge": Box(
      4.05, 2.75, "3 discriminators",
      ["told of the whole picture", *judges], "training", 172,
    ),
  }  # fmt: skip
  arrows = (
    Arrow("picture.right", "encoder.left"),
    Arrow("picture.top", "classifier.left", "", "guidance"),
    Arrow("picture.bottom", "segmenter.left", "", "guidance"),
    Arrow("classifier.right", "attributes.left", "", "guidance"),
    Arrow("attributes.bottom", "middle.top", "tiled", "guidance"),
    Arrow("segmenter.right", "map.left", "", "guidance"),
    Arrow("map.top", "encoder.bottom", "", "guidance"),
    Arrow("encoder.right", "middle.left"),
    Arrow("middle.right", "decoder.left"),
    Arrow("decoder.right", "filled.left"),
    Arrow("filled.bottom", "judge.top", "", "training", shift=(0, 26)),
  )
  return draw(
    boxes, arrows, title="Boosted GAN: data flow, shapes and parameters"
  )
