// A table's columns: their values as texts in the user's terms, and the groups by which they colour the points.

const TYPES = { uint8: Uint8Array, uint16: Uint16Array, uint32: Uint32Array, float32: Float32Array, float64: Float64Array };
const GROUPED = 1e4; // whole numbers from here on have commas between thousands
const LAST_TIME = 8.64e12; // seconds since 1970 that a Date can hold
const NOTHING = "–"; // the text of a gap

class Column {
  // about: what the file says of it; number: its place among the columns.
  constructor(about, number) {
    Object.assign(this, about, { number, isCategory: about.kind === "category", blocks: new Map() });
  }

  // The values of all samples; of a category the place of its text, then one for unknown ones and one for gaps.
  get values() {
    return this.open("column", (id) => numbers(id, TYPES[this.type]));
  }

  // What the model reconstructs, null where the page decodes it.
  get made() {
    return this.open("made", (id) => numbers(id, TYPES[this.type]));
  }

  get categories() {
    return this.open("texts", (id) => JSON.parse(block(id)));
  }

  open(kind, read) {
    if (!this.blocks.has(kind)) this.blocks.set(kind, read(`${kind}-${this.number}`));
    return this.blocks.get(kind);
  }

  isGap(value) {
    return this.isCategory ? value === this.texts + 1 : Number.isNaN(value);
  }

  // Return a value of the user's as a text, or `isMade`, one that the model makes, which is not exact.
  text(value, isMade = false) {
    if (this.isGap(value)) return NOTHING;
    if (this.isCategory) return value < this.texts ? this.categories[value] : this.unknown;
    if (this.kind === "time") return timeText(value, this.clock, isMade);
    if (this.kind === "integer") return this.learned ? wholeText(Math.round(value)) : String(value);
    return isMade || !this.kind ? short(value) : String(Number(value.toPrecision(7)));
  }

  // Return sample `i`'s value as a cell of a CSV file, empty for a gap.
  cell(i) {
    return this.isGap(this.values[i]) ? "" : cellOf(this.text(this.values[i]));
  }

  // Return how far a value that is no gap lies from another, in the column's deviations; a wrong category lies as far as
  // two samples whose squared distance, the Brier score, is 2.
  distance(value, other) {
    if (this.isCategory) return value === other ? 0 : Math.SQRT2;
    return this.deviation > 0 ? Math.abs(value - other) / this.deviation : 0;
  }

  // Return the groups of its values: {names, colours, own}, `own` a group per value.
  groupsOf(about) {
    if (!this.kind) return groupsOf(this.values, about, true);
    const { names, own, colours, edges, steps } = this.groups;
    if (own) return { names, colours, own: Uint32Array.from(this.values, (value) => own[value]) };
    const shades = isDark() ? DARK_STEPS : about.steps;
    const step = (value) => (Number.isNaN(value) ? steps.length : edges.findLastIndex((edge) => edge <= value));
    return { names, colours: [...steps.map((i) => shades[i]), about.grey], own: Uint32Array.from(this.values, step) };
  }
}

function wholeText(value) {
  return Math.abs(value) >= GROUPED ? value.toLocaleString("en") : String(value);
}

// Return a time as people write it, to the minute where it is not exact.
function timeText(seconds, clock, isRough) {
  if (Math.abs(seconds) > LAST_TIME) return seconds.toPrecision(3);
  const unit = clock === "date" ? 86400 : isRough ? 60 : 1;
  const [date, time] = new Date(Math.round(seconds / unit) * unit * 1000).toISOString().split("T");
  const [hours, minutes, rest] = time.split(":");
  const written = rest.startsWith("00") ? `${hours}:${minutes}` : `${hours}:${minutes}:${rest.slice(0, 2)}`;
  const moment = `${date} ${written}`;
  return { date, moment, "moment in UTC": `${moment} UTC`, "time of day": written }[clock];
}
