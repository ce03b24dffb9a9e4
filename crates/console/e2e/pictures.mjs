// Takes the pictures of the documents: node pictures.mjs FOLDER.

import { writeFileSync } from 'node:fs';

import { CLEAN, DEFINITIONS, beside, browser, emulator, generate, page, refused, seed } from './lib.mjs';

const [folder] = process.argv.slice(2);
const tenant = await emulator();
// A key that never expires is refused by apply.
const { 'backup.key.yaml': forever, ...applied } = CLEAN;
const names = ['grafana', 'servicenow', 'threat-feed', 'terraform', 'splunk', 'nightly-export', 'chatops', 'ticketing'];
const owners = ['team-platform', 'team-soc', 'team-data'];
const others = names.map((name, at) => [`${name}.key.yaml`, `apiVersion: cortexkey/v1
kind: ApiKey
metadata: { name: svc-${name}-prod, owner: ${owners[at % 3]} }
spec:
  securityLevel: ${at % 4 === 1 ? 'standard' : 'advanced'}
  comment: ${name} SEC-${200 + at}
  lifetime: ${[90, 6, 170, 30][at % 4]}d
  roles: [${['Viewer', 'Investigator', 'Responder'][at % 3]}]
  scope:
    assets: { mode: all }
    casesAndIssues: { mode: none }
    endpoints: { mode: none }
`]);
const managed = await beside(tenant, { ...applied, ...Object.fromEntries(others) }, { isApplied: true });
await seed(tenant, 120);
await refused(tenant);
const launched = await browser();
const size = { viewport: { width: 1320, height: 660 } };

async function shoot(opened, name, address, act) {
  await opened.goto(address);
  await act?.();
  await opened.screenshot({ path: `${folder}/${name}.png`, style: 'input { caret-color: transparent !important }' });
  console.log(`${folder}/${name}.png`);
}

// As for a tenant, with definitions.
const opened = await page(launched, managed, size);
const write = (name, text) => writeFileSync(`${managed.folder}/${name}`, text);
write('cortexkey.yaml', DEFINITIONS['cortexkey.yaml']);
await shoot(opened, 'console', `${managed.origin}/keys?fresh=1`);
await shoot(opened, 'console-overview', `${managed.origin}/overview?scopes=1`);
write('cortexkey.yaml', CLEAN['cortexkey.yaml']);
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
