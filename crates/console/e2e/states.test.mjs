// Every state: light and dark, wide and narrow, without a violation, an error or a request elsewhere.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { CLEAN, DEFINITIONS, beside, browser, emulator, page, refused, seed, stopAll, violations } from './lib.mjs';
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
after(stopAll);

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

/** What was received is in place and drawn. */
function settled(opened) {
  return opened.evaluate(() => new Promise((done) => { requestAnimationFrame(() => requestAnimationFrame(done)); }));
}

/** Notes which controls of a page get the focus, and where it cannot be seen. */
function watchFocus() {
  const isControl = (one) => !one.disabled && one.tabIndex >= 0 && one.checkVisibility() && !one.closest('[inert]');
  const all = [...document.querySelectorAll('a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex="0"]')].filter(isControl);
  // The keys go to one radio button of a group, and the arrows to the others.
  const name = (one) => (one.type === 'radio' ? `radio ${one.name}` : `${all.indexOf(one)} ${one.tagName} ${one.textContent.trim().slice(0, 30) || one.name}`);
  globalThis.unseen = new Set(all.map(name));
  globalThis.withoutOutline = [];
  addEventListener('focusin', ({ target }) => {
    unseen.delete(name(target));
    if (getComputedStyle(target).outlineStyle === 'none') withoutOutline.push(name(target));
  });
  return all.length;
}

for (const [path, on] of [
  ['/overview', 'definitions'], ['/keys', 'definitions'], ['/keys/4', 'emulator'], ['/keys/4/examples', 'emulator'],
  ['/keys/new', 'emulator'], ['/keys/4/edit', 'emulator'], ['/keys/4/rotate', 'emulator'], ['/keys/4/delete', 'emulator'],
  ['/plan', 'clean'], ['/findings', 'definitions'], ['/findings/rules/E001', 'definitions'], ['/notifications', 'emulator'],
  ['/requests', 'emulator'], ['/settings', 'emulator'], ['/settings/scopes', 'emulator'],
]) {
  test(`${path}: axe finds nothing, each control is reached by keyboard, and the focus is seen`, async () => {
    const opened = await shared(on);
    await opened.setViewportSize({ width: 1280, height: 860 });
    // A page with a stream asks for its list again once it follows the stream.
    const isList = (answer) => answer.request().headers()['x-console-part'] === 'live';
    const list = path === '/requests' ? opened.waitForResponse(isList) : undefined;
    await opened.goto(servers[on].origin + path);
    await (await list)?.finished();
    await settled(opened);
    // The states were checked already.
    if (!STATES.some((state) => state.path === path && !state.act)) assert.deepEqual(await violations(opened), []);
    const [height, end] = await opened.evaluate(() => [document.documentElement.scrollHeight,
      Math.max(innerHeight, document.querySelector('main').getBoundingClientRect().bottom)]);
    assert.ok(height <= end + 1, `the page is ${height} px high, and its content ends at ${end} px`);
    const count = await opened.evaluate(watchFocus);
    // A date and a time have several parts.
    for (let presses = 0; presses < count + 20; presses++) await opened.keyboard.press('Tab');
    assert.deepEqual(await opened.evaluate(() => [[...unseen], withoutOutline]), [[], []]);
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
