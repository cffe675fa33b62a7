  /* Lanes: who ran when, a lane for each of the goroutines (or threads) with most time. */

  const lanes = {
    few: 12, most: 200,
    make() {
      const goroutines = dimensions.findIndex((d) => d.name === "Goroutine" && d.values.length > 1);
      this.d = goroutines >= 0 ? goroutines : dimensions.findIndex((d) => d.values.length > 1);
      if (!time || !samples || compare || time.slots < 2 || this.d < 0) return null;
      const d = dimensions[this.d], sums = dimensionSums(this.d, state.column);
      const order = d.values.map((_, i) => i).sort((a, b) => sums[b] - sums[a] || a - b).filter((i) => sums[i] > 0);
      this.shown = order.slice(0, this.most);
      if (this.shown.length < 2) return null;
      this.all = sums.reduce((a, b) => a + b, 0);
      this.rows = this.shown.map((i) => {
        const share = el("span", { class: "count" });
        const name = button(bounded(d.values[i], 200), "Choose it; once more: all", () => this.pick(i));
        const canvas = el("canvas", { role: "img" });
        canvas.addEventListener("mousemove", (e) => this.pointed(i, e));
        canvas.addEventListener("mouseleave", () => showTip(null));
        return { i, share, name, canvas, root: el("li", {}, name, share, canvas) };
      });
      const left = el("span", { class: "count" });
      const share = (from) => percent(order.slice(from).reduce((a, i) => a + sums[i], 0), this.all);
      const show = (n) => {
        const rest = order.length - n;
        this.rows.forEach((r, k) => { r.root.hidden = k >= n; });
        left.textContent = rest > 0 ? `${separated(rest)} more, with ${share(n)} of the whole` : "";
        more.textContent = n > this.few ? "Show fewer" : `Show ${separated(this.rows.length - n)} more`;
        more.setAttribute("aria-expanded", n > this.few ? "true" : "false");
      };
      const more = button("", "Lanes of those with less time", () => show(more.getAttribute("aria-expanded") === "true" ? this.few : this.rows.length));
      more.hidden = this.rows.length <= this.few;
      show(Math.min(this.few, this.rows.length));
      this.axis = el("canvas", { role: "img", "aria-label": "Seconds" });
      this.list = el("ul", { class: "lanes" }, ...this.rows.map((r) => r.root));
      const scale = el("div", { class: "lanes-axis" }, more, this.axis);
      new ResizeObserver(() => this.draw()).observe(this.list);
      return el("section", { class: "panel", id: "lanes" },
        el("div", { class: "bar" }, el("h2", { text: `${d.name}s over time` }), left), this.list, scale);
    },
    pick(i) { choose({ of: state.of.map((o, k) => k !== this.d ? o : o === i ? -1 : i) }); },

    /* Per lane and slot its sum, of what the other choices leave. */
    update() {
      if (!this.rows) return;
      const at = new Map(this.shown.map((v, k) => [v, k])), unit = columns[state.column].unit;
      this.sums = this.shown.map(() => new Float64Array(time.slots));
      for (let i = 0; i < samples.n; i++) {
        const k = samples.column[i] === state.column ? at.get(samples.of[this.d][i]) : undefined;
        if (k === undefined || state.of.some((v, d) => d !== this.d && v >= 0 && samples.of[d][i] !== v)) continue;
        this.sums[k][samples.slot[i]] += samples.value[i];
      }
      this.rows.forEach((r, k) => {
        const total = this.sums[k].reduce((a, b) => a + b, 0);
        r.share.textContent = amount(total, unit);
        r.canvas.setAttribute("aria-label", `${dimensions[this.d].values[r.i]} over time: ${amount(total, unit)}`);
        r.name.setAttribute("aria-pressed", state.of[this.d] === r.i ? "true" : "false");
      });
      this.draw();
    },
    draw() {
      if (!this.sums) return;
      const [low, high] = theme.heat, ratio = window.devicePixelRatio || 1, height = 18;
      const max = this.sums.reduce((m, s) => s.reduce((a, b) => Math.max(a, b), m), 0) || 1;
      this.rows.forEach((r, k) => {
        const width = r.canvas.clientWidth, c = r.canvas.getContext("2d");
        if (!width) return;
        const cells = Math.min(time.slots, Math.floor(width)), cell = width / cells;
        const sums = new Float64Array(cells);
        this.sums[k].forEach((v, s) => { const at = Math.floor(s * cells / time.slots); sums[at] = Math.max(sums[at], v); });
        r.canvas.width = Math.round(width * ratio);
        r.canvas.height = Math.round(height * ratio);
        c.setTransform(ratio, 0, 0, ratio, 0, 0);
        c.fillStyle = theme.line;
        c.fillRect(0, height - 1, width, 1);
        for (let s = 0; s < cells; s++) {
          const slot = Math.floor(s * time.slots / cells);
          if (!(sums[s] > 0)) continue;
          c.globalAlpha = state.from !== null && (slot < state.from || slot > state.to) ? 0.25 : 1;
          c.fillStyle = mix(low, high, Math.sqrt(sums[s] / max));
          c.fillRect(s * cell, 0, Math.max(1, cell), height - 1);
        }
        c.globalAlpha = 1;
      });
      this.drawAxis(ratio);
    },

    /* Seconds below the lanes: as many as have room, at round numbers. */
    drawAxis(ratio) {
      const width = this.axis.clientWidth, c = this.axis.getContext("2d"), seconds = time.slot * time.slots;
      if (!width) return;
      const least = seconds * 80 / width, ten = 10 ** Math.floor(Math.log10(least));
      const step = ten * [1, 2, 5, 10].find((k) => k * ten >= least * 0.999);
      this.axis.width = Math.round(width * ratio);
      this.axis.height = Math.round(18 * ratio);
      c.setTransform(ratio, 0, 0, ratio, 0, 0);
      c.fillStyle = theme.muted;
      c.font = "11px system-ui, sans-serif";
      c.textBaseline = "middle";
      for (let k = 0; k * step <= seconds; k++) {
        const x = Math.min(width - 1, k * step / seconds * width);
        c.fillRect(x, 0, 1, 4);
        c.textAlign = k === 0 ? "left" : x > width - 30 ? "right" : "center";
        c.fillText(parseFloat((k * step).toPrecision(6)) + " s", x, 11);
      }
    },
    pointed(i, e) {
      const r = e.currentTarget.getBoundingClientRect(), k = this.shown.indexOf(i);
      const slot = Math.max(0, Math.min(time.slots - 1, Math.floor((e.clientX - r.left) / r.width * time.slots)));
      showTip([bounded(dimensions[this.d].values[i], 200), `${heatPanel.heat.describe(slot).split(":")[0]}: ${amount(this.sums[k][slot], columns[state.column].unit)}`], e);
    },
  };
