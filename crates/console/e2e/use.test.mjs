// The console in use: by mouse, by keyboard alone, and without the script.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { browser, call, cuttable, emulator, generate, keys, page, refused, stopAll } from './lib.mjs';

let tenant, launched;
before(async () => { [tenant, launched] = await Promise.all([emulator(), browser()]); });
after(stopAll);

// Lists are sorted by expiration, which two keys of one minute may share.
const newest = (keys) => keys.reduce((a, b) => (a.id > b.id ? a : b));
const count = (opened) => opened.locator('#rows tr[data-id]').count();

test('by mouse: filter, sort, menu, clipboard, views', async () => {
  const [first, second] = [await generate(tenant, { comment: 'Jira' }), await generate(tenant, { comment: 'Backup' })];
  const opened = await page(launched, tenant, { permissions: ['clipboard-write'] });
  await opened.getByLabel('Comment: value').fill('jira');
  await opened.locator('#rows tr').nth(1).waitFor({ state: 'detached' });
  assert.equal(await count(opened), 1);
  assert.match(opened.url(), /f\.comment=jira/);
  await opened.reload();
  assert.equal(await opened.getByLabel('Comment: value').inputValue(), 'jira');
  await opened.getByRole('button', { name: 'Views' }).click();
  await opened.getByRole('textbox', { name: 'Name' }).fill('Mine');
  await opened.getByRole('button', { name: 'Save this view' }).click();
  // What is typed can be cleared at once.
  await opened.getByLabel('Roles: value').fill('view');
  await opened.waitForURL(/f\.roles?=view/);
  await opened.getByRole('link', { name: 'Clear' }).click();
  await opened.waitForURL(/keys$/);
  await opened.getByRole('button', { name: 'Views' }).click();
  await opened.getByRole('link', { name: 'Mine' }).click();
  await opened.waitForURL(/f\.comment=jira/);
  await opened.getByRole('button', { name: 'Columns' }).click();
  await opened.getByRole('checkbox', { name: 'Status' }).check();
  await opened.getByRole('button', { name: 'Show these columns' }).click();
  await opened.waitForURL(/f\.comment=jira.*col=state/);
  assert.equal(await count(opened), 1);
  await opened.getByRole('button', { name: 'Columns' }).click();
  await opened.keyboard.press('Escape');
  assert.ok(await opened.getByRole('checkbox', { name: 'Status' }).isHidden());
  await opened.goto(`${tenant.origin}/keys`);
  await opened.getByRole('link', { name: 'ID' }).click();
  await opened.waitForURL(/sort=id&desc=1/);
  assert.equal(await opened.locator('#rows tr').first().getAttribute('data-id'), String(second));
  // The context menu of a time offers the rows of the thirty days before it.
  await opened.locator(`tr[data-id="${first}"] td[data-column=expires]`).click({ button: 'right' });
  const menu = opened.getByRole('menu');
  await menu.getByRole('menuitem', { name: /30 days prior to/ }).click();
  await opened.waitForURL(/o\.expires=prior/);
  assert.equal(await opened.locator(`tr[data-id="${first}"]`).count(), 1, 'the row itself is among them');
  await opened.locator(`tr[data-id="${first}"] td`).nth(4).click({ button: 'right' });
  await menu.getByRole('menuitem', { name: 'Copy entire row' }).click();
  await opened.getByText('Copied the row').waitFor();
  await opened.getByLabel('Comment: value').focus();
  await opened.keyboard.press('Control+V');
  assert.match(await opened.getByLabel('Comment: value').inputValue(), new RegExp(`^${first}\\s.*Jira`));
  await opened.evaluate(() => { navigator.clipboard.writeText = async () => { throw new Error('denied'); }; });
  await opened.getByRole('button', { name: 'Copy API URL' }).click();
  await opened.getByText(/^Not copied/).waitFor();
  assert.deepEqual(opened.faults, []);
  await opened.context().close();
});

