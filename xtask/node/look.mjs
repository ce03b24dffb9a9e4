// Looks at the built site in Chromium: node look.mjs SITE [SCREENSHOTS]
//
// A page of each kind is opened in light and dark and at the width of a phone. axe must find nothing, nothing
// may be wider than the window, and no page may log an error or load anything from elsewhere. The search must
// find a rule.
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { chromium } from "playwright-core";

const [site, screenshots] = process.argv.slice(2);
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const executablePath = ["/usr/bin/chromium", "/usr/bin/google-chrome"].find(existsSync);
const pages = [
  "index.html",
  "guides/start.html",
  "guides/linting.html",
  "guides/examples.html",
  "commands/index.html",
  "commands/cortexkey-keys-rotate.html",
  "rules/index.html",
  "rules/expiry-too-long.html",
  "reference/index.html",
  "reference/c.html",
  "reference/cpp.html",
  "reference/go.html",
  "performance/index.html",
  "project/index.html",
  "project/changelog.html",
];
const views = {
  light: { viewport: { width: 1280, height: 900 }, colorScheme: "light" },
  dark: { viewport: { width: 1280, height: 900 }, colorScheme: "dark" },
  phone: { viewport: { width: 360, height: 740 }, colorScheme: "light", isMobile: true, hasTouch: true },
  "phone-dark": { viewport: { width: 360, height: 740 }, colorScheme: "dark", isMobile: true, hasTouch: true },
};

const problems = [];
const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
for (const [view, options] of Object.entries(views)) {
  const context = await browser.newContext({ ...options, reducedMotion: "reduce" });
  for (const path of pages) {
    const page = await context.newPage();
    const where = `${path}, ${view}`;
    page.on("pageerror", (error) => problems.push(`${where}: ${error.message}`));
    page.on("request", (request) => {
      if (!/^(file|data|blob|about):/.test(request.url())) problems.push(`${where}: asks for ${request.url()}`);
    });
    await page.goto(`file://${resolve(site, path)}`);
    await page.waitForTimeout(300);
    await page.evaluate(axe);
    const found = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
    for (const { id, help, nodes } of found.violations) {
      const places = nodes.slice(0, 3).map((node) => `${node.target.join(" ")}: ${node.any[0]?.message ?? ""}`);
      problems.push(`${where}: ${id}: ${help} (${nodes.length} places)\n    ${places.join("\n    ")}`);
    }
    const wider = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    if (wider > 0) problems.push(`${where}: ${wider} pixels wider than the window`);
    if (screenshots) {
      mkdirSync(screenshots, { recursive: true });
      await page.screenshot({ path: join(screenshots, `${view}-${path.replaceAll("/", "-")}.png`) });
    }
    await page.close();
  }
  await context.close();
}

const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
await page.goto(`file://${resolve(site, "index.html")}`);
await page.getByRole("button", { name: "Play" }).click();
await page.waitForFunction(() => !document.querySelector(".recording .later"), null, { timeout: 30_000 });
await page.locator(".md-search__input").first().fill("expiry-too-long");
await page.locator(".md-search-result__link").first().waitFor({ timeout: 20_000 });
const first = await page.locator(".md-search-result__link").first().getAttribute("href");
if (!first?.includes("rules/")) problems.push(`the search for expiry-too-long finds ${first} first`);
await browser.close();

if (problems.length > 0) {
  console.error(problems.join("\n"));
  process.exit(1);
}
console.log(`${pages.length} pages in ${Object.keys(views).length} views: nothing found`);
