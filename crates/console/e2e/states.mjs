// The states that are opened, looked at by axe, and shot: a path, what the tenant needs before, and
// what is done on the page first.

import { refused } from './lib.mjs';

const menu = (page) => page.getByRole('button', { name: 'Menu of key 4' }).click();

export const STATES = [
  { name: 'overview', path: '/overview' },
  { name: 'keys', path: '/keys' },
  { name: 'keys-filtered', path: '/keys?f.role=view&o.role=contains&sort=expires&desc=1' },
  { name: 'keys-none', path: '/keys?f.comment=nothing-has-this' },
  { name: 'keys-columns', path: '/keys', act: (page) => page.getByRole('button', { name: 'Columns' }).click() },
  { name: 'keys-export', path: '/keys', act: (page) => page.getByRole('button', { name: 'Export to file' }).click() },
  { name: 'keys-views', path: '/keys', act: (page) => page.getByRole('button', { name: 'Views' }).click() },
  { name: 'keys-unread', path: '/keys', on: 'gone' },
  { name: 'keys-menu', path: '/keys', act: menu },
  { name: 'new-key', path: '/keys', act: (page) => dialog(page, page.getByRole('link', { name: 'New Key' })) },
  { name: 'new-key-scope', path: '/keys/new', act: scope },
  { name: 'new-key-definition', path: '/keys/new', act: (page) => page.getByRole('tab', { name: 'Definition' }).click() },
  { name: 'key', path: '/keys/4' },
  { name: 'key-asked', path: '/keys/4?ask=case&domain=Security&reference=asset&groups=prod-eu' },
  { name: 'examples', path: '/keys/4', act: (page) => dialog(page, page.getByRole('link', { name: 'View Examples' })) },
  { name: 'new-key-refused', path: '/keys/new', complains: 422, act: send },
  { name: 'new-key-locked', path: '/keys/new', on: 'clean', act: standard },
  { name: 'new-key-shown', path: '/keys/new', act: generate },
  { name: 'edit-dialog', path: '/keys/4', act: (page) => dialog(page, page.getByRole('link', { name: 'Edit' })) },
  { name: 'rotate-dialog', path: '/keys/4', act: (page) => dialog(page, page.getByRole('link', { name: 'Rotate' })) },
  { name: 'delete-dialog', path: '/keys/4', act: (page) => dialog(page, page.getByRole('link', { name: 'Delete' })) },
  { name: 'edit', path: '/keys/4/edit' },
  { name: 'rotate', path: '/keys/4/rotate' },
  { name: 'delete', path: '/keys/4/delete' },
  { name: 'no-key', path: '/keys/999', status: 404 },
  { name: 'plan', path: '/plan', on: 'clean' },
  { name: 'plan-errors', path: '/plan', on: 'definitions' },
  { name: 'findings', path: '/findings', on: 'definitions' },
  { name: 'rule', path: '/findings/rules/E001', on: 'definitions' },
  { name: 'keys-managed', path: '/keys', on: 'definitions' },
  { name: 'notifications', path: '/notifications' },
  { name: 'requests', path: '/requests', prepare: refused, act: why },
  { name: 'requests-none', path: '/requests?verdict=replayed' },
  { name: 'settings', path: '/settings' },
  { name: 'settings-scopes', path: '/settings/scopes' },
];

/** Opens a dialog, and waits for it. */
async function dialog(page, link) {
  await link.click();
  await page.getByRole('dialog').waitFor();
}

/** The form, sent without a role, which the server refuses. */
async function send(page) {
  await page.getByRole('button', { name: 'Generate' }).click();
  await page.getByRole('alert').waitFor();
}

/** A level that a locked rule forbids. */
async function standard(page) {
  await page.getByLabel(/^Standard/).check();
  await page.getByText('The policy locks a rule').first().waitFor();
}

/** A new key, shown once. */
async function generate(page) {
  await page.getByRole('checkbox', { name: /^Viewer/ }).check();
  await page.getByRole('button', { name: 'Generate' }).click();
  await page.locator('#new-key').waitFor();
}

/** A refused request, with its reasons open. */
async function why(page) {
  await page.locator('.why summary').first().click();
}

/** The Scope tab with its choices open. */
async function scope(page) {
  await page.getByRole('tab', { name: 'Scope' }).click();
  await page.getByLabel('Select asset groups').check();
  await page.getByLabel('Select domains').check();
  await page.getByLabel('Select specific').check();
}
