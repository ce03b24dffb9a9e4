// What the browser tests share: an emulator with its console, a browser, and axe.
// CONSOLE_BIN is the binary, CONSOLE_MODULES the folder with node_modules, CONSOLE_SHOTS (where it is
// set) the folder for screenshots.

import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import { get } from 'node:http';
import { connect, createServer } from 'node:net';

const require = createRequire(`${process.env.CONSOLE_MODULES}/`);
const { chromium } = require('playwright-core');
const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

export const DAY = 24 * 60 * 60 * 1000;

/** What ends with the tests, whether they pass or fail: Node does not end while a program that it started runs. */
const toStop = new Set();

export async function stopAll() {
  for (const stop of [...toStop].reverse()) await stop();
}

// The last resort, where something hangs: a clear failure, and nothing that is left behind.
const programs = new Set();
process.on('exit', () => programs.forEach((program) => program.kill('SIGKILL')));
if (process.env.CONSOLE_LIMIT_MS) {
  setTimeout(() => {
    console.error(`${process.argv[1]} did not end within ${process.env.CONSOLE_LIMIT_MS} ms`);
    process.exit(1);
  }, Number(process.env.CONSOLE_LIMIT_MS)).unref();
}

/** Starts a program; its first line, the lines of its standard error, and `stop`. */
async function start(args, environment = {}) {
  const child = spawn(process.env.CONSOLE_BIN, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, XDG_STATE_HOME: `${process.env.CONSOLE_MODULES}/state`, ...environment },
  });
  programs.add(child);
  const stop = () => { child.kill(); toStop.delete(stop); };
  toStop.add(stop);
  const said = [];
  createInterface({ input: child.stderr }).on('line', (line) => said.push(line));
  const first = await new Promise((resolve, reject) => {
    createInterface({ input: child.stdout }).once('line', resolve);
    child.once('exit', () => reject(new Error(`${args[0]} ended: ${said.join('\n')}`)));
  });
  return { first, said, used: new Set(), stop };
}

/** Starts an emulator with a console; what its ready line says, and `stop`. */
export async function emulator(...args) {
  const started = await start(['tenant', '--console', ...args]);
  const ready = JSON.parse(started.first);
  return { ...ready, ...started, origin: new URL(ready.console).origin };
}

/** Starts a console for an emulator, as for any tenant, beside these files with definitions, which may be
 *  applied first; `args` are further arguments of the console. */
export async function beside(tenant, files, { isApplied = false, args = [] } = {}) {
  const folder = mkdtempSync(`${tmpdir()}/console-`);
  for (const [name, text] of Object.entries(files)) writeFileSync(`${folder}/${name}`, text);
  mkdirSync(`${folder}/secrets`);
  mkdirSync(`${folder}/config/cortexkey`, { recursive: true });
  writeFileSync(`${folder}/config/cortexkey/config.toml`, `[profiles.acme]\nsink_folder = '${folder}/secrets'\n`);
  const { id, key } = tenant.keys.advanced;
  const environment = {
    CORTEXKEY_FQDN: tenant.url, CORTEXKEY_API_KEY: key, CORTEXKEY_API_KEY_ID: String(id), CORTEXKEY_API_KEY_TYPE: 'advanced',
    CORTEXKEY_PROFILE: 'acme', XDG_CONFIG_HOME: `${folder}/config`,
  };
  if (isApplied) {
    execFileSync(process.env.CONSOLE_BIN, ['apply', '--yes'], { cwd: folder, env: { ...process.env, ...environment }, stdio: 'ignore' });
  }
  const started = await start(['console', '--keys', folder, ...args], environment);
  const stop = () => { started.stop(); rmSync(folder, { recursive: true }); toStop.delete(stop); };
  toStop.add(stop);
  return { ...tenant, ...started, folder, console: started.first, origin: new URL(started.first).origin, stop };
}

const definition = (name, owner, rest) => `apiVersion: cortexkey/v1
kind: ApiKey
metadata: { name: ${name}, owner: ${owner} }
spec:
  securityLevel: advanced
${rest}`;

/** Definitions that the linter has something to say about. */
export const DEFINITIONS = {
  'cortexkey.yaml': `apiVersion: cortexkey/v1
kind: Policy
metadata: { name: acme }
extends: [builtin:recommended]
keys: ["*.key.yaml"]
`,
  'jira.key.yaml': definition('svc-jira-prod', 'team-platform', '  comment: Jira bridge. SEC-101\n  lifetime: 90d\n  roles: [Responder]\n'),
  'siem.key.yaml': definition('svc-siem-prod', 'team-soc', '  comment: Export to the SIEM. SEC-102\n  lifetime: 170d\n  roles: [Viewer]\n'),
  'backup.key.yaml': definition('svc-backup-prod', 'team-platform', '  comment: Nightly backup\n  expires: never\n  roles: [Instance Administrator]\n'),
};

/** The same without what the linter reports as an error. */
export const CLEAN = { ...DEFINITIONS, 'cortexkey.yaml': DEFINITIONS['cortexkey.yaml'].replace('recommended', 'minimal') };

/** A way to a console that can be cut off: its connections end, and others are refused until it is restored.
 *  A browser started with `args` goes by it. */
