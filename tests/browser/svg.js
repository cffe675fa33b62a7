// svg.js CHROMIUM PERFSKEW FOLDER: drives the interactive SVG as a user does.
"use strict";
const { execFileSync } = require("child_process");
const { writeFileSync } = require("fs");
const { chromium } = require("playwright-core");
const [browser, perfskew, tmp] = process.argv.slice(2);

let failed = 0;
function check(name, ok, what) {
  console.log((ok ? "ok   " : "FAIL ") + name + (ok || what === undefined ? "" : ": " + JSON.stringify(what)));
  if (!ok) failed++;
}
function draw(name, ...args) {
  execFileSync(perfskew, args.concat("-q", "-o", `${tmp}/${name}`));
  return `file://${tmp}/${name}`;
}

const state = (page) => page.evaluate(() => ({
  matched: document.getElementById("matched").textContent,
  details: document.getElementById("details").textContent,
  more: document.getElementById("more").textContent,
  off: document.querySelectorAll("g.f.off").length,
  faded: document.querySelectorAll("g.f.up").length,
  hits: document.querySelectorAll("g.f.hit").length,
  reset: getComputedStyle(document.getElementById("reset")).display !== "none",
  query: location.search,
  focus: document.activeElement ? document.activeElement.getAttribute("aria-label") || "" : "",
  widest: Math.max(...Array.from(document.querySelectorAll("#frames rect, #legend text"), (e) => e.getBoundingClientRect().right)),
}));
const frame = (page, name) => page.locator("g.f").filter({ has: page.locator("title", { hasText: name }) }).first();
const zoom = (page, name) => frame(page, name).locator("rect").click({ position: { x: 4, y: 8 } });

// main 100: a 60 (a 30 again: b 20), b 40; 10 of all in main itself
const folded = "main 10\nmain;pkg.a;pkg.a;pkg.b 20\nmain;pkg.a;pkg.a 10\nmain;pkg.a 20\nmain;pkg.B 40\n";

