  /* The heat map: a column a second (or so), its rows the fractions of it. Two places choose the time between them. */

  class Heat {
    /* o: chosen(from, to) with slots, both included, or nulls; pointed(text, event). */
    constructor(o) {
      Object.assign(this, o);
      this.columns = Math.ceil(time.slots / time.rows);
      this.from = this.to = this.anchor = null;
      this.cursor = 0;
      this.canvas = el("canvas", { tabindex: "0", role: "application", "aria-roledescription": "heat map",
        "aria-label": "Heat map over time: arrow keys move, Enter marks the start and then the end of a range, Escape shows all" });
      this.root = el("div", { class: "heat" }, this.canvas);
      this.canvas.addEventListener("mousedown", (e) => this.press(e));
      window.addEventListener("mousemove", (e) => this.drag(e));
      window.addEventListener("mouseup", (e) => this.release(e));
      this.canvas.addEventListener("mouseleave", () => { if (this.pointed) this.pointed(null); });
      this.canvas.addEventListener("keydown", (e) => this.key(e));
      this.canvas.addEventListener("focus", () => this.draw());
      this.canvas.addEventListener("blur", () => this.draw());
      new ResizeObserver(() => this.resize()).observe(this.root);
    }

    set(sums, unit) {
      this.sums = sums;
      this.unit = unit;
      this.max = sums.reduce((a, b) => Math.max(a, b), 0);
      this.resize();
    }
    select(from, to) {
      this.from = from;
      this.to = to;
      this.draw();
    }

    resize() {
      const room = this.root.clientWidth - LEFT;
      if (!this.sums || room <= 0) return;
      this.cw = Math.max(2, Math.min(64, room / this.columns));
      this.ch = time.rows >= 25 ? 3 : Math.min(14, Math.round(150 / time.rows));
      this.width = LEFT + Math.ceil(this.cw * this.columns);
      this.height = this.ch * time.rows + BOTTOM;
      const ratio = window.devicePixelRatio || 1;
      this.canvas.width = Math.round(this.width * ratio);
      this.canvas.height = Math.round(this.height * ratio);
      this.canvas.style.width = this.width + "px";
      this.canvas.style.height = this.height + "px";
      this.draw();
    }

    /* Upper left corner of a slot: the first fraction of a second is at the bottom. */
    corner(slot) {
      return [LEFT + Math.floor(slot / time.rows) * this.cw, (time.rows - 1 - slot % time.rows) * this.ch];
    }
    span(seconds) { return seconds.toFixed(time.slot < 0.01 ? 4 : time.slot < 0.1 ? 2 : time.slot < 1 ? 1 : 0) + " s"; }

    draw() {
      if (!this.sums || !this.width) return;
      const c = this.canvas.getContext("2d"), ratio = window.devicePixelRatio || 1, [low, high] = theme.heat;
      const gap = this.cw > 5 ? 1 : 0, some = this.from !== null, map = time.rows * this.ch;
      c.setTransform(ratio, 0, 0, ratio, 0, 0);
      c.clearRect(0, 0, this.width, this.height);
      for (let s = 0; s < time.slots; s++) {
        const [x, y] = this.corner(s), v = this.sums[s];
        c.globalAlpha = some && (s < this.from || s > this.to) ? 0.25 : 1;
        c.fillStyle = v > 0 ? mix(low, high, Math.sqrt(v / this.max)) : theme.line;
        c.fillRect(x, y, this.cw - gap, v > 0 ? this.ch - (this.ch > 2 ? 0.5 : 0) : this.ch - 1);
      }
      c.globalAlpha = 1;
      c.fillStyle = theme.muted;
      c.font = "11px system-ui, sans-serif";
      c.textBaseline = "middle";
      c.textAlign = "right";
      const column = time.slot * time.rows;
      [1, 0.5, 0].forEach((part) => c.fillText(this.fraction(column * part), LEFT - 6, map * (1 - part) + (part === 1 ? 6 : part ? 0 : -6)));
      c.textAlign = "left";
      for (let k = 0, last = -Infinity; k < this.columns; k++) {
        const x = LEFT + k * this.cw;
        if (x - last < 56 || x > this.width - 24) continue;
        c.fillText(parseFloat((k * column).toFixed(4)) + " s", x, map + 10);
        last = x;
      }
      if (document.activeElement === this.canvas) {
        const [x, y] = this.corner(this.cursor);
        c.strokeStyle = theme.text;
        c.lineWidth = 2;
        c.strokeRect(x - 1, y - 1, this.cw + 1, this.ch + 2);
      }
    }

    fraction(s) { return s >= 1 || s === 0 ? parseFloat(s.toFixed(1)) + " s" : parseFloat((s * 1000).toFixed(2)) + " ms"; }

    slotAt(e) {
      const r = this.canvas.getBoundingClientRect();
      const column = Math.floor((e.clientX - r.left - LEFT) / this.cw), row = time.rows - 1 - Math.floor((e.clientY - r.top) / this.ch);
      if (column < 0 || column >= this.columns || row < 0 || row >= time.rows) return -1;
      return Math.min(time.slots - 1, column * time.rows + row);
    }
    press(e) {
      const slot = this.slotAt(e);
      if (slot < 0 || e.button) return;
      this.anchor = this.cursor = slot;
      this.moved = false;
    }
    drag(e) {
      const slot = this.slotAt(e), inside = e.target === this.canvas;
      if (inside && this.pointed) this.pointed(slot < 0 ? null : this.describe(slot), e);
      if (this.anchor === null || slot < 0 || (slot === this.anchor && !this.moved)) return;
      this.moved = true;
      this.range(this.anchor, slot);
    }
    /* A click without a drag marks a whole column; on what is marked it shows all again. */
    release(e) {
      if (this.anchor === null) return;
      const first = this.anchor - this.anchor % time.rows, last = Math.min(time.slots, first + time.rows) - 1;
      if (!this.moved && this.from === first && this.to === last) this.clear();
      else if (!this.moved) this.range(first, last);
      this.anchor = null;
      this.chosen(this.from, this.to);
      if (e.target === this.canvas) e.preventDefault();
    }
    range(a, b) {
      this.from = Math.min(a, b);
      this.to = Math.max(a, b);
      this.draw();
    }
    clear() {
      this.from = this.to = this.anchor = null;
      this.draw();
    }
    describe(slot) {
      return this.span(slot * time.slot) + " to " + this.span((slot + 1) * time.slot) + ": " + amount(this.sums[slot], this.unit);
    }

    key(e) {
      const steps = { ArrowUp: 1, ArrowDown: -1, ArrowRight: time.rows, ArrowLeft: -time.rows };
      if (e.ctrlKey || e.metaKey || e.altKey) return;
      if (steps[e.key]) {
        const to = this.cursor + steps[e.key];
        if (to >= 0 && to < time.slots) this.cursor = to;
        if (this.anchor !== null) this.range(this.anchor, this.cursor);
        this.draw();
        say(this.describe(this.cursor));
      } else if (e.key === "Enter" || e.key === " ") {
        if (this.anchor === null) {
          this.anchor = this.cursor;
          this.moved = true;
          this.range(this.cursor, this.cursor);
          say("Range begins at " + this.span(this.cursor * time.slot));
        } else {
          this.anchor = null;
          this.chosen(this.from, this.to);
        }
      } else if (e.key === "Escape" && (this.from !== null || this.anchor !== null)) {
        this.clear();
        this.chosen(null, null);
        e.stopPropagation();
      } else return;
      e.preventDefault();
    }
  }
  const LEFT = 48, BOTTOM = 20;
