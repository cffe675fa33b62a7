// html.js CHROMIUM PERFSKEW GROW FOLDER: drives the HTML report as a user does.
"use strict";
const { execFileSync } = require("child_process");
const { readFileSync, writeFileSync, statSync } = require("fs");
const { chromium } = require("playwright-core");
const [browser, perfskew, grow, tmp] = process.argv.slice(2);

let failed = 0;
function check(name, ok, what) {
  console.log((ok ? "ok   " : "FAIL ") + name + (ok || what === undefined ? "" : ": " + JSON.stringify(what)));
  if (!ok) failed++;
}
function draw(name, ...args) {
  execFileSync(perfskew, args.concat("-q", "-o", `${tmp}/${name}`));
  return `file://${tmp}/${name}`;
}

/* What the same program says as JSON: the page must say the same. */
const json = (...args) => JSON.parse(execFileSync(perfskew, args.concat("-q", "--format", "json"), { maxBuffer: 1 << 28 }));
const seconds = (ns) => (ns / 1e9).toFixed(2) + " s";
const share = (v) => (100 * v).toFixed(2) + " %";
const settle = (page) => page.evaluate(() => new Promise((r) => setTimeout(() => requestAnimationFrame(() => requestAnimationFrame(r)), 160)));
/* Whether it becomes so within two seconds. */
async function soon(condition) {
  for (let i = 0; i < 20; i++) {
    if (await condition()) return true;
    await new Promise((r) => setTimeout(r, 100));
  }
  return false;
}
const text = (page, selector) => page.locator(selector).first().textContent();
const lines = (page) => text(page, ".details .lines");
const hash = (page) => page.evaluate(() => decodeURIComponent(location.hash));
async function open(page, url) {
  await page.goto("about:blank");
  await page.goto(url);
  await page.waitForFunction(() => document.documentElement.dataset.ready === "1");
  await settle(page);
}
const canvas = (page, n) => page.locator(".flame canvas").nth(n || 0);
/* A click on the row so many from the bottom (or the top), at a part of the width. */
async function clickRow(page, row, part, o) {
  const c = canvas(page, o && o.nth), box = await c.boundingBox();
  await c.click({ position: { x: box.width * part, y: o && o.inverted ? 18 * row + 9 : box.height - 18 * row - 9 } });
  await settle(page);
}
const rows = (page) => page.evaluate(() => Array.from(document.querySelectorAll(".functions tbody tr"), (r) => Array.from(r.children, (c) => c.textContent)));
const names = (page) => page.locator(".functions tbody button.name").allTextContents();
const pixel = (page, x, y) => page.evaluate(([px, py]) => {
  const c = document.querySelector(".flame canvas"), k = window.devicePixelRatio || 1;
  return Array.from(c.getContext("2d").getImageData(Math.round(px * k), Math.round(py * k), 1, 1).data).slice(0, 3);
}, [x, y]);

/* In the page: text whose contrast to what it stands on is below WCAG 2.2's AA. */
function contrast() {
  const channels = (css) => css.match(/[0-9.]+/g).map(Number), out = [];
  const light = (c) => c.slice(0, 3).map((v) => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  for (const e of document.querySelectorAll("body *")) {
    const own = Array.from(e.childNodes).some((n) => n.nodeType === 3 && n.textContent.trim());
    if (!own || !e.offsetParent || e.disabled) continue;
    let at = e, ground = [0, 0, 0, 0];
    for (; at && !ground[3]; at = at.parentElement) {
      ground = channels(getComputedStyle(at).backgroundColor);
      if (ground.length === 3) ground.push(1);
    }
    const a = light(channels(getComputedStyle(e).color)), b = light(ground), ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) out.push([e.textContent.slice(0, 30), ratio.toFixed(2)]);
  }
  return out;
}

// main 100: a 60 (a 30 again: b 20), b 40; 10 of all in main itself
const folded = "main 10\nmain;pkg.a;pkg.a;pkg.b 20\nmain;pkg.a;pkg.a 10\nmain;pkg.a 20\nmain;pkg.B 40\n";

