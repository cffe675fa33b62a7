  /* Elements, numbers, and what the address holds. Names from the profile are text, never markup. */

  function id(name) { return document.getElementById(name); }

  function el(tag, attributes, ...kids) {
    const e = document.createElement(tag);
    for (const [key, value] of Object.entries(attributes || {})) {
      if (key === "text") e.textContent = value;
      else if (key.startsWith("on")) e.addEventListener(key.slice(2), value);
      else if (value === true) e.setAttribute(key, "");
      else if (value !== false && value !== undefined && value !== null) e.setAttribute(key, value);
    }
    for (const kid of kids) if (kid) e.append(kid);
    return e;
  }

  function separated(v) { return String(Math.round(v)).replace(/\B(?=(\d{3})+(?!\d))/g, ","); }

  const SCALES = {
    nanoseconds: [["s", 1e9], ["ms", 1e6], ["µs", 1e3], ["ns", 1]],
    bytes: [["GiB", 1073741824], ["MiB", 1048576], ["KiB", 1024], ["B", 1]],
  };
  function amount(v, unit) {
    const scales = SCALES[unit];
    if (!scales) return separated(v) + " " + (unit === "count" ? Math.abs(v) === 1 ? "sample" : "samples" : unit);
    const [name, factor] = scales.find((s) => Math.abs(v) >= s[1]) || scales[scales.length - 1];
    return (v / factor).toFixed(factor === 1 ? 0 : 2) + " " + name;
  }
  function percent(part, whole) { return (whole ? 100 * part / whole : 0).toFixed(2) + " %"; }
  function signed(points) { return (points > 0 ? "+" : points < 0 ? "−" : "") + Math.abs(points).toFixed(2); }

  /* A name that fills no more than a screen, whatever its length. */
  function bounded(name, max) { return name.length > max ? middle(name, max) : name; }

  /* A regular expression, in any case unless told; null when it is none. */
  function pattern(text, matchCase) {
    try { return new RegExp(text.replace(/^\(\?i\)/, ""), matchCase ? "" : "i"); }
    catch (e) { return null; }
  }

  /* What is shown, in the part of the address that no server sees. push: the Back button returns to what was before. */
  const address = {
    read() { return new URLSearchParams(window.location.hash.slice(1)); },
    write(values, push) {
      const q = new URLSearchParams();
      for (const [key, value] of Object.entries(values)) if (value !== "" && value !== null && value !== undefined) q.set(key, value);
      const text = q.toString(), url = window.location.pathname + window.location.search + (text ? "#" + text : "");
      if (text === window.location.hash.slice(1)) return;
      try { window.history[push ? "pushState" : "replaceState"](null, "", url); }
      catch (e) { /* some viewers forbid it; the page works all the same */ }
    },
  };

  function debounce(ms, run) {
    let timer = 0;
    return function () { clearTimeout(timer); timer = setTimeout(run, ms); };
  }
