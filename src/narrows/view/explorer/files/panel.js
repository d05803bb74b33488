// The panel beside the map: the sample under the pointer, or what the model decodes where there is none.

const MOST_COLUMNS = 8; // of a table, those that stand out most

class Panel {
  constructor(data) {
    this.data = data;
    this.place = null; // {i, x, y, since, held}: i is -1 in empty space
    this.lag = null; // milliseconds from the last event to its picture
    this.who = document.getElementById("who");
    this.facts = document.getElementById("facts");
    this.pair = document.getElementById("pair");
    this.sample = document.getElementById("sample");
    this.decoded = document.getElementById("decoded");
    this.made = document.getElementById("made");
    this.table = document.getElementById("columns");
    this.row = document.getElementById("row");
    this.kept = document.getElementById("kept");
    document.getElementById("look").classList.toggle("rows", data.about.rows);
    this.own = document.getElementById("own");
    const { numbers } = data.about;
    for (const element of document.querySelectorAll(".own")) element.hidden = !numbers; // else it is what is decoded
    this.whence = numbers ? ` from its ${numbers} numbers` : "";
  }

  show(place) {
    this.place = place;
    this.refresh();
  }

  // Show the place once more, with what has arrived since.
  refresh() {
    const { data, place } = this;
    if (!place) return;
    const { i, x, y, held } = place;
    document.getElementById("look").dataset.index = i < 0 ? "" : data.indices[i];
    const title = i < 0 ? "" : `${held ? "Held: sample" : "Sample"} ${data.indices[i].toLocaleString("en")}`;
    this.who.textContent = title || "Between the samples";
    this.facts.replaceChildren(...(i < 0 ? [`What the model makes of the spot ${short(x)}, ${short(y)}.`] : this.describe(i)));
    if (!data.complete) return;
    const done = data.about.pictures ? this.showPictures(place) : this.showTable(place);
    if (done && place.since) {
      this.lag = performance.now() - place.since;
      place.since = null;
    }
  }

  describe(i) {
    const { data } = this;
    const [x, y] = data.at(i);
    const times = data.usualError > 0 ? ` (${(data.errors[i] / data.usualError).toPrecision(2)} times the median)` : "";
    const words = [];
    if (!data.about.rows) words.push(...this.nameOf(i)); // else they stand before the row
    words.push(`Error of its reconstruction${this.whence}: ${short(data.errors[i])}${times}`);
    if (data.mapErrors) words.push(`; of what is decoded from its spot on the map: ${short(data.mapErrors[i])}`);
    return [...words, `. At ${short(x)}, ${short(y)}.`];
  }

  nameOf(i) {
    const { data } = this;
    const words = data.names ? [textOfData(data.names[i]), ". "] : [];
    if (!data.labels) return words;
    return [...(data.labels[i] < data.unlabelled ? ["Label ", textOfData(data.labelOf(i)), ". "] : ["Not labelled. "]), ...words];
  }

  // Return whether all pictures were there.
  showPictures({ i, x, y }) {
    const { data } = this;
    this.pair.hidden = false;
    const values = data.decode(x, y);
    if (values) showValues(values, data.shape, data.about.limits, this.decoded);
    const decoded = values !== null || data.spotSheets.show(data.spotAt(x, y), this.decoded);
    const here = data.about.numbers ? "decoded from its spot" : "reconstruction, decoded from its spot";
    this.made.textContent = values ? (i < 0 ? "decoded here" : here) : "nearest decoded spot";
    this.sample.classList.toggle("none", i < 0);
    this.own.classList.toggle("none", i < 0);
    document.getElementById("whose").textContent = i < 0 ? "no sample here" : "sample";
    if (i < 0) {
      for (const canvas of [this.sample, this.own]) resize(canvas, this.decoded.width, this.decoded.height);
      return decoded;
    }
    const reconstructed = !data.madeSheets || data.madeSheets.show(i, this.own);
    return data.sheets.show(i, this.sample) && reconstructed && decoded;
  }

  showTable(place) {
    showKept(this.kept, this.data, place.i);
    if (this.data.about.rows) showRow(this.row, this.data, place);
    else this.showColumns(place);
    return true;
  }

  // Show the columns of an array, of which nobody said the kinds: those that lie farthest from their means.
  showColumns({ i, x, y }) {
    const { data } = this;
    const decoded = data.decode(x, y);
    const rows = data.columns.slice(0, data.about.learned).map((column, c) => {
      const { name, mean, deviation } = column;
      const value = i < 0 ? null : column.values[i];
      const known = i < 0 || Number.isNaN(value) ? decoded[c] : value;
      const away = deviation > 0 ? (known - mean) / deviation : 0;
      const own = data.about.numbers ? [i < 0 ? null : column.made[i]] : [];
      return { name, values: [value, ...own, decoded[c]], away };
    });
    rows.sort((a, b) => Math.abs(b.away) - Math.abs(a.away));
    this.table.hidden = false;
    this.table.tBodies[0].replaceChildren(...rows.slice(0, MOST_COLUMNS).map(rowOf));
  }
}

function rowOf({ name, values, away }) {
  const row = make("tr");
  const head = make("th", { scope: "row", title: name });
  head.append(textOfData(name));
  const far = make("td", { className: "bar", textContent: `${away < 0 ? "−" : "+"}${Math.abs(away).toFixed(1)}` });
  far.style.setProperty("--part", `${Math.min(Math.abs(away) / 4, 1) * 80}%`);
  const texts = values.map((value) => (value === null ? "–" : Number.isNaN(value) ? "gap" : short(value)));
  const cells = texts.map((textContent) => make("td", { textContent }));
  row.append(head, ...cells, far);
  return row;
}
