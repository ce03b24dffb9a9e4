// Takes the pictures of the documents: node pictures.mjs FOLDER.

import { browser, emulator, page, seed } from './lib.mjs';

const [folder] = process.argv.slice(2);
const tenant = await emulator();
await seed(tenant, 120);
const launched = await browser();
const opened = await page(launched, tenant, { viewport: { width: 1200, height: 640 } });

async function shoot(name, path, act) {
  await opened.goto(tenant.origin + path);
  await act?.();
  await opened.screenshot({ path: `${folder}/${name}.png`, style: 'input { caret-color: transparent !important }' });
  console.log(`${folder}/${name}.png`);
}

await shoot('console', '/keys?f.state=never&o.state=not');
await shoot('console-new-key', '/keys', async () => {
  await opened.getByRole('link', { name: 'New Key' }).click();
  await opened.getByRole('dialog').getByRole('checkbox', { name: /^Viewer/ }).check();
  await opened.getByText('R007').waitFor({ state: 'detached' });
});
await opened.emulateMedia({ colorScheme: 'dark' });
await shoot('console-dark', '/keys/4');
await launched.close();
tenant.stop();
