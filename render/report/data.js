  /* The embedded data as arrays. Numbers are strings of base-64 digits, five bits each, least significant first. */

  const DIGIT = (function () {
    const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", of = new Uint8Array(128);
    for (let i = 0; i < 64; i++) of[digits.charCodeAt(i)] = i;
    return of;
  })();

  function numbers(text, into) {
    for (let at = 0, i = 0; i < into.length; i++) {
      let d = DIGIT[text.charCodeAt(at++)], v = d & 31, factor = 32;
      while (d & 32) {
        d = DIGIT[text.charCodeAt(at++)];
        v += (d & 31) * factor;
        factor *= 32;
      }
      into[i] = v;
    }
    return into;
  }
  /* Signed ones are doubled, and odd when negative. */
  function values(text, n, scaleOf) {
    const out = numbers(text, new Float64Array(n));
    for (let i = 0; i < n; i++) {
      const v = out[i];
      out[i] = (v % 2 ? -(v - 1) / 2 : v / 2) * scaleOf(i);
    }
    return out;
  }

  const raw = JSON.parse(id("data").textContent);
  const functions = {
    n: raw.functions.n, names: raw.functions.names, details: raw.functions.details,
    kinds: numbers(raw.functions.kinds, new Uint8Array(raw.functions.n)),
  };
  const KIND = { root: 0, label: 9, unknown: 10, kernel: 8 };

  /* A tree in preorder: a node's subtree is from it to `end`. */
  const tree = (function () {
    const n = raw.tree.n, up = numbers(raw.tree.up, new Int32Array(Math.max(0, n - 1))), code = numbers(raw.tree.fn, new Int32Array(n));
    const t = { n, fn: new Int32Array(n), inlined: new Uint8Array(n), parent: new Int32Array(n), depth: new Int32Array(n),
                end: new Int32Array(n) };
    const path = [];
    for (let i = 0; i < n; i++) {
      const depth = i ? t.depth[i - 1] + 1 - up[i - 1] : 0;
      t.fn[i] = code[i] >> 1;
      t.inlined[i] = code[i] & 1;
      t.depth[i] = depth;
      t.parent[i] = depth ? path[depth - 1] : -1;
      path[depth] = i;
      t.end[i] = i + 1;
    }
    for (let i = n - 1; i > 0; i--) if (t.end[t.parent[i]] < t.end[i]) t.end[t.parent[i]] = t.end[i];
    t.gap = raw.tree.gap ? numbers(raw.tree.gap, new Float64Array(n)) : null;
    return t;
  })();

  const columns = raw.columns.map((c) => ({ name: c.name, unit: c.unit, self: values(c.self, tree.n, () => c.scale) }));
  const compare = raw.compare, wideSide = compare ? raw.column : 0;
  const dimensions = raw.dimensions;
  const time = raw.time || null;

  const samples = (function () {
    const c = raw.cells;
    if (!c) return null;
    const column = numbers(c.column, new Uint16Array(c.n)), slot = numbers(c.slot, new Uint32Array(c.n));
    for (let i = 1; i < c.n; i++) slot[i] += slot[i - 1];
    return {
      n: c.n, slot, column, node: numbers(c.node, new Uint32Array(c.n)),
      of: c.of.map((text) => numbers(text, new Uint32Array(c.n))),
      value: values(c.value, c.n, (i) => raw.columns[column[i]].scale),
    };
  })();

  const tests = new Map(raw.tests.map((t) => [t[0], { q: t[1], low: t[2], high: t[3] }]));

  /* Per node its own, of the samples that are chosen: one array, or one a side. */
  function chosenSelf(choice) {
    if (compare) return [columns[0].self, columns[1].self];
    if (!samples || (choice.from === null && choice.of.every((v) => v < 0))) return [columns[choice.column].self];
    const self = new Float64Array(tree.n), from = choice.from === null ? 0 : choice.from;
    const to = choice.from === null ? Infinity : choice.to, of = choice.of;
    for (let i = 0; i < samples.n; i++) {
      if (samples.column[i] !== choice.column || samples.slot[i] < from || samples.slot[i] > to) continue;
      if (of.some((v, d) => v >= 0 && samples.of[d][i] !== v)) continue;
      self[samples.node[i]] += samples.value[i];
    }
    return [self];
  }

  /* Per slot what the chosen thread and goroutine took there, whatever the range. */
  function slotSums(choice) {
    const sums = new Float64Array(time.slots), of = choice.of;
    for (let i = 0; i < samples.n; i++)
      if (samples.column[i] === choice.column && !of.some((v, d) => v >= 0 && samples.of[d][i] !== v))
        sums[samples.slot[i]] += samples.value[i];
    return sums;
  }

  /* Per value of a dimension its sum, of the column. */
  function dimensionSums(d, column) {
    const sums = new Float64Array(dimensions[d].values.length);
    if (samples) for (let i = 0; i < samples.n; i++) if (samples.column[i] === column) sums[samples.of[d][i]] += samples.value[i];
    return sums;
  }
