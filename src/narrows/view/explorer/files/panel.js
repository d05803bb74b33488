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
    this.facts.textContent = i < 0 ? `What the model makes of the spot ${short(x)}, ${short(y)}.` : this.describe(i);
    if (!data.complete) return;
    const done = data.about.pictures ? this.showPictures(place) : this.showColumns(place);
    if (done && place.since) {
      this.lag = performance.now() - place.since;
      place.since = null;
    }
  }

  describe(i) {
    const { data } = this;
    const [x, y] = data.at(i);
    const times = data.usualError > 0 ? ` (${(data.errors[i] / data.usualError).toPrecision(2)} times the median)` : "";
    const label = data.labels ? `Label ${data.labelOf(i)}. ` : "";
    const name = data.names ? `${data.names[i]}. ` : "";
    return `${label}${name}Error ${short(data.errors[i])}${times}, at ${short(x)}, ${short(y)}.`;
  }

  // Return whether all pictures were there.
  showPictures({ i, x, y }) {
    const { data } = this;
    this.pair.hidden = false;
    const values = data.decode(x, y);
    if (values) showValues(values, data.shape, data.about.limits, this.decoded);
    const decoded = values !== null || data.spotSheets.show(data.spotAt(x, y), this.decoded);
    this.made.textContent = values ? (i < 0 ? "decoded here" : "decoded from its spot") : "nearest decoded spot";
    this.sample.classList.toggle("none", i < 0);
    document.getElementById("whose").textContent = i < 0 ? "no sample here" : "sample";
    if (i < 0) resize(this.sample, this.decoded.width, this.decoded.height);
    return (i < 0 || data.sheets.show(i, this.sample)) && decoded;
  }

  showColumns({ i, x, y }) {
    const { data } = this;
    const { columns, means, deviations } = data.about;
    const decoded = data.decode(x, y);
    const rows = columns.map((name, c) => {
      const value = i < 0 ? null : data.column(c)[i];
      const away = deviations[c] > 0 ? ((i < 0 ? decoded[c] : value) - means[c]) / deviations[c] : 0;
      return { name, value, decoded: decoded[c], away };
    });
    rows.sort((a, b) => Math.abs(b.away) - Math.abs(a.away));
    this.table.hidden = false;
    this.table.tBodies[0].replaceChildren(...rows.slice(0, MOST_COLUMNS).map(rowOf));
    return true;
  }
}

function rowOf({ name, value, decoded, away }) {
  const row = make("tr");
  const head = make("th", { scope: "row", textContent: name, title: name });
  const far = make("td", { className: "bar", textContent: `${away < 0 ? "−" : "+"}${Math.abs(away).toFixed(1)}` });
  far.style.setProperty("--part", `${Math.min(Math.abs(away) / 4, 1) * 80}%`);
  const cells = [value === null ? "–" : short(value), short(decoded)].map((textContent) => make("td", { textContent }));
  row.append(head, ...cells, far);
  return row;
}