async function small(page) {
  writeFileSync(`${tmp}/small.folded`, folded);
  await open(page, draw("small.html", "flame", `${tmp}/small.folded`));
  check("the still picture makes room", await page.locator("#still").count() === 0);
  check("no time, no heat map", await page.locator("#heatmap").count() === 0);

  /* rows from the bottom: all, main, pkg.B 40 beside pkg.a 50 */
  await clickRow(page, 2, 0.6);
  check("click: details", (await text(page, ".details .name")) === "pkg.a" &&
    (await lines(page)) === "50 samples, 50.00 %; 50.00 % of its caller · self 20 samples, 20.00 %", await lines(page));
  check("click: zoomed, in the address", /z=\d+/.test(await hash(page)) && await page.locator("#reset").isVisible(), await hash(page));
  const zoomed = await hash(page), wide = await pixel(page, 5, (await canvas(page).boundingBox()).height - 18 * 2 - 9);
  await page.reload();
  await settle(page);
  check("zoom after a reload", (await hash(page)) === zoomed && (await text(page, ".details .name")) === "pkg.a" &&
    JSON.stringify(await pixel(page, 5, (await canvas(page).boundingBox()).height - 18 * 2 - 9)) === JSON.stringify(wide));
  await page.click("#reset");
  check("reset", (await hash(page)) === "" && !(await page.locator("#reset").isVisible()));
  await clickRow(page, 2, 0.6);
  await page.keyboard.press("0");
  check("0: reset", (await hash(page)) === "");

  for (const press of ["Control+f", "F3", "/"]) {
    await canvas(page).focus();
    await page.keyboard.press(press);
    await page.keyboard.type("pkg.a");
    await settle(page);
    check(`${press}: nested matches count once`, (await text(page, "#matched")) === "Matched: 50.0 %", await text(page, "#matched"));
    await page.keyboard.press("Escape");
    await settle(page);
    check(`${press}, Esc: cleared`, (await text(page, "#matched")) === "" && (await page.inputValue("#search")) === "");
  }
  await page.fill("#search", "^PKG\\.b$");
  await settle(page);
  check("any case", (await text(page, "#matched")) === "Matched: 60.0 %");
  await page.click("#case");
  check("case counts", (await text(page, "#matched")) === "Matched: 0.0 %");
  await page.reload();
  await settle(page);
  check("search and case after a reload", (await text(page, "#matched")) === "Matched: 0.0 %" && (await page.inputValue("#search")) === "^PKG\\.b$");
  await page.keyboard.press("Control+i");
  check("Ctrl-I", (await text(page, "#matched")) === "Matched: 60.0 %");
  await canvas(page).focus();
  await page.keyboard.press("n");
  const first = await text(page, ".details .name");
  await page.keyboard.press("n");
  check("next match", first !== await text(page, ".details .name") && (await text(page, "#matched")).endsWith("(2 of 2)"), await text(page, "#matched"));
  await page.keyboard.press("Shift+N");
  check("previous match", first === await text(page, ".details .name"));
  const box = await canvas(page).boundingBox(), spot = await pixel(page, box.width * 0.2, box.height - 18 * 2 - 4);
  check("matches are marked", JSON.stringify(spot) === "[230,0,230]", spot);
  await page.fill("#search", "(");
  await settle(page);
  check("no regular expression", (await text(page, "#matched")) === "Not a regular expression");
  await page.fill("#search", "");
  await settle(page);

  await page.keyboard.press("Escape");
  await canvas(page).focus();
  const walk = [];
  for (const key of ["Home", "ArrowUp", "ArrowUp", "ArrowLeft", "ArrowUp", "ArrowRight", "ArrowDown"]) {
    await page.keyboard.press(key);
    walk.push(await text(page, ".details .name"));
  }
  check("arrow keys", walk.join() === "all,main,pkg.a,pkg.B,pkg.B,pkg.a,main", walk);
  check("what the keyboard comes to is said", (await page.locator("[aria-live=polite]").first().textContent()).startsWith("main, 100 samples"));
  await page.keyboard.press("ArrowUp");
  await page.keyboard.press("Enter");
  check("Enter zooms", /z=/.test(await hash(page)));
  await page.keyboard.press("0");
  await page.keyboard.press("i");
  await settle(page);
  check("I: root on top", (await hash(page)) === "#i=1");
  await clickRow(page, 1, 0.5, { inverted: true });
  check("I: rows from the top", (await text(page, ".details .name")) === "main");
  await page.keyboard.press("0");
  await page.keyboard.press("I");
  await page.keyboard.press("r");
  await settle(page);
  await clickRow(page, 1, 0.05);
  check("R: merged from the leaves", (await text(page, ".details .name")) === "pkg.B" && /r=1/.test(await hash(page)), await text(page, ".details .name"));
  await page.keyboard.press("0");
  await page.keyboard.press("r");

  check("table: by self", JSON.stringify((await names(page)).slice(0, 4)) === '["pkg.B","pkg.a","pkg.b","main"]', await names(page));
  await page.click("th[data-key=total] button");
  check("table: by total, recursion once", (await names(page))[0] === "main" && (await rows(page))[1][1].includes("50.00 %"), await rows(page));
  await page.click("th[data-key=name] button");
  check("table: by name", JSON.stringify(await names(page)) === '["main","pkg.B","pkg.a","pkg.b"]' &&
    (await page.getAttribute("th[data-key=name]", "aria-sort")) === "ascending", await names(page));
  await page.click("th[data-key=name] button");
  check("table: the other way", (await names(page))[0] === "pkg.b");
  await page.fill("#tablesearch", "b$");
  await settle(page);
  check("table: search", JSON.stringify(await names(page)) === '["pkg.b","pkg.B"]' && (await text(page, "#functions .count")) === "2 functions");
  await page.reload();
  await settle(page);
  check("table: order and search after a reload", JSON.stringify(await names(page)) === '["pkg.b","pkg.B"]', await names(page));

  await page.click("button.name >> text='pkg.b'");
  await settle(page);
  check("sandwich: opened from the table", (await text(page, "#graph h2")) === "pkg.b" && (await page.locator(".flame canvas").count()) === 2);
  await clickRow(page, 1, 0.5);
  check("sandwich: callers", (await text(page, ".details .name")) === "pkg.a" && (await lines(page)) === "20 samples, 20.00 %; 100.00 % of pkg.b", await lines(page));
  await page.click("#tab-flame");
  await clickRow(page, 2, 0.6);
  await page.keyboard.press("s");
  await settle(page);
  check("S: sandwich of the frame", (await text(page, "#graph h2")) === "pkg.a" && /v=callers&f=pkg.a/.test(await hash(page)), await hash(page));
  await clickRow(page, 0, 0.5, { nth: 1, inverted: true });
  check("sandwich: recursion counts once", (await lines(page)).startsWith("50 samples, 50.00 %"), await lines(page));
  await page.reload();
  await settle(page);
  check("sandwich after a reload", (await text(page, "#graph h2")) === "pkg.a");
  await page.goBack();
  await settle(page);
  check("Back leaves the sandwich", (await page.getAttribute("#tab-flame", "aria-selected")) === "true");
  await page.keyboard.press("?");
  check("?: keys", await page.locator("dialog").isVisible());
  await page.keyboard.press("Escape");
}

