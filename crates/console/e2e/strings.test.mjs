// 10,000 generated strings through each page: none executes, and the Content-Security-Policy reports nothing.
// A server between console and tenant replaces each string of the tenant's answers with attacks.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { after, before, test } from 'node:test';

import { CLEAN, beside, browser, emulator, generate, page, stopAll } from './lib.mjs';

const STRINGS = Number(process.env.CONSOLE_STRINGS ?? 10_000);
/** How many are joined to one value: of any object, and of the key whose pages are opened. */
const JOINED = 10;
const JOINED_OF_KEY = 200;
const KEY = 3;

const PIECES = [
  '<script>alert(1)</script>', '"><img src=x onerror=alert(1)>', '\' onmouseover=\'alert(1)\' x=\'', '" autofocus onfocus="alert(1)',
  '</textarea><svg/onload=alert(1)>', '</title><script>alert(1)</script>', '</template></table></form>', '<!--', '-->', '<![CDATA[',
  '<style>*{background:url(//evil.example)}</style>', '<base href=//evil.example>',
  '<meta http-equiv=refresh content=\'0;url=//evil.example\'>', '<iframe srcdoc=\'<script>parent.alert(1)</script>\'>',
  '<link rel=stylesheet href=//evil.example>', '<form action=//evil.example><button autofocus>', '<details open ontoggle=alert(1)>',
  'javascript:alert(1)', 'data:text/html,<script>alert(1)</script>', '{{constructor.constructor(\'alert(1)\')()}}', '${alert(1)}',
  '&lt;script&gt;', '&#60;img&#62;', '&quot;&apos;&amp', '`${1}`', '\u202egnp.exe\u2066', '\u0000\u0001\b', '\ufffe\u{10ffff}',
  '<\u0000script>', '//evil.example/\\x', 'Größe 大小 \u{1f511}', '</script><script>alert(1)</script>', '\n\r\n<plaintext>',
];

// Marsaglia's xorshift: the same strings in each run.
let state = 0x2545f491;
function number(below) {
  state ^= state << 13;
  state ^= state >>> 17;
  state ^= state << 5;
  return (state >>> 0) % below;
}

let count = 0;

/** A string with a number by which it is found in a page. */
function string() {
  count += 1;
  const pieces = Array.from({ length: 1 + number(3) }, () => PIECES[number(PIECES.length)] + String.fromCodePoint(number(0x300)));
  return `№${count}.${pieces.join('')}`;
}

const joined = (length = JOINED_OF_KEY) => Array.from({ length }, string).join('');

/** The members of answers that are free text. */
const MEMBERS = new Set(['comment', 'user_name', 'created_by', 'roles', 'pretty_name', 'description', 'tag_name', 'asset_group_name',
  'XDM.ASSET_GROUP.NAME', 'AUDIT_OWNER_NAME', 'AUDIT_DESCRIPTION', 'AUDIT_RESULT', 'name', 'forward_type']);

function replaced(value, member, length) {
  if (typeof value === 'string') return MEMBERS.has(member) ? joined(length) : value;
  if (Array.isArray(value)) return value.map((item) => replaced(item, member, length));
  if (value === null || typeof value !== 'object') return value;
  const own = value.id === KEY ? JOINED_OF_KEY : length;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, replaced(item, name, own)]));
}

/** Stands between a console and its tenant. */
async function hostile(tenant) {
  const server = createServer(async (request, answer) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const { host, connection, 'content-length': length, ...headers } = request.headers;
    const received = await fetch(tenant.url + request.url, { method: request.method, headers, body: request.method === 'GET' ? undefined : Buffer.concat(chunks) });
    const text = await received.text();
    let sent = text;
    try { sent = JSON.stringify(replaced(JSON.parse(text), '', JOINED)); } catch { /* It is no JSON. */ }
    answer.writeHead(received.status, { 'content-type': 'application/json' }).end(sent);
  });
  await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  return { url: `http://127.0.0.1:${server.address().port}`, stop: () => server.close() };
}

