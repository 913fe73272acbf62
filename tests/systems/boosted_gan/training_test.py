"""The boosted GAN through train, load and inpaint, on pictures of 32 pixels."""

import cv2
import jax
import numpy as np
import pytest

import sginpaint
from sginpaint import checkpoints
from sginpaint.cli import evaluate, inpaint, train
from sginpaint.cli.config_files import parse_config
from sginpaint.editing import Editor
from sginpaint.errors import UserError
from sginpaint.training import setup
from sginpaint.training.frozen import check_frozen
from sginpaint.workdirs import load_config
from tests.systems.guides import ATTRIBUTES, CLASSES, known, network
from tests.training.small import prepare_scenes


@pytest.fixture(name="root", scope="module")
def _root(tmp_path_factory):
  with known():
    yield tmp_path_factory.mktemp("boosted_gan")


@pytest.fixture(name="options", scope="module")
def _options(root):
  """Fields of a training of two steps."""
  return {
    "data.path": prepare_scenes(root / "scenes"),
    "data.builder_config": "32",
    "data.image_size": 32,
    "model.generator.widths": "4,4,4,4,4",
    "model.generator.decoder_widths": "4,4,4,4",
    "model.discriminator.widths": "4,4,4,4",
    "model.discriminator.hidden": 4,
    "objective.classifier": network(root / "wa", "embedding_attributes"),
    "objective.segmenter": network(root / "ws", "embedding_segmentation"),
    "batch_size": 2,
    "steps": 2,
    "optimizer.warmup": 1,
    "log.every": 1,
    "log.images_every": 0,
    "eval.batch_size": 4,
    "eval.panels": 1,
    "eval.baselines": "()",
  }


def run(workdir, options, name="boosted_gan"):
  flags = [f"--config.{field}={value}" for field, value in options.items()]
  config = f"--config=configs/{name}.py:quick"
  assert train.main([config, f"--workdir={workdir}", *flags]) == 0
  return workdir


@pytest.fixture(name="trained", scope="module")
def _trained(root, options):
  # Where the data has no label maps, the segmenter's classes are those.
  return run(root / "gan", options | {"data.labels": "none"})


@pytest.fixture(name="inpainter", scope="module")
def _inpainter(trained):
  return sginpaint.load(trained)


def picture():
  image = np.random.default_rng(0).integers(0, 256, (32, 32, 3), np.uint8)
  mask = np.zeros((32, 32), bool)
  mask[8:20, 4:28] = True
  return image, mask


def test_frozen_networks_stay_as_they_were(trained, options):
  loaded = checkpoints.load(str(trained))
  for name in ("classifier", "segmenter"):
    source = checkpoints.load(options[f"objective.{name}"])
    assert loaded.frozen_hashes[name] == source.hash
    jax.tree.map(
      np.testing.assert_array_equal, loaded.frozen[name], source.variables
    )


def test_names_are_those_of_the_networks(trained):
  data = load_config(str(trained)).data
  names = [info["name"] for info in data.classes]
  assert names == [info["name"] for info in CLASSES]
  assert tuple(data.attributes) == ATTRIBUTES


def test_attributes_by_name_guide_a_loaded_system(inpainter):
  image, mask = picture()
  own = inpainter(image, mask)
  assert own.segmentation.shape == own.confidence.shape == (32, 32)
  name = ATTRIBUTES[1]
  value = float(own.attributes[1] < 0.5)
  told = inpainter(image, mask, attributes={name: value})
  expected = own.attributes.copy()
  expected[1] = value
  np.testing.assert_array_equal(told.attributes, expected)
  np.testing.assert_array_equal(told.image[~mask], image[~mask])
  np.testing.assert_array_equal(told.attribute_logits, own.attribute_logits)


def test_editor_takes_attributes_beside_a_map(inpainter):
  image, mask = picture()
  guides = {"attributes": dict.fromkeys(ATTRIBUTES, 1.0)}
  session = Editor(inpainter).begin(image, mask, **guides)
  labels = np.full((32, 32), 3, np.int32)
  edited = session.render(labels)
  told = np.where(labels == session.segmentation, 255, labels)
  whole = inpainter(image, mask, segmentation=told, **guides)
  np.testing.assert_array_equal(edited, whole.image)


def test_inpaint_command_takes_attributes(trained, root):
  image, mask = picture()
  files = {n: str(root / f"{n}.png") for n in ("image", "mask", "output")}
  cv2.imwrite(files["image"], image)
  cv2.imwrite(files["mask"], 255 * mask.astype(np.uint8))
  flags = [f"--{name}={path}" for name, path in files.items()]
  flags.append(f"--checkpoint={trained}")
  assert inpaint.main([*flags, f"--attributes={ATTRIBUTES[0]}=1"]) == 0
  filled = cv2.imread(files["output"])
  np.testing.assert_array_equal(filled[~mask], image[~mask])
  with pytest.raises(UserError, match="no attribute 'Smiling'; there are"):
    inpaint.main([*flags, "--attributes=Smiling=1"])


def test_evaluation_told_the_truth_tells_attributes(trained, root):
  flags = [f"--workdir={trained}", "--config.eval.guidance=truth"]
  flags.append(f"--output={root / 'true'}")
  assert evaluate.main(flags) == 0
  other = "--config.data.keep_attributes=" + ",".join(ATTRIBUTES[:2])
  with pytest.raises(UserError, match="attributes of the data set are not"):
    evaluate.main([*flags, other])


def test_network_must_know_the_attributes_of_the_data(root, options):
  fewer = network(root / "few", "embedding_attributes", ATTRIBUTES[:2])
  options = options | {"objective.classifier": fewer}
  with pytest.raises(UserError, match=r"the data has .*keep_attributes"):
    run(root / "other", options)
  options["data.keep_attributes"] = ",".join(ATTRIBUTES[:2])
  texts = {field: str(value) for field, value in options.items()}
  config = parse_config("configs/boosted_gan.py:quick", texts)
  setup.load_data(config)
  assert config.data.attributes == ATTRIBUTES[:2]
  check_frozen(config, str(root / "kept"))
