"""SGE-Net's figure: five scales, each guided by the map of the one before."""

from docs.extension.drawing import Arrow, Box, draw
from docs.extension.tracing import describe, players


def svg() -> str:
  """The figure."""
  net, judge = players(
    describe("configs/sge_net.py:data=outdoor_scenes", classes=8)
  )
  boxes = {
    "picture": Box(-0.05, 0, "picture, hole", (net.into("encoder"),), "data"),
    "cim": Box(
      1.95, 4.4, "context inference", ("6 residual blocks", net.size("cim_")),
      width=150,
    ),
    "person": Box(
      3.95, 5.6, "a person's map", ("in place of the predicted",), "guidance",
      164,
    ),
    "judge": Box(
      3.95, -1.15, "3 PatchGANs", ("on a pyramid", judge.size()), "training",
    ),
  }  # fmt: skip
  arrows = [
    Arrow("picture.right", "encoder_0.left"),
    Arrow("encoder_4.right", "cim.left"),
    Arrow("cim.right", "heads_4.left", net.out("cim_5")),
    Arrow("cim.top", "sgim_3.bottom", shift=(0, -28), turn=0.4),
    Arrow("heads_0.top", "judge.bottom", "", "training"),
    Arrow("person.top", "heads_4.bottom", "", "guidance"),
  ]
  for scale in range(5):
    y = 1.1 * scale
    boxes[f"encoder_{scale}"] = Box(
      0.95,
      y,
      f"encoder, scale {scale}",
      (net.out("encoder", scale),),
    )
    heads = net.size(f"image_{scale}", f"segmentation_{scale}")
    picture = net.out(f"image_{scale}")
    channels = net.outputs[f"segmentation_{scale}"][0][-1]
    boxes[f"heads_{scale}"] = Box(
      3.95,
      y,
      f"image and map {scale}",
      (f"{picture} + {channels}", heads),
      "guidance",
      150,
    )
    if scale:
      arrows.append(
        Arrow(f"encoder_{scale - 1}.bottom", f"encoder_{scale}.top")
      )
    if scale < 4:
      boxes[f"sgim_{scale}"] = Box(
        2.6,
        y,
        f"SGIM+ {scale}",
        (net.out(f"sgim_{scale}"), net.size(f"sgim_{scale}")),
      )
      label = "map, confidence" if scale == 3 else ""
      arrows += [
        Arrow(f"encoder_{scale}.right", f"sgim_{scale}.left"),
        Arrow(f"sgim_{scale}.right", f"heads_{scale}.left"),
        Arrow(
          f"heads_{scale + 1}.top", f"sgim_{scale}.bottom", label, "guidance",
          shift=(-30, 44), label_at=(0, -2),
        ),
      ]  # fmt: skip
    if scale < 3:
      arrows.append(
        Arrow(f"sgim_{scale + 1}.top", f"sgim_{scale}.bottom", shift=(-28, -28))
      )
  return draw(boxes, arrows, title="SGE-Net: data flow, shapes and parameters")
