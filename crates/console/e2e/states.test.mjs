// Every state: light and dark, wide and narrow, without a violation, an error or a request elsewhere.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { browser, emulator, page, refused, seed, violations } from './lib.mjs';
import { STATES } from './states.mjs';

let tenant, launched;
before(async () => {
  [tenant, launched] = await Promise.all([emulator('--explain'), browser()]);
  await seed(tenant, 14);
  await refused(tenant);
});
after(async () => { await launched?.close(); tenant?.stop(); });

const ALL = [['light', 1280], ['dark', 1280], ['light', 390], ['dark', 390]];
// Structure is the same in all four looks: without CONSOLE_LOOKS=all each scheme and width is seen once.
const LOOKS = process.env.CONSOLE_LOOKS === 'all' ? ALL : [ALL[0], ALL[3]];

for (const { name, path, act, status = 200 } of STATES) {
  test(name, async () => {
    const opened = await shared();
    const problems = [];
    for (const [colorScheme, width] of LOOKS) {
      await opened.emulateMedia({ colorScheme });
      await opened.setViewportSize({ width, height: 860 });
      const answer = await opened.goto(tenant.origin + path);
      assert.equal(answer.status(), status);
      await act?.(opened);
      if (process.env.CONSOLE_SHOTS) {
        await opened.screenshot({ path: `${process.env.CONSOLE_SHOTS}/${name}-${colorScheme}-${width}.png` });
      }
      const found = await violations(opened);
      problems.push(...found.map((found) => `${colorScheme} ${width}: ${found}`));
      const overflows = await opened.evaluate(() => document.documentElement.scrollWidth > innerWidth);
      if (overflows) problems.push(`${colorScheme} ${width}: the page is wider than the window`);
    }
    assert.deepEqual(problems, []);
    const faults = opened.faults.splice(0).filter((fault) => status === 200 || !fault.includes(`${status}`));
    assert.deepEqual(faults, []);
    assert.deepEqual(opened.elsewhere, []);
  });
}

let opened;

/** One page for all states: a context for each would take a second. */
async function shared() {
  opened ??= await page(launched, tenant);
  return opened;
}
