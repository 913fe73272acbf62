"""Fifty ways to harm a demo, and none of them a picture with a hole.

Each is (name, status, bytes on the wire). They go through a bare socket: a
client library would refuse to send half of them. Status 0 stands for those
whose connection may be closed without a word.
"""

import io
import struct
import zipfile
import zlib
from collections.abc import Iterator

import numpy as np
from PIL import Image

Request = tuple[str, int, bytes]

_SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>1</script></svg>'
_PATHS = (
  *("/../pyproject.toml", "/..%2fpyproject.toml", "/%2e%2e/pyproject.toml"),
  *("/....//server.py", "/server.py", "/page/index.html", "/.git/config"),
  *("//etc/passwd", "/%2fetc%2fpasswd", "/..%5c..%5cetc%5cpasswd"),
  *("/app.js%00.png", "/api/pictures/../../server.py", "/%c0%ae%c0%ae/x"),
)


def saved(array, kind, **options) -> bytes:
  """A picture file of any kind."""
  buffer = io.BytesIO()
  Image.fromarray(array).save(buffer, kind, **options)
  return buffer.getvalue()


def bomb(width, height) -> bytes:
  """A PNG of a few bytes whose sound header names any size."""
  data = saved(np.zeros((1, 1), np.uint8), "PNG")
  header = struct.pack(">II", width, height) + data[24:29]
  sum_of = struct.pack(">I", zlib.crc32(b"IHDR" + header))
  return data[:16] + header + sum_of + data[33:]


def dust(side) -> bytes:
  """A mask of thousands of holes, in a few kilobytes."""
  mask = np.zeros((side, side), np.uint8)
  mask[::12, ::12] = 1
  return saved(mask, "PNG")


def request(
  method: str, path: str, body: bytes = b"", *, host="127.0.0.1", **headers
) -> bytes:
  """A request as it goes over the wire."""
  given = {"Host": host, "Content_Length": str(len(body)), **headers}
  lines = [f"{method} {path} HTTP/1.1"]
  lines += [f"{k.replace('_', '-')}: {v}" for k, v in given.items() if v]
  return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def attacks(seed: int = 0) -> list[Request]:
  """All of them."""
  return [*_files(seed), *_headers(), *_paths()]


def _files(seed: int) -> Iterator[Request]:
  rng = np.random.default_rng(seed)
  picture = rng.integers(0, 256, (64, 64, 3), np.uint8)
  zipped = io.BytesIO()
  with zipfile.ZipFile(zipped, "w") as archive:
    archive.writestr("../../x.png", b"x")
  png, jpeg = saved(picture, "PNG"), saved(picture, "JPEG")
  flat = zlib.compress(bytes(2**26))
  webp = saved(picture, "WEBP", lossless=True)
  wide = np.zeros((4000, 4001, 3), np.uint8)
  bodies = {
    "nothing": b"",
    "random bytes": rng.bytes(10_000),
    "zip": zipped.getvalue(),
    "gif": saved(picture, "GIF"),
    "tiff": saved(picture, "TIFF"),
    "bmp": saved(picture, "BMP"),
    "svg": _SVG,
    "html": b"<!doctype html><script>alert(1)</script>",
    "pickle": b"cos\nsystem\n(S'true'\ntR.",
    "eps": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
    "half a png": png[: len(png) // 2],
    "half a jpeg": jpeg[: len(jpeg) // 2],
    "half a webp": webp[: len(webp) // 2],
    "a png's first bytes": png[:20],
    "png with random bytes": png[:60] + rng.bytes(5000),
    "jpeg with random bytes": jpeg[:20] + rng.bytes(5000),
    "webp with random bytes": webp[:20] + rng.bytes(5000),
    "png bomb": bomb(60_000, 60_000),
    "png of 2**31": bomb(2**31 - 1, 2**31 - 1),
    "png without pixels": bomb(0, 0),
    "real bomb": saved(wide, "PNG"),
    "text bomb": png[:33] + _chunk(b"zTXt", b"a\0\0" + flat) + png[33:],
    "profile bomb": png[:33] + _chunk(b"iCCP", b"a\0\0" + flat) + png[33:],
    "jpeg of scans": jpeg[:-2] + 300 * jpeg[jpeg.index(b"\xff\xda") : -2],
    "multipart": b'--x\r\nContent-Disposition: form-data; name="../\xf0\x9f'
    b'\x98\x80"; name="b"\r\n\r\nx\r\n--x--\r\n',
  }
  for name, body in bodies.items():
    yield name, 400, request("POST", "/api/pictures", body)


def _chunk(name: bytes, body: bytes) -> bytes:
  sum_of = struct.pack(">I", zlib.crc32(name + body))
  return struct.pack(">I", len(body)) + name + body + sum_of


def _headers() -> Iterator[Request]:
  post = ("POST", "/api/pictures")
  yield (
    *("too large", 413),
    request(*post, b"x", Content_Length=str(2**40)),
  )
  chunked = request(*post, b"5\r\nhello\r\n0\r\n\r\n", Content_Length="")
  chunked = chunked.replace(b"Host", b"Transfer-Encoding: chunked\r\nHost")
  yield "unknown length", 411, chunked
  yield "compressed", 415, request(*post, b"x", Content_Encoding="gzip")
  yield "rebinding", 403, request(*post, b"x", host="evil.example")
  yield "half an address", 400, request(*post, b"x", host="[::1")
  yield "no address", 400, request(*post, b"x", host="[evil]")
  yield "no host", 400, request(*post, b"x", host="")
  yield "other page", 403, request(*post, b"x", Origin="http://evil.example")
  yield "no page", 403, request(*post, b"x", Origin="null")
  yield "huge header", 400, request(*post, b"x", X_Long="x" * 100_000)
  yield "negative length", 400, request(*post, b"x", Content_Length="-1")
  yield "two lengths", 400, request(*post, b"x", content_length="2")
  yield (
    "no method",
    400,
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
  )
  yield "wrong method", 405, request("PATCH", "/api/pictures")
  yield "half a request", 0, b"POST /api/pictures HTTP/1.1\r\nHost: 127.0.0.1"
  yield "unknown id", 404, request("PUT", "/api/pictures/x/mask", b"x")
  yield (
    *("name of an id", 404),
    request("POST", "/api/pictures/%F0%9F%98%80/render", b"x"),
  )


def _paths() -> Iterator[Request]:
  for path in _PATHS:
    yield f"GET {path}", 404, request("GET", path)
