"""Archives as people have them: unpacked, in part, damaged or not at all."""

import shutil

import pytest

from sginpaint.data.builders.archives import ManualDir
from sginpaint.data.builders.building import build
from sginpaint.data.builders.catalogue import SETS
from sginpaint.errors import UserError
from tests.data.builders import published
from tests.data.builders.published import jpg, png


def facts(name, folder):
  """What a data set is planned to be, wherever its pictures lie."""
  plan = SETS[name].plan(ManualDir(folder, folder / "scratch"))
  return sorted(
    (i.split, i.id, len(i.labels), repr(i.attributes)) for i in plan.items
  )


@pytest.mark.parametrize("archives", [*SETS, "places2_easy"])
def test_unpacked_archives_are_the_same_set(archives, tmp_path):
  name = "places2" if archives.startswith("places2") else archives
  getattr(published, archives if archives != "places2_20" else name)(tmp_path)
  packed = facts(name, tmp_path)
  for path in [
    p for p in tmp_path.iterdir() if p.suffix in {".zip", ".tar", ".gz"}
  ]:
    # Those of Outdoor Scenes hold no folder of a known name.
    own = name == "outdoor_scenes"
    shutil.unpack_archive(path, tmp_path / path.stem if own else tmp_path)
    path.unlink()
  assert facts(name, tmp_path) == packed


def test_ffhq_as_published_without_its_thumbnails(tmp_path):
  for folder in ("images1024x1024", "thumbnails128x128"):
    published.write_zip(
      tmp_path / f"{folder}.zip", {f"{folder}/00000/00007.png": png(0)}
    )
  assert [row[1] for row in facts("ffhq", tmp_path)] == ["00007"]


def test_sun_attributes_in_part(tmp_path, caplog):
  published.sun_attributes(tmp_path)
  (tmp_path / "SUNAttributeDB_Images.tar.gz").unlink()
  published.write_folder(tmp_path, {"images/a/abbey/sun_f0.jpg": jpg(1)})
  assert len(facts("sun_attributes", tmp_path)) == 1
  assert "images: 1 of the 2 pictures that images.mat names" in caplog.text
  shutil.unpack_archive(tmp_path / "SUNAttributeDB.tar.gz", tmp_path)
  (tmp_path / "SUNAttributeDB.tar.gz").unlink()
  path = tmp_path / "SUNAttributeDB" / "images.mat"
  for size in (0, 21, 133, 150):
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(UserError, match=r"images\.mat: no images in it; get"):
      facts("sun_attributes", tmp_path)


@pytest.mark.parametrize("text", ["1.jpg 0\nx\n", "1.jpg 3\n"])
def test_celeba_with_a_damaged_list(tmp_path, text):
  published.celeba(tmp_path)
  (tmp_path / "list_eval_partition.txt").write_text(text)
  with pytest.raises(UserError, match=r"^list_eval_partition.txt: .* anew"):
    facts("celeba", tmp_path)


def test_celeba_with_a_short_list(tmp_path):
  published.celeba(tmp_path)
  path = tmp_path / "list_attr_celeba.txt"
  path.write_text("\n".join(path.read_text().splitlines()[:-1]))
  with pytest.raises(UserError, match=r"^list_attr.*: no line for 182638\.jpg"):
    facts("celeba", tmp_path)


@pytest.mark.parametrize("name", ["attribute-anno", "to-CelebA-mapping"])
def test_celeba_hq_with_a_short_list(tmp_path, name):
  published.celeba_hq(tmp_path)
  shutil.unpack_archive(tmp_path / "CelebAMask-HQ.zip", tmp_path)
  (tmp_path / "CelebAMask-HQ.zip").unlink()
  (path,) = (tmp_path / "CelebAMask-HQ").glob(f"*{name}.txt")
  path.write_text("\n".join(path.read_text().splitlines()[:-1]))
  with pytest.raises(UserError, match=rf"{name}\.txt: no line for 2\.jpg"):
    facts("celeba_hq", tmp_path)


def test_ade20k_with_a_short_list(tmp_path):
  published.write_folder(
    tmp_path / "ADEChallengeData2016", {"objectInfo150.txt": b"Idx\n1\twall\n"}
  )
  with pytest.raises(UserError, match="names 1 classes, not 150; get it anew"):
    facts("ade20k", tmp_path)


@pytest.mark.parametrize("name", SETS)
def test_missing_archives_are_named(name, tmp_path):
  (tmp_path / "manual").mkdir()
  with pytest.raises(UserError) as error:
    build(SETS[name], str(tmp_path / "manual"), str(tmp_path / "data"))
  assert str(tmp_path / "manual") in str(error.value)
  assert SETS[name].how_to_get() in str(error.value)
  assert not (tmp_path / "data" / name / "dataset_info.json").exists()
