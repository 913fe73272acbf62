"""Reading and writing pictures so that what is known stays as it was.

A picture is kept as the samples that its file holds: grey or RGB, with or
without alpha, 8 or 16 bits, and its colour profile. Networks see an 8-bit RGB
view; on writing, only the filled samples are put back, so known samples come
out bit for bit. Palettes and CMYK become RGB. Pictures are turned upright and
written without EXIF: besides the orientation it may hold a thumbnail of what
was removed. The profile is kept, not applied: holes are filled in the colour
space of what surrounds them. Of animations and several pages the first is read.

Arrays are [H, W, C]; masks bool [H, W], True = hole.
"""

from sginpaint.images.label_maps import (
  LabelCode,
  encode_label_map,
  not_said_colour,
  read_label_map,
)
from sginpaint.images.masks import check_size, read_mask
from sginpaint.images.reading import (
  INPUT_SUFFIXES,
  MAX_PIXELS,
  Header,
  Picture,
  decode_picture,
  read_header,
  read_picture,
)
from sginpaint.images.writing import (
  LOSSLESS_SUFFIXES,
  LOSSY_SUFFIXES,
  check_output,
  encode_picture,
  output_format,
  write_bytes,
  write_picture,
)

__all__ = [
  "INPUT_SUFFIXES",
  "LOSSLESS_SUFFIXES",
  "LOSSY_SUFFIXES",
  "MAX_PIXELS",
  "Header",
  "LabelCode",
  "Picture",
  "check_size",
  "check_output",
  "encode_label_map",
  "decode_picture",
  "encode_picture",
  "not_said_colour",
  "output_format",
  "read_header",
  "read_label_map",
  "read_mask",
  "read_picture",
  "write_bytes",
  "write_picture",
]
