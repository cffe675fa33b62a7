  /* Names cut to a width: for the SVG and the HTML report. */

  /* The same as text_shorten in text.c: path, type arguments, receiver, package go first, the end last. */
  function wide(c) {
    return c >= 0x1100 && (c <= 0x115f || (c >= 0x2e80 && c <= 0xa4cf) || (c >= 0xac00 && c <= 0xd7a3) ||
      (c >= 0xf900 && c <= 0xfaff) || (c >= 0xfe30 && c <= 0xfe6f) || (c >= 0xff00 && c <= 0xff60) ||
      (c >= 0xffe0 && c <= 0xffe6) || (c >= 0x1f300 && c <= 0x1faff) || (c >= 0x20000 && c <= 0x3fffd));
  }
  function cells(s) {
    if (!/[^\x00-\x7f]/.test(s)) return s.length;
    return Array.from(s).reduce(function (n, c) { return n + (wide(c.codePointAt(0)) ? 2 : 1); }, 0);
  }
  function cut(s, max) {
    var n = 0, out = "";
    if (max < 3) return "";
    if (!/[^\x00-\x7f]/.test(s)) return s.slice(0, max - 2) + "..";
    Array.from(s).every(function (c) {
      n += wide(c.codePointAt(0)) ? 2 : 1;
      if (n > max - 2) return false;
      out += c;
      return true;
    });
    return out && out + "..";
  }
  function shorten(name, max) {
    if (cells(name) <= max) return name;
    var s = name, stop = s.search(/[\[( ]/), slash = s.slice(0, stop < 0 ? s.length : stop).lastIndexOf("/");
    if (slash >= 0) s = s.slice(slash + 1);
    if (cells(s) > max) s = s.replace(/^([^\[]+)\[.{4,}\]/, "$1[...]");
    if (cells(s) <= max) return s;
    var start = 0, pack = 0, depth = 0, i, part;
    for (i = 0; i < s.length; i++) {
      if ("([{".indexOf(s[i]) >= 0) depth++;
      else if (")]}".indexOf(s[i]) >= 0) depth--;
      else if (!depth && s[i] === "." && i && i + 1 < s.length) {
        part = s.slice(i + 1).split(".")[0];
        if (!pack) pack = i + 1;
        if (!/^(func|gowrap|deferwrap)?\d+$/.test(part)) start = i + 1;
      } else if (!depth && s[i] === ":" && s[i + 1] === ":" && i + 2 < s.length) start = i + 2;
    }
    var tail = s.slice(start);
    if (pack && start > pack && cells(s.slice(0, pack)) + cells(tail) + 1 <= max) return s.slice(0, pack) + "." + tail;
    return cells(tail) <= max ? tail : cut(tail, max);
  }

  /* Both ends of what is too long. */
  function middle(s, max) {
    if (s.length <= max) return s;
    var right = Math.floor((max - 3) / 2);
    return s.slice(0, max - 3 - right) + "..." + s.slice(s.length - right);
  }
