// The samples, the map and the model, as the file has them. Points are in the file's order; `indices` are the user's.

class Data {
  constructor() {
    const about = JSON.parse(block("about"));
    Object.assign(this, { about, count: about.count, shape: about.shape, colours: about.colours });
    this.points = numbers("points", Float32Array);
    this.errors = numbers("errors", Float32Array);
    this.indices = numbers("indices", Uint32Array);
    this.labels = numbers("labels", Uint32Array);
    this.labelNames = about.labels.slice();
    this.unlabelled = about.labels.length; // the label of samples that have none
    if (this.labels?.includes(this.unlabelled)) this.labelNames.push(about.unlabelled);
    this.labelCounts = new Array(this.labelNames.length).fill(0);
    if (this.labels) for (const label of this.labels) this.labelCounts[label]++;
    this.places = new Uint32Array(this.count); // the user's index -> place in the file
    this.indices.forEach((index, place) => (this.places[index] = place));
    this.usualError = this.errors.slice().sort()[this.count >> 1];
    this.columns = about.columns.map((column, number) => new Column(column, number));
    this.complete = false;
  }

  // Take what stands behind the scripts; `whenOpen` is called when pictures have arrived.
  finish(whenOpen) {
    const { about } = this;
    this.names = about.names ? JSON.parse(block("names")) : null;
    if (about.decoder) this.decoder = new Network(about.decoder, [2], numbers("decoder", Float32Array));
    if (about.encoder) this.encoder = new Network(about.encoder, this.shape, halves("encoder"));
    if (about.sheet) this.sheets = new Sheets("sheet", about.sheet, whenOpen);
    if (about.made) this.madeSheets = new Sheets("made", about.made, whenOpen);
    this.mapErrors = numbers("map-errors", Float32Array);
    if (about.spot) this.spotSheets = new Sheets("spot", about.spot, whenOpen);
    if (about.spots && !about.pictures) this.spotValues = numbers("spots", Float64Array);
    this.complete = true;
  }

  // Say who wrote the file, and what it does not hold.
  limitsInWords() {
    const { version, sheet, pictures, learned, left, shape } = this.about;
    const words = [`Written by narrows ${version}. This one file holds all that it shows, and asks for nothing.`];
    if (sheet && !sheet.exact) words.push(`The samples are shown as copies of ${sheet.width}x${sheet.height} pixels.`);
    if (!pictures && learned < shape[0]) words.push(`It holds the first ${learned} of ${shape[0]} columns.`);
    if (left?.length) words.push(`It leaves out ${left.map(middleOut).join(", ")}, of too many letters.`);
    if (this.about.spots) words.push("What the model decodes is shown at a grid of spots.");
    return words.join(" ");
  }

  at(i) {
    return [this.points[2 * i], this.points[2 * i + 1]];
  }

  labelOf(i) {
    return this.labels ? this.labelNames[this.labels[i]] : null;
  }

  colourOf(label) {
    return label === this.unlabelled ? this.about.grey : this.colours[label % this.colours.length];
  }

  // Return what the model decodes at a spot in user's units, null where the file has a grid of pictures instead.
  decode(x, y) {
    if (this.decoder) return this.rounded(this.decoder.run([x, y]));
    if (!this.spotValues) return null;
    const width = this.about.learned;
    return this.spotValues.subarray(this.spotAt(x, y) * width, (this.spotAt(x, y) + 1) * width);
  }

  // Whole numbers come back as such, as `narrows decode` writes them.
  rounded(values) {
    if (!this.about.whole) return values;
    const [low, high] = this.about.limits || [-Infinity, Infinity];
    return values.map((v) => Math.min(Math.max(Math.round(v), low), high));
  }

  // Return the decoded spot that is nearest.
  spotAt(x, y) {
    const { left, bottom, step, count } = this.about.spots;
    const near = (share) => Math.min(Math.max(Math.round(share), 0), count - 1);
    return near((y - bottom) / step[1]) * count + near((x - left) / step[0]);
  }
}

// Draw values (channel, row, column) in user's units on a canvas of their size.
function showValues(values, [channels, height, width], [low, high], canvas) {
  resize(canvas, width, height);
  const context = canvas.getContext("2d");
  const image = context.createImageData(width, height);
  const places = height * width;
  for (let i = 0; i < places; i++) {
    for (let c = 0; c < 3; c++) {
      const value = values[channels >= 3 ? c * places + i : i];
      image.data[4 * i + c] = Math.round((255 * (value - low)) / (high - low));
    }
    image.data[4 * i + 3] = 255;
  }
  context.putImageData(image, 0, 0);
}
