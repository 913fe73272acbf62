"""The table of published files: complete, and strict about what is official."""

from sginpaint import convert, upstream


def test_every_model_can_be_converted():
  assert set(upstream.MODELS) <= set(convert.SOURCES)


def test_official_is_what_the_digits_vouch_for():
  good = "397923af" + "0" * 56
  assert upstream.is_official("vgg16", [good])
  assert not upstream.is_official("vgg16", ["0" * 64])
  assert not upstream.is_official("vgg16", [good, good])
  assert not upstream.is_official("vgg19", [good])
  # Nobody published digits of it, so that nothing can be told.
  assert not upstream.is_official("bisenet", [good])
  assert not upstream.is_official("no_model", [])


def test_a_network_in_two_files_needs_both_in_any_order():
  trunk, heads = "7be5be79" + "0" * 56, "df73285e" + "0" * 56
  assert upstream.is_official("lpips_alex", [trunk, heads])
  assert upstream.is_official("lpips_alex", [heads, trunk])
  assert not upstream.is_official("lpips_alex", [trunk])
  assert not upstream.is_official("lpips_alex", [trunk, trunk])
  assert not upstream.is_official("lpips_alex", [trunk, "0" * 64])


def test_how_to_get_names_files_projects_and_command():
  text = upstream.how_to_get("lpips_alex", "runs/lpips")
  for part in (
    "alexnet-owt-7be5be79.pth from github.com/pytorch/vision",
    "weights/v0.1/alex.pth from github.com/richzhang/PerceptualSimilarity",
    "python -m sginpaint convert --model=lpips_alex "
    "--input=alexnet-owt-7be5be79.pth --input=alex.pth --output=runs/lpips",
  ):
    assert part in text
