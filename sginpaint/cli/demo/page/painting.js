// A picture of indices that is painted with hard edges: every pixel holds
// exactly one number, before and after, and every stroke can be undone. Pixels
// that held the number `fixed` at first keep it.

const UNDO_BYTES = 2 ** 26;

export class Painting {
  constructor(width, height, data = new Uint8Array(width * height), fixed = -1) {
    Object.assign(this, { width, height, data, fixed, original: data.slice() });
    this.done = [];
    this.undone = [];
    this.before = null;
  }

  begin() {
    this.before = this.data.slice();
    this.dirty = null;
  }

  // Every pixel whose centre lies within `size / 2` of the line between two
  // places [x, y], in pixels.
  line([ax, ay], [bx, by], size, value) {
    const reach = Math.max(size / 2, 0.71);
    const [dx, dy] = [bx - ax, by - ay];
    const length = dx * dx + dy * dy || 1;
    this.#each(
      [Math.min(ax, bx) - reach, Math.min(ay, by) - reach],
      [Math.max(ax, bx) + reach, Math.max(ay, by) + reach],
      (x, y) => {
        const along = ((x + 0.5 - ax) * dx + (y + 0.5 - ay) * dy) / length;
        const t = Math.min(1, Math.max(0, along));
        const far = (x + 0.5 - ax - t * dx) ** 2 + (y + 0.5 - ay - t * dy) ** 2;
        return far <= reach * reach;
      }, value);
  }

  // Every pixel that a rectangle between two places touches; what this stroke
  // had painted before is taken back.
  rectangle([ax, ay], [bx, by], value) {
    const last = this.dirty;
    this.data.set(this.before);
    this.dirty = null;
    this.#each([Math.min(ax, bx), Math.min(ay, by)],
      [Math.max(ax, bx), Math.max(ay, by)], () => true, value);
    return last;
  }

  #each([left, top], [right, bottom], inside, value) {
    const x0 = Math.max(0, Math.floor(left)), y0 = Math.max(0, Math.floor(top));
    const x1 = Math.min(this.width - 1, Math.floor(right));
    const y1 = Math.min(this.height - 1, Math.floor(bottom));
    for (let y = y0; y <= y1; y++) {
      for (let x = x0; x <= x1; x++) {
        const at = y * this.width + x;
        if (inside(x, y) && this.original[at] !== this.fixed) this.data[at] = value;
      }
    }
    if (x0 <= x1 && y0 <= y1) this.dirty = joined(this.dirty, [x0, y0, x1, y1]);
  }

  end() {
    if (this.dirty) {
      const before = this.#cut(this.before, this.dirty);
      const after = this.#cut(this.data, this.dirty);
      // A step without a change would be an undo that does nothing.
      if (differs(before, after)) {
        this.done.push({ box: this.dirty, before, after });
        this.undone = [];
      }
    }
    this.before = null;
    let held = 0;
    this.done = this.done.reverse().filter(
      (step) => (held += 2 * step.before.length) < UNDO_BYTES).reverse();
  }

  // Ends the stroke as if it had never begun.
  cancel() {
    this.data.set(this.before);
    this.before = null;
  }

  get begun() { return this.before !== null; }

  reset() {
    if (this.begun) return;
    this.begin();
    this.data.set(this.original);
    this.#endWhole();
  }

  get edited() { return differs(this.data, this.original); }

  // Paints what was painted over another.
  carry({ data, original }) {
    this.begin();
    data.forEach((value, at) => {
      const free = this.original[at] !== this.fixed;
      if (value !== original[at] && free) this.data[at] = value;
    });
    this.#endWhole();
  }

  #endWhole() {
    this.dirty = [0, 0, this.width - 1, this.height - 1];
    this.end();
  }

  undo() { this.#move(this.done, this.undone, "before"); }
  redo() { this.#move(this.undone, this.done, "after"); }

  #move(from, to, which) {
    const step = !this.begun && from.pop();
    if (!step) return;
    to.push(step);
    const [x0, y0, x1, y1] = step.box, wide = x1 - x0 + 1;
    for (let y = y0; y <= y1; y++) {
      const row = step[which].subarray((y - y0) * wide, (y - y0 + 1) * wide);
      this.data.set(row, y * this.width + x0);
    }
  }

  #cut(data, [x0, y0, x1, y1]) {
    const wide = x1 - x0 + 1;
    const out = new Uint8Array(wide * (y1 - y0 + 1));
    for (let y = y0; y <= y1; y++) {
      const at = y * this.width + x0;
      out.set(data.subarray(at, at + wide), (y - y0) * wide);
    }
    return out;
  }
}

// Of megapixels after every stroke: a function for each of them is too slow.
export function differs(a, b) {
  for (let at = 0; at < a.length; at++) if (a[at] !== b[at]) return true;
  return false;
}

export const joined = (a, b) => !a || !b ? a || b : [
  Math.min(a[0], b[0]), Math.min(a[1], b[1]),
  Math.max(a[2], b[2]), Math.max(a[3], b[3])];
