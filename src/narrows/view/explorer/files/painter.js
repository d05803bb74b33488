// Draws the dots into a canvas's bytes: round, soft at the rim, at quarters of a pixel; 70,000 take some milliseconds.

const PARTS = 4; // places within a pixel, each way
const COVER = 215; // of 256: where dots lie on dots, it shows
const FAINT = 26; // of 256, for dots that do not stand out
const MARGIN = 32; // pixels around what is seen, where dots at the edge may reach
const MOST_PICTURES = 160; // samples in view up to which they are drawn instead of dots

// Map coordinates <-> CSS pixels: `x`, `y` are in the middle, `scale` are pixels per unit; up is up.
class View {
  // Show a box of the map whole, above what covers the lowest `foot` pixels.
  fit(box, width, height, foot) {
    Object.assign(this, { width, height });
    this.scale = 0.92 * Math.min(width / (box.right - box.left), (height - foot) / (box.top - box.bottom));
    this.x = (box.left + box.right) / 2;
    this.y = (box.bottom + box.top) / 2 - foot / 2 / this.scale;
    this.whole = this.scale;
    this.fitted = [this.x, this.y, this.scale];
  }

  // Follow the window: the map stays whole; of one that somebody moved the middle stays, and what was zoomed to.
  resize(box, width, height, foot) {
    const before = { x: this.x, y: this.y, scale: this.scale, whole: this.whole };
    const isMoved = Boolean(this.fitted) && !this.isWhole;
    this.fit(box, width, height, foot);
    if (!isMoved) return;
    this.x = before.x;
    this.y = before.y;
    if (before.scale !== before.whole) this.scale = before.scale;
  }

  // Whether nobody has moved or zoomed since.
  get isWhole() {
    const now = [this.x, this.y, this.scale];
    return Boolean(this.fitted?.every((value, i) => value === now[i]));
  }

  toMap(px, py) {
    return [this.x + (px - this.width / 2) / this.scale, this.y - (py - this.height / 2) / this.scale];
  }

  toScreen(x, y) {
    return [this.width / 2 + (x - this.x) * this.scale, this.height / 2 - (y - this.y) * this.scale];
  }

  move(dx, dy) {
    this.x -= dx / this.scale;
    this.y += dy / this.scale;
  }

  // Zoom by `factor` and keep what is at (px, py) there.
  zoom(factor, px, py) {
    const [x, y] = this.toMap(px, py);
    this.scale = Math.min(Math.max(this.scale * factor, this.whole / 4), this.whole * 5000);
    this.x = x - (px - this.width / 2) / this.scale;
    this.y = y + (py - this.height / 2) / this.scale;
  }

  box() {
    const [left, top] = this.toMap(0, 0);
    const [right, bottom] = this.toMap(this.width, this.height);
    return { left, right, bottom, top };
  }
}