export async function cuttable(tenant) {
  const { hostname, port } = new URL(tenant.origin);
  const open = new Set();
  let isCut = false;
  const server = createServer((from) => {
    if (isCut) return from.destroy();
    const to = connect(Number(port), '127.0.0.1');
    for (const [one, other] of [[from, to], [to, from]]) {
      open.add(one);
      one.on('error', () => {}).on('close', () => { open.delete(one); other.destroy(); });
      one.pipe(other);
    }
  });
  await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  toStop.add(() => { open.forEach((one) => one.destroy()); server.close(); });
  return {
    args: [`--host-resolver-rules=MAP ${hostname} 127.0.0.1:${server.address().port}`],
    cut: () => { isCut = true; open.forEach((one) => one.destroy()); },
    restore: () => { isCut = false; },
  };
}

/** A one-time address that nobody used: the first, or one that was printed since. */
async function entry(tenant) {
  const { host, port } = new URL(tenant.origin);
  for (;;) {
    // One waits at a time: somebody without a session may have had it printed already.
    const printed = [tenant.console, ...tenant.said.join('\n').match(/http:\S+\/enter\S+/g) ?? []];
    const address = printed.find((address) => !tenant.used.has(address));
    if (address) {
      tenant.used.add(address);
      return address;
    }
    await new Promise((resolve) => { get({ host: '127.0.0.1', port, path: '/keys', headers: { host } }, (answer) => answer.resume().on('end', resolve)); });
    await new Promise((resolve) => { setTimeout(resolve, 10); });
  }
}

/** Calls the emulator's API with its Standard key. */
export async function call(tenant, path, data, method = 'POST') {
  const { id, key } = tenant.keys.standard;
  const answer = await fetch(tenant.url + path, {
    method,
    headers: { authorization: key, 'x-xdr-auth-id': String(id), 'content-type': 'application/json' },
    body: method === 'GET' ? undefined : JSON.stringify({ request_data: data }),
  });
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  return answer.json();
}

export async function keys(tenant) {
  return (await call(tenant, '/public_api/v1/api_keys/get_api_keys', { filters: [] })).reply.DATA;
}

export function generate(tenant, key = {}) {
  const data = { roles: ['Viewer'], security_level: 'advanced', expiration: Date.now() + 90 * DAY, ...key };
  return call(tenant, '/public_api/v1/api_keys/generate', data).then(({ reply }) => reply.id);
}

/** Keys as an organisation has them. */
export async function seed(tenant, count) {
  const roles = ['Viewer', 'Responder', 'Investigator', 'IT Admin', 'Deployment Admin', 'Privileged Responder'];
  const uses = ['ServiceNow sync, dev', 'Threat feed, staging', 'Backup of rules, eu-west', 'Jira bridge, dev',
    'Grafana dashboards', 'Nightly export, us-east', 'Terraform pipeline'];
  for (let i = 0; i < count; i++) {
    await generate(tenant, {
      roles: i % 5 ? [roles[i % 6]] : [roles[i % 6], roles[(i + 2) % 6]],
      security_level: i % 9 === 3 ? 'standard' : 'advanced',
      expiration: Date.now() + (i % 11 === 4 ? 5 : 12 + (i * 37) % 165) * DAY + 3600_000,
      comment: i % 8 === 6 ? undefined : `${uses[i % 7]} SEC-${100 + i}`,
    });
  }
}

/** A browser, with further arguments and options. */
export async function browser({ args = [], ...options } = {}) {
  const launched = await chromium.launch({
    executablePath: process.env.CONSOLE_BROWSER ?? '/usr/bin/chromium',
    args: ['--disable-gpu', '--disable-dev-shm-usage', '--font-render-hinting=none', '--force-color-profile=srgb', ...args],
    // The first start after an installation reads the browser from the disk, twice at a time.
    timeout: 90_000,
    ...options,
  });
  toStop.add(() => launched.close());
  return launched;
}

/** A page in a context of its own, signed in; `faults` gets what it complains of. */
export async function page(launched, tenant, { timeout = 15_000, ...options } = {}) {
  const context = await launched.newContext({ viewport: { width: 1280, height: 860 }, ...options });
  const opened = await context.newPage();
  const faults = [];
  const elsewhere = [];
  opened.on('pageerror', (error) => faults.push(error.message));
  opened.on('console', (message) => { if (message.type() === 'error') faults.push(message.text()); });
  opened.on('dialog', (shown) => { faults.push(`a dialog: ${shown.message()}`); shown.dismiss(); });
  opened.on('request', (request) => { if (new URL(request.url()).origin !== tenant.origin) elsewhere.push(request.url()); });
  opened.setDefaultTimeout(timeout);
  opened.setDefaultNavigationTimeout(Math.max(timeout, 30_000));
  await opened.goto(await entry(tenant));
  await opened.waitForURL('**/keys');
  return Object.assign(opened, { faults, elsewhere });
}

/** Sends requests that the emulator refuses: with a wrong key, and for what the key may not do. */
export async function refused(tenant) {
  const path = '/public_api/v1/api_keys/get_api_keys';
  await fetch(tenant.url + path, { method: 'POST', headers: { authorization: 'x'.repeat(128), 'x-xdr-auth-id': '1' }, body: '{}' });
  await fetch(`${tenant.url}/public_api/v1/healthcheck`);
}

/** What axe finds wrong with a page as it is. */
export async function violations(opened) {
  await opened.evaluate(axe);
  const found = await opened.evaluate((runOnly) => axe.run({ runOnly }), RULES);
  return found.violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.target.join(' ')).join(', ')}`);
}