test('by keyboard alone: menu, dialog, generate, edit, delete', async () => {
  const id = await generate(tenant, { comment: 'by keyboard' });
  const opened = await page(launched, tenant, { permissions: ['clipboard-write'] });
  const { keyboard } = opened;
  const focused = () => opened.evaluate(() => document.activeElement.textContent.trim() || document.activeElement.name);
  // What a key press starts may take a moment.
  const focuses = async (wanted, why) => {
    for (let tries = 0; tries < 40 && await focused() !== wanted; tries++) await opened.waitForTimeout(50);
    assert.equal(await focused(), wanted, why);
  };
  // A link within the page does not load it again: the focus and what was typed stay.
  await opened.evaluate(() => { globalThis.isSame = true; });
  await opened.locator('.skip').focus();
  await keyboard.press('Enter');
  await opened.waitForURL(/#main$/);
  assert.deepEqual(await opened.evaluate(() => [globalThis.isSame, document.activeElement.id]), [true, 'main']);
  await opened.getByRole('button', { name: `Menu of key ${id}` }).focus();
  await keyboard.press('Enter');
  await focuses('View Examples');
  await keyboard.press('End');
  await focuses('Delete');
  await keyboard.press('ArrowUp');
  await focuses('Rotate');
  await keyboard.press('e');
  await focuses('Rotate', 'no entry after it begins so');
  await keyboard.press('Home');
  await keyboard.press('e');
  await focuses('Edit');
  await keyboard.press('Escape');
  assert.equal(await opened.evaluate(() => document.activeElement.dataset.menu), 'row-menu');
  await keyboard.press('Shift+F10');
  await opened.getByRole('menu').waitFor();
  await keyboard.press('Escape');

  // What is pressed is replaced by the answer, and keeps the focus.
  await opened.getByRole('columnheader', { name: 'Comment' }).getByRole('link').focus();
  await keyboard.press('Enter');
  await opened.waitForURL(/sort=comment/);
  assert.ok(await opened.evaluate(() => document.activeElement.closest('th')?.textContent.includes('Comment')));

  await opened.getByRole('link', { name: 'New Key' }).focus();
  await keyboard.press('Enter');
  const dialog = opened.getByRole('dialog');
  await dialog.waitFor();
  await keyboard.press('Escape');
  await dialog.waitFor({ state: 'hidden' });
  await focuses('New Key');
  await keyboard.press('Enter');
  await dialog.waitFor();
  await dialog.getByRole('checkbox', { name: /^Viewer/ }).focus();
  await keyboard.press('Space');
  await dialog.getByText('R007').waitFor({ state: 'detached' });
  await dialog.getByRole('tab', { name: 'Role' }).focus();
  await keyboard.press('ArrowRight');
  await focuses('Scope');
  await dialog.getByLabel('All assets').focus();
  await keyboard.press('Space');
  const send = dialog.getByRole('button', { name: 'Generate' });
  await send.focus();
  // The findings of the last change arrive: the button that has the focus is still the same.
  await opened.waitForLoadState('networkidle');
  assert.ok(await send.evaluate((button) => button === document.activeElement));
  await keyboard.press('Enter');
  const shown = opened.locator('#new-key');
  await shown.waitFor();
  const secret = await shown.textContent();
  assert.equal(secret.length, 128);
  assert.ok(!tenant.said.join('\n').includes(secret), 'the log does not have it');
  const made = newest(await keys(tenant));
  assert.deepEqual([made.roles, made.security_level], [['Viewer'], 'advanced']);
  await opened.getByRole('link', { name: 'Done' }).focus();
  await keyboard.press('Enter');
  await opened.waitForURL(`**/keys/${made.id}`);
  assert.ok(!(await opened.content()).includes(secret));
  // Back does not bring it back.
  assert.equal((await opened.goBack()).status(), 410);
  assert.equal(await shown.count(), 0);

  await opened.goto(`${tenant.origin}/keys/${id}/edit`);
  await opened.getByLabel('Comment').fill('edited');
  await opened.getByRole('button', { name: 'Save' }).press('Enter');
  await opened.waitForURL(`**/keys/${id}`);
  assert.equal((await keys(tenant)).find((key) => key.id === id).comment, 'edited');

  await opened.goto(`${tenant.origin}/keys/${id}/rotate`);
  await opened.getByLabel('Grace period of the old key').selectOption('0');
  await opened.getByRole('button', { name: 'Rotate' }).press('Enter');
  await shown.waitFor();
  const left = await keys(tenant);
  assert.ok(!left.some((key) => key.id === id), 'the old key is gone');
  const rotated = newest(left).id;

  await opened.goto(`${tenant.origin}/keys/${rotated}/delete`);
  await opened.getByLabel(/to confirm/).focus();
  await keyboard.type(String(rotated));
  await keyboard.press('Enter');
  await opened.waitForURL('**/keys');
  assert.ok(!(await keys(tenant)).some((key) => key.id === rotated));
  assert.deepEqual(opened.faults.filter((fault) => !fault.includes('410')), []);
  await opened.context().close();
});

test('without the script: list, filter, new key, delete', async () => {
  const opened = await page(launched, tenant, { javaScriptEnabled: false });
  await opened.getByLabel('Roles: value').fill('instance');
  await opened.getByRole('button', { name: 'Filter' }).click();
  assert.equal(await count(opened), 2);
  await opened.getByRole('link', { name: 'New Key' }).click();
  await opened.getByRole('checkbox', { name: /^Viewer/ }).check();
  await opened.getByLabel('Comment').fill('without a script');
  await opened.getByRole('button', { name: 'Generate' }).click();
  assert.equal((await opened.locator('#new-key').textContent()).length, 128);
  assert.equal(await opened.getByRole('button', { name: 'Copy' }).count(), 0, 'it would do nothing');
  const id = (await keys(tenant)).find((key) => key.comment === 'without a script').id;
  await opened.goto(`${tenant.origin}/keys/${id}/delete`);
  await opened.getByLabel(/to confirm/).fill(String(id));
  await opened.getByRole('button', { name: 'Delete' }).click();
  assert.ok(!(await keys(tenant)).some((key) => key.id === id));
  await opened.context().close();
});

test('requests arrive while the page is open, in every tab, and can be held back', async () => {
  const opened = await page(launched, tenant);
  await opened.goto(`${tenant.origin}/requests?verdict=rejected`);
  const other = await opened.context().newPage();
  await other.goto(`${tenant.origin}/requests?verdict=rejected`);
  const rows = (at) => at.locator('#rows tr[data-request]');
  const [before] = [await rows(opened).count()];
  await refused(tenant);
  await rows(opened).nth(before + 1).waitFor();
  await rows(other).nth(before + 1).waitFor();
  assert.equal(await rows(opened).count(), before + 2);
  await opened.locator('.why summary').first().click();
  assert.match(await opened.locator('.why[open]').first().textContent(), /Cause.*Remedy/);
  await opened.getByRole('button', { name: 'Pause' }).click();
  await refused(tenant);
  await rows(other).nth(before + 3).waitFor();
  assert.equal(await rows(opened).count(), before + 2);
  await opened.getByRole('button', { name: 'Pause' }).click();
  await rows(opened).nth(before + 3).waitFor();
  assert.deepEqual(opened.faults, []);
  await opened.context().close();
});

test('a stream that is cut off comes back in every tab, and no request is lost', async () => {
  const link = await cuttable(tenant);
  const own = await browser({ args: link.args });
  const opened = await page(own, tenant);
  const other = await opened.context().newPage();
  const ids = (at) => at.locator('#rows tr[data-request]').evaluateAll((rows) => rows.map((row) => row.dataset.request));
  for (const tab of [opened, other]) {
    await tab.goto(`${tenant.origin}/requests?verdict=rejected`);
    await tab.getByText('Live', { exact: true }).waitFor();
  }
  let wanted = (await ids(opened)).length;
  const arrive = (tab) => tab.locator('#rows tr[data-request]').nth(wanted - 1).waitFor();
  for (let cuts = 0; cuts < 2; cuts++) {
    link.cut();
    for (const tab of [opened, other]) await tab.getByText('Reconnecting…').waitFor();
    // Two requests each time.
    for (let times = 0; times < 3; times++) await refused(tenant);
    wanted += 6;
    link.restore();
    for (const tab of [opened, other]) {
      await tab.getByText('Live', { exact: true }).waitFor();
      await arrive(tab);
    }
    await refused(tenant);
    wanted += 2;
    for (const tab of [opened, other]) await arrive(tab);
  }
  // The list is as a page has it that is opened now.
  const fresh = await opened.context().newPage();
  await fresh.goto(`${tenant.origin}/requests?verdict=rejected`);
  const all = await ids(fresh);
  for (const tab of [opened, other]) assert.deepEqual(await ids(tab), all);
});

test('a double click on Generate generates one key, and shows it', async () => {
  const opened = await page(launched, tenant);
  await opened.goto(`${tenant.origin}/keys/new`);
  await opened.getByRole('checkbox', { name: /^Viewer/ }).check();
  await opened.getByLabel('Comment').fill('clicked twice');
  await opened.getByRole('button', { name: 'Generate' }).dblclick();
  assert.equal((await opened.locator('#new-key').textContent()).length, 128);
  assert.equal((await keys(tenant)).filter((key) => key.comment === 'clicked twice').length, 1);
  await opened.context().close();
});

test('without the script: a double click on Generate generates one key, and shows it', async () => {
  const opened = await page(launched, tenant, { javaScriptEnabled: false });
  // From one click while the other's request is on its way, to one when the key's page is there.
  for (const pause of [0, 20, 50, 100, 300]) {
    const comment = `clicked twice, ${pause} ms apart`;
    await opened.goto(`${tenant.origin}/keys/new`);
    await opened.getByRole('checkbox', { name: /^Viewer/ }).check();
    await opened.getByLabel('Comment').fill(comment);
    await opened.getByRole('button', { name: 'Generate' }).scrollIntoViewIfNeeded();
    const button = await opened.getByRole('button', { name: 'Generate' }).boundingBox();
    const [x, y] = [button.x + button.width / 2, button.y + button.height / 2];
    await opened.mouse.click(x, y);
    await opened.waitForTimeout(pause);
    await opened.mouse.click(x, y);
    assert.equal((await opened.locator('#new-key').textContent()).length, 128, comment);
    assert.equal((await keys(tenant)).filter((key) => key.comment === comment).length, 1, comment);
  }
  await opened.context().close();
});

test('settings: by keyboard alone, and without the script', async () => {
  const opened = await page(launched, tenant);
  await opened.goto(`${tenant.origin}/settings`);
  await opened.getByLabel('Permissive', { exact: false }).focus();
  await opened.keyboard.press('ArrowDown');
  await opened.keyboard.press('Enter');
  await opened.waitForURL('**/settings');
  assert.ok(await opened.getByLabel('Restrictive', { exact: false }).isChecked());
  const plain = await page(launched, tenant, { javaScriptEnabled: false });
  await plain.goto(`${tenant.origin}/settings`);
  await plain.getByRole('button', { name: 'Add' }).click();
  await plain.getByText('status 503').waitFor();
  await plain.getByRole('button', { name: 'Remove all' }).click();
  await plain.getByText('None waits').waitFor();
  await plain.goto(`${tenant.origin}/requests`);
  await plain.getByLabel('Verdict').selectOption('rejected');
  await plain.getByRole('button', { name: 'Filter' }).click();
  await plain.waitForURL(/verdict=rejected/);
  assert.deepEqual(opened.faults, []);
  await opened.context().close();
  await plain.context().close();
});

test('a refused form opens at its first fault, and an edit of a deleted key keeps what was typed', async () => {
  const id = await generate(tenant, { comment: 'to be edited' });
  const opened = await page(launched, tenant);
  await opened.goto(`${tenant.origin}/keys/new`);
  await opened.getByRole('checkbox', { name: /^Viewer/ }).check();
  await opened.getByRole('tab', { name: 'Scope' }).click();
  await opened.getByLabel('Select asset groups').check();
  await opened.getByRole('tab', { name: 'Role' }).click();
  await opened.getByRole('button', { name: 'Generate' }).click();
  await opened.getByText('No key was generated.').waitFor();
  await opened.getByRole('tab', { name: 'Scope', selected: true }).waitFor();
  await opened.waitForFunction(() => document.activeElement.name === 'assets');
  assert.ok(await opened.getByLabel('Select asset groups').isVisible());
  await opened.goto(`${tenant.origin}/keys/${id}/edit`);
  await opened.getByLabel('Comment').fill('typed');
  await call(tenant, '/public_api/v1/api_keys/delete', { filters: [{ field: 'id', operator: 'in', value: [id] }] });
  await opened.getByRole('button', { name: 'Save' }).click();
  await opened.getByText(`The tenant has no key ${id} any more`).waitFor();
  assert.equal(await opened.getByLabel('Comment').inputValue(), 'typed');
  await opened.getByRole('button', { name: 'Generate' }).click();
  await opened.locator('#new-key').waitFor();
  const made = newest(await keys(tenant));
  assert.deepEqual([made.comment, made.id > id], ['typed', true]);
  await opened.context().close();
});