const inQuotes = (length) => JSON.stringify(joined(length).replaceAll(/[\u0000\u0080-\u009f\ufffe]/g, ''));

/** The same without what would make a policy invalid: invisible characters and references. */
const inPolicy = (length) => JSON.stringify(joined(length).replaceAll(/[^ -~№]|\$\{|\{\{/g, ''));

/** Definitions whose values attack. */
function definitions() {
  const rules = Array.from({ length: 9 }, (_, at) => `  - { id: ORG00${at + 1}, name: org-rule-${at + 1}, severity: warning, assert: "size(key.spec.roles) > 99", message: ${inPolicy(at ? 20 : 150)} }\n`);
  const files = { 'cortexkey.yaml': `${CLEAN['cortexkey.yaml'].replace('minimal', 'strict')}customRules:\n${rules.join('')}` };
  for (let at = 0; at < 40; at++) {
    files[`<img src=x onerror=alert(1)>${at}.key.yaml`] = `apiVersion: cortexkey/v1
kind: ApiKey
metadata: { name: ${at % 2 ? inQuotes(1) : `svc-${at}-prod`}, owner: ${inQuotes(1)} }
spec:
  roles: [${inQuotes(1)}]
  securityLevel: ${at % 3 ? 'advanced' : inQuotes(1)}
  comment: ${inQuotes(1)}
  lifetime: ${at % 4 ? '90d' : inQuotes(1)}
`;
  }
  return files;
}

let tenant, between, console_, launched;
const pages = {};
before(async () => {
  [tenant, launched] = await Promise.all([emulator('--explain'), browser()]);
  for (let at = 0; at < 40; at++) await generate(tenant, { roles: ['Viewer', 'Responder'], comment: 'plain' });
  between = await hostile(tenant);
  console_ = await beside({ ...tenant, url: between.url }, definitions(), { args: ['--allow-changes'] });
  pages.console = await opened(console_);
  pages.emulator = await opened(tenant);
});
after(async () => { await stopAll(); between?.stop(); });

/** A page that reports what the policy blocks. */
async function opened(server) {
  const one = await page(launched, server, { timeout: 60_000 });
  await one.addInitScript(() => {
    addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI }) => console.error(`policy: ${violatedDirective} ${blockedURI}`));
  });
  return one;
}

/** The numbers of the strings that a page holds, and what of it is none of the console's own. */
function inspect() {
  const seen = new Set();
  const foreign = [];
  const note = (text) => { for (const [, at] of text.matchAll(/№(\d+)\./g)) seen.add(Number(at)); };
  const walk = (root) => {
    for (const one of root.querySelectorAll('*')) {
      if (one.matches('script:not([src]), img, iframe, base, style, plaintext, object, embed, meta[http-equiv]')) foreign.push(one.outerHTML.slice(0, 200));
      for (const { name, value } of one.attributes) {
        if (name.startsWith('on') || name === 'style') foreign.push(`<${one.localName} ${name}>`);
        if (['href', 'src', 'action'].includes(name) && new URL(value, location).origin !== location.origin) foreign.push(`${name}=${value.slice(0, 100)}`);
        note(value);
      }
      for (const child of one.childNodes) if (child.nodeType === Node.TEXT_NODE) note(child.data);
      if ('value' in one && typeof one.value === 'string') note(one.value);
    }
  };
  walk(document);
  return { seen: [...seen], foreign };
}

/** A page's own strings, in its address. */
const query = (...names) => () => `?${new URLSearchParams(names.map((name) => [name, joined(Math.floor(240 / names.length))]))}`;

/** Types into fields of a page, of which its script then sends the form. */
const type = (...labels) => async (at) => {
  for (const label of labels) {
    const [answer] = await Promise.all([
      at.waitForResponse((response) => response.request().headers()['x-console-part'] === 'live'),
      at.getByLabel(label, { exact: true }).fill(joined().replaceAll('\u0000', '')),
    ]);
    await answer.finished();
  }
};

