  /* What is shown, and how it changes. */

  const state = {
    shown: VIEWS[0][0], column: compare ? 0 : raw.column, of: dimensions.map(() => -1), from: null, to: null,
    f: -1, query: raw.search, matchCase: false, inverted: raw.inverted, reversed: raw.reversed, theme: "",
    view: null, reversedView: null,
  };
  let table, marked = -1; /* marked: of the matches, the one that was gone to */

  function remember(push) {
    const zoom = (f) => f && f.view && f.top > 0 ? f.top : "", first = VIEWS[0][0];
    const plain = state.shown !== "callers";
    address.write({
      v: state.shown === first ? "" : state.shown,
      f: state.f >= 0 ? functions.names[state.f].slice(0, 2000) : "",
      e: compare || state.column === raw.column ? "" : columns[state.column].name,
      ...Object.fromEntries(dimensions.map((d, k) => [d.name.toLowerCase(), state.of[k] < 0 ? "" : d.values[state.of[k]]])),
      t: state.from === null ? "" : state.from + "-" + state.to,
      z: plain ? zoom(shownFlames()[0]) : "", zu: plain ? "" : zoom(graphs.callers), zd: plain ? "" : zoom(graphs.callees),
      s: state.query === raw.search ? "" : state.query || "^$", c: state.matchCase ? 1 : "",
      i: state.inverted === raw.inverted ? "" : 1, r: state.reversed === raw.reversed ? "" : 1,
      o: table.sort === table.first ? "" : table.sort, u: table.down === table.firstDown ? "" : 1,
      q: table.search.value, d: state.theme,
    }, push);
  }

  function recall() {
    const a = address.read(), range = /^(\d+)-(\d+)$/.exec(a.get("t") || ""), has = (list, name) => Math.max(-1, list.indexOf(name));
    state.shown = VIEWS.some((v) => v[0] === a.get("v")) ? a.get("v") : VIEWS[0][0];
    state.f = a.get("f") ? functionOf(a.get("f")) : -1;
    state.column = compare ? 0 : a.get("e") ? Math.max(0, has(columns.map((c) => c.name), a.get("e"))) : raw.column;
    state.of = dimensions.map((d) => a.has(d.name.toLowerCase()) ? has(d.values, a.get(d.name.toLowerCase())) : -1);
    state.from = range && time ? Math.min(+range[1], time.slots - 1) : null;
    state.to = range && time ? Math.max(state.from, Math.min(+range[2], time.slots - 1)) : null;
    state.query = a.has("s") ? a.get("s").replace(/^\^\$$/, "") : raw.search;
    state.matchCase = a.get("c") === "1";
    state.inverted = raw.inverted !== (a.get("i") === "1");
    state.reversed = raw.reversed !== (a.get("r") === "1");
    state.theme = a.get("d") === "dark" || a.get("d") === "light" ? a.get("d") : "";
    table.sort = table.columns.some((c) => c.key === a.get("o")) ? a.get("o") : table.first;
    table.down = table.firstDown !== (a.get("u") === "1");
    table.search.value = a.get("q") || "";
    table.chosen = state.f;
    controls.find.value = state.query;
    setTheme();
    refresh(false);
    const zooms = state.shown === "callers" ? [[graphs.callers, a.get("zu")], [graphs.callees, a.get("zd")]]
      : shownFlames().map((f) => [f, a.get("z")]);
    for (const [f, z] of zooms) {
      if (!z || !f.view || !(+z > 0 && +z < f.view.tree.n)) continue;
      f.zoom(Math.floor(+z));
      details.show(f, f.top, true);
    }
    finish();
  }

  /* Values anew, then everything that shows them. */
  function refresh(keep) {
    state.view = viewOf(tree, chosenSelf(state));
    state.reversedView = null;
    table.set(state.view, columns[state.column].unit);
    heatPanel.update();
    lanes.update();
    redraw(keep);
  }
  function redraw(keep) {
    graphs.update(keep);
    mark();
    for (const f of shownFlames().slice(0, 1)) details.show(f, f.top, true);
  }
  function finish() {
    count();
    controls.update();
  }

  function choose(change) {
    Object.assign(state, change);
    refresh(true);
    finish();
    remember();
  }

  function show(view) {
    if (view === "callers" && state.f < 0) state.f = busiest();
    if (view === state.shown) return;
    state.shown = view;
    table.chosen = state.f;
    redraw(false);
    finish();
    remember(true);
  }

  function busiest() {
    let best = -1;
    const self = table.sums ? table.sums.self[wideSide] : [];
    for (const { f } of table.list) if (best < 0 || self[f] > self[best]) best = f;
    return best;
  }

  function openFunction(f) {
    if (f < 0 || f === undefined || functions.kinds[f] === KIND.root) return;
    state.f = sameName[f];
    state.shown = "callers";
    table.chosen = state.f;
    redraw(false);
    table.fill();
    finish();
    remember(true);
    id("graph").scrollIntoView({ block: "start" });
    say("Callers and callees of " + bounded(functions.names[state.f], 300));
  }

  function zoomed(flame, i) {
    const linked = graphs.sides.includes(flame) ? graphs.sides : [flame];
    for (const f of linked) {
      let k = i;
      while (k > 0 && !(f.w[k] > 0)) k = f.view.tree.parent[k];
      f.zoom(k);
    }
    details.show(flame, i);
    marked = -1;
    finish();
    remember();
  }
  function resetZoom() {
    for (const f of shownFlames()) f.zoom(0);
    marked = -1;
    finish();
    remember();
  }

  /* --- search --- */

  function mark() {
    const re = state.query ? pattern(state.query, state.matchCase) : null;
    let match = null;
    controls.find.classList.toggle("wrong", !!state.query && !re);
    if (re) {
      match = new Uint8Array(functions.n);
      for (let f = 0; f < functions.n; f++) match[f] = functions.kinds[f] !== KIND.root && re.test(functions.names[f]) ? 1 : 0;
    }
    for (const f of shownFlames()) {
      f.match = match;
      f.later();
    }
  }
  function search(text) {
    if (text === state.query) return;
    state.query = text;
    marked = -1;
    mark();
    finish();
    remember();
  }
  function toggleCase() {
    state.matchCase = !state.matchCase;
    mark();
    finish();
    remember();
  }
  function count() {
    const flames = shownFlames().filter((f) => f.match);
    if (!state.query) controls.matched.textContent = "";
    else if (controls.find.classList.contains("wrong")) controls.matched.textContent = "Not a regular expression";
    else controls.matched.textContent = "Matched: " + flames.map((f) => (flames.length > 1 ? f.heading + " " : "") +
      (100 * f.matched()).toFixed(1) + " %").join(", ") + (marked >= 0 ? ` (${marked + 1} of ${seenHits().length})` : "");
  }
  function seenHits() {
    const f = shownFlames()[0];
    return f && f.match ? f.hits().filter((i) => f.w[i] * f.scale >= NARROW) : [];
  }
  function step(by) {
    const f = shownFlames()[0], hits = seenHits();
    if (!hits.length) return;
    marked = marked < 0 && by < 0 ? hits.length - 1 : (marked + by + hits.length) % hits.length;
    f.focus = hits[marked];
    f.canvas.focus({ preventScroll: false });
    f.attend();
    count();
  }

  /* --- how it is drawn --- */

  function invert() {
    state.inverted = !state.inverted;
    for (const f of [graphs.main].concat(graphs.sides)) f.drawnRows = 0;
    redraw(true);
    finish();
    remember();
  }
  function reverse() {
    state.reversed = !state.reversed;
    redraw(false);
    finish();
    remember();
  }
  function setTheme() {
    if (state.theme) document.documentElement.dataset.theme = state.theme;
    else delete document.documentElement.dataset.theme;
    theme.update();
  }
  function repaint() {
    theme.update();
    graphs.explain();
    table.fill();
    if (heatPanel.heat) heatPanel.heat.draw();
    lanes.draw();
    for (const f of shownFlames()) f.later();
  }
  function switchTheme() {
    state.theme = theme.dark ? "light" : "dark";
    setTheme();
    repaint();
    remember();
  }

  /* --- keys --- */

  function escape() {
    if (state.query) { controls.find.value = ""; search(""); }
    else if (shownFlames().some((f) => f.top > 0)) resetZoom();
    else if (state.from !== null) choose({ from: null, to: null });
  }
  function key(e) {
    const ctrl = e.ctrlKey || e.metaKey, typing = /^(INPUT|SELECT|TEXTAREA)$/.test(e.target.tagName);
    if (help.open) return;
    if (e.key === "F3" || (ctrl && e.key === "f") || (e.key === "/" && !typing && !ctrl)) {
      e.preventDefault();
      controls.find.focus();
      controls.find.select();
      return;
    }
    if (ctrl && e.key === "i") { e.preventDefault(); toggleCase(); return; }
    if (ctrl || e.altKey) return;
    if (e.key === "Escape") {
      if (e.target === table.search && table.search.value) return;
      escape();
      return;
    }
    if (typing) return;
    const run = { n: () => step(1), N: () => step(-1), i: invert, I: invert, r: reverse, R: reverse, 0: resetZoom, d: switchTheme,
                  D: switchTheme, "?": () => help.showModal(), s: () => openFunction(details.f), S: () => openFunction(details.f) }[e.key];
    if (!run || (state.shown === "callers" && /^[iIrR]$/.test(e.key))) return;
    e.preventDefault();
    run();
  }

  theme.update();
  table = new Table({ picked: openFunction, changed: () => remember() });
  table.first = table.sort;
  table.firstDown = table.down;
  (function () {
    const app = id("app"), over = [heatPanel.make(), lanes.make()].filter((p) => p), parts = [graphs.make(), table.root];
    if (raw.tableFirst) parts.reverse();
    app.append(controls.make(), ...over, ...parts, tip, spoken, keysHelp, help);
    app.hidden = false;
    id("still").remove();
    recall();
    window.addEventListener("keydown", key);
    window.addEventListener("popstate", recall);
    window.addEventListener("hashchange", recall);
    window.addEventListener("resize", debounce(50, () => { for (const f of shownFlames()) f.resize(); }));
    window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", repaint);
    document.documentElement.dataset.ready = "1";
  })();
