// What the dots' colours say: a label, the error or a table's column; and the legend that explains them.

const RAMP = ["#440154", "#46327e", "#365c8d", "#277f8e", "#1fa187", "#4ac16d", "#a0da39", "#fde725"]; // viridis
const MOST_LABELS = 20; // in the legend
const TAIL = 0.01; // share of the values at each end that has the end's colour

// Return "#rrggbb" as one number, as a canvas stores it.
function packed(colour) {
  const value = parseInt(colour.slice(1), 16);
  return (0xff000000 | ((value & 0xff) << 16) | (value & 0xff00) | (value >> 16)) >>> 0;
}

function isDark() {
  const { theme } = document.documentElement.dataset;
  return theme ? theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
}

// Return the ramp's colours that stand out from the ground.
function ramp() {
  return isDark() ? RAMP.slice(2) : RAMP.slice(0, -1);
}

// Return the values that get the ramp's two ends.
function scaleOf(values) {
  const sorted = Float32Array.from(values).sort();
  const low = sorted[Math.floor(TAIL * (sorted.length - 1))];
  const high = sorted[Math.ceil((1 - TAIL) * (sorted.length - 1))];
  return { low, high };
}

// Return 256 packed colours along the ramp.
function rampTable() {
  const stops = ramp().map((colour) => [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16)));
  return Uint32Array.from({ length: 256 }, (_, i) => {
    const place = (i / 255) * (stops.length - 1);
    const at = Math.min(Math.floor(place), stops.length - 2);
    const [red, green, blue] = stops[at].map((v, c) => Math.round(v + (stops[at + 1][c] - v) * (place - at)));
    return (0xff000000 | (blue << 16) | (green << 8) | red) >>> 0;
  });
}

// Return a packed colour per point: {labels, colours} or {values, low, high}.
function paintBy({ labels, colours, values, low, high }) {
  if (labels) {
    const table = colours.map(packed);
    return Uint32Array.from(labels, (label) => table[label % table.length]);
  }
  const table = rampTable();
  const factor = high > low ? 255 / (high - low) : 0;
  return Uint32Array.from(values, (v) => table[Math.min(Math.max(Math.round((v - low) * factor), 0), 255)]);
}

// Fill the legend with a button per label, of many the most frequent; `chosen` are those that stand out.
function showLabels(legend, data, chosen, whenChosen) {
  const order = data.labelNames.map((_, i) => i);
  if (order.length > MOST_LABELS) order.sort((a, b) => data.labelCounts[b] - data.labelCounts[a]);
  const buttons = order.slice(0, MOST_LABELS).map((label) => {
    const button = make("button", { title: `Show ${data.labelNames[label]} only`, ariaPressed: String(chosen.has(label)) });
    const dot = make("i");
    dot.style.background = data.colours[label % data.colours.length];
    const count = make("small", { textContent: data.labelCounts[label].toLocaleString("en") });
    button.append(dot, data.labelNames[label], count);
    button.onclick = () => whenChosen(label);
    return button;
  });
  const rest = order.length - buttons.length;
  if (rest > 0) buttons.push(make("span", { className: "more", textContent: `and ${rest.toLocaleString("en")} more: search` }));
  const focused = [...legend.children].indexOf(document.activeElement);
  legend.replaceChildren(...buttons);
  legend.children[focused]?.focus();
}

function showRamp(legend, title, low, high) {
  const bar = make("b");
  bar.style.background = `linear-gradient(to right, ${ramp().join(", ")})`;
  const box = make("span", { className: "ramp" });
  const texts = [title, short(low), short(high)].map((textContent) => make("span", { textContent }));
  box.append(...texts.slice(0, 2), bar, texts[2]);
  legend.replaceChildren(box);
}

function make(tag, fields = {}) {
  return Object.assign(document.createElement(tag), fields);
}

// Return a number with four digits that count.
function short(value) {
  if (Number.isInteger(value) && Math.abs(value) < 1e9) return value.toLocaleString("en");
  const size = Math.abs(value);
  return size >= 1e-3 && size < 1e6 ? String(Number(value.toPrecision(4))) : value.toPrecision(3);
}