// What happens before a page is opened, so that it has other strings each time.
const readAgain = () => pages.console.evaluate(() => fetch('/keys?fresh=1').then((answer) => answer.text()));
const defineAgain = () => {
  for (const [name, text] of Object.entries(definitions())) writeFileSync(`${console_.folder}/${name}`, text);
};
const callAgain = async () => {
  const path = `/${encodeURIComponent(joined(20))}`;
  for (let times = 0; times < 20; times++) await fetch(tenant.url + path, { headers: { 'x-xdr-auth-id': encodeURIComponent(joined(5)) } });
};

/** Adds a fault for a path that attacks. */
const addFault = async (at) => {
  await at.getByLabel('Only paths that begin with').fill(`/${joined()}`);
  await at.getByRole('button', { name: 'Add' }).click();
  await at.waitForLoadState();
};

/** A page; `isSilent` where it does not show what it is given. */
const PAGES = [
  { path: '/keys?fresh=1&col=created-by&col=user&col=comment&col=role&col=owner&col=name&col=file&col=policy' },
  { path: '/keys', own: query('f.comment', 'f.id', 'sort', 'col', 'page', 'join') },
  { path: '/keys', act: type('Comment: value', 'Roles: value') },
  { path: `/keys/${KEY}`, prepare: readAgain },
  { path: `/keys/${KEY}`, own: query('ask', 'name', 'groups', 'tags', 'domain', 'row') },
  { path: `/keys/${KEY}?ask=case`, own: () => `&${query('domain', 'groups')().slice(1)}` },
  { path: `/keys/${KEY}/edit`, prepare: readAgain, act: type('Comment') },
  { path: `/keys/${KEY}/rotate`, prepare: readAgain },
  { path: `/keys/${KEY}/delete`, prepare: readAgain },
  { path: `/keys/${KEY}/examples`, own: query('x'), isSilent: true },
  { path: '/keys/new', prepare: readAgain, act: type('Comment') },
  { path: '/overview?fresh=1&scopes=1' },
  { path: '/plan?fresh=1', prepare: defineAgain, isSilent: true },
  { path: '/findings?fresh=1', prepare: defineAgain },
  { path: '/findings', own: query('severity', 'rule', 'page'), isSilent: true },
  { path: '/findings/rules/ORG001', prepare: async () => { defineAgain(); await readAgain(); } },
  { path: '/notifications?fresh=1' },
  { path: '/requests', on: 'emulator', prepare: callAgain, isSilent: true },
  { path: '/requests', on: 'emulator', own: query('key', 'verdict'), isSilent: true },
  { path: '/settings', on: 'emulator', act: addFault },
];

for (const { path, own, prepare, act, on = 'console', isSilent } of PAGES) {
  const name = `${path.split('?')[0]}${own ? ' by its address' : ''}${act ? ' by its fields' : ''}`;
  test(name, { timeout: 600_000 }, async (context) => {
    const at = pages[on];
    const server = on === 'console' ? console_ : tenant;
    const shown = new Set();
    const start = performance.now();
    const from = count;
    let loads = 0;
    while ((isSilent ? count - from : shown.size) < STRINGS) {
      await prepare?.();
      await at.goto(server.origin + path + (own?.() ?? ''));
      await act?.(at);
      const { seen, foreign } = await at.evaluate(inspect);
      assert.deepEqual(foreign, []);
      const before = shown.size;
      seen.forEach((one) => shown.add(one));
      assert.ok(isSilent || shown.size > before, 'no string is new in this page');
      loads += 1;
    }
    // A form that is refused answers with its status, which the browser reports.
    assert.deepEqual(at.faults.splice(0).filter((fault) => !fault.includes('422')), []);
    assert.deepEqual(at.elsewhere, []);
    context.diagnostic(`${count - from} strings sent, ${shown.size} of them in the page, ${loads} loads, ${Math.round(performance.now() - start)} ms`);
  });
}