class Painter {
  constructor(canvas, points) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d", { alpha: false });
    this.points = points;
    this.pictureSide = 0;
  }

  resize(width, height) {
    this.dots = Math.min(window.devicePixelRatio || 1, 2);
    resize(this.canvas, Math.max(1, Math.round(width * this.dots)), Math.max(1, Math.round(height * this.dots)));
    this.image = this.context.createImageData(this.canvas.width + 2 * MARGIN, this.canvas.height + 2 * MARGIN);
    this.pixels = new Uint32Array(this.image.data.buffer);
  }

  // Return the radius of a dot in CSS pixels: less for many, more where the view is near.
  radius(view) {
    const room = Math.sqrt((view.width * view.height) / (this.points.length / 2));
    return Math.min(Math.min(Math.max(0.42 * room, 1.1), 5) * Math.max(view.scale / view.whole, 0.5) ** 0.35, 7);
  }

  // Draw all points; `strong` (a byte per point, or null) says which stand out.
  paint(view, colours, strong, ground) {
    this.pixels.fill(ground);
    const stamps = makeStamps(this.radius(view) * this.dots);
    if (strong) this.stampAll(view, colours, stamps, (i) => (strong[i] ? 0 : FAINT));
    this.stampAll(view, colours, stamps, strong ? (i) => (strong[i] ? COVER : 0) : null);
    this.context.putImageData(this.image, -MARGIN, -MARGIN);
  }

  stampAll(view, colours, { side, half, covers }, strength) {
    const { points, pixels, dots } = this;
    const { width, height } = this.image;
    const scale = view.scale * dots;
    const left = (view.width / 2) * dots + MARGIN - view.x * scale - half;
    const top = (view.height / 2) * dots + MARGIN + view.y * scale - half;
    for (let i = 0, count = points.length / 2; i < count; i++) {
      const force = strength ? strength(i) : COVER;
      const x = left + points[2 * i] * scale;
      const y = top - points[2 * i + 1] * scale;
      if (force === 0 || !(x >= 0 && y >= 0 && x < width - side && y < height - side)) continue;
      const [column, row] = [x | 0, y | 0];
      const cover = covers[(((y - row) * PARTS) | 0) * PARTS + (((x - column) * PARTS) | 0)];
      const evens = colours[i] & 0xff00ff; // red and blue at once
      const odds = colours[i] & 0x00ff00;
      for (let v = 0, at = 0; v < side; v++) {
        for (let u = 0, pixel = (row + v) * width + column; u < side; u++, at++, pixel++) {
          if (cover[at] === 0) continue;
          const over = (cover[at] * force) >> 8;
          const under = 256 - over;
          const old = pixels[pixel];
          const mixed = Math.imul(evens, over) + Math.imul(old & 0xff00ff, under);
          const green = Math.imul(odds, over) + Math.imul(old & 0x00ff00, under);
          pixels[pixel] = 0xff000000 | ((mixed >>> 8) & 0xff00ff) | ((green >>> 8) & 0x00ff00);
        }
      }
    }
  }

  // Where few samples are in view, draw them over their dots; `pictureSide` is theirs in CSS pixels, 0 for none.
  paintPictures(view, sheets, nearest, colours) {
    const inView = [];
    this.pictureSide = 0;
    nearest.inside(view.box(), (i) => inView.push(i) <= MOST_PICTURES);
    if (inView.length > MOST_PICTURES) return;
    const room = Math.sqrt((view.width * view.height) / Math.max(inView.length, 1));
    this.pictureSide = Math.min(Math.max(0.5 * room, 18), 64);
    const size = this.pictureSide * this.dots;
    const across = size * Math.min(1, sheets.width / sheets.height);
    const down = size * Math.min(1, sheets.height / sheets.width);
    this.context.imageSmoothingEnabled = sheets.width > across;
    for (const i of inView) {
      const found = sheets.find(i);
      if (!found) continue;
      const [x, y] = view.toScreen(this.points[2 * i], this.points[2 * i + 1]).map((v) => Math.round(v * this.dots));
      const [left, top, rim] = [Math.round(x - across / 2), Math.round(y - down / 2), 2 * this.dots];
      this.context.fillStyle = unpacked(colours[i]);
      this.context.fillRect(left - rim, top - rim, across + 2 * rim, down + 2 * rim);
      this.context.drawImage(found.sheet, found.x, found.y, sheets.width, sheets.height, left, top, across, down);
    }
  }
}

// Return a dot of `radius` (canvas pixels) at every part of a pixel: `side` * `side` bytes each, of 256.
function makeStamps(radius) {
  const half = radius + 0.5;
  const side = Math.ceil(2 * half) + 1;
  const covers = [];
  for (let part = 0; part < PARTS * PARTS; part++) {
    const [x, y] = [half + ((part % PARTS) + 0.5) / PARTS, half + (Math.floor(part / PARTS) + 0.5) / PARTS];
    covers.push(
      Uint16Array.from({ length: side * side }, (_, at) => {
        const distance = Math.hypot((at % side) + 0.5 - x, Math.floor(at / side) + 0.5 - y);
        return Math.round(256 * Math.min(Math.max(half - distance, 0), 1));
      }),
    );
  }
  return { side, half, covers };
}

function unpacked(colour) {
  return `rgb(${colour & 255} ${(colour >> 8) & 255} ${(colour >> 16) & 255})`;
}
