  /* The parts of the page: controls, heat map, graphs with their legend and details, table. */

  const VIEWS = compare
    ? [["flame", "Difference"], ["sides", "Side by side"], ["callers", "Callers and callees"]]
    : [["flame", "Flame graph"], ["callers", "Callers and callees"]];

  /* For screen readers: what the keyboard has come to. */
  const spoken = el("div", { class: "hidden", role: "status", "aria-live": "polite" });
  function say(text) { spoken.textContent = text; }

  const tip = el("div", { class: "tip", "aria-hidden": "true", hidden: true });
  function showTip(lines, e) {
    tip.hidden = !lines;
    if (!lines) return;
    tip.replaceChildren(...lines.map((text, i) => el(i ? "span" : "strong", { text })));
    const w = tip.offsetWidth, h = tip.offsetHeight, room = document.documentElement.clientWidth;
    tip.style.left = Math.max(4, Math.min(e.clientX + 14, room - w - 8)) + "px";
    tip.style.top = (e.clientY + 18 + h > window.innerHeight ? Math.max(4, e.clientY - h - 12) : e.clientY + 18) + "px";
  }

  /* What is to be said of a node: its name, then lines. */
  function describe(view, i) {
    const t = view.tree, lines = [bounded(functions.names[t.fn[i]], 600)], p = t.parent[i];
    const whole = view.whole, detail = functions.details[t.fn[i]];
    if (compare) {
      const share = (of, s) => whole[s] > 0 ? 100 * of[s][i] / whole[s] : 0;
      const both = (of) => columns.map((c, s) => `${c.name} ${share(of, s).toFixed(2)} % (${amount(of[s][i], c.unit)})`).join(", ") +
        `: ${signed(share(of, 1) - share(of, 0))} points`;
      lines.push(both(view.total));
      if (!view.upward && view.self.some((s) => s[i])) lines.push("self: " + both(view.self));
    } else {
      const unit = columns[state.column].unit, total = view.total[0], self = view.self[0];
      lines.push(`${amount(total[i], unit)}, ${percent(total[i], whole[0])}`);
      if (p >= 0 && view.upward) lines[1] += `; ${percent(total[i], total[0])} of ${bounded(functions.names[t.fn[0]], 100)}`;
      else if (p >= 0) lines[1] += `; ${percent(total[i], total[p])} of ${functions.kinds[t.fn[p]] === KIND.root ? "all" : "its caller"}`;
      if (!view.upward) lines.push(`self ${amount(self[i], unit)}, ${percent(self[i], whole[0])}`);
    }
    if (t.inlined[i]) lines.push("inlined");
    if (detail) lines.push(bounded(detail, 300));
    return lines;
  }

  function button(text, help, press, more) {
    return el("button", Object.assign({ type: "button", text, title: help, onclick: press }, more));
  }

  /* --- controls --- */

  const controls = {
    tabs: {},
    selects: [],
    make() {
      const tabs = el("div", { class: "tabs", role: "tablist", "aria-label": "Views" });
      for (const [key, text] of VIEWS) {
        this.tabs[key] = button(text, "", () => show(key), { role: "tab", id: "tab-" + key, "aria-controls": "graph" });
        tabs.append(this.tabs[key]);
      }
      tabs.addEventListener("keydown", (e) => {
        const keys = VIEWS.map((v) => v[0]), by = { ArrowRight: 1, ArrowLeft: -1 }[e.key];
        if (!by) return;
        const next = keys[(keys.indexOf(state.shown) + by + keys.length) % keys.length];
        show(next);
        this.tabs[next].focus();
      });
      this.find = el("input", { type: "search", id: "search", placeholder: "Search", spellcheck: "false",
        "aria-label": "Search the graph by regular expression", title: "Ctrl-F, F3 or /",
        oninput: debounce(100, () => search(this.find.value)),
        onkeydown: (e) => { if (e.key === "Enter") { e.preventDefault(); search(this.find.value); step(e.shiftKey ? -1 : 1); } } });
      this.matchCase = button("Aa", "Match case (Ctrl-I)", () => toggleCase(), { id: "case", "aria-pressed": "false" });
      this.previous = button("‹", "Previous match (N)", () => step(-1), { id: "previous", "aria-label": "Previous match" });
      this.next = button("›", "Next match (n)", () => step(1), { id: "next", "aria-label": "Next match" });
      this.matched = el("output", { id: "matched", for: "search" });
      this.reset = button("Reset zoom", "Everything again (0)", () => resetZoom(), { id: "reset", hidden: true });
      this.invert = button("Invert", "Root at the top or at the bottom (I)", () => invert(), { id: "invert", "aria-pressed": "false" });
      this.reverse = button("From leaves", "Merge from the leaves: who was on CPU, then its callers (R)", () => reverse(),
        { id: "reverse", "aria-pressed": "false" });
      this.theme = button("◐", "Light or dark (D)", () => switchTheme(), { id: "theme", "aria-label": "Light or dark" });
      this.help = button("?", "Keys (?)", () => help.showModal(), { id: "help", "aria-label": "Keys" });
      const head = el("div", { class: "row" }, tabs, ...this.choices(),
        el("span", { class: "group end" }, this.theme, this.help));
      const tools = el("div", { class: "row" }, el("span", { class: "group searching" }, this.find, this.matchCase, this.previous, this.next),
        this.matched, el("span", { class: "group end" }, this.reset, this.reverse, this.invert));
      return el("div", { class: "toolbar", role: "toolbar", "aria-label": "Controls" }, head, tools);
    },

    /* Event, thread, goroutine: where there is more than one. */
    choices() {
      const out = [];
      if (!compare && columns.length > 1)
        out.push(this.choice("Event", "event", columns.map((c, i) => [i, c.name]), () => state.column, (v) => choose({ column: v })));
      dimensions.forEach((d, k) => {
        if (compare || d.values.length < 2) return;
        const sums = dimensionSums(k, state.column), all = sums.reduce((a, b) => a + b, 0);
        const list = d.values.map((name, i) => [i, `${bounded(name, 70)} (${(all > 0 ? 100 * sums[i] / all : 0).toFixed(1)} %)`, sums[i]]);
        list.sort((a, b) => b[2] - a[2] || a[0] - b[0]);
        const many = list.length - 300, kept = many > 0 ? list.slice(0, 300) : list;
        out.push(this.choice(d.name, d.name.toLowerCase(), [[-1, "all"]].concat(kept), () => state.of[k],
          (v) => choose({ of: state.of.map((o, i) => i === k ? v : o) }), many > 0 ? `${separated(many)} more, each with less` : ""));
      });
      return out;
    },
    choice(text, key, list, get, set, rest) {
      const select = el("select", { id: "choose-" + key, "aria-label": text, onchange: () => set(+select.value) },
        ...list.map(([value, name]) => el("option", { value, text: name })), rest ? el("option", { disabled: true, text: rest }) : null);
      this.selects.push(() => { select.value = get(); });
      return el("label", { class: "choice" }, el("span", { text }), select);
    },

    update() {
      for (const [key, tab] of Object.entries(this.tabs)) {
        tab.setAttribute("aria-selected", key === state.shown ? "true" : "false");
        tab.tabIndex = key === state.shown ? 0 : -1;
      }
      for (const refresh of this.selects) refresh();
      this.matchCase.setAttribute("aria-pressed", state.matchCase ? "true" : "false");
      this.invert.setAttribute("aria-pressed", state.inverted !== raw.inverted ? "true" : "false");
      this.reverse.setAttribute("aria-pressed", state.reversed ? "true" : "false");
      this.invert.hidden = this.reverse.hidden = state.shown === "callers";
      this.reset.hidden = !shownFlames().some((f) => f.top > 0);
      this.previous.disabled = this.next.disabled = !state.query;
    },
  };

  /* --- heat map --- */

  const heatPanel = {
    make() {
      if (!time || !samples || compare || time.slots < 2) return null;
      this.heat = new Heat({
        chosen: (from, to) => choose({ from, to }),
        pointed: (text, e) => showTip(text ? [text] : null, e),
      });
      const field = (id, label) => el("input", { type: "number", id, min: "0", step: "any", "aria-label": label,
        onchange: () => this.typed() });
      this.from = field("from", "From, seconds");
      this.to = field("to", "To, seconds");
      this.what = el("span", { id: "range", role: "status" });
      this.all = button("Show all", "No choice of time (Esc)", () => { this.heat.clear(); choose({ from: null, to: null }); }, { id: "alltime" });
      const seconds = time.slot * time.rows;
      return el("section", { class: "panel", id: "heatmap" },
        el("div", { class: "bar" }, el("h2", { text: "Over time" }),
          el("span", { class: "count", text: `a column is ${parseFloat(seconds.toFixed(4))} s, a cell ${parseFloat((time.slot * 1000).toFixed(3))} ms` }),
          el("span", { class: "end group" }, this.what, this.from, el("span", { text: "to" }), this.to, el("span", { text: "s" }), this.all)),
        this.heat.root);
    },
    typed() {
      const last = time.slots - 1, slot = (v) => Math.max(0, Math.min(last, v));
      if (this.from.value === "" && this.to.value === "") { choose({ from: null, to: null }); return; }
      const from = slot(Math.floor((+this.from.value || 0) / time.slot + 1e-6));
      const to = this.to.value === "" ? last : slot(Math.ceil(+this.to.value / time.slot - 1e-6) - 1);
      this.byHand = true; /* the fields stay as they were typed: an empty one is an open end */
      choose({ from: Math.min(from, to), to: Math.max(from, to) });
      this.byHand = false;
    },
    update() {
      if (!this.heat) return;
      const some = state.from !== null, round = (v) => parseFloat(v.toFixed(4));
      this.heat.set(slotSums(state), columns[state.column].unit);
      this.heat.select(state.from, state.to);
      if (!this.byHand) {
        this.from.value = some ? round(state.from * time.slot) : "";
        this.to.value = some ? round((state.to + 1) * time.slot) : "";
      }
      this.all.hidden = !some;
      this.what.textContent = some ? amount(state.view.total[0][0], columns[state.column].unit) + " from" : "Drag to choose a time; from";
    },
  };

  /* --- graphs --- */

  const graphs = {
    make() {
      const make = (o) => {
        const f = new Flame(Object.assign({
          picked: (i) => details.show(f, i),
          pointed: (i, e) => this.pointed(f, i, e),
          zoomed: (i) => zoomed(f, i),
        }, o));
        return f;
      };
      if (compare) {
        this.main = make({ label: "Difference of both sides", side: "both" });
        this.sides = columns.map((c, s) => make({ label: c.name, heading: c.name, side: s }));
      } else {
        this.main = make({ label: "Flame graph" });
        this.sides = [];
      }
      const side = compare ? "both" : 0;
      this.callers = make({ label: "Callers", heading: "Callers", side, limit: 320 });
      this.callees = make({ label: "Callees", heading: "Callees", side, inverted: true, limit: 420 });
      this.heading = el("h2");
      this.empty = el("p", { class: "empty", text: "Nothing here: choose a function in the table below." });
      this.host = el("div", { class: "host" });
      this.legend = el("ul", { class: "legend", "aria-label": "Legend" });
      return el("section", { class: "panel", id: "graph", role: "tabpanel" }, this.heading, this.host, details.make(), this.legend);
    },
    pointed(flame, i, e) {
      showTip(i >= 0 ? describe(flame.view, i) : null, e);
      if (!this.sides.includes(flame)) return;
      for (const f of this.sides) {
        if (f === flame) continue;
        f.also = i;
        f.later();
      }
    },
    update(keep) {
      const view = state.view, f = state.f;
      const text = (VIEWS.find((v) => v[0] === state.shown) || VIEWS[0])[1];
      if (state.shown === "callers") {
        this.heading.hidden = false;
        const sums = f >= 0 ? table.sums.total.map((t) => t[f]) : [0];
        this.heading.textContent = f >= 0 ? bounded(functions.names[f], 300) : text;
        this.host.className = "host stack";
        if (!sums.some((v) => v > 0)) {
          this.host.replaceChildren(this.empty);
          this.callers.view = this.callees.view = null;
        } else {
          this.host.replaceChildren(this.callers.root, this.callees.root);
          this.callers.set(callers(view, f), keep);
          this.callees.set(callees(view, f), keep);
        }
      } else {
        const shown = state.shown === "sides" ? this.sides : [this.main];
        const seen = state.reversed ? state.reversedView || (state.reversedView = reversed(view)) : view;
        this.heading.hidden = !state.reversed && state.shown !== "sides";
        this.heading.textContent = text + (state.reversed ? ", merged from the leaves" : "");
        this.host.className = "host " + state.shown;
        this.host.replaceChildren(...shown.map((s) => s.root));
        for (const s of shown) {
          s.inverted = state.inverted;
          s.set(seen, keep);
        }
      }
      this.explain();
    },
    /* What the colours mean. */
    explain() {
      const item = (color, text, mark) => {
        const swatch = el("b", { class: "swatch " + (mark || ""), "aria-hidden": "true" });
        swatch.style.background = color;
        return el("li", {}, swatch, text);
      };
      const list = [], differing = compare && state.shown !== "sides" && !raw.colors;
      if (differing) {
        const [a, b] = [columns[wideSide].name, columns[1 - wideSide].name];
        list.push(item(theme.steps[16], "more in " + a), item(theme.steps[8], "the same"), item(theme.steps[0], "more in " + b),
          item(theme.steps[16], "only in " + a, "new"), item(theme.steps[0], "only in " + b, "gone"));
      } else if (raw.colors) {
        for (const m of raw.meanings) list.push(item(m.color, m.text));
      } else {
        const used = new Set(functions.kinds);
        raw.kinds.forEach((k, i) => { if (i !== KIND.root && used.has(i)) list.push(item(theme.kinds[i][0], k.text)); });
        if (tree.inlined.includes(1)) list.push(item(theme.kinds[1][1], "paler: inlined"));
      }
      list.push(item("linear-gradient(transparent 30%, var(--line) 30% 70%, transparent 70%)", "too narrow to draw: zoom in"));
      this.legend.replaceChildren(...list);
    },
  };

  function shownFlames() {
    const list = state.shown === "callers" ? [graphs.callers, graphs.callees] : state.shown === "sides" ? graphs.sides : [graphs.main];
    return list.filter((f) => f.view);
  }

  /* --- details of the frame that was chosen --- */

  const details = {
    make() {
      this.name = el("div", { class: "name" });
      this.lines = el("div", { class: "lines" });
      this.open = button("Callers and callees", "Of this function (S)", () => openFunction(this.f), { id: "open" });
      this.mark = button("Mark", "Mark this function wherever it is", () => {
        controls.find.value = "^" + functions.names[this.f].replace(/[\\^$.*+?()[\]{}|]/g, "\\$&") + "$";
        search(controls.find.value);
      }, { id: "mark" });
      this.root = el("div", { class: "details", id: "details" }, el("div", {}, this.name, this.lines), el("span", { class: "group" }, this.open, this.mark));
      return this.root;
    },
    show(flame, i, silent) {
      const lines = describe(flame.view, i), kind = functions.kinds[flame.view.tree.fn[i]];
      this.f = sameName[flame.view.tree.fn[i]];
      this.name.textContent = lines[0];
      this.lines.textContent = lines.slice(1).join(" · ");
      this.open.disabled = this.mark.disabled = kind === KIND.root;
      if (!silent) say(lines.join(", "));
    },
  };

  /* --- keys --- */

  const KEYS = [
    ["Click, Enter", "zoom into a frame"], ["0", "reset zoom"], ["Arrow keys", "walk to callers, callees, neighbours"],
    ["S", "callers and callees of the frame"], ["Ctrl-F, F3, /", "search"], ["n, N", "next, previous match"], ["Ctrl-I", "match case"],
    ["I", "root at the top or at the bottom"], ["R", "merge from the leaves"], ["Esc", "clear search, zoom, time"], ["D", "light or dark"],
    ["?", "these keys"],
  ];
  const help = el("dialog", { "aria-label": "Keys" },
    el("h2", { text: "Keys" }), el("dl", {}, ...KEYS.map(([k, text]) => el("div", {}, el("dt", {}, ...k.split(", ").map((s) => el("kbd", { text: s }))), el("dd", { text })))),
    button("Close", "", () => help.close()));
  const keysHelp = el("p", { id: "keys", class: "hidden", text: "Arrow keys walk the frames, Enter zooms, S shows callers and callees, question mark lists all keys." });
