  /* The functions as a table: sorted by a click on a head, searched, as many rows as are asked for. */

  const FIRST_ROWS = 30;

  class Table {
    /* o: picked(function), changed() after another order or search. */
    constructor(o) {
      Object.assign(this, o);
      this.sort = compare ? "points" : "self";
      this.down = true;
      this.rows = FIRST_ROWS;
      this.chosen = -1;
      this.search = el("input", { type: "search", id: "tablesearch", placeholder: "Search functions",
        "aria-label": "Search the table by regular expression", spellcheck: "false",
        oninput: debounce(120, () => { this.rows = FIRST_ROWS; this.fill(); this.changed(); }) });
      this.count = el("span", { class: "count", role: "status" });
      this.heads = el("tr");
      this.body = el("tbody");
      this.more = el("button", { class: "more", onclick: () => { this.rows += 400; this.fill(); } });
      this.root = el("section", { id: "functions", class: "panel" },
        el("div", { class: "bar" }, el("h2", { text: "Functions" }), this.search, this.count),
        el("div", { class: "scroll" }, el("table", { class: "data functions" }, el("thead", {}, this.heads), this.body)), this.more);
      this.body.addEventListener("click", (e) => {
        const b = e.target.closest("button");
        if (b) this.picked(+b.dataset.f);
      });
      this.columns = compare ? this.compared() : this.plain();
      for (const c of this.columns)
        this.heads.append(el("th", { scope: "col", class: (c.number ? "number" : "") + (c.extra ? " extra" : ""), "data-key": c.key },
          el("button", { text: c.text, title: c.help, onclick: () => this.order(c.key) })));
    }

    plain() {
      const share = (which) => ({ f }) => this.sums[which][0][f];
      return [
        { key: "self", text: "Self", help: "Of the function itself", number: true, value: share("self"), bar: true },
        { key: "total", text: "Total", help: "With all it calls; recursion counts once", number: true, value: share("total"), bar: true },
        { key: "name", text: "Function", help: "A click shows callers and callees" },
      ];
    }
    compared() {
      const [a, b] = columns.map((c) => c.name), of = (which, side) => ({ f }) => this.share(which, side, f);
      return [
        { key: "points", text: "Points", help: `Self: what ${b} has more than ${a}, in hundredths of all`, number: true, signed: true,
          value: ({ f }) => this.share("self", 1, f) - this.share("self", 0, f) },
        { key: "self0", text: `${a} self`, number: true, percent: true, value: of("self", 0), help: `Own share of the time in ${a}` },
        { key: "self1", text: `${b} self`, number: true, percent: true, value: of("self", 1), help: `Own share of the time in ${b}` },
        { key: "points_total", extra: true, text: "Points", help: `Total: what ${b} has more than ${a}, in hundredths of all`, number: true, signed: true,
          value: ({ f }) => this.share("total", 1, f) - this.share("total", 0, f) },
        { key: "total0", extra: true, text: `${a} total`, number: true, percent: true, value: of("total", 0), help: `Share with callees in ${a}` },
        { key: "total1", extra: true, text: `${b} total`, number: true, percent: true, value: of("total", 1), help: `Share with callees in ${b}` },
        { key: "q", extra: true, text: "q", number: true, plain: true, help: "How likely noise alone is, for all functions together",
          value: ({ f }) => { const t = tests.get(functions.names[f]); return t && t.q !== null ? t.q : NaN; } },
        { key: "name", text: "Function", help: "A click shows callers and callees" },
      ];
    }
    share(which, side, f) { return this.all[side] > 0 ? this.sums[which][side][f] / this.all[side] : 0; }

    set(view, unit) {
      this.sums = functionSums(view);
      this.all = view.total.map((t) => t[0]);
      this.unit = unit;
      this.list = [];
      for (let f = 0; f < functions.n; f++) {
        if (sameName[f] !== f || functions.kinds[f] === KIND.root || functions.kinds[f] === KIND.label) continue;
        if (this.sums.total.some((t) => t[f])) this.list.push({ f });
      }
      this.fill();
    }

    order(key) {
      this.down = this.sort === key ? !this.down : key !== "name" && key !== "q";
      this.sort = key;
      this.fill();
      this.changed();
    }

    sorted() {
      const column = this.columns.find((c) => c.key === this.sort), names = functions.names, sign = this.down ? -1 : 1;
      const re = pattern(this.search.value, false);
      this.search.classList.toggle("wrong", !re);
      const list = this.search.value && re ? this.list.filter(({ f }) => re.test(names[f])) : this.list.slice();
      const byName = (x, y) => names[x.f] < names[y.f] ? -1 : names[x.f] > names[y.f] ? 1 : 0;
      if (!column.value) return list.sort((x, y) => sign * byName(x, y));
      const size = column.signed ? Math.abs : (v) => v;
      for (const row of list) row.v = column.value(row);
      /* what has no number comes last, whatever the order */
      return list.sort((x, y) => {
        if (x.v !== x.v || y.v !== y.v) return (x.v !== x.v) - (y.v !== y.v) || byName(x, y);
        return sign * (size(x.v) - size(y.v)) || byName(x, y);
      });
    }

    /* In the colours of the graph: which side has more. */
    side(v, c) { return (c.extra ? "extra " : "") + (v === 0 ? "" : (v > 0) === (wideSide === 1) ? "more" : "less"); }

    cell(c, row) {
      const v = c.value(row), whole = this.all[0];
      if (c.signed) return el("td", { class: "number " + this.side(v, c), text: signed(100 * v) });
      if (c.plain) return el("td", { class: "number extra", text: v !== v ? "–" : v < 0.0001 ? "<0.0001" : v.toFixed(4) });
      if (c.percent) return el("td", { class: "number" + (c.extra ? " extra" : ""), text: (100 * v).toFixed(2) + " %" });
      const bar = el("i");
      bar.style.width = (whole > 0 ? Math.min(100, 100 * v / whole) : 0) + "%";
      return el("td", { class: "number share" }, bar, el("span", { class: "amount", text: amount(v, this.unit) }), el("span", { class: "percent", text: percent(v, whole) }));
    }

    fill() {
      const list = this.sorted(), shown = list.slice(0, this.rows), rows = document.createDocumentFragment();
      for (const row of shown) {
        const { f } = row, tr = el("tr", { class: f === this.chosen ? "chosen" : "" });
        for (const c of this.columns) {
          if (c.value) { tr.append(this.cell(c, row)); continue; }
          const swatch = el("b", { class: "swatch", "aria-hidden": "true" });
          if (!raw.colors) swatch.style.background = theme.kinds[functions.kinds[f]][0];
          tr.append(el("th", { scope: "row" }, swatch, el("button", { class: "name", "data-f": f, text: bounded(functions.names[f], 400) }),
            functions.details[f] ? el("small", { text: bounded(functions.details[f], 200) }) : null));
        }
        rows.append(tr);
      }
      this.body.replaceChildren(rows);
      for (const th of this.heads.children) {
        if (th.dataset.key === this.sort) th.setAttribute("aria-sort", this.down ? "descending" : "ascending");
        else th.removeAttribute("aria-sort");
      }
      this.count.textContent = separated(list.length) + (list.length === 1 ? " function" : " functions");
      this.more.hidden = list.length <= this.rows;
      this.more.textContent = `Show more (${separated(list.length - shown.length)} left)`;
    }
  }