async function recording(page) {
  await open(page, draw("s.html", "flame", "samples/recording"));
  const total = () => text(page, ".details .lines"), said = json("report", "samples/recording"), all = seconds(said.total) + ", 100.00 %";
  const first = said.functions[0], before = (await rows(page))[0];
  check("all of it", (await total()).startsWith(all), await total());
  check("the table says what report says", (await names(page)).slice(0, 1).join() === first.name && before[0].includes(share(first.self / said.total)) &&
    before[1].includes(share(first.cum / said.total)), [before, first]);
  const heat = page.locator(".heat canvas"), box = await heat.boundingBox();
  await page.mouse.move(box.x + 120, box.y + 30);
  await page.mouse.down();
  await page.mouse.move(box.x + 300, box.y + 60);
  await page.mouse.up();
  await settle(page);
  const part = await total(), range = [+await page.inputValue("input[aria-label='From, seconds']"), +await page.inputValue("input[aria-label='To, seconds']")];
  check("heat map: a range redraws the graph", !part.startsWith(all) && range[0] > 0.5 && range[1] > range[0], [part, range]);
  check("heat map: so it does the table", (await rows(page))[0].join() !== before.join(), before);
  const where = await hash(page);
  await page.reload();
  await settle(page);
  check("heat map: the range after a reload", (await hash(page)) === where && (await total()) === part, await total());
  await page.click("#alltime");
  check("heat map: all again", (await total()).startsWith(all));
  await heat.click({ position: { x: 60, y: 40 } });
  await settle(page);
  check("heat map: a click chooses a column", (await hash(page)) === "#t=0-49", await hash(page));
  await page.keyboard.press("Escape");
  await heat.focus();
  for (const key of ["ArrowRight", "ArrowUp", "Enter", "ArrowRight", "Enter"]) await page.keyboard.press(key);
  await settle(page);
  check("heat map: by the keyboard", /^#t=\d+-\d+$/.test(await hash(page)), await hash(page));
  await page.keyboard.press("Escape");
  check("heat map: Esc", (await hash(page)) === "");
  await page.fill("input[aria-label='From, seconds']", "2");
  await page.fill("input[aria-label='To, seconds']", "3.5");
  await page.keyboard.press("Tab");
  await settle(page);
  check("heat map: typed", (await hash(page)) === "#t=100-174", await hash(page));
  await page.click("#alltime");

  const options = await page.locator("#choose-thread option").allTextContents();
  check("threads to choose from", options.length > 3 && options.slice(1).every((o) => /^server \d+ \(\d/.test(o)), options);
  await page.selectOption("#choose-thread", { index: 1 });
  await settle(page);
  const thread = await total();
  check("a thread", !thread.startsWith(all) && /^#thread=server/.test(await hash(page)), [thread, await hash(page)]);
  await page.reload();
  await settle(page);
  check("the thread after a reload", (await total()) === thread, await total());
  await page.selectOption("#choose-thread", "-1");
  const goroutines = await page.locator("#choose-goroutine option").allTextContents();
  const serve = goroutines.findIndex((o) => o.startsWith("net/http.(*conn).serve"));
  check("goroutines to choose from", serve > 0, goroutines);
  await page.selectOption("#choose-goroutine", { index: serve });
  await settle(page);
  const part_ = /\(([0-9.]+) %\)$/.exec(goroutines[serve])[1];
  check("a goroutine: its samples alone", Math.abs(parseFloat(await total()) - said.total / 1e9 * part_ / 100) < 0.02, [await total(), part_]);
  await page.selectOption("#choose-goroutine", "-1");

  const lane = page.locator("#lanes li").first(), lanes = await page.locator("#lanes li").count();
  check("lanes of goroutines", lanes > 3 && /^net\/http\.\(\*conn\)\.serve/.test(await lane.textContent()), [lanes, await lane.textContent()]);
  check("lanes: most time first", await page.evaluate(() => {
    const ms = Array.from(document.querySelectorAll("#lanes .count"), (e) => e.textContent).filter((t) => / m?s$/.test(t))
      .map((t) => parseFloat(t) * (/ms$/.test(t) ? 1 : 1000));
    return ms.length > 3 && ms.every((v, i) => !i || v <= ms[i - 1]);
  }));
  await lane.locator("button").click();
  await settle(page);
  check("lanes: a click chooses the goroutine", /^#goroutine=/.test(await hash(page)) && await page.inputValue("#choose-goroutine") !== "-1" &&
    await lane.locator("button").getAttribute("aria-pressed") === "true", await hash(page));
  const drawn = await lane.locator("canvas").evaluate((c) => c.getContext("2d").getImageData(0, 0, c.width, c.height - 2).data.some((v, i) => i % 4 === 3 && v));
  check("lanes: drawn", drawn);
  await lane.locator("button").click();
  await settle(page);
  check("lanes: once more, all", (await hash(page)) === "" && (await total()).startsWith(all), await hash(page));

  for (const width of [600, 1280, 3000]) {
    await page.setViewportSize({ width, height: 800 });
    await settle(page);
    const wide = await page.evaluate(() => [document.documentElement.scrollWidth, document.querySelector(".flame canvas").getBoundingClientRect().width]);
    check(`${width} px: nothing beyond, the graph fills it`, wide[0] <= width && wide[1] > width * 0.88, wide);
  }
  await page.setViewportSize({ width: 1280, height: 800 });
  await settle(page);
  const ground = () => page.evaluate(() => getComputedStyle(document.querySelector("#graph")).backgroundColor);
  const light = await ground(), spot = async () => JSON.stringify(await pixel(page, 30, (await canvas(page).boundingBox()).height - 12));
  await soon(async () => (await spot()) !== "[0,0,0]"); /* a canvas not yet drawn anew */
  const bright = await spot();
  await page.emulateMedia({ colorScheme: "dark" });
  await settle(page);
  check("dark mode", light === "rgb(255, 255, 255)" && await soon(async () => (await ground()) !== light && (await spot()) !== bright), [light, await ground()]);
  await page.keyboard.press("d");
  await settle(page);
  check("D: light again, in the address", await soon(async () => (await ground()) === light && (await spot()) === bright && /d=light/.test(await hash(page))), [await ground(), bright, await spot(), await hash(page)]);
  await page.emulateMedia({ colorScheme: "light" });
  const bad = await page.evaluate(() => Array.from(document.querySelectorAll("button, input, select, canvas, table"), (e) =>
    e.tagName === "TABLE" ? e.querySelectorAll("th[scope]").length ? "" : "a table without heads"
      : e.getAttribute("aria-label") || e.textContent.trim() || (e.labels && e.labels.length) ? "" : e.outerHTML).filter(Boolean));
  check("every control has a name", bad.length === 0, bad);
  for (const colorScheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme });
    await open(page, draw("s.html", "flame", "samples/recording"));
    const faint = await page.evaluate(contrast);
    check(`${colorScheme}: text has a contrast of 4.5`, faint.length === 0, faint.slice(0, 5));
  }
  await page.emulateMedia({ colorScheme: "light" });
  await open(page, draw("r.html", "report", "samples/recording"));
  check("report: the table comes first", await page.evaluate(() => document.querySelector("#functions").getBoundingClientRect().top < document.querySelector("#graph").getBoundingClientRect().top));
}

async function kinds(page) {
  await open(page, draw("p.html", "flame", "samples/recording/cpu.pb.gz"));
  check("pprof: sample types to choose from", (await page.locator("#choose-event option").allTextContents()).join() === "samples,cpu");
  const cpu = await lines(page), said = json("report", "samples/recording/cpu.pb.gz"), counted = json("report", "--type", "samples", "samples/recording/cpu.pb.gz");
  await page.selectOption("#choose-event", "0");
  await settle(page);
  check("pprof: samples", cpu.startsWith(seconds(said.total)) && (await lines(page)).startsWith(counted.total + " samples"), [cpu, await lines(page)]);
}

/* What threads waited for, and whose waits they were: as report has it. */
async function waits(page) {
  const of = ["--binary", "samples/recording/bin/server", "samples/waits/perf.data"];
  for (const time of ["--off-cpu", "--wall"]) {
    await open(page, draw("waits.html", "report", time, ...of));
    const said = json("report", time, ...of), groups = json("report", time, "--by", "goroutine", ...of).goroutines;
    check(`${time}: what is waited for is in the table`, (await names(page))[0] === said.functions[0].name && said.functions[0].name === "[idle thread]", await names(page));
    const lanes = await page.evaluate(() => Array.from(document.querySelectorAll(".lanes li"), (l) => Array.from(l.children, (c) => c.textContent).join("")).sort());
    const value = (v) => v >= 1e6 ? (v / 1e6).toFixed(2) + " ms" : (v / 1e3).toFixed(2) + " µs";
    const expected = groups.map((g) => g.name.replace(/^goroutine /, "") + value(g.value)).sort();
    check(`${time}: lanes are of those who waited`, lanes.join(";") === expected.join(";"), [lanes, expected]);
    check(`${time}: waits have a colour of their own`, /waits, off the CPU/.test(await text(page, ".legend")), await text(page, ".legend"));
  }
}

/* job has 2 of its own, x 1, 1 of its own, x 1: what lies between is drawn as a gap */
async function chart(page) {
  writeFileSync(`${tmp}/lines.folded`, "job 2\njob;x 1\njob 1\njob;x 1\n");
  await open(page, draw("chart.html", "flame", "--flamechart", `${tmp}/lines.folded`));
  const seen = [];
  for (const part of [0.5, 0.7, 0.9]) {
    await clickRow(page, 2, part);
    seen.push(await hash(page));
    await page.keyboard.press("0");
  }
  check("flame chart: in order, with what lies between", seen.join() === "#z=2,,#z=3", seen);
}

/* 40 threads, all alike: twelve lanes, and the others for the asking; seconds below them. */
async function lanes(page) {
  execFileSync(grow, ["threads", "40", perfskew, `${tmp}/threads`]);
  execFileSync(grow, ["repeat", "300", `${tmp}/threads`, `${tmp}/repeated`]);
  await open(page, draw("lanes.html", "flame", `${tmp}/repeated`));
  const seen = () => page.locator("#lanes li:visible").count(), more = page.locator(".lanes-axis button");
  check("lanes: twelve", await seen() === 12 && (await text(page, "#lanes .bar .count")) === "28 more, with 70.00 % of the whole", await text(page, "#lanes .bar .count"));
  await more.focus();
  await page.keyboard.press("Enter");
  await settle(page);
  check("lanes: the others by the keyboard", await seen() === 40 && (await text(page, "#lanes .bar .count")) === "" &&
    await page.locator("#lanes li canvas").last().evaluate((c) => c.getContext("2d").getImageData(0, 0, c.width, 4).data.some((v) => v)), await seen());
  await more.click();
  check("lanes: fewer again", await seen() === 12, await seen());
  check("lanes: seconds below", await page.locator(".lanes-axis canvas").evaluate((c) => c.width > 300 &&
    c.getContext("2d").getImageData(0, 0, c.width, c.height).data.some((v) => v)));
}

async function skew(page) {
  await open(page, draw("skew.html", "skew", "samples/recording"));
  const said = json("skew", "samples/recording"), most = said.functions.filter((f) => f.tested === "self")
    .reduce((a, b) => Math.abs(b.difference_self) > Math.abs(a.difference_self) ? b : a);
  check("skew: findings, metrics, classes without a script's help", await page.evaluate(() => document.querySelectorAll(".findings li").length >= 2 &&
    /user_code_share_error/.test(document.body.textContent) && /preemption/.test(document.body.textContent)));
  check("skew: both sides in the details", (await lines(page)).startsWith(`perf 100.00 % (${said.perf.cpu_seconds.toFixed(2)} s), pprof 100.00 % (${said.pprof.cpu_seconds.toFixed(2)} s)`), await lines(page));
  check("skew: what differs most comes first", (await names(page))[0] === most.name, [(await names(page))[0], most.name]);
  const top = (await rows(page))[0];
  check("skew: its figures", top[0] === (most.difference_self > 0 ? "+" : "−") + Math.abs(100 * most.difference_self).toFixed(2) &&
    top[1] === share(most.perf_self) && top[2] === share(most.pprof_self) && top[6] === (most.q_value < 0.0001 ? "<0.0001" : most.q_value.toFixed(4)), [top, most]);
  await page.click("#tab-sides");
  await settle(page);
  check("skew: side by side", (await page.locator(".flame canvas").count()) === 2 && /v=sides/.test(await hash(page)));
  const left = await canvas(page, 0).boundingBox(), right = await canvas(page, 1).boundingBox();
  check("skew: beside each other", right.x > left.x + left.width - 1 && Math.abs(left.y - right.y) < 2);
  await clickRow(page, 1, 0.7);
  const name = await text(page, ".details .name");
  check("skew: both zoom", name === "net/http.(*conn).serve" && await page.locator("#reset").isVisible(), name);
  await page.setViewportSize({ width: 600, height: 900 });
  await settle(page);
  const over = await canvas(page, 0).boundingBox(), under = await canvas(page, 1).boundingBox();
  check("skew: one above the other at 600 px", under.y >= over.y + over.height && Math.abs(under.x - over.x) < 2);
  await page.setViewportSize({ width: 1280, height: 800 });
  const preempt = said.functions.find((f) => f.name === "runtime.asyncPreempt");
  await page.click("button.name >> text='runtime.asyncPreempt'");
  await settle(page);
  check("skew: sandwich", (await lines(page)).startsWith(`perf ${share(preempt.perf_cum)}`) && (await lines(page)).includes(`pprof ${share(preempt.pprof_cum)}`), await lines(page));
  writeFileSync(`${tmp}/small.folded`, folded);
  writeFileSync(`${tmp}/other.folded`, folded.replace("main;pkg.a 20", "main;pkg.c 30"));
  await open(page, draw("diff.html", "diff", `${tmp}/small.folded`, `${tmp}/other.folded`));
  check("diff: points are of what came after", JSON.stringify((await rows(page))[0].slice(0, 3)) === '["+27.27","0.00 %","27.27 %"]', (await rows(page))[0]);
}

async function hostile(page) {
  const rtl = "\u05e9\u05dc\u05d5\u05dd";
  let dialogs = 0;
  page.on("dialog", (d) => { dialogs++; d.dismiss(); });
  writeFileSync(`${tmp}/hostile.folded`, Buffer.concat([Buffer.from("main;<script>alert(1)</script> 9\nmain;</script><img src=x onerror=alert(2)> 8\n" +
    "main;\"onload=\"alert(3) 7\nmain;<!-- --><!-- 6\nmain;\\u003c\\ 5\nmain;\x1b[31mred 4\nmain;" + rtl + " 3\nmain;__proto__ 3\nmain;constructor 3\n"),
  Buffer.from("main;\xff\xfe\xef\xbf\xbe bad 2\n", "latin1"), Buffer.from("main;" + "x".repeat(1000000) + " 1\n")]));
  await open(page, draw("hostile.html", "flame", "--title", "</title><script>alert(4)</script>", "--subtitle", "</style><b>", `${tmp}/hostile.folded`));
  const list = await names(page);
  check("names are text", list[1] === "<script>alert(1)</script>" || list[0] === "<script>alert(1)</script>", list.slice(0, 3));
  check("names keep what is no markup", ["\\u003c\\", "<!-- --><!--", rtl, "__proto__", "constructor", "\ufffd[31mred"].every((n) => list.includes(n)), list);
  await page.click("button.name >> text='<script>alert(1)</script>'");
  await settle(page);
  check("names run nothing", dialogs === 0 && (await page.title()) === "</title><script>alert(4)</script>" && (await page.locator("img, b:not(.swatch)").count()) === 0);
  await page.evaluate(() => { const s = document.createElement("script"); s.textContent = "window.ran = 1"; document.body.append(s); });
  check("the policy lets no other script run", (await page.evaluate(() => window.ran)) === undefined);
}

/* 50,000 stacks, no two alike: from the address to a page that is drawn. */
async function large(page, errors) {
  execFileSync(grow, ["stacks", "50000", perfskew, `${tmp}/50k`]);
  const url = draw("50k.html", "flame", `${tmp}/50k`), cdp = await page.context().newCDPSession(page);
  await cdp.send("Performance.enable");
  await page.goto("about:blank");
  await page.goto(url);
  await page.waitForFunction(() => document.documentElement.dataset.ready === "1");
  await page.evaluate(() => new Promise((r) => requestAnimationFrame(() => requestAnimationFrame(r))));
  const m = Object.fromEntries((await cdp.send("Performance.getMetrics")).metrics.map((x) => [x.name, x.value]));
  const wall = await page.evaluate(() => performance.getEntriesByType("navigation")[0].loadEventEnd);
  /* processor time of the page: what other work the machine has does not show in it */
  console.log(`     50,000 stacks: ${statSync(`${tmp}/50k.html`).size} bytes, ${(wall / 1000).toFixed(2)} s, ${m.ThreadTime.toFixed(2)} s of the page's thread`);
  check("50,000 stacks in under 2 s", m.ThreadTime < 2, m.ThreadTime);
  await clickRow(page, 0, 0.5);
  check("50,000 stacks: alive", (await lines(page)).startsWith("50.00 s, 100.00 %"), await lines(page));
  errors.large = true;
}

const only = process.env.ONLY; /* one part, by its name */

(async () => {
  const b = await chromium.launch({ executablePath: browser, args: ["--no-sandbox"] });
  const errors = [];
  const expected = /Executing inline script violates/; /* of the test that tries to */
  for (const run of [small, recording, kinds, waits, chart, lanes, skew, hostile, large]) {
    if (only && run.name !== only) continue;
    const page = await b.newPage({ viewport: { width: 1280, height: 800 } });
    page.on("console", (m) => { if (m.type() === "error" && !(run === hostile && expected.test(m.text()))) errors.push(run.name + ": " + m.text()); });
    page.on("pageerror", (e) => errors.push(run.name + ": " + e.stack));
    await run(page, errors);
    await page.close();
  }
  check("no console error", errors.length === 0, errors);
  if (only) { await b.close(); process.exit(failed ? 1 : 0); }
  const still = await (await b.newContext({ javaScriptEnabled: false, viewport: { width: 600, height: 800 } })).newPage();
  for (const name of ["s.html", "skew.html"]) {
    await still.goto(`file://${tmp}/${name}`);
    const seen = await still.locator("#still svg text").count(), functions = await still.locator("#still tbody tr").count();
    const wide = await still.evaluate(() => document.documentElement.scrollWidth).catch(() => 600);
    check(`${name} without scripts: picture and functions to read`, seen > 30 && functions > 20 && wide <= 600 && await still.locator("#app").isHidden(), [seen, functions, wide]);
  }
  const source = readFileSync(`${tmp}/s.html`, "utf8");
  check("one file that needs no other", !/(src|href)=(?!"data:,")|@import|url\(|https?:\/\//.test(source.replace(/<script type="application\/json"[^]*?<\/script>/, "")));
  await b.close();
  process.exit(failed ? 1 : 0);
})();
