// Takes the pictures of the documents: node pictures.mjs FOLDER.

import { writeFileSync } from 'node:fs';

import { CLEAN, DEFINITIONS, beside, browser, emulator, generate, page, refused, seed } from './lib.mjs';

const [folder] = process.argv.slice(2);
const tenant = await emulator();
// A key that never expires is refused by apply.
const { 'backup.key.yaml': forever, ...applied } = CLEAN;
const managed = await beside(tenant, applied, true);
await seed(tenant, 120);
await refused(tenant);
const launched = await browser();
const size = { viewport: { width: 1200, height: 640 } };

async function shoot(opened, name, address, act) {
  await opened.goto(address);
  await act?.();
  await opened.screenshot({ path: `${folder}/${name}.png`, style: 'input { caret-color: transparent !important }' });
  console.log(`${folder}/${name}.png`);
}

// As for a tenant, with definitions.
const opened = await page(launched, managed, size);
await shoot(opened, 'console', `${managed.origin}/keys?f.state=never&o.state=not`);
await shoot(opened, 'console-overview', `${managed.origin}/overview?scopes=1`);
const write = (name, text) => writeFileSync(`${managed.folder}/${name}`, text);
write('wiki.key.yaml', DEFINITIONS['jira.key.yaml'].replace('svc-jira-prod', 'svc-wiki-prod'));
write('siem.key.yaml', DEFINITIONS['siem.key.yaml'].replace('[Viewer]', '[Viewer, Responder]'));
await shoot(opened, 'console-plan', `${managed.origin}/plan?fresh=1`);
write('backup.key.yaml', forever);
write('cortexkey.yaml', DEFINITIONS['cortexkey.yaml']);
await shoot(opened, 'console-findings', `${managed.origin}/findings?fresh=1`);

// Of the emulator.
const own = await page(launched, tenant, size);
await shoot(own, 'console-new-key', `${tenant.origin}/keys`, async () => {
  await own.getByRole('link', { name: 'New Key' }).click();
  await own.getByRole('dialog').getByRole('checkbox', { name: /^Viewer/ }).check();
  await own.getByText('R007').waitFor({ state: 'detached' });
});
await generate(tenant);
await refused(tenant);
await shoot(own, 'console-requests', `${tenant.origin}/requests`, () => own.locator('.why summary').first().click());
await shoot(own, 'console-settings', `${tenant.origin}/settings`);

await launched.close();
managed.stop();
tenant.stop();
