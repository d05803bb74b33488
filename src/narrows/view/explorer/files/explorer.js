// Puts the page together: pointer, keys and buttons change the state; one frame at most draws what has changed.

const REACH = 14; // CSS pixels within which the pointer finds a dot
const STEP = 60; // CSS pixels that an arrow key moves
const MOST_COVERED = 0.4; // of the map's height, which a whole map leaves to the legend
const STILL = 5; // CSS pixels that a click may move

class Explorer {
  constructor() {
    this.data = new Data();
    this.view = new View();
    this.map = document.getElementById("map");
    this.painter = new Painter(document.getElementById("dots"), this.data.points);
    this.marks = document.getElementById("marks");
    this.panel = new Panel(this.data);
    this.selection = new Selection(this.data);
    this.held = null; // the place that a click holds
    this.landed = null; // where the drawing lies
    this.box = null; // while it is dragged: [x, y, x, y] in CSS pixels
    this.changed = new Set(["dots"]);
    document.getElementById("count").textContent = `${this.data.count.toLocaleString("en")} samples`;
    document.getElementById("foot").textContent = this.data.limitsInWords();
    this.foldLegend();
    this.resize();
    this.setTheme(isDark());
    this.offerColours();
    if (this.colours) this.draw();
    requestAnimationFrame(() => requestAnimationFrame(() => performance.mark("first picture"))); // it has been shown
  }

  // Begin what needs the rest of the file.
  finish() {
    const { data } = this;
    this.nearest = new Nearest(data.points);
    data.finish(() => {
      this.panel.refresh();
      this.ask("dots");
    });
    if (!this.colours) this.colourBy(this.mode);
    this.search = new Search(data, (found) => this.goTo(found));
    new Pointer(this);
    this.listen();
    if (data.encoder && data.decoder) {
      document.getElementById("draw").hidden = false;
      this.paper = new Paper(data, this.panel, (place) => this.land(place));
    }
    this.resize(); // a button more may take room from the map
    data.decode(...data.at(0)); // the first one is slow, and nobody waits for this one
    performance.mark("complete");
  }

  // Ask for a frame that draws "dots" (and marks), "marks" or the "look".
  ask(what) {
    if (!this.asked) requestAnimationFrame(() => this.draw());
    this.asked = true;
    this.changed.add(what);
  }

  draw() {
    const { changed, view, selection } = this;
    this.changed = new Set();
    this.asked = false;
    if (!this.colours) return;
    if (changed.has("dots")) {
      this.painter.paint(view, this.colours, selection.mask, this.ground);
      if (this.data.sheets) this.painter.paintPictures(view, this.data.sheets, this.nearest, this.colours);
    }
    if (changed.has("look")) this.panel.show(this.place);
    drawMarks(this);
  }

  resize() {
    const { clientWidth, clientHeight } = this.map;
    if (!clientWidth || !clientHeight) return;
    this.view.resize(boundsOf(this.data.points), clientWidth, clientHeight, this.foot());
    this.painter.resize(clientWidth, clientHeight);
    resize(this.marks, clientWidth * this.painter.dots, clientHeight * this.painter.dots);
    this.changed.add("dots");
    if (this.colours) this.draw(); // at once, or the emptied canvas would be seen
  }

  setTheme(dark) {
    document.documentElement.dataset.theme = dark ? "dark" : "light";
    document.getElementById("theme").textContent = dark ? "Light" : "Dark";
    const channels = getComputedStyle(this.map).backgroundColor.match(/\d+/g).map(Number);
    this.ground = (0xff000000 | (channels[2] << 16) | (channels[1] << 8) | channels[0]) >>> 0;
    this.colourBy(this.mode);
  }

  // Where there is little room, the legend is folded until somebody opens it.
  foldLegend() {
    const narrow = matchMedia("(max-width: 46rem)");
    const fold = () => (document.getElementById("key").open = !narrow.matches);
    narrow.addEventListener("change", fold);
    document.getElementById("key").addEventListener("toggle", () => this.view.isWhole && this.fit());
    fold();
  }

  offerColours() {
    const { about, labels, columns } = this.data;
    const choices = [...(labels ? [["labels", about.label]] : []), ["errors", "reconstruction error"]];
    for (const { name, number } of columns) choices.push([`column-${number}`, name]);
    const select = document.getElementById("colour");
    select.replaceChildren(...choices.map(([value, words]) => make("option", { value, textContent: words })));
    for (const { kind, groups, number } of columns) {
      if (!kind || groups) continue;
      const title = "Not learned, and ids or too many different texts: it tells no groups";
      Object.assign(select.querySelector(`[value="column-${number}"]`), { disabled: true, title });
    }
    select.onchange = () => this.colourBy(select.value);
    const column = `column-${columns.findIndex(({ name, kind, groups }) => name === about.by && (!kind || groups))}`;
    const asked = labels && about.by === about.label ? "labels" : about.by === "error" ? "errors" : column;
    const [first] = choices.find(([value]) => value === asked) || choices[0];
    select.value = first;
    if (first.startsWith("column-")) this.mode = first; // its values stand behind the scripts
    else this.colourBy(first);
  }

