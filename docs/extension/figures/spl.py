"""SPL's figure: semantic priors modulate the image's features."""

from docs.extension.drawing import Arrow, Box, draw
from docs.extension.tracing import Trace, describe, players


def svg() -> str:
  """The figure."""
  net, judge = players(describe("configs/spl.py"))
  teacher, _ = players(describe("configs/classifier.py", attributes=18))
  boxes = {
    "picture": Box(
      0, 0, "picture, hole", (f"{net.into('')} + 1",), "data", 120
    ),
    "encoder": Box(
      1,
      0,
      "image encoder",
      (f"to {net.out('image_encoder')}", net.size("image_encoder")),
    ),
    "blocks": Box(
      2.15, 0, "8 SPADE blocks", ("dilated, residual", net.size("block_"))
    ),
    "decoder": Box(
      3.15, 0, "decoder", (f"to {net.out('decoder')}", net.size("decoder"))
    ),
    "filled": Box(4.15, 0, "prediction", (net.out("decoder"),), "data", 120),
    "doubled": Box(0, 1.4, "doubled", (net.into("learner"),), "data", 120),
    "learner": Box(
      1,
      1.4,
      "semantic learner",
      ("residual dense blocks", net.size("learner")),
      "guidance",
      150,
    ),
    "prior": Box(
      2.15,
      1.4,
      "prior head",
      (f"1×1, to {net.out('prior')}", net.size("prior")),
      "guidance",
    ),
    "teacher": Box(
      3.3,
      2.75,
      "teacher, frozen",
      ("TResNet-L to layer 2", _up_to_layer2(teacher)),
      "training",
      160,
    ),
    "whole": Box(
      1.7, 2.75, "whole picture", (teacher.into(""),), "training", 130
    ),
    "loss": Box(3.3, 1.4, "prior loss", ("eq. 5",), "training", 110),
    "judge": Box(
      4.15,
      1.4,
      "PatchGAN",
      (judge.out("patch", 0), judge.size()),
      "training",
      120,
    ),
  }
  arrows = (
    Arrow("picture.right", "encoder.left"),
    Arrow("encoder.right", "blocks.left"),
    Arrow("blocks.right", "decoder.left"),
    Arrow("decoder.right", "filled.left"),
    Arrow("picture.bottom", "doubled.top"),
    Arrow("doubled.right", "learner.left"),
    Arrow(
      "learner.top", "blocks.bottom", f"S, {net.out('learner')}", "guidance",
      turn=0.4, shift=(30, 0), label_at=(6, 20),
    ),
    Arrow("learner.right", "prior.left", "", "guidance"),
    Arrow("prior.right", "loss.left", "", "guidance"),
    Arrow("whole.right", "teacher.left", "", "training"),
    Arrow(
      "teacher.top", "loss.bottom", teacher.out("layer2_4"), "training"
    ),
    Arrow("filled.bottom", "judge.top", "", "training"),
  )  # fmt: skip
  return draw(boxes, arrows, title="SPL: data flow, shapes and parameters")


def _up_to_layer2(teacher: Trace) -> str:
  """Parameters of the stages up to the layer that teaches."""
  return teacher.size("conv1", "bn1", "layer1", "layer2")
