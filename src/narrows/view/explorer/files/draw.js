// A sheet of paper: draw a sample, add noise, see it restored and where it lies on the map. All of it runs here.

const BRUSH = 0.045; // radius, of the shorter side

class Paper {
  // landed(x, y) is told where the drawing lies.
  constructor(data, panel, landed) {
    Object.assign(this, { data, panel, landed });
    [this.channels, this.height, this.width] = data.shape;
    this.ground = data.about.ground > 0.5 ? 1 : 0;
    this.shares = new Float32Array(this.channels * this.height * this.width); // of the range of values
    this.noise = Float32Array.from(this.shares, normal);
    this.paper = document.getElementById("paper");
    this.restored = document.getElementById("restored");
    this.words = document.getElementById("landed");
    this.slider = document.getElementById("noise");
    this.paper.onpointerdown = (event) => this.begin(event);
    this.paper.onpointermove = (event) => event.buttons && this.stroke(event);
    this.slider.oninput = () => this.update();
    document.getElementById("wipe").onclick = () => this.wipe();
    document.getElementById("take").onclick = () => this.take();
    this.wipe();
  }

  wipe() {
    this.shares.fill(this.ground);
    this.blank = true;
    this.update();
  }

  // Copy the sample that the panel shows.
  take() {
    const { place } = this.panel;
    const canvas = document.createElement("canvas");
    if (!place || place.i < 0 || !this.data.sheets.show(place.i, canvas)) return;
    const own = make("canvas", { width: this.width, height: this.height });
    const context = own.getContext("2d");
    context.drawImage(canvas, 0, 0, this.width, this.height);
    const bytes = context.getImageData(0, 0, this.width, this.height).data;
    const places = this.height * this.width;
    this.shares = this.shares.map((_, i) => bytes[4 * (i % places) + Math.min((i / places) | 0, 2)] / 255);
    this.blank = false;
    this.update();
  }

  begin(event) {
    this.paper.setPointerCapture(event.pointerId);
    this.last = null;
    this.stroke(event);
  }

  stroke(event) {
    const box = this.paper.getBoundingClientRect();
    const x = ((event.clientX - box.left) / box.width) * this.width;
    const y = ((event.clientY - box.top) / box.height) * this.height;
    this.ink(this.last || [x, y], [x, y]);
    this.last = [x, y];
    this.blank = false;
    this.update();
  }

  // Darken, or lighten, every pixel near a line.
  ink([ax, ay], [bx, by]) {
    const radius = Math.max(BRUSH * Math.min(this.width, this.height), 0.8);
    const length = (bx - ax) ** 2 + (by - ay) ** 2;
    for (let i = 0; i < this.shares.length; i++) {
      const x = (i % this.width) + 0.5;
      const y = (Math.floor(i / this.width) % this.height) + 0.5;
      const along = length ? Math.min(Math.max(((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / length, 0), 1) : 0;
      const distance = Math.hypot(x - ax - along * (bx - ax), y - ay - along * (by - ay));
      const cover = Math.min(Math.max(radius + 0.6 - distance, 0), 1);
      this.shares[i] = this.ground ? Math.min(this.shares[i], 1 - cover) : Math.max(this.shares[i], cover);
    }
  }

  update() {
    const { data, shares, noise } = this;
    const strength = Number(this.slider.value);
    document.getElementById("strength").textContent = strength.toFixed(2);
    const [low, high] = data.about.limits;
    const noisy = shares.map((share, i) => Math.min(Math.max(share + strength * noise[i], 0), 1));
    const values = noisy.map((share) => low + (high - low) * share);
    showValues(values, data.shape, data.about.limits, this.paper);
    this.restored.classList.toggle("none", this.blank);
    if (this.blank) {
      resize(this.restored, this.width, this.height);
      this.words.textContent = "restored";
      this.landed(null);
      return;
    }
    const [x, y] = data.encoder.run(values);
    showValues(data.rounded(data.decoder.run([x, y])), data.shape, data.about.limits, this.restored);
    const near = this.landed([x, y]);
    this.words.textContent = `restored; lies at ${short(x)}, ${short(y)}${near === null ? "" : `, next to ${near}`}`;
  }
}

// Return a number from a normal distribution (Box and Muller, 1958).
function normal() {
  return Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random());
}