  colourBy(mode) {
    if (!mode) return;
    this.mode = mode;
    const { data } = this;
    const legend = document.getElementById("legend");
    if (mode === "labels") {
      this.colours = paintBy(data.labels, data.labelNames.map((_, label) => data.colourOf(label)));
      showLabels(legend, data, this.selection.labels, (label) => this.choose(() => this.selection.toggle(label)));
    } else {
      const column = mode === "errors" ? null : data.columns[Number(mode.slice("column-".length))];
      const groups = column ? column.groupsOf(data.about) : groupsOf(data.errors, data.about, false);
      this.colours = paintBy(groups.own, groups.colours);
      showGroups(legend, column ? column.name : "reconstruction error", groups);
    }
    if (this.view.isWhole) this.fit(); // above the legend
    this.ask("dots");
  }

  // Change the selection and show it.
  choose(change) {
    change();
    this.colourBy(this.mode);
  }

  goTo({ label, sample, samples }) {
    if (samples) {
      this.choose(() => this.selection.select(samples));
      return;
    }
    if (label !== undefined) {
      this.choose(() => {
        this.selection.clear();
        this.selection.toggle(label);
      });
      return;
    }
    [this.view.x, this.view.y] = this.data.at(sample);
    this.view.scale = Math.max(this.view.scale, 8 * this.view.whole);
    this.hold(sample);
    this.ask("dots");
  }

  // Show what lies at a place of the screen, unless a sample is held.
  look(px, py, since) {
    const [x, y] = this.view.toMap(px, py);
    const i = this.nearest.find(x, y, Math.max(REACH, this.painter.pictureSide / 2) / this.view.scale);
    this.under = i;
    if (this.held) return;
    const [atX, atY] = i < 0 ? [x, y] : this.data.at(i);
    this.place = { i, x: atX, y: atY, since };
    this.ask("look");
  }

  // Hold sample `i` in the panel; -1 lets go.
  hold(i) {
    this.held = null;
    if (i >= 0) {
      const [x, y] = this.data.at(i);
      this.held = this.place = { i, x, y, held: true };
    }
    this.ask("look");
  }

  // Mark where the drawing lies and return what is next to it.
  land(place) {
    this.landed = place;
    this.ask("marks");
    if (!place) return null;
    const i = this.nearest.find(...place, Infinity);
    return this.data.labels?.[i] < this.data.unlabelled ? `label ${this.data.labelOf(i)}` : `sample ${this.data.indices[i].toLocaleString("en")}`;
  }

  listen() {
    const on = (id, action) => (document.getElementById(id).onclick = action);
    on("fit", () => this.fit());
    on("theme", () => this.setTheme(!isDark()));
    on("box", () => this.setBoxing(!this.boxing));
    on("clear", () => this.choose(() => this.selection.clear()));
    on("download", () => this.download());
    new ResizeObserver(() => this.resize()).observe(this.map);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", (event) => this.setTheme(event.matches));
    document.addEventListener("keydown", (event) => this.key(event));
  }

  fit() {
    this.view.fit(boundsOf(this.data.points), this.view.width, this.view.height, this.foot());
    this.ask("dots");
  }

  // Return how many pixels at the map's foot the legend covers, 0 where that is too much to leave free.
  foot() {
    const { offsetHeight } = document.getElementById("key");
    return offsetHeight < MOST_COVERED * this.map.clientHeight ? offsetHeight : 0;
  }

  setBoxing(boxing) {
    this.boxing = boxing;
    document.getElementById("box").ariaPressed = String(boxing);
  }

  selectBox([left, top, right, bottom]) {
    const [x0, y0] = this.view.toMap(Math.min(left, right), Math.max(top, bottom));
    const [x1, y1] = this.view.toMap(Math.max(left, right), Math.min(top, bottom));
    this.chosen = { left: x0, bottom: y0, right: x1, top: y1 };
    const inside = [];
    this.nearest.inside(this.chosen, (i) => inside.push(i));
    this.choose(() => (inside.length ? this.selection.select(inside) : this.selection.clear()));
  }

  download() {
    const link = document.getElementById("download");
    URL.revokeObjectURL(link.href);
    link.href = URL.createObjectURL(new Blob([this.selection.csv()], { type: "text/csv" }));
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || /^(INPUT|SELECT)$/.test(event.target.tagName)) return;
    const [middleX, middleY] = [this.view.width / 2, this.view.height / 2];
    const moves = { ArrowLeft: [STEP, 0], ArrowRight: [-STEP, 0], ArrowUp: [0, STEP], ArrowDown: [0, -STEP] };
    const zooms = { "+": 1.4, "=": 1.4, "-": 1 / 1.4 };
    const actions = { 0: () => this.fit(), s: () => this.setBoxing(!this.boxing), "/": () => this.search.input.focus() };
    actions.Escape = () => (this.held ? this.hold(-1) : this.choose(() => this.selection.clear()));
    if (event.key in moves) this.view.move(...moves[event.key]);
    else if (event.key in zooms) this.view.zoom(zooms[event.key], middleX, middleY);
    else if (event.key in actions) actions[event.key]();
    else if (event.key === "Enter" && event.target === this.marks) this.hold(this.under ?? -1);
    else return;
    event.preventDefault();
    if (event.key in moves || event.key in zooms) {
      this.keyed = true; // the middle of the map is what the keys point at
      this.look(middleX, middleY, event.timeStamp);
      this.ask("dots");
    }
  }
}

// All is drawn on canvases in two dimensions, without WebGL; a browser that has none says why there is no map.
const canDraw = Boolean(document.createElement("canvas").getContext("2d"));
document.getElementById("unable").hidden = canDraw;
const explorer = canDraw ? new Explorer() : null;
if (!canDraw) performance.mark("complete");
else if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", () => explorer.finish());
else explorer.finish();
