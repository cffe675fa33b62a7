  /* A flame graph on a canvas. Draws what is wide enough to be seen, whatever the size of the tree. */

  const ROW = 18, FONT = "12px ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace", NARROW = 0.4;

  /* The colours of the page, anew when it turns dark or light. */
  const theme = {
    dark: false,
    update() {
      const chosen = document.documentElement.dataset.theme;
      this.dark = chosen ? chosen === "dark" : window.matchMedia("(prefers-color-scheme: dark)").matches;
      const style = getComputedStyle(document.documentElement), of = (name) => style.getPropertyValue(name).trim();
      this.ground = of("--panel");
      this.text = of("--text");
      this.muted = of("--muted");
      this.line = of("--line");
      this.accent = of("--accent");
      this.heat = [of("--heat-low"), of("--heat-high")].map(channels);
      const mode = this.dark ? "dark" : "light", ground = channels(this.ground);
      this.kinds = raw.kinds.map((k) => [k[mode], mix(channels(k[mode]), ground, 0.4)]);
      this.steps = raw.steps[mode];
      this.marks = this.dark ? ["#ffb86b", "#d3c5ff"] : ["#7f3b08", "#2d004b"];
    },
  };
  function channels(hex) { return [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16)); }
  function mix(a, b, part) { return "#" + a.map((v, i) => Math.round(v * (1 - part) + b[i] * part).toString(16).padStart(2, "0")).join(""); }
  /* Whether white can be read better than black on this colour, as palette.c decides it. */
  function wantsLight(hex) {
    const [r, g, b] = channels(hex).map((v) => (v /= 255) <= 0.04045 ? v / 12.92 : Math.pow((v + 0.055) / 1.055, 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b < 0.179;
  }
  const namedLight = raw.colors && raw.colors.map(wantsLight);

  class Flame {
    /* o: label; inverted; side 0, 1 or "both" (differences); zoomed(node), picked(node), pointed(node, event). */
    constructor(o) {
      Object.assign(this, { inverted: false, side: 0 }, o);
      this.canvas = el("canvas", { tabindex: "0", role: "application", "aria-label": o.label,
        "aria-roledescription": "flame graph", "aria-describedby": "keys" });
      this.space = el("div", { class: "space" }, this.canvas);
      this.scroller = el("div", { class: "flame" }, this.space);
      this.root = el("div", { class: "graph" }, o.heading ? el("h3", { text: o.heading }) : null, this.scroller);
      this.top = 0;
      this.focus = this.hover = this.also = -1;
      this.match = null;
      this.canvas.addEventListener("click", (e) => this.click(e));
      this.canvas.addEventListener("mousemove", (e) => this.move(e));
      this.canvas.addEventListener("mouseleave", () => this.point(-1));
      this.canvas.addEventListener("keydown", (e) => this.key(e));
      this.canvas.addEventListener("focus", () => { if (this.focus < 0) this.focus = this.top; this.attend(); });
      this.canvas.addEventListener("blur", () => this.later());
      this.scroller.addEventListener("scroll", () => this.later());
      new ResizeObserver(() => this.resize()).observe(this.scroller);
    }

    /* Another view of values; keep: the zoom stays where the tree is the same. */
    set(view, keep) {
      const t = view.tree, sums = view.total;
      if (!keep || !this.view || this.view.tree !== t) this.top = this.focus = 0;
      this.view = view;
      this.hover = this.also = -1;
      if (this.side === "both") this.w = this.extents(view);
      else this.w = sums[Math.min(this.side, sums.length - 1)];
      this.x = new Float64Array(t.n);
      const next = new Float64Array(t.n);
      for (let i = 1; i < t.n; i++) {
        const p = t.parent[i];
        this.x[i] = next[i] = next[p] + (t.gap ? t.gap[i] : 0);
        next[p] = next[i] + Math.max(0, this.w[i]);
      }
      while (this.top && !(this.w[this.top] > 0)) this.top = t.parent[this.top];
      this.resize();
    }

    /* The larger side, so that what vanished is seen; children may need more room than their parent's own. */
    extents(view) {
      const t = view.tree, a = view.total[wideSide], b = view.total[1 - wideSide];
      const [all, other] = [view.whole[wideSide], view.whole[1 - wideSide]], scale = other > 0 && all > 0 ? all / other : 1;
      const w = new Float64Array(t.n), inner = new Float64Array(t.n);
      for (let i = t.n - 1; i >= 0; i--) {
        w[i] = Math.max(a[i], b[i] * scale, inner[i]);
        if (i) inner[t.parent[i]] += w[i];
      }
      return w;
    }

    zoom(i) {
      this.top = i > 0 && this.w[i] > 0 ? i : 0;
      this.focus = this.top;
      this.resize();
      this.reveal(this.top);
    }

    /* Rows that have something to see at this zoom. */
    deepest() {
      const t = this.view.tree, scale = this.width / (this.w[this.top] || 1);
      let deep = t.depth[this.top];
      for (let i = this.top; i < t.end[this.top];) {
        if (this.w[i] * scale < NARROW) { i = t.end[i]; continue; }
        if (t.depth[i] > deep) deep = t.depth[i];
        i++;
      }
      return deep + 1;
    }

    resize() {
      if (!this.view) return;
      this.width = this.scroller.clientWidth;
      if (!this.width) return;
      this.rows = this.deepest();
      const full = this.rows * ROW, bottom = this.scroller.scrollHeight - this.scroller.scrollTop;
      const fresh = this.drawnRows !== this.rows;
      this.space.style.height = full + "px";
      this.height = Math.min(full, this.limit || Math.max(240, Math.round(window.innerHeight * 0.62)));
      this.scroller.style.height = this.height + "px";
      this.width = this.scroller.clientWidth;
      /* what stands at the bottom stays there */
      if (fresh && !this.inverted) this.scroller.scrollTop = this.drawnRows ? full - Math.max(bottom, this.height) : full;
      this.drawnRows = this.rows;
      const ratio = window.devicePixelRatio || 1;
      this.canvas.width = Math.round(this.width * ratio);
      this.canvas.height = Math.round(this.height * ratio);
      this.canvas.style.width = this.width + "px";
      this.canvas.style.height = this.height + "px";
      this.later();
    }

    later() {
      if (this.waiting) return;
      this.waiting = true;
      requestAnimationFrame(() => { this.waiting = false; this.draw(); });
    }

    y(depth) { return (this.inverted ? depth : this.rows - 1 - depth) * ROW - this.scroller.scrollTop; }

    color(i) {
      const t = this.view.tree, f = t.fn[i];
      if (this.match && this.match[f]) return ["#e600e6", "#000000"];
      if (this.side === "both" && !raw.colors) return [theme.steps[stepOf(this.view, i) + 8], null];
      if (raw.colors) return [raw.colors[2 * f + t.inlined[i]], namedLight[2 * f + t.inlined[i]] ? "#ffffff" : "#000000"];
      return [theme.kinds[functions.kinds[f]][t.inlined[i]], null];
    }

    draw() {
      if (!this.view || !this.width) return;
      const c = this.canvas.getContext("2d"), ratio = window.devicePixelRatio || 1, t = this.view.tree;
      c.setTransform(ratio, 0, 0, ratio, 0, 0);
      c.fillStyle = theme.ground;
      c.fillRect(0, 0, this.width, this.height);
      c.font = FONT;
      c.textBaseline = "middle";
      if (!this.cell) this.cell = c.measureText("0000000000").width / 10;
      this.x0 = this.x[this.top];
      this.scale = this.width / (this.w[this.top] || 1);
      this.boxes = 0;
      for (let i = this.top; (i = t.parent[i]) >= 0;) this.box(c, i, 0, this.width, true);
      const strips = []; /* per depth: where a run of boxes too narrow to be drawn began and ends */
      for (let i = this.top; i < t.end[this.top];) {
        const left = (this.x[i] - this.x0) * this.scale, w = this.w[i] * this.scale;
        if (w < NARROW) {
          if (w > 0) this.narrow(c, strips, t.depth[i], left, w);
          i = t.end[i];
          continue;
        }
        this.box(c, i, left, w, false);
        i++;
      }
      strips.forEach((s, depth) => this.strip(c, s, depth));
      if (this.also >= 0) this.outline(c, this.also, 1.5);
      if (this.hover >= 0) this.outline(c, this.hover, 1);
      if (this.focus >= 0 && document.activeElement === this.canvas) this.outline(c, this.focus, 2);
    }

    narrow(c, strips, depth, left, w) {
      const s = strips[depth];
      if (s && left <= s[1] + 0.05) { s[1] = left + w; return; }
      if (s) this.strip(c, s, depth);
      strips[depth] = [left, left + w];
    }
    strip(c, s, depth) {
      const y = this.y(depth);
      if (s[1] - s[0] < 0.5 || y < -ROW || y > this.height) return;
      c.fillStyle = theme.line;
      c.fillRect(s[0], y + ROW / 4, s[1] - s[0], ROW / 2);
    }

    box(c, i, left, w, faded) {
      const t = this.view.tree, y = this.y(t.depth[i]);
      if (y <= -ROW || y >= this.height) return;
      const [fill, ink] = this.color(i), inner = w > 3 ? w - 1 : w;
      this.boxes++;
      c.globalAlpha = faded ? 0.4 : 1;
      c.fillStyle = fill;
      c.fillRect(left, y, inner, ROW - 1);
      c.globalAlpha = 1;
      if (this.side === "both" && w > 6) this.mark(c, i, left, y, inner);
      if (w < 22) return;
      const text = shorten(bounded(functions.names[t.fn[i]], 4000), Math.floor((w - 6) / this.cell));
      if (!text) return;
      c.fillStyle = faded || !ink ? theme.text : ink;
      c.fillText(text, Math.max(left, 0) + 4, y + ROW / 2);
    }

    /* What only one side has. */
    mark(c, i, left, y, w) {
      const a = this.view.total[wideSide][i], b = this.view.total[1 - wideSide][i];
      if (a > 0 && b > 0) return;
      c.strokeStyle = theme.marks[a > 0 ? 0 : 1];
      c.lineWidth = 1.5;
      c.setLineDash(a > 0 ? [3, 2] : [1, 2]);
      c.strokeRect(left + 1, y + 1, w - 2, ROW - 3);
      c.setLineDash([]);
    }

    outline(c, i, width) {
      const t = this.view.tree, inside = i >= this.top && i < t.end[this.top];
      const left = inside ? (this.x[i] - this.x0) * this.scale : 0, w = inside ? this.w[i] * this.scale : this.width;
      c.strokeStyle = theme.text;
      c.lineWidth = width;
      c.strokeRect(Math.max(0.5, left), this.y(t.depth[i]) + 0.5, Math.max(1, Math.min(w, this.width) - 1), ROW - 2);
    }

    /* The node at a place of the canvas, -1 for none. */
    at(px, py) {
      const t = this.view.tree, row = Math.floor((py + this.scroller.scrollTop) / ROW);
      const depth = this.inverted ? row : this.rows - 1 - row, value = this.x0 + px / this.scale;
      if (depth < 0 || depth >= this.rows) return -1;
      let i = this.top;
      if (depth < t.depth[i]) {
        while (t.depth[i] > depth) i = t.parent[i];
        return i;
      }
      while (t.depth[i] < depth) {
        const end = t.end[i];
        let child = i + 1;
        while (child < end && (this.x[child] + this.w[child] <= value || !(this.w[child] > 0))) child = t.end[child];
        if (child >= end || this.x[child] > value) return -1;
        i = child;
      }
      return this.w[i] * this.scale >= NARROW || i === this.top ? i : -1;
    }

    place(e) {
      const r = this.canvas.getBoundingClientRect();
      return this.at(e.clientX - r.left, e.clientY - r.top);
    }
    click(e) {
      const i = this.place(e);
      if (i < 0) return;
      this.focus = i;
      if (this.picked) this.picked(i);
      if (this.zoomed) this.zoomed(i);
    }
    move(e) { this.point(this.place(e), e); }
    point(i, e) {
      if (i !== this.hover) {
        this.hover = i;
        this.canvas.classList.toggle("hand", i >= 0);
        this.later();
      }
      if (this.pointed) this.pointed(i, e);
    }
    attend() {
      this.reveal(this.focus);
      if (this.picked) this.picked(this.focus);
      this.later();
    }
    reveal(i) {
      const y = this.y(this.view.tree.depth[i]);
      if (y < 0) this.scroller.scrollTop += y - ROW;
      else if (y > this.height - ROW) this.scroller.scrollTop += y - this.height + 2 * ROW;
    }

    /* The next one that can be seen, walking as the picture is drawn. */
    neighbour(key) {
      const t = this.view.tree, i = this.focus, seen = (k) => this.w[k] * this.scale >= NARROW;
      if (key === (this.inverted ? "ArrowUp" : "ArrowDown")) return t.parent[i];
      if (key === "ArrowUp" || key === "ArrowDown") {
        let best = -1;
        if (i < this.top) { /* a caller of what is zoomed into: towards that */
          for (best = this.top; t.parent[best] !== i;) best = t.parent[best];
          return best;
        }
        for (let k = i + 1; k < t.end[i]; k = t.end[k]) if (seen(k) && (best < 0 || this.w[k] > this.w[best])) best = k;
        return best;
      }
      const step = key === "ArrowRight" ? 1 : -1;
      for (let k = i + step; k > this.top && k < t.end[this.top]; k += step) if (t.depth[k] === t.depth[i] && seen(k)) return k;
      return -1;
    }

    key(e) {
      if (e.ctrlKey || e.metaKey || e.altKey) return;
      if (/^Arrow/.test(e.key)) {
        const i = this.neighbour(e.key);
        e.preventDefault();
        if (i < 0) return;
        this.focus = i;
        this.attend();
      } else if (e.key === "Enter" || e.key === " ") {
        e.preventDefault();
        if (this.zoomed) this.zoomed(this.focus);
      } else if (e.key === "Home") {
        e.preventDefault();
        this.focus = this.top;
        this.attend();
      }
    }

    /* Nodes whose function matches, in the order of the picture, of what is zoomed into. */
    hits() {
      const t = this.view.tree, out = [];
      if (this.match)
        for (let i = this.top; i < t.end[this.top]; i++) if (i && this.w[i] > 0 && this.match[t.fn[i]]) out.push(i);
      return out;
    }
    /* Their share of it, a match inside a match counted once. */
    matched() {
      const t = this.view.tree;
      let sum = 0;
      for (let i = this.top; i < t.end[this.top];) {
        if (i && this.w[i] > 0 && this.match[t.fn[i]]) { sum += this.w[i]; i = t.end[i]; } else i++;
      }
      return this.w[this.top] > 0 ? sum / this.w[this.top] : 0;
    }
  }
