// The figures for 5,000 keys: how long the table takes to open, and to filter as one types.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { browser, emulator, page, seed } from './lib.mjs';

const COUNT = Number(process.env.CONSOLE_KEYS ?? 5000);

const median = (times) => times.sort((a, b) => a - b)[Math.floor(times.length / 2)];

test(`${COUNT} keys`, { timeout: 600_000 }, async () => {
  const [tenant, launched] = await Promise.all([emulator(), browser()]);
  await seed(tenant, COUNT - 2);
  const opened = await page(launched, tenant);
  const opens = [];
  for (let i = 0; i < 7; i++) {
    const start = performance.now();
    await opened.goto(`${tenant.origin}/keys`);
    opens.push(performance.now() - start);
  }
  const sizes = await opened.evaluate(() => ['navigation', 'resource']
    .flatMap((kind) => performance.getEntriesByType(kind))
    .reduce((sum, entry) => sum + entry.decodedBodySize, 0));
  const filters = [];
  for (const text of ['j', 'ji', 'jir', 'jira', 'jira ', 'n', 'ni', 'nig']) {
    filters.push(await opened.evaluate(async (text) => {
      const field = document.querySelector('[name="f.comment"]:not([type=hidden])');
      // The rows are replaced alone, or with what is around them.
      const rows = document.getElementById('rows');
      const changed = new Promise((resolve) => {
        new MutationObserver((records, observer) => {
          if (rows.isConnected && !records.some(({ target }) => target === rows)) return;
          observer.disconnect();
          requestAnimationFrame(resolve);
        }).observe(document.body, { childList: true, subtree: true });
      });
      const start = performance.now();
      field.value = text;
      field.dispatchEvent(new Event('input', { bubbles: true }));
      await changed;
      return performance.now() - start;
    }, text));
  }
  console.log(`# open ${median(opens).toFixed(0)} ms, filter ${median(filters).toFixed(0)} ms, page ${(sizes / 1000).toFixed(0)} kB`);
  assert.ok(median(opens) < 1000, `open: ${opens}`);
  assert.ok(median(filters) < 100, `filter: ${filters}`);
  assert.ok(sizes < 150_000, `${sizes} bytes`);
  await launched.close();
  tenant.stop();
});
