// Finds points by place: all points in the cells of a grid, about two to a cell.

class Nearest {
  // points: x and y in turns.
  constructor(points) {
    this.points = points;
    const count = points.length / 2;
    this.box = boundsOf(points);
    this.side = Math.max(1, Math.floor(Math.sqrt(count / 2)));
    const cells = new Uint32Array(count);
    this.starts = new Uint32Array(this.side * this.side + 1);
    for (let i = 0; i < count; i++) {
      cells[i] = this.row(points[2 * i + 1]) * this.side + this.column(points[2 * i]);
      this.starts[cells[i] + 1]++;
    }
    for (let i = 0; i < this.starts.length - 1; i++) this.starts[i + 1] += this.starts[i];
    const next = this.starts.slice();
    this.members = new Uint32Array(count);
    for (let i = 0; i < count; i++) this.members[next[cells[i]]++] = i;
  }

  column(x) {
    return this.cell((x - this.box.left) / (this.box.right - this.box.left));
  }

  row(y) {
    return this.cell((y - this.box.bottom) / (this.box.top - this.box.bottom));
  }

  cell(share) {
    return Math.min(Math.max(Math.floor(share * this.side), 0), this.side - 1);
  }

  // Return the point nearest to (x, y), -1 where none is within `reach`.
  find(x, y, reach) {
    let best = -1;
    let least = reach * reach;
    this.inside({ left: x - reach, right: x + reach, bottom: y - reach, top: y + reach }, (i) => {
      const distance = (this.points[2 * i] - x) ** 2 + (this.points[2 * i + 1] - y) ** 2;
      if (distance <= least) [best, least] = [i, distance];
      return true;
    });
    return best;
  }

  // Call `visit` with every point in a box until it returns false.
  inside({ left, right, bottom, top }, visit) {
    const [first, last] = [this.column(left), this.column(right)];
    for (let row = this.row(bottom); row <= this.row(top); row++) {
      const end = this.starts[row * this.side + last + 1];
      for (let at = this.starts[row * this.side + first]; at < end; at++) {
        const [x, y] = [this.points[2 * this.members[at]], this.points[2 * this.members[at] + 1]];
        const within = x >= left && x <= right && y >= bottom && y <= top;
        if (within && !visit(this.members[at])) return;
      }
    }
  }
}

// Return the box of the points; one without an extent gets some.
function boundsOf(points) {
  const box = { left: Infinity, right: -Infinity, bottom: Infinity, top: -Infinity };
  for (let i = 0; i < points.length; i += 2) {
    box.left = Math.min(box.left, points[i]);
    box.right = Math.max(box.right, points[i]);
    box.bottom = Math.min(box.bottom, points[i + 1]);
    box.top = Math.max(box.top, points[i + 1]);
  }
  if (box.left === box.right) box.right += 1e-6 + Math.abs(box.right) * 1e-6;
  if (box.bottom === box.top) box.top += 1e-6 + Math.abs(box.top) * 1e-6;
  return box;
}