async function small(page) {
  writeFileSync(`${tmp}/small.folded`, folded);
  const url = draw("small.svg", "flame", `${tmp}/small.folded`);
  let answer = "pkg.a";
  page.on("dialog", (d) => d.accept(answer));
  await page.goto(url);

  for (const key of ["Control+f", "F3", "/"]) {
    await page.keyboard.press(key);
    const s = await state(page);
    check(`${key}: nested matches count once`, s.matched === "Matched: 50.0 %" && s.hits === 2, s);
    await page.keyboard.press("Escape");
    check(`${key}, Esc: cleared`, (await state(page)).hits === 0);
  }
  answer = "^PKG\\.b$";
  await page.keyboard.press("/");
  check("any case", (await state(page)).matched === "Matched: 60.0 %");
  await page.keyboard.press("Control+i");
  check("case counts", (await state(page)).matched === "Matched: 0.0 %");
  await page.reload();
  check("case and search after a reload", (await state(page)).matched === "Matched: 0.0 %");
  await page.click("#case");
  check("the button for case", (await state(page)).matched === "Matched: 60.0 %");
  await page.keyboard.press("n");
  const first = (await state(page)).focus;
  await page.keyboard.press("n");
  const second = await state(page);
  check("next match", /^pkg\.[bB] /.test(first) && /^pkg\.[bB] /.test(second.focus) && first !== second.focus, [first, second.focus]);
  check("which match", /\(2 of 2\)/.test(second.matched), second.matched);
  await page.keyboard.press("Shift+N");
  check("previous match", (await state(page)).focus === first);
  await page.click("#find");
  answer = "(";
  await page.click("#find");
  check("no regular expression", (await state(page)).matched === "Not a regular expression");

  await zoom(page, "pkg.a (50");
  let s = await state(page);
  check("zoom: others are gone, callers faded", s.off === 1 && s.faded === 2 && s.reset, s);
  check("zoom: details", s.details === "pkg.a" && s.more === "50 samples, 50.00 %; 50.00 % of its caller; self 20 samples, 20.00 %", s.more);
  answer = "pkg.b";
  await page.keyboard.press("/");
  check("matches of what is shown", (await state(page)).matched === "Matched: 40.0 %");
  await page.reload();
  s = await state(page);
  check("zoom and search after a reload", s.matched === "Matched: 40.0 %" && s.faded === 2, s);
  await page.keyboard.press("Escape");
  await page.keyboard.press("Escape");
  s = await state(page);
  check("Esc twice: everything again", s.off === 0 && s.faded === 0 && !s.reset && s.query === "", s);
  await zoom(page, "pkg.a (50");
  await page.click("#reset");
  check("reset", (await state(page)).off === 0);

  const y = () => frame(page, "all (").locator("rect").evaluate((r) => r.getBoundingClientRect().top);
  const before = await y();
  await page.keyboard.press("I");
  check("I: root on top", (await y()) < before && (await state(page)).query === "?i=1");
  await page.reload();
  check("inverted after a reload", (await y()) < before);
  await page.keyboard.press("i");

  await frame(page, "all (").focus();
  const walk = [];
  for (const key of ["ArrowUp", "ArrowUp", "ArrowRight", "ArrowLeft", "ArrowUp", "ArrowDown", "Tab", "Shift+Tab"]) {
    await page.keyboard.press(key);
    walk.push((await state(page)).focus.replace(/ \(.*/, ""));
  }
  check("arrow keys and Tab", walk.join() === "main,pkg.a,pkg.a,pkg.B,pkg.B,main,pkg.B,main", walk);
  await page.keyboard.press("Enter");
  check("Enter zooms", (await state(page)).query.includes("x="));
  const roles = await page.evaluate(() => Array.from(document.querySelectorAll("g.f"), (g) => g.getAttribute("role") + "|" + g.getAttribute("aria-label")));
  check("every frame has a role and a label", roles.every((r) => /^button\|.+\d+ samples/.test(r)), roles[0]);
}

async function recording(page) {
  const url = draw("s.svg", "flame", "samples/recording");
  await page.goto(url);
  for (const width of [600, 1280, 3000]) {
    await page.setViewportSize({ width, height: 800 });
    await page.waitForTimeout(100);
    const s = await state(page), labels = await page.locator("#frames text:visible").count();
    check(`${width} px: filled, nothing beyond`, s.widest <= width && s.widest > width - 14, s.widest);
    check(`${width} px: names to read`, labels > width / 20, labels);
  }
  await page.setViewportSize({ width: 1000, height: 400 });
  await frame(page, "net/http.(*conn).serve").focus();
  const bar = await page.locator("#details").boundingBox();
  check("details stay in sight", bar.y > 0 && bar.y + bar.height <= 400, bar);
  const cut = await frame(page, "net/http.(*conn).serve").locator("text").textContent();
  check("names keep package and function", /http\.\(\*conn\)\.serve$|http\.\.serve$/.test(cut), cut);
  const color = () => page.evaluate(() => [getComputedStyle(document.getElementById("bg")).fill, getComputedStyle(document.querySelector("g.app > rect")).fill]);
  const light = await color();
  await page.emulateMedia({ colorScheme: "dark" });
  const dark = await color();
  check("dark mode", light[0] === "rgb(255, 255, 255)" && dark[0] !== light[0] && dark[1] !== light[1], [light, dark]);
  await page.emulateMedia({ colorScheme: "light" });
  await page.goto(draw("skew.svg", "skew", "samples/recording"));
  const marks = await page.evaluate(() => [document.querySelectorAll("g.f.new").length, document.querySelectorAll("g.f.gone").length]);
  await frame(page, "runtime.bgsweep").focus();
  const sides = (await state(page)).more;
  check("differences name both sides", /^perf: .* %; pprof: .* points/.test(sides), sides);
  check("differences mark what one side has alone", marks[0] > 0 && marks[1] > 0, marks);
}

async function hostile(page) {
  let dialogs = 0;
  const count = (d) => { dialogs++; d.dismiss(); };
  page.on("dialog", count);
  writeFileSync(`${tmp}/hostile.folded`, "main;<script>alert(1)</script> 5\nmain;]]><img src=x onerror=alert(2)> 5\nmain;\"onload=\"alert(3) 5\n");
  await page.goto(draw("hostile.svg", "flame", "--title", "<script>alert(4)</script>", `${tmp}/hostile.folded`));
  await zoom(page, "alert(1)");
  check("names run nothing", dialogs === 0 && (await state(page)).details === "<script>alert(1)</script>");
  page.off("dialog", count);
}

(async () => {
  const b = await chromium.launch({ executablePath: browser, args: ["--no-sandbox"] });
  const errors = [];
  for (const run of [small, recording, hostile]) {
    const page = await b.newPage({ viewport: { width: 1280, height: 800 } });
    page.on("console", (m) => { if (m.type() === "error") errors.push(m.text()); });
    page.on("pageerror", (e) => errors.push(String(e)));
    await run(page);
    await page.close();
  }
  check("no console error", errors.length === 0, errors);
  const still = await (await b.newContext({ javaScriptEnabled: false })).newPage();
  await still.goto(draw("still.svg", "flame", "--search", "json", "samples/recording"));
  const text = await still.content();
  check("without scripts: a still picture with its matches", /Matched: [1-9][0-9.]* %/.test(text) && /class="f std hit"/.test(text) && text.includes("net/http.(*conn).serve</text>"));
  await b.close();
  process.exit(failed ? 1 : 0);
})();
