// PNG files of indices: one byte per pixel, exact. A canvas would hand back
// colours, and some browsers change them a little against fingerprinting.

const SIGNATURE = [137, 80, 78, 71, 13, 10, 26, 10];

const through = async (bytes, stream) =>
  new Uint8Array(
    await new Response(new Blob([bytes]).stream().pipeThrough(stream))
      .arrayBuffer());

function crc(bytes) {
  let sum = -1;
  for (const byte of bytes) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit++) sum = (sum >>> 1) ^ (0xedb88320 & -(sum & 1));
  }
  return ~sum;
}

function chunk(name, body) {
  const bytes = new Uint8Array(12 + body.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, body.length);
  bytes.set([...name].map((c) => c.charCodeAt(0)), 4);
  bytes.set(body, 8);
  view.setInt32(8 + body.length, crc(bytes.subarray(4, 8 + body.length)));
  return bytes;
}

// Uint8Array [H * W] -> Blob. With a palette, [[r, g, b], ...] of 256, programs
// show colours; the numbers are the same.
export async function encode(indices, width, height, palette) {
  const rows = new Uint8Array((width + 1) * height);
  for (let y = 0; y < height; y++) {
    rows.set(indices.subarray(y * width, (y + 1) * width), y * (width + 1) + 1);
  }
  const header = new Uint8Array(13);
  const view = new DataView(header.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  header.set([8, palette ? 3 : 0], 8);
  const data = await through(rows, new CompressionStream("deflate"));
  const parts = [new Uint8Array(SIGNATURE), chunk("IHDR", header)];
  if (palette) parts.push(chunk("PLTE", new Uint8Array(palette.flat())));
  parts.push(chunk("IDAT", data), chunk("IEND", new Uint8Array()));
  return new Blob(parts, { type: "image/png" });
}

// Blob of an 8-bit grey PNG -> Uint8Array [H * W].
export async function decode(blob) {
  const bytes = new Uint8Array(await blob.arrayBuffer());
  const view = new DataView(bytes.buffer);
  const width = view.getUint32(16), height = view.getUint32(20);
  if (view.getUint16(24) !== 0x0800 || bytes[28]) {
    throw new Error("The server sent a map of another kind.");
  }
  const data = [];
  for (let at = 8; at < bytes.length; at += 12 + view.getUint32(at)) {
    const name = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    if (name === "IDAT") {
      data.push(bytes.subarray(at + 8, at + 8 + view.getUint32(at)));
    }
  }
  const stream = new DecompressionStream("deflate");
  return unfiltered(await through(new Blob(data), stream), width, height);
}

function unfiltered(rows, width, height) {
  const out = new Uint8Array(width * height);
  for (let y = 0; y < height; y++) {
    const filter = rows[y * (width + 1)];
    for (let x = 0; x < width; x++) {
      const at = y * width + x;
      const left = x ? out[at - 1] : 0;
      const up = y ? out[at - width] : 0;
      const corner = x && y ? out[at - width - 1] : 0;
      const guess = [0, left, up, (left + up) >> 1, paeth(left, up, corner)];
      out[at] = rows[y * (width + 1) + 1 + x] + guess[filter];
    }
  }
  return out;
}

function paeth(left, up, corner) {
  const toLeft = Math.abs(up - corner);
  const toUp = Math.abs(left - corner);
  const toCorner = Math.abs(left + up - 2 * corner);
  if (toLeft <= toUp && toLeft <= toCorner) return left;
  return toUp <= toCorner ? up : corner;
}
