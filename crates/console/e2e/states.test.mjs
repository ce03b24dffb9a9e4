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
  servers.clean = await beside(servers.emulator, LOCKED, { args: ['--allow-changes'] });
  // Nobody listens there.
  servers.gone = await beside({ ...servers.emulator, url: 'http://127.0.0.1:9' }, CLEAN);
});
after(async () => { await launched?.close(); Object.values(servers).forEach((server) => server.stop()); });

const ALL = [['light', 1280], ['dark', 1280], ['light', 390], ['dark', 390]];
// Structure is the same in all four looks: without CONSOLE_LOOKS=all each scheme and width is seen once.
const LOOKS = process.env.CONSOLE_LOOKS === 'all' ? ALL : [ALL[0], ALL[3]];

/** The definitions of which the tenant can be planned, and a rule that no key may break. */
const LOCKED = {
  ...CLEAN,
  'cortexkey.yaml': `${CLEAN['cortexkey.yaml']}rules:\n  level-standard-forbidden: { enabled: true, severity: error, locked: true }\n`,
};

for (const { name, path, prepare, act, status = 200, complains = status, on = 'emulator' } of STATES) {
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
      const bytes = await opened.evaluate(() => ['navigation', 'resource']
        .flatMap((kind) => performance.getEntriesByType(kind))
        .reduce((sum, entry) => sum + entry.decodedBodySize, 0));
      if (bytes > 150_000) problems.push(`${bytes} bytes`);
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
    const faults = opened.faults.splice(0).filter((fault) => complains === 200 || !fault.includes(`${complains}`));
    assert.deepEqual(faults, []);
    assert.deepEqual(opened.elsewhere, []);
  });
}

test('without a session', async () => {
  const context = await launched.newContext();
  const opened = await context.newPage();
  assert.equal((await opened.goto(`${servers.emulator.origin}/keys`)).status(), 401);
  assert.deepEqual(await violations(opened), []);
  await context.close();
});

const pages = {};

/** One page for all states of a console: a context for each would take a second. */
async function shared(on) {
  pages[on] ??= await page(launched, servers[on]);
  return pages[on];
}
