// The row of a table: first what tells rows apart, then a line per column, and what the model makes of it.

const MOST_CELLS = 12; // columns that are shown; of more, those of the largest errors
const MOST_KEPT = 6; // of those that are not learned
const MUCH = 0.5; // deviations from which on the model's value is shown beside the sample's

// Fill the table `element` with the row of sample `i`; with what is decoded at (x, y) where that is -1.
function showRow(element, data, { i, x, y }) {
  const made = i >= 0 && data.about.made ? null : data.decode(x, y);
  const cells = data.columns.slice(0, data.about.learned).map((column, c) => {
    const value = made ? made[c] : column.made[i];
    return i < 0 ? decodedCell(column, value) : sampleCell(column, column.values[i], value);
  });
  if (cells.length > MOST_CELLS) cells.sort((a, b) => b.away - a.away);
  const head = element.tHead.rows[0].cells[1];
  head.textContent = i < 0 ? "decoded here" : "sample";
  head.colSpan = i < 0 ? 2 : 1;
  element.classList.toggle("alone", i < 0);
  element.tBodies[0].replaceChildren(...shownLines(cells, MOST_CELLS, data.shape[0]));
  element.hidden = false;
}

// Fill the table `element` with what tells sample `i` from others: its name and label, and the columns not learned.
function showKept(element, data, i) {
  const { rows, label, learned } = data.about;
  const cells = [];
  if (i >= 0 && rows && data.names) cells.push({ name: "name", texts: [data.names[i]] });
  if (i >= 0 && rows && data.labels) cells.push({ name: label, texts: [data.labelOf(i)] });
  const kept = i < 0 ? [] : data.columns.slice(learned);
  cells.push(...kept.map((column) => ({ name: column.name, texts: [column.text(column.values[i])] })));
  element.tBodies[0].replaceChildren(...shownLines(cells, MOST_KEPT, cells.length));
  element.hidden = !cells.length;
}

// Return what is shown of a sample's value, and beside it the model's where that differs much, or fills a gap.
function sampleCell(column, value, made) {
  const isGap = column.isGap(value);
  const away = isGap ? 0 : column.distance(value, made);
  const shows = isGap ? column.known : away > MUCH;
  return { name: column.name, texts: [column.text(value), shows ? column.text(made, true) : ""], away };
}

// Return what is shown of a decoded value; of many those that lie farthest from the mean, or the usual category.
function decodedCell(column, value) {
  const text = column.known ? column.text(value, true) : NOTHING;
  return { name: column.name, texts: [text], away: column.distance(value, column.mean) };
}

// Return a line for each of the first `most` cells, and one that counts the others of `count`.
function shownLines(cells, most, count) {
  const lines = cells.slice(0, most).map(lineOf);
  const rest = count - lines.length;
  if (rest > 0) {
    const line = make("tr");
    line.append(make("td", { className: "rest", colSpan: 3, textContent: `… and ${rest.toLocaleString("en")} more` }));
    lines.push(line);
  }
  return lines;
}

function lineOf({ name, texts }) {
  const line = make("tr");
  const head = make("th", { scope: "row", title: name });
  head.append(textOfData(name));
  const cells = texts.map((text, i) => {
    const cell = make("td", { title: text, className: i ? "made" : "", colSpan: texts.length === 1 ? 2 : 1 });
    cell.append(textOfData(middleOut(text)));
    return cell;
  });
  line.append(head, ...cells);
  return line;
}
