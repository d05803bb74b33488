// Mouse, pen and fingers on the map: one moves it or drags a box, two zoom, a click holds.

class Pointer {
  constructor(explorer) {
    this.explorer = explorer;
    this.down = new Map(); // pointers that touch: id -> [x, y]
    const { marks } = explorer;
    marks.addEventListener("pointerdown", (event) => this.press(event));
    marks.addEventListener("pointermove", (event) => this.move(event));
    marks.addEventListener("pointerup", (event) => this.release(event));
    marks.addEventListener("pointercancel", (event) => this.release(event));
    marks.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
  }

  press(event) {
    const { explorer } = this;
    explorer.marks.setPointerCapture(event.pointerId);
    this.down.set(event.pointerId, [event.offsetX, event.offsetY]);
    this.start = this.down.size === 1 ? [event.offsetX, event.offsetY] : null; // two are no click
    explorer.box = this.down.size === 1 && (event.shiftKey || explorer.boxing) ? [...this.start, ...this.start] : null;
  }

  move(event) {
    const { explorer, down } = this;
    const here = [event.offsetX, event.offsetY];
    explorer.keyed = false;
    const before = down.get(event.pointerId);
    if (!before) {
      explorer.look(...here, event.timeStamp);
      return;
    }
    down.set(event.pointerId, here);
    if (this.start && Math.hypot(here[0] - this.start[0], here[1] - this.start[1]) > STILL) this.start = null;
    if (explorer.box) {
      explorer.box.splice(2, 2, ...here);
      explorer.ask("marks");
      return;
    }
    if (down.size === 2) this.pinch(event.pointerId, before, here);
    explorer.view.move((here[0] - before[0]) / down.size, (here[1] - before[1]) / down.size);
    explorer.marks.classList.add("moving");
    explorer.ask("dots");
  }

  pinch(id, before, here) {
    const [other] = [...this.down].find(([key]) => key !== id).slice(1);
    const reach = ([x, y]) => Math.max(Math.hypot(x - other[0], y - other[1]), 1);
    this.explorer.view.zoom(reach(here) / reach(before), (here[0] + other[0]) / 2, (here[1] + other[1]) / 2);
  }

  release(event) {
    const { explorer } = this;
    this.down.delete(event.pointerId);
    explorer.marks.classList.remove("moving");
    const { box } = explorer;
    explorer.box = null;
    explorer.ask("marks");
    if (event.type === "pointercancel") return;
    if (this.start) this.click(event);
    else if (box) explorer.selectBox(box);
    this.start = null;
  }

  // Hold the sample here; on empty space let go, and look.
  click(event) {
    const { explorer } = this;
    explorer.look(event.offsetX, event.offsetY, event.timeStamp);
    explorer.hold(explorer.under);
    if (explorer.under < 0) explorer.look(event.offsetX, event.offsetY, event.timeStamp);
  }

  wheel(event) {
    event.preventDefault();
    const lines = event.deltaMode === 1 ? 16 : 1;
    this.explorer.view.zoom(Math.exp(-0.0016 * lines * event.deltaY), event.offsetX, event.offsetY);
    this.explorer.look(event.offsetX, event.offsetY, event.timeStamp);
    this.explorer.ask("dots");
  }
}

// Draw what lies over the dots: the place that is shown, the middle for keys, the drawing's place and the box.
function drawMarks({ marks, view, painter, place, landed, box, keyed, held }) {
  const context = marks.getContext("2d");
  const { color: ink, caretColor: accent } = getComputedStyle(marks);
  context.setTransform(painter.dots, 0, 0, painter.dots, 0, 0);
  context.clearRect(0, 0, view.width, view.height);
  const ring = ([x, y], radius, width, colour) => {
    context.beginPath();
    context.arc(x, y, radius, 0, 2 * Math.PI);
    Object.assign(context, { strokeStyle: colour, lineWidth: width });
    context.stroke();
  };
  if (place && place.i >= 0) ring(view.toScreen(place.x, place.y), painter.radius(view) + 4, held ? 3 : 2, ink);
  if (landed) {
    ring(view.toScreen(...landed), 9, 3, accent);
    ring(view.toScreen(...landed), 2, 3, accent);
  }
  context.fillStyle = ink;
  if (keyed) {
    context.fillRect(view.width / 2 - 8, view.height / 2 - 0.5, 16, 1);
    context.fillRect(view.width / 2 - 0.5, view.height / 2 - 8, 1, 16);
  }
  if (box) {
    const sides = [Math.min(box[0], box[2]), Math.min(box[1], box[3]), Math.abs(box[2] - box[0]), Math.abs(box[3] - box[1])];
    Object.assign(context, { fillStyle: accent, strokeStyle: accent, lineWidth: 1.5, globalAlpha: 0.12 });
    context.fillRect(...sides);
    context.globalAlpha = 1;
    context.strokeRect(...sides);
  }
}
