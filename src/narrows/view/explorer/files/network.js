// Runs a list of plain layers, as use/exported.py writes it, on one sample.
//
// A sample is a flat array in the order channel, row, column; `shape` is what leaves a layer. Weights are one array for
// all layers, each layer's weight before its bias, in torch's order. Sums are in double precision, what a layer leaves
// in single precision, as in torch.

class Network {
  constructor(layers, shape, weights) {
    let at = 0;
    const take = (count) => weights.subarray(at, (at += count));
    this.steps = layers.map((layer) => {
      const before = shape;
      shape = layer.shape;
      const kernel = layer.kind === "linear" ? 1 : layer.kernel;
      const weight = kernel ? take(kernel * kernel * before[0] * shape[0]) : null;
      const bias = kernel ? take(shape[0]) : null;
      return { ...layer, run: LAYERS[layer.kind], before, weight, bias };
    });
  }

  // Return the sample (Float64Array or Float32Array) that leaves the last layer for the sample `values`.
  run(values) {
    const pile = []; // samples that wait for others: two branches begin at one and are added
    for (const step of this.steps) values = step.run(values, step, pile);
    return values;
  }
}

function count(shape) {
  return shape.reduce((product, side) => product * side, 1);
}

const LAYERS = {
  shape: (x) => x,

  relu: (x) => Float32Array.from(x, (v) => (v > 0 ? v : 0)),

  leaky: (x, { slope }) => Float32Array.from(x, (v) => (v > 0 ? v : slope * v)),

  silu: (x) => Float32Array.from(x, (v) => v / (1 + Math.exp(-v))),

  // from channel, row, column to row, column, channel, and back
  byPixel: (x, { before: [channels, height, width] }) => transpose(x, channels, height * width),

  byChannel: (x, { shape: [channels, height, width] }) => transpose(x, height * width, channels),

  keep(x, step, pile) {
    pile.push(x);
    return x;
  },

  swap: (x, step, pile) => pile.splice(-1, 1, x)[0],

  add(x, step, pile) {
    const other = pile.pop();
    return Float32Array.from(x, (v, i) => v + other[i]);
  },

  sigmoid: (x) => Float32Array.from(x, (v) => 1 / (1 + Math.exp(-v))),

  clamp: (x) => Float32Array.from(x, (v) => Math.min(Math.max(v, 0), 1)),

  // user's units -> model's units, one scale and offset per channel; beyond a `tail` by the logarithm
  scale(x, { shape, scale, offset, tail }) {
    const places = count(shape) / shape[0];
    return Float32Array.from(x, (v, i) => shorten((v - offset[(i / places) | 0]) / scale[(i / places) | 0], tail));
  },

  // model's units -> user's units; of a table each of `cells`, [where it begins, its size], is a number or a category
  back(x, { shape, scale, offset, tail, cells }) {
    const number = (i) => lengthen(x[i], tail) * scale[i] + offset[i];
    if (cells) return Float64Array.from(cells, ([start, size]) => (size ? likeliest(x, start, size) : number(start)));
    const places = count(shape) / shape[0];
    return Float64Array.from(x, (v, i) => lengthen(v, tail) * scale[(i / places) | 0] + offset[(i / places) | 0]);
  },

  linear(x, { weight, bias }) {
    const out = new Float32Array(bias.length);
    for (let o = 0, w = 0; o < out.length; o++) {
      let sum = bias[o];
      for (let i = 0; i < x.length; i++, w++) sum += weight[w] * x[i];
      out[o] = sum;
    }
    return out;
  },

  conv(x, { before, shape, kernel, stride, padding, weight, bias }) {
    const [channels, height, width] = before;
    const [features, down, across] = shape;
    const out = new Float32Array(features * down * across);
    const sums = new Float64Array(down * across);
    for (let o = 0, w = 0; o < features; o++) {
      sums.fill(bias[o]);
      for (let c = 0; c < channels; c++) {
        for (let ky = 0; ky < kernel; ky++) {
          for (let kx = 0; kx < kernel; kx++) {
            const factor = weight[w++];
            const [left, right] = within(kx - padding, stride, width, across);
            const [top, bottom] = within(ky - padding, stride, height, down);
            for (let y = top; y < bottom; y++) {
              const row = (c * height + y * stride + ky - padding) * width + kx - padding;
              for (let i = left; i < right; i++) sums[y * across + i] += factor * x[row + i * stride];
            }
          }
        }
      }
      out.set(sums, o * down * across);
    }
    return out;
  },

  transposed(x, { before, shape, kernel, stride, padding, weight, bias }) {
    const [channels, height, width] = before;
    const [features, down, across] = shape;
    const out = new Float32Array(features * down * across);
    const sums = new Float64Array(down * across);
    for (let o = 0; o < features; o++) {
      sums.fill(bias[o]);
      for (let c = 0; c < channels; c++) {
        let w = (c * features + o) * kernel * kernel;
        for (let ky = 0; ky < kernel; ky++) {
          for (let kx = 0; kx < kernel; kx++) {
            const factor = weight[w++];
            const [left, right] = within(kx - padding, stride, across, width);
            const [top, bottom] = within(ky - padding, stride, down, height);
            for (let y = top; y < bottom; y++) {
              const row = (y * stride + ky - padding) * across + kx - padding;
              const from = (c * height + y) * width;
              for (let i = left; i < right; i++) sums[row + i * stride] += factor * x[from + i];
            }
          }
        }
      }
      out.set(sums, o * down * across);
    }
    return out;
  },

  maxpool(x, { before, shape, size }) {
    return eachPixel(shape, (c, y, i) => {
      let most = -Infinity;
      for (let row = y * size; row < Math.min((y + 1) * size, before[1]); row++) {
        for (let column = i * size; column < Math.min((i + 1) * size, before[2]); column++) {
          most = Math.max(most, x[(c * before[1] + row) * before[2] + column]);
        }
      }
      return most;
    });
  },

  upsample: (x, { before, shape, factor }) =>
    eachPixel(shape, (c, y, i) => x[(c * before[1] + ((y / factor) | 0)) * before[2] + ((i / factor) | 0)]),

  cut: (x, { before, shape }) => eachPixel(shape, (c, y, i) => x[(c * before[1] + y) * before[2] + i]),
};

