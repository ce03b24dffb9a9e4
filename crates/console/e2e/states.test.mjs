// Every state: light and dark, wide and narrow, without a violation, an error or a request elsewhere.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { CLEAN, DEFINITIONS, beside, browser, emulator, page, refused, seed, violations } from './lib.mjs';
import { STATES } from './states.mjs';

let launched;
const servers = {};
before(async () => {
  [servers.emulator, launched] = await Promise.all([emulator('--explain'), browser()]);
  await seed(servers.emulator, 14);
  await refused(servers.emulator);
  servers.definitions = await beside(servers.emulator, DEFINITIONS);
  servers.clean = await beside(servers.emulator, CLEAN);
});
after(async () => { await launched?.close(); Object.values(servers).forEach((server) => server.stop()); });

const ALL = [['light', 1280], ['dark', 1280], ['light', 390], ['dark', 390]];
// Structure is the same in all four looks: without CONSOLE_LOOKS=all each scheme and width is seen once.
const LOOKS = process.env.CONSOLE_LOOKS === 'all' ? ALL : [ALL[0], ALL[3]];

for (const { name, path, prepare, act, status = 200, on = 'emulator' } of STATES) {
  test(name, async () => {
    const opened = await shared(on);
    const problems = [];
    for (const [colorScheme, width] of LOOKS) {
      await opened.emulateMedia({ colorScheme });
      await opened.setViewportSize({ width, height: 860 });
      // The consoles' own calls push older requests out of the list.
      await prepare?.(servers[on]);
      const answer = await opened.goto(servers[on].origin + path);
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

const pages = {};

/** One page for all states of a console: a context for each would take a second. */
async function shared(on) {
  pages[on] ??= await page(launched, servers[on]);
  return pages[on];
}
