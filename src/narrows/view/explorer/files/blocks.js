// What the file holds: numbers and pictures as base64 in elements that the browser neither shows nor runs.

const MOST_SHEETS = 48; // sheets of pictures that are kept open: some 40 MB

// Return the text of a block, null where the file has none or it is not there yet.
function block(id) {
  const element = document.getElementById(id);
  return element ? element.textContent : null;
}

function bytesOf(text) {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(text);
  const letters = atob(text);
  const bytes = new Uint8Array(letters.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = letters.charCodeAt(i);
  return bytes;
}

// Return the numbers of a block, null where there is none.
function numbers(id, Type) {
  const text = block(id);
  return text === null ? null : new Type(bytesOf(text).buffer);
}

// Return half-precision numbers in single precision.
function halves(id) {
  return Float32Array.from(numbers(id, Uint16Array), (bits) => {
    const sign = bits >> 15 ? -1 : 1;
    const power = (bits >> 10) & 31;
    const share = bits & 1023;
    if (power === 0) return sign * share * 2 ** -24;
    return power === 31 ? NaN : sign * (1 + share / 1024) * 2 ** (power - 15);
  });
}

// Pictures in sheets, which are opened when one of theirs is asked for.
class Sheets {
  constructor(name, { height, width, across, each }, whenOpen) {
    Object.assign(this, { name, height, width, across, each, whenOpen });
    this.open = new Map(); // number of the sheet -> its bitmap, null while it opens; the latest used are last
  }

  // Return where picture `i` is, as {sheet, x, y}; null where its sheet is still opening, and `whenOpen` is called later.
  find(i) {
    const number = Math.floor(i / this.each);
    const sheet = this.open.get(number);
    if (sheet === undefined) this.load(number);
    if (!sheet) return null;
    this.open.delete(number);
    this.open.set(number, sheet);
    const place = i % this.each;
    return { sheet, x: (place % this.across) * this.width, y: Math.floor(place / this.across) * this.height };
  }

  async load(number) {
    const text = block(`${this.name}-${number}`);
    if (text === null) return;
    this.open.set(number, null);
    this.open.set(number, await createImageBitmap(new Blob([bytesOf(text)], { type: "image/webp" })));
    for (const [old, sheet] of this.open) {
      if (this.open.size <= MOST_SHEETS) break;
      if (sheet) sheet.close();
      this.open.delete(old);
    }
    this.whenOpen();
  }

  // Draw picture `i` on a canvas of its size and return whether it was there.
  show(i, canvas) {
    const found = this.find(i);
    if (!found) return false;
    resize(canvas, this.width, this.height);
    const { width, height } = this;
    canvas.getContext("2d").drawImage(found.sheet, found.x, found.y, width, height, 0, 0, width, height);
    return true;
  }
}

// Give a canvas a size, which empties it.
function resize(canvas, width, height) {
  canvas.width = width;
  canvas.height = height;
}