// Return the transpose of a matrix of `rows` rows, row by row.
function transpose(x, rows, columns) {
  const out = new Float32Array(x.length);
  for (let r = 0, i = 0; r < rows; r++) for (let c = 0; c < columns; c++, i++) out[c * rows + r] = x[i];
  return out;
}

// Return which of `size` values from `start` on is the largest, the first of equal ones.
function likeliest(x, start, size) {
  let best = 0;
  for (let i = 1; i < size; i++) if (x[start + i] > x[start + best]) best = i;
  return best;
}

// Return what is left of a distance from 0: all of it up to `tail`, the logarithm of the rest.
function shorten(z, tail) {
  const beyond = tail === undefined ? 0 : Math.abs(z) - tail;
  return beyond > 0 ? Math.sign(z) * (tail + Math.log1p(Math.min(beyond, 1e300))) : z;
}

// Return the distance that `shorten` shortened to `z`.
function lengthen(z, tail) {
  const beyond = tail === undefined ? 0 : Math.abs(z) - tail;
  return beyond > 0 ? Math.sign(z) * (tail + Math.expm1(Math.min(beyond, Math.log(1e300)))) : z;
}

// Return the range of places p, of `places` at most, whose input p * stride + shift lies within `size`.
function within(shift, stride, size, places) {
  return [Math.max(0, Math.ceil(-shift / stride)), Math.min(places, Math.floor((size - 1 - shift) / stride) + 1)];
}

function eachPixel([features, height, width], value) {
  const out = new Float32Array(features * height * width);
  for (let c = 0, at = 0; c < features; c++) {
    for (let y = 0; y < height; y++) {
      for (let i = 0; i < width; i++) out[at++] = value(c, y, i);
    }
  }
  return out;
}
