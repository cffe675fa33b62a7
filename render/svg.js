/* The interactive SVG; runs inside one function, after names.js. */
  var svg = document.documentElement;
  if (svg.nodeName.toLowerCase() !== "svg") svg = document.querySelector("svg");
  function id(name) { return document.getElementById(name); }
  var frames = id("frames"), details = id("details"), more = id("more"), bar = id("bar"), matched = id("matched");
  var reset = id("reset"), find = id("find"), toggle = id("case"), invert = id("invert"), legend = id("legend");
  var title = id("title"), sub = id("sub");
  var all = Array.prototype.slice.call(frames.querySelectorAll("g.f"));
  var total = +svg.dataset.total, row = +svg.dataset.row, rows = +svg.dataset.rows, top_ = +svg.dataset.top;
  var inverted = svg.dataset.inverted === "1", fluid = svg.dataset.fluid === "1", diff = svg.dataset.diff === "1";
  var CHAR = 12 * 0.602, SIDE = 10, LINE = 17, SVG = "http://www.w3.org/2000/svg";
  var view = { x: 0, w: total, d: -1 }, query = "", ignoreCase = true, hits = [], hit = -1, natural = 0;
  var titles = [title.textContent, sub.textContent], shown = null;

  var boxes = all.map(function (g, i) {
    var text = g.querySelector("title").textContent, nl = text.indexOf("\n");
    var first = nl < 0 ? text : text.slice(0, nl), paren = first.lastIndexOf(" (");
    g.box = i;
    return { i: i, g: g, rect: g.querySelector("rect"), text: g.querySelector("text"), title: text,
             name: first.slice(0, paren), value: first.slice(paren + 2, -1), rest: nl < 0 ? [] : text.slice(nl + 1).split("\n"),
             x: +g.dataset.x, w: +g.dataset.w, d: +g.dataset.d, parent: null, kids: [], shown: true };
  });
  /* boxes stand in preorder: the last one seen a level up is the parent */
  (function () {
    var last = [];
    boxes.forEach(function (b) {
      b.parent = b.d ? last[b.d - 1] : null;
      if (b.parent) b.parent.kids.push(b);
      last[b.d] = b;
    });
  })();

  function width() { return frames.getBoundingClientRect().width || (svg.clientWidth || 1200) - 2 * SIDE; }

  function label(b, px, x) {
    var text = px > 8 ? shorten(b.name, Math.floor((px - 4) / CHAR)) : "";
    if (!text) {
      if (b.text) { b.text.remove(); b.text = null; }
      return;
    }
    if (!b.text) {
      b.text = document.createElementNS(SVG, "text");
      b.text.setAttribute("dx", "3");
      b.text.setAttribute("y", +b.rect.getAttribute("y") + row - 4.5);
      b.g.appendChild(b.text);
    }
    b.text.setAttribute("x", x + "%");
    b.text.textContent = text;
  }

  function draw() {
    var px = width(), eps = view.w * 1e-9;
    boxes.forEach(function (b) {
      var left = Math.max(b.x, view.x), right = Math.min(b.x + b.w, view.x + view.w);
      var above = b.d < view.d;
      b.shown = right - left > eps && (!above || (b.x <= view.x + eps && b.x + b.w >= view.x + view.w - eps));
      b.g.classList.toggle("off", !b.shown);
      b.g.classList.toggle("up", b.shown && above);
      if (!b.shown) return;
      var x = (left - view.x) / view.w * 100, w = (right - left) / view.w * 100;
      b.rect.setAttribute("x", x + "%");
      b.rect.setAttribute("width", w + "%");
      /* Tab stops at what can be seen; arrow keys reach the rest */
      b.g.setAttribute("tabindex", w / 100 * px >= 2 ? "0" : "-1");
      if (diff) b.g.classList.toggle("thin", w / 100 * px < 6);
      label(b, w / 100 * px, x);
    });
    reset.classList.toggle("off", view.d < 0);
  }

  function zoom(b, keep) {
    view = b && b.d > 0 && b.w > 0 ? { x: b.x, w: b.w, d: b.d, b: b } : { x: 0, w: total, d: -1 };
    hit = -1;
    draw();
    count();
    if (!keep) remember();
  }

  function flip(keep) {
    inverted = !inverted;
    boxes.forEach(function (b) {
      var y = (inverted ? b.d : rows - 1 - b.d) * row;
      b.rect.setAttribute("y", y);
      if (b.text) b.text.setAttribute("y", y + row - 4.5);
    });
    invert.setAttribute("aria-pressed", inverted ? "true" : "false");
    if (!keep) remember();
  }

  /* Share of what is shown that lies in a match: a match inside a match counts once. */
  function count() {
    if (!query) { matched.textContent = ""; return; }
    var end = -1, sum = 0, nr = 0;
    boxes.forEach(function (b) {
      if (!b.hit || b.d < view.d) return;
      var left = Math.max(b.x, view.x), right = Math.min(b.x + b.w, view.x + view.w);
      if (right <= left) return;
      nr++;
      if (left < end - view.w * 1e-9) return;
      sum += right - left;
      end = right;
    });
    matched.textContent = "Matched: " + (view.w > 0 ? 100 * sum / view.w : 0).toFixed(1) + " %" +
      (hit >= 0 ? " (" + (hit + 1) + " of " + nr + ")" : "");
  }

  function search(text, keep) {
    var re = null, flags = ignoreCase ? "i" : "", wrong = false, pattern = text || "", m = /^\(\?i\)/.exec(pattern);
    query = pattern;
    if (m) { pattern = pattern.slice(4); flags = "i"; }
    if (query) {
      try { re = new RegExp(pattern, flags); }
      catch (e) { wrong = true; query = ""; }
    }
    hits = [];
    hit = -1;
    boxes.forEach(function (b) {
      b.hit = !!re && b.d > 0 && re.test(b.name);
      b.g.classList.toggle("hit", b.hit);
      if (b.hit) hits.push(b);
    });
    find.firstChild.data = query ? "Clear" : "Search";
    find.setAttribute("aria-label", query ? "Clear the search" : "Search");
    count();
    if (wrong) matched.textContent = "Not a regular expression";
    pin();
    if (!keep) remember();
  }

  function ask() {
    if (query) { search(""); return; }
    var text = window.prompt("Search by regular expression" + (ignoreCase ? " (any case)" : " (case counts)"), "");
    if (text) search(text);
  }

  function switchCase() {
    ignoreCase = !ignoreCase;
    toggle.setAttribute("aria-pressed", ignoreCase ? "false" : "true");
    search(query);
  }

  function step(by) {
    var seen = hits.filter(function (b) { return b.shown && b.d >= view.d; });
    if (!seen.length) return;
    hit = hit < 0 && by < 0 ? seen.length - 1 : (hit + by + seen.length) % seen.length;
    count();
    reach(seen[hit]);
  }

  function reach(b) {
    b.g.focus();
    if (b.g.scrollIntoView) b.g.scrollIntoView({ block: "nearest" });
  }

  /* First line: the name; second: what it took. */
  function show(b) {
    shown = b;
    if (!b) { details.textContent = more.textContent = " "; return; }
    var max = Math.max(20, Math.floor(width() / CHAR)), out = (diff ? svg.dataset.side + ": " : "") + b.value, room = query && window.scrollY > 24 ? 30 : 0;
    out += b.rest.map(function (s) { return "; " + s; }).join("");
    if (!diff && !b.rest.some(function (s) { return /^self /.test(s); })) out += "; self 0";
    details.textContent = middle(b.name, Math.max(20, max - room));
    more.textContent = middle(out, max);
  }

  function remember() {
    var q = new URLSearchParams(window.location.search);
    ["x", "d", "s", "c", "i"].forEach(function (k) { q.delete(k); });
    if (view.b) { q.set("x", view.b.x); q.set("d", view.b.d); }
    if (query) q.set("s", query);
    if (!ignoreCase) q.set("c", "1");
    if (inverted !== (svg.dataset.inverted === "1")) q.set("i", "1");
    var text = q.toString();
    try { window.history.replaceState(null, "", window.location.pathname + (text ? "?" + text : "") + window.location.hash); }
    catch (e) { /* some viewers forbid it; the picture works all the same */ }
  }

  function recall() {
    var q = new URLSearchParams(window.location.search), desc = id("search");
    ignoreCase = q.get("c") !== "1";
    toggle.setAttribute("aria-pressed", ignoreCase ? "false" : "true");
    invert.setAttribute("aria-pressed", inverted ? "true" : "false");
    if (q.get("i") === "1") flip(true);
    if (q.get("x") !== null && q.get("d") !== null) {
      var x = +q.get("x"), d = +q.get("d");
      zoom(boxes.filter(function (b) { return b.d === d && Math.abs(b.x - x) <= total * 1e-9; })[0], true);
    }
    var s = q.get("s") || (desc && desc.textContent);
    if (s) search(s, true);
  }

  /* The legend in as many rows as it needs, and the picture as high as that makes it. */
  function reflow(px) {
    var x = 0, line = 0, keys = legend.querySelectorAll("g.key");
    Array.prototype.forEach.call(keys, function (k) {
      var w = +k.dataset.w;
      if (x > 0 && x + w > px) { x = 0; line++; }
      k.setAttribute("transform", "translate(" + x + " " + line * LINE + ")");
      x += w;
    });
    svg.setAttribute("height", top_ + rows * row + 2 * LINE + (keys.length ? (line + 1) * LINE : 0) + 8);
  }

  /* The details stay in sight where the picture is higher than the window. */
  function pin() {
    var y = Math.min(natural, window.scrollY + window.innerHeight - 2 * LINE);
    y = Math.max(0, document.documentElement === svg ? y : natural);
    bar.setAttribute("transform", "translate(0 " + y + ")");
    bar.classList.toggle("off", y < natural && !shown && !query);
    /* the count goes with them when its own place is out of sight */
    matched.setAttribute("transform", "translate(0 " + (window.scrollY > 24 && y < natural + 1 ? y + 13 - 42 : 0) + ")");
  }

  function resize() {
    var w = +frames.getAttribute("width");
    if (fluid) {
      svg.removeAttribute("viewBox");
      svg.setAttribute("width", "100%");
      w = Math.max(200, (svg.getBoundingClientRect().width || window.innerWidth) - 2 * SIDE);
      frames.setAttribute("width", w);
      reflow(w);
      title.textContent = middle(titles[0], Math.max(8, Math.floor((w - 320) / 9.7)));
      sub.textContent = middle(titles[1], Math.floor(w / CHAR));
    }
    natural = top_ + rows * row;
    pin();
    draw();
  }

  function boxOf(target) {
    var g = target && target.closest ? target.closest("g.f") : null;
    return g && g.box !== undefined ? boxes[g.box] : null;
  }

  function neighbour(b, key) {
    var up = inverted ? "ArrowDown" : "ArrowUp", list, i, k;
    if (key === "ArrowUp" || key === "ArrowDown") {
      if (key !== up) return b.parent && b.parent.shown ? b.parent : null;
      list = b.kids.filter(function (c) { return c.shown; });
      return list.reduce(function (best, c) { return !best || c.w > best.w ? c : best; }, null);
    }
    k = key === "ArrowRight" ? 1 : -1;
    for (i = b.i + k; i >= 0 && i < boxes.length; i += k)
      if (boxes[i].d === b.d && boxes[i].shown) return boxes[i];
    return null;
  }

  function over(b) { show(b); pin(); }

  frames.setAttribute("role", "group");
  frames.setAttribute("aria-label", "Frames: Enter zooms, arrow keys go to callers, callees and neighbours");
  all.forEach(function (g, i) {
    g.setAttribute("role", "button");
    g.setAttribute("aria-label", boxes[i].title.replace(/\n/g, ", "));
  });
  frames.addEventListener("click", function (e) { var b = boxOf(e.target); if (b) zoom(b); });
  frames.addEventListener("mouseover", function (e) { var b = boxOf(e.target); if (b) over(b); });
  frames.addEventListener("mouseout", function () { over(boxOf(document.activeElement)); });
  frames.addEventListener("focusin", function (e) { var b = boxOf(e.target); if (b) over(b); });
  frames.addEventListener("focusout", function () { over(null); });
  reset.addEventListener("click", function () { zoom(null); });
  find.addEventListener("click", ask);
  toggle.addEventListener("click", switchCase);
  invert.addEventListener("click", function () { flip(); });
  [find, toggle, invert].forEach(function (b) { b.classList.remove("off"); });
  window.addEventListener("keydown", function (e) {
    var at = document.activeElement, b = boxOf(at), ctrl = e.ctrlKey || e.metaKey, next;
    if (e.key === "F3" || (e.key === "f" && ctrl) || (e.key === "/" && !ctrl)) { e.preventDefault(); ask(); return; }
    if (ctrl && e.key === "i") { e.preventDefault(); switchCase(); return; }
    if (ctrl || e.altKey) return;
    if (e.key === "Escape") { if (query) search(""); else zoom(null); return; }
    if (e.key === "i" || e.key === "I") { flip(); return; }
    if (e.key === "0") { zoom(null); return; }
    if (e.key === "n") { step(1); return; }
    if (e.key === "N") { step(-1); return; }
    if (e.key === "Enter" || e.key === " ") {
      if (at === reset) zoom(null);
      else if (at === find) ask();
      else if (at === toggle) switchCase();
      else if (at === invert) flip();
      else if (b) zoom(b);
      else return;
      e.preventDefault();
      return;
    }
    if (/^Arrow/.test(e.key)) {
      next = b ? neighbour(b, e.key) : boxes[0];
      if (next) { e.preventDefault(); reach(next); }
    }
  });
  window.addEventListener("resize", resize);
  window.addEventListener("scroll", pin);
  resize();
  recall();
