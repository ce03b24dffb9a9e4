// The overview, and the reports as files: in all looks, by keyboard, without a violation, and with text
// that tries to be more than text.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { after, before, test } from 'node:test';

import { beside, browser, emulator, generate, page, seed, stopAll, violations } from './lib.mjs';

const ALL = [['light', 1280], ['dark', 1280], ['light', 390], ['dark', 390]];
// Structure is the same in all four looks: without CONSOLE_LOOKS=all each scheme and width is seen once.
const LOOKS = process.env.CONSOLE_LOOKS === 'all' ? ALL : [ALL[0], ALL[3]];
const HOSTILE = '"><script>document.title="run"</script><img src=x onerror="document.title=1"> =1+1';

const FILES = {
  'cortexkey.yaml': 'apiVersion: cortexkey/v1\nkind: Policy\nmetadata: { name: acme }\nkeys: ["*.key.yaml"]\n',
  'svc.key.yaml': `apiVersion: cortexkey/v1
kind: ApiKey
metadata: { name: svc, owner: '<b>soc</b>' }
spec:
  securityLevel: advanced
  lifetime: 60d
  roles: [Viewer]
`,
};

let tenant, compared, launched, opened;
before(async () => {
  [tenant, launched] = await Promise.all([emulator(), browser()]);
  await seed(tenant, 14);
  await generate(tenant, { comment: HOSTILE, roles: ['Instance Administrator'] });
  compared = await beside(tenant, FILES);
  opened = await page(launched, compared);
});
after(stopAll);

/** What a command needs to call the emulator. */
function settings() {
  const { id, key } = tenant.keys.advanced;
  return {
    ...process.env, CORTEXKEY_API_URL: tenant.url, CORTEXKEY_API_KEY_ID: String(id), CORTEXKEY_API_KEY: key,
    CORTEXKEY_API_KEY_TYPE: 'advanced', XDG_STATE_HOME: compared.folder,
  };
}

/** The page was drawn in its new scheme, and nothing changes colour any more. */
function settled(shown) {
  return shown.evaluate(async () => {
    const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
    await frame();
    await frame();
    await Promise.all(document.getAnimations().map((animation) => animation.finished));
  });
}

/** What is wrong with what is open, in each look. */
async function problems(shown, name) {
  const found = [];
  for (const [colorScheme, width] of LOOKS) {
    await shown.emulateMedia({ colorScheme });
    await shown.setViewportSize({ width, height: 860 });
    await settled(shown);
    if (process.env.CONSOLE_SHOTS) {
      await shown.screenshot({ path: `${process.env.CONSOLE_SHOTS}/${name}-${colorScheme}-${width}.png`, fullPage: true });
    }
    found.push(...(await violations(shown)).map((each) => `${colorScheme} ${width}: ${each}`));
    if (await shown.evaluate(() => document.documentElement.scrollWidth > innerWidth)) found.push(`${colorScheme} ${width}: wider than the window`);
  }
  return found;
}

test('overview: by keyboard alone', async () => {
  await opened.setViewportSize({ width: 1280, height: 860 });
  await opened.goto(`${compared.origin}/overview`);
  const { keyboard } = opened;
  const focused = () => opened.evaluate(() => document.activeElement.textContent.trim() || document.activeElement.getAttribute('aria-label'));
  const tabTo = async (wanted) => {
    for (let presses = 0; presses < 60; presses++) {
      await keyboard.press('Tab');
      if (wanted.test(await focused())) return;
    }
    assert.fail(`${wanted} is not reached`);
  };
  await tabTo(/^The figures as a table/);
  await keyboard.press('Enter');
  await opened.getByRole('table', { name: 'How many keys expire when' }).waitFor();
  await tabTo(/^Read scopes/);
  await keyboard.press('Enter');
  await opened.getByText(/^As of /).waitFor();
  await tabTo(/Unmanaged/);
  await keyboard.press('Enter');
  await opened.waitForURL(/f\.definition=unmanaged/);
});

test('overview: no violation in any look', async () => {
  await opened.goto(`${compared.origin}/overview`);
  await opened.getByText('The figures as a table').click();
  assert.deepEqual(await problems(opened, 'overview'), []);
  assert.deepEqual(opened.faults, []);
  assert.deepEqual(opened.elsewhere, []);
});

test('overview: what is drawn is what the table says, and a figure leads to so many rows', async () => {
  await opened.goto(`${compared.origin}/overview?scopes=1`);
  const drawn = await opened.getByRole('img', { name: 'When keys expire' }).locator('.count').allTextContents();
  await opened.getByText('The figures as a table').click();
  const listed = await opened.getByRole('table', { name: 'How many keys expire when' }).locator('td').allTextContents();
  assert.deepEqual(drawn, listed.filter((count) => count !== '0'));
  assert.equal(listed.reduce((sum, count) => sum + Number(count), 0), 17);
  const figure = opened.getByRole('link', { name: /^Never expire/ });
  const count = Number((await figure.textContent()).match(/\d+$/)[0]);
  await figure.click();
  await opened.waitForURL(/f\.state=never/);
  assert.equal(await opened.locator('#rows tr[data-id]').count(), count);
});

for (const [name, args] of [['report', ['report']], ['inventory', ['keys', 'inventory', '--format', 'html']]]) {
  test(`${name}: one file without scripts, violations and requests, that prints`, async () => {
    const file = `${compared.folder}/${name}.html`;
    try {
      execFileSync(process.env.CONSOLE_BIN, [...args, '--keys', compared.folder, '--out', file], { env: settings(), stdio: 'pipe' });
    } catch ({ status, stderr }) {
      // The definition has findings.
      assert.equal(status, 1, String(stderr));
    }
    // Files alone: what a page would load from elsewhere fails, and is a fault.
    const context = await launched.newContext();
    const shown = await context.newPage();
    const faults = [];
    shown.on('console', (message) => faults.push(message.text()));
    shown.on('pageerror', (error) => faults.push(error.message));
    const asked = [];
    shown.on('request', (request) => asked.push(request.url()));
    await shown.goto(`file://${file}`);
    assert.deepEqual(await problems(shown, name), []);
    assert.match(await shown.title(), /^API key/);
    assert.equal(await shown.locator('script, img, link, iframe, [style], [onerror]').count(), 0);
    assert.ok(await shown.getByText('<script>document.title="run"</script>').count() > 0);
    await shown.emulateMedia({ media: 'print', colorScheme: 'light' });
    await shown.setViewportSize({ width: 1032, height: 720 });
    assert.equal(await shown.evaluate(() => document.documentElement.scrollWidth > innerWidth), false, 'it fits the paper');
    const background = await shown.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
    assert.equal(background, 'rgb(255, 255, 255)');
    assert.deepEqual(faults, []);
    assert.deepEqual(asked, [`file://${file}`]);
    await context.close();
  });
}
