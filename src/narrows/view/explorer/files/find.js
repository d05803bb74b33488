// Search by index, label, name or id; the selection, and its table as a file.

const MOST_FOUND = 7; // lines below the search field
const MOST_NAMES = 4; // of them, samples found by name
const MOST_SAID = 2; // columns that the empty search field names

// Return what a text may mean: [{words, label}], [{words, sample}] or, for all that match at once, [{words, samples}];
// `words` are texts, and texts of the data as elements.
function meanings(data, text) {
  const wanted = text.trim().toLowerCase();
  if (!wanted) return [];
  const asked = wanted.replace(/^label\s+/, "");
  const like = data.labelNames.map((name, label) => ({ name: name.toLowerCase(), label }));
  const labels = like.filter(({ name }) => name.includes(asked)).sort((a, b) => (b.name === asked) - (a.name === asked));
  const named = namedLike(data, wanted);
  const found = labels.slice(0, MOST_FOUND - 2).map(({ label }) => {
    const count = data.labelCounts[label].toLocaleString("en");
    return { words: ["label ", textOfData(data.labelNames[label]), `: ${count} samples`], label };
  });
  const index = /^(?:#|sample\s+)?(\d+)$/.exec(wanted);
  if (index && Number(index[1]) < data.count) {
    const sample = data.places[Number(index[1])];
    found.push({ words: [`sample ${Number(index[1]).toLocaleString("en")}`], sample });
  }
  const names = named.slice(0, Math.max(Math.min(MOST_NAMES, MOST_FOUND - found.length), 0));
  found.push(...names);
  const hidden = labels.length + named.length - Math.min(labels.length, MOST_FOUND - 2) - names.length;
  if (labels.length + named.length > 1) found.push(allOf(data, new Set(labels.map(({ label }) => label)), named, hidden));
  return found;
}

// Return the samples whose names, or texts that are not learned, hold what is wanted: [{words, sample}], each sample once.
function namedLike(data, wanted) {
  const named = new Map();
  const add = (sample, words) => named.has(sample) || named.set(sample, { words, sample });
  data.names?.forEach((name, i) => name.toLowerCase().includes(wanted) && add(i, [textOfData(name)]));
  for (const column of searched(data)) {
    const fits = column.isCategory ? column.categories.map((text) => text.toLowerCase().includes(wanted)) : null;
    const number = wanted === "" ? NaN : Number(wanted);
    column.values.forEach((value, i) => {
      if (fits ? fits[value] : value === number) add(i, [textOfData(column.name), " ", textOfData(middleOut(column.text(value)))]);
    });
  }
  return [...named.values()];
}

// Return the columns by which a row can be found: ids and other texts and whole numbers that are not learned.
function searched(data) {
  return data.columns.filter(({ learned, kind }) => !learned && (kind === "category" || kind === "integer"));
}

// Return the line that selects every sample of some labels, and those in `named`; `hidden` matches have no line.
function allOf(data, labels, named, hidden) {
  const chosen = new Set(named.map(({ sample }) => sample));
  if (labels.size) data.labels.forEach((label, i) => labels.has(label) && chosen.add(i));
  const more = hidden > 0 ? `and ${hidden.toLocaleString("en")} more: ` : "";
  return { words: [`${more}select all ${chosen.size.toLocaleString("en")} samples`], samples: [...chosen] };
}

// The search field and the list below it.
class Search {
  constructor(data, whenChosen) {
    Object.assign(this, { data, whenChosen, found: [], at: 0 });
    this.input = document.getElementById("search");
    this.list = document.getElementById("found");
    const known = ["index", ...(data.labels ? [data.about.label] : []), ...(data.about.names ? ["name"] : [])];
    known.push(...searched(data).map(({ name }) => name).slice(0, MOST_SAID));
    this.input.placeholder = `Search by ${known.join(", ")}`;
    this.input.oninput = () => this.look();
    this.input.onkeydown = (event) => this.key(event);
    this.input.onblur = () => this.close(); // after pointerdown, by which a line of the list is chosen
  }

  look() {
    this.found = meanings(this.data, this.input.value);
    this.at = 0;
    const nothing = this.input.value.trim() && !this.found.length;
    this.list.replaceChildren(...this.found.map(({ words }, i) => this.line(words, i)));
    if (nothing) this.list.append(make("li", { textContent: "nothing found" }));
    this.list.hidden = !this.list.childElementCount;
    this.input.ariaExpanded = String(!this.list.hidden);
    this.mark();
  }

  line(words, i) {
    const line = make("li", { role: "option", id: `found-${i}` });
    line.append(...words);
    line.onpointerdown = () => this.choose(i);
    return line;
  }

  key(event) {
    event.stopPropagation();
    const steps = { ArrowDown: 1, ArrowUp: -1 };
    if (event.key in steps && this.found.length) {
      event.preventDefault();
      this.at = (this.at + steps[event.key] + this.found.length) % this.found.length;
      this.mark();
    } else if (event.key === "Enter") this.choose(this.at);
    else if (event.key === "Escape") this.input.blur();
  }

  mark() {
    [...this.list.children].forEach((line, i) => (line.ariaSelected = String(i === this.at)));
    this.input.setAttribute("aria-activedescendant", this.found.length ? `found-${this.at}` : "");
  }

  choose(i) {
    if (!this.found[i]) return;
    this.whenChosen(this.found[i]);
    this.input.blur();
    this.close();
  }

  close() {
    this.list.hidden = true;
    this.input.ariaExpanded = "false";
  }
}

// The samples that stand out: those of some labels, or in a box.
class Selection {
  constructor(data) {
    Object.assign(this, { data, mask: null, size: 0, labels: new Set() });
  }

  toggle(label) {
    if (!this.labels.delete(label)) this.labels.add(label);
    if (!this.labels.size) return this.clear();
    this.set(Uint8Array.from(this.data.labels, (l) => (this.labels.has(l) ? 1 : 0)));
  }

  select(points) {
    this.labels.clear();
    const mask = new Uint8Array(this.data.count);
    for (const i of points) mask[i] = 1;
    this.set(mask);
  }

  clear() {
    this.labels.clear();
    this.set(null);
  }

  set(mask) {
    this.mask = mask;
    this.size = mask ? mask.reduce((sum, one) => sum + one, 0) : 0;
    document.getElementById("selection").hidden = !mask;
    document.getElementById("selected").textContent = `${this.size.toLocaleString("en")} selected`;
    document.getElementById("shares").replaceChildren(...this.describe());
  }

  // Say which labels the selection has, the most frequent first.
  describe() {
    const { data, mask } = this;
    if (!mask || !data.labels) return [];
    const counts = new Map();
    mask.forEach((one, i) => one && counts.set(data.labels[i], (counts.get(data.labels[i]) || 0) + 1));
    const order = [...counts].sort((a, b) => b[1] - a[1]);
    const words = order.slice(0, 6).flatMap(([label, count], i) => {
      return [i ? ", " : "", textOfData(data.labelNames[label]), `: ${count.toLocaleString("en")}`];
    });
    return [...words, order.length > 6 ? `, ${order.length - 6} more labels` : ""];
  }

  // Return a table of the selected samples in the user's order.
  csv() {
    const { data, mask } = this;
    const columns = [["index", (i) => data.indices[i]]];
    for (const column of data.columns.slice(data.about.learned)) columns.push([cellOf(column.name), (i) => column.cell(i)]);
    columns.push(["x", (i) => exact(data.at(i)[0])], ["y", (i) => exact(data.at(i)[1])]);
    if (data.labels) columns.push(["label", (i) => (data.labels[i] < data.unlabelled ? cellOf(data.labelOf(i)) : "")]);
    if (data.names) columns.push(["name", (i) => cellOf(data.names[i])]);
    columns.push(["error", (i) => exact(data.errors[i])]);
    const chosen = [...data.places].filter((place) => mask[place]);
    const rows = chosen.map((i) => columns.map(([, value]) => value(i)));
    return [columns.map(([name]) => name), ...rows].map((row) => row.join(",") + "\r\n").join("");
  }
}

// Return a number of single precision with all digits that it has.
function exact(value) {
  return String(Number(value.toPrecision(9)));
}

// Return a text as a cell: as narrows writes it, with an apostrophe before what a spreadsheet would run as a formula.
function cellOf(text) {
  const isFormula = /^'*[\s\0]*[=+\-@＝＋－＠\t\r\n]/.test(text) && !/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text);
  const cell = isFormula ? `'${text}` : text;
  return /[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}
