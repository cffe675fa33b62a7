  /*
   * Trees of values: sums, and other trees made of the recorded one. A view is {tree, self: [per side],
   * total: [per side], whole: [per side]}; whole is what shares are of, whichever part of it the tree shows.
   */

  function totals(t, self) {
    const total = Float64Array.from(self);
    for (let i = t.n - 1; i > 0; i--) total[t.parent[i]] += total[i];
    return total;
  }

  function viewOf(t, self, whole) {
    const total = self.map((s) => totals(t, s));
    return { tree: t, self, total, whole: whole || total.map((sums) => sums[0]) };
  }

  /* Grows a tree by paths; nodes of one function under one parent are one. */
  function grower(rootFn, whole) {
    const sides = whole.length, fn = [rootFn], inlined = [0], parent = [-1], self = [];
    const index = new Map(), width = 2 * functions.n;
    for (let s = 0; s < sides; s++) self.push([0]);
    return {
      child(at, f, inline) {
        const key = at * width + 2 * f + inline;
        let i = index.get(key);
        if (i === undefined) {
          i = fn.length;
          index.set(key, i);
          fn.push(f);
          inlined.push(inline);
          parent.push(at);
          for (const s of self) s.push(0);
        }
        return i;
      },
      add(at, side, value) { self[side][at] += value; },
      view() { return grown(fn, inlined, parent, self, whole); },
    };
  }

  /* What was grown, in preorder, the largest first among siblings. */
  function grown(fn, inlined, parent, self, whole) {
    const n = fn.length, sum = new Float64Array(n), first = new Int32Array(n).fill(-1), next = new Int32Array(n).fill(-1);
    for (let i = n - 1; i >= 0; i--) {
      for (const s of self) sum[i] += Math.abs(s[i]);
      if (i) sum[parent[i]] += sum[i];
    }
    const order = Array.from({ length: n }, (_, i) => i).sort((a, b) => sum[a] - sum[b] || b - a);
    for (const i of order) {
      if (!i) continue;
      next[i] = first[parent[i]];
      first[parent[i]] = i;
    }
    const t = { n, fn: new Int32Array(n), inlined: new Uint8Array(n), parent: new Int32Array(n), depth: new Int32Array(n),
                end: new Int32Array(n) };
    const out = self.map(() => new Float64Array(n)), place = new Int32Array(n), stack = [0];
    for (let at = 0; stack.length; at++) {
      const i = stack.pop();
      place[i] = at;
      t.fn[at] = fn[i];
      t.inlined[at] = inlined[i];
      t.parent[at] = i ? place[parent[i]] : -1;
      t.depth[at] = i ? t.depth[t.parent[at]] + 1 : 0;
      t.end[at] = at + 1;
      out.forEach((o, s) => { o[at] = self[s][i]; });
      if (i && next[i] >= 0) stack.push(next[i]);
      if (first[i] >= 0) stack.push(first[i]);
    }
    for (let i = n - 1; i > 0; i--) if (t.end[t.parent[i]] < t.end[i]) t.end[t.parent[i]] = t.end[i];
    return viewOf(t, out, whole);
  }

  /* Functions of one name are one here, whatever they are to colours. */
  const sameName = (function () {
    const first = new Map(), of = new Int32Array(functions.n);
    functions.names.forEach((name, i) => {
      if (!first.has(name)) first.set(name, i);
      of[i] = first.get(name);
    });
    return of;
  })();
  function functionOf(name) {
    const i = functions.names.indexOf(name);
    return i < 0 || functions.kinds[i] === KIND.root ? -1 : i;
  }

  /* Calls visit(i) for every node of the function that is not below another of it. */
  function outermost(view, f, visit) {
    const t = view.tree;
    for (let i = 1; i < t.n; i++) {
      if (sameName[t.fn[i]] !== f || !view.total.some((total) => total[i])) continue;
      visit(i);
      i = t.end[i] - 1;
    }
  }

  function callees(view, f) {
    const t = view.tree, g = grower(f, view.whole), at = new Int32Array(t.n);
    outermost(view, f, (from) => {
      for (let i = from; i < t.end[from]; i++) {
        if (!view.total.some((total) => total[i])) { i = t.end[i] - 1; continue; }
        at[i] = i === from ? 0 : g.child(at[t.parent[i]], t.fn[i], t.inlined[i]);
        view.self.forEach((self, s) => { if (self[i]) g.add(at[i], s, self[i]); });
      }
    });
    return g.view();
  }

  function callers(view, f) {
    const t = view.tree, g = grower(f, view.whole);
    outermost(view, f, (from) => {
      let at = 0;
      for (let i = t.parent[from]; i > 0; i = t.parent[i]) at = g.child(at, t.fn[i], t.inlined[i]);
      view.total.forEach((total, s) => { if (total[from]) g.add(at, s, total[from]); });
    });
    return Object.assign(g.view(), { upward: true });
  }

  /* Merged from the leaves: who was on CPU, then its callers. */
  function reversed(view) {
    const t = view.tree, g = grower(t.fn[0], view.whole);
    for (let i = 0; i < t.n; i++) {
      if (!view.self.some((self) => self[i])) continue;
      let at = 0;
      for (let k = i; k > 0; k = t.parent[k]) at = g.child(at, t.fn[k], t.inlined[k]);
      view.self.forEach((self, s) => { g.add(at, s, self[i]); });
    }
    return g.view();
  }

  /* Per function what is its own and what it takes with its callees; recursion counts once. */
  function functionSums(view) {
    const t = view.tree, sides = view.self.length, open = new Int32Array(functions.n), path = [];
    const sums = { self: [], total: [] };
    for (let s = 0; s < sides; s++) {
      sums.self.push(new Float64Array(functions.n));
      sums.total.push(new Float64Array(functions.n));
    }
    for (let i = 1; i < t.n; i++) {
      const f = sameName[t.fn[i]];
      while (path.length && t.end[path[path.length - 1]] <= i) open[sameName[t.fn[path.pop()]]]--;
      for (let s = 0; s < sides; s++) {
        sums.self[s][f] += view.self[s][i];
        if (!open[f]) sums.total[s][f] += view.total[s][i];
      }
      open[f]++;
      path.push(i);
    }
    return sums;
  }

  /* How the two sides differ at a node: -8 … 8, as palette_step_of in palette.c. */
  function stepOf(view, i) {
    const a = view.whole[wideSide], b = view.whole[1 - wideSide];
    const x = a > 0 ? view.total[wideSide][i] / a : 0, y = b > 0 ? view.total[1 - wideSide][i] / b : 0, larger = Math.max(x, y);
    const change = larger > 0 ? (x - y) / larger : 0, step = Math.floor(Math.sqrt(Math.abs(change)) * 8 + 0.5);
    return change < 0 ? -step : step;
  }
