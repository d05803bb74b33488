// What the dots' colours say: a label, the error or a table's column; and the legend that explains them.

const MOST_LABELS = 500; // in the legend
const LONGEST = 32; // letters of a label in the legend
const DARK_STEPS = ["#414487", "#2a788e", "#22a884", "#7ad151", "#bddf26", "#fde725"]; // viridis, to stand out from a dark ground

// Return "#rrggbb" as one number, as a canvas stores it.
function packed(colour) {
  const value = parseInt(colour.slice(1), 16);
  return (0xff000000 | ((value & 0xff) << 16) | (value & 0xff00) | (value >> 16)) >>> 0;
}

function isDark() {
  const { theme } = document.documentElement.dataset;
  return theme ? theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
}

// Return groups of a column's values as the picture of a map has them: {names, colours, own}, `own` a group per value.
// Few whole numbers are kinds; others, and errors, are in steps that hold about as many values each; gaps come last.
function groupsOf(values, about, mayBeKinds) {
  const known = values.filter((value) => !Number.isNaN(value));
  const kinds = mayBeKinds && known.every(Number.isInteger) ? [...new Set(known)].sort((a, b) => a - b) : null;
  const { names, colours, groupOf } = kinds && kinds.length <= about.kinds ? kindsOf(kinds, about) : stepsOf(known, about);
  const own = Uint32Array.from(values, (value) => (Number.isNaN(value) ? names.length : groupOf(value)));
  if (known.length === values.length) return { names, colours, own };
  return { names: [...names, about.gap], colours: [...colours, about.grey], own };
}

function kindsOf(kinds, about) {
  return { names: kinds.map(short), colours: about.colours.slice(0, kinds.length), groupOf: (value) => kinds.indexOf(value) };
}

function stepsOf(values, about) {
  const steps = isDark() ? DARK_STEPS : about.steps;
  const sorted = Float64Array.from(values).sort();
  const edges = [...new Set([...steps, null].map((_, i) => quantile(sorted, i / steps.length)))];
  const last = Math.max(edges.length - 2, 0);
  const groupOf = (value) => Math.min(edges.findLastIndex((edge) => edge <= value), last);
  const names = steps.slice(0, last + 1).map((_, i) => `${short(edges[i], 3)} to ${short(edges[i + 1] ?? edges[i], 3)}`);
  return { names, colours: steps.slice(0, last + 1), groupOf };
}

function quantile(sorted, share) {
  const at = share * (sorted.length - 1);
  const low = sorted[Math.floor(at)];
  return low + (sorted[Math.ceil(at)] - low) * (at - Math.floor(at));
}

// Return a packed colour per point, of its group's.
function paintBy(own, colours) {
  const table = colours.map(packed);
  return Uint32Array.from(own, (group) => table[group]);
}

// Fill the legend with a button per label, of many the most frequent; `chosen` are those that stand out.
function showLabels(legend, data, chosen, whenChosen) {
  const order = data.labelNames.map((_, i) => i);
  if (order.length > MOST_LABELS) order.sort((a, b) => data.labelCounts[b] - data.labelCounts[a]);
  const buttons = order.slice(0, MOST_LABELS).map((label) => {
    const name = data.labelNames[label];
    const button = make("button", { title: `Show ${name} only`, ariaPressed: String(chosen.has(label)) });
    button.append(...entry(name, data.labelCounts[label], data.colourOf(label)));
    button.onclick = () => whenChosen(label);
    return button;
  });
  const rest = order.length - buttons.length;
  if (rest > 0) buttons.push(make("span", { className: "more", textContent: `and ${rest.toLocaleString("en")} more: search` }));
  const focused = [...legend.children].indexOf(document.activeElement);
  legend.replaceChildren(...buttons);
  legend.children[focused]?.focus();
}

// Fill the legend with the groups of a number.
function showGroups(legend, title, { names, colours, own }) {
  const counts = new Array(names.length).fill(0);
  for (const group of own) counts[group]++;
  const lines = names.map((name, i) => make("span", { className: "step" }));
  lines.forEach((line, i) => line.append(...entry(names[i], counts[i], colours[i])));
  const head = make("span", { className: "more" });
  head.append(textOfData(title));
  legend.replaceChildren(head, ...lines);
}

// Return what a line of the legend holds: a dot, a name and how many samples it has.
function entry(name, count, colour) {
  const dot = make("i");
  dot.style.background = colour;
  return [dot, textOfData(middleOut(name)), make("small", { textContent: count.toLocaleString("en") })];
}

// Return a long text without its middle.
function middleOut(text) {
  const letters = [...text];
  const half = LONGEST / 2;
  return letters.length <= LONGEST ? text : `${letters.slice(0, half).join("")}…${letters.slice(1 - half).join("")}`;
}

// Return a text of the data as an element: whatever it holds, it neither turns nor mixes with the words beside it.
function textOfData(text) {
  return make("bdi", { textContent: text });
}

function make(tag, fields = {}) {
  return Object.assign(document.createElement(tag), fields);
}

// Return a number with so many digits that count.
function short(value, digits = 4) {
  if (Number.isInteger(value) && Math.abs(value) < 1e9) return value.toLocaleString("en");
  const size = Math.abs(value);
  return size >= 1e-3 && size < 1e6 ? String(Number(value.toPrecision(digits))) : value.toPrecision(3);
}
