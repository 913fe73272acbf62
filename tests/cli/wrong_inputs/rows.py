"""Commands that are right, but for the last flag that a row adds.

A row is (name, command line, words that the message must have): the file or
field, and the mend. The folder that a command is given in is made by
`files.build`. CONFIGS stands for the folder of the configs, PORT for a port
that is in use.
"""

Row = tuple[str, str, tuple[str, ...]]

TRAIN = (
  "train --config=CONFIGS/spl_no_teacher.py:quick --workdir=run "
  "--config.data.name=folder --config.data.path=data "
  "--config.data.image_size=32 --config.model.generator.width=4 "
  "--config.model.generator.blocks=1 "
  "--config.model.generator.residual_blocks=1 "
  "--config.model.discriminator.widths=4,4 --config.log.images_every=0"
)
INPAINT = (
  "inpaint --checkpoint=spl --image=a.png --mask=mask.png --output=b.png"
)
EVALUATE = (
  "evaluate --workdir=spl --config.data.name=folder --config.data.path=data"
)
PRECOMPUTE = (
  "precompute --config=CONFIGS/spl.py:quick --config.data.name=folder "
  "--config.data.path=data"
)
LADDER = (
  "ladder --workdir=ladder --configs CONFIGS/spl_no_teacher.py:quick "
  "--config.data.name=folder --config.data.path=data"
)
EXPORT = "export --checkpoint=spl --output=artefact"
CONVERT = "convert --model=vgg16 --output=vgg"
COMPARE = "compare spl telea --config.data.name=folder --config.data.path=data"
