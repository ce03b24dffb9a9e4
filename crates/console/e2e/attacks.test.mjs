// Other pages, other names, and what a tenant's texts can hold.

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, before, test } from 'node:test';

import { browser, emulator, generate, keys, page, stopAll } from './lib.mjs';

let tenant, launched;
before(async () => { [tenant, launched] = await Promise.all([emulator(), browser()]); });
after(stopAll);

/** A page of another origin: another port of this machine, which is the same site. */
async function elsewhere(context, html) {
  const seen = [];
  const server = createServer((request, answer) => {
    seen.push(request.headers);
    answer.setHeader('content-type', 'text/html');
    answer.end(html);
  });
  await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  const opened = await context.newPage();
  await opened.goto(`http://127.0.0.1:${server.address().port}/`);
  return { opened, seen, stop: () => server.close() };
}

test('a page of another origin reads and changes nothing', async () => {
  const own = await page(launched, tenant);
  const attack = await elsewhere(own.context(), `
    <iframe src="${tenant.origin}/keys"></iframe>
    <form method="post" action="${tenant.origin}/keys/1/delete"><input name="confirm" value="1"></form>`);
  assert.ok(attack.seen.every((headers) => !headers.cookie), 'no cookie leaves for another port');
  const read = await attack.opened.evaluate(async (origin) => {
    const tried = async (options) => {
      try { return (await fetch(`${origin}/keys`, options)).status; } catch { return 'refused'; }
    };
    return [await tried({ credentials: 'include' }), await tried({ mode: 'no-cors', credentials: 'include' })];
  }, tenant.origin);
  assert.ok(read.every((status) => status === 'refused' || status === 0), `${read}`);
  const frame = attack.opened.frames()[1];
  assert.ok(!(await frame.content()).includes('Instance Administrator'));
  const [answer] = await Promise.all([
    attack.opened.waitForResponse((response) => response.url().endsWith('/delete')),
    attack.opened.evaluate(() => document.forms[0].submit()),
  ]);
  assert.equal(answer.status(), 403);
  assert.equal((await keys(tenant)).length, 2);
  attack.stop();
  await own.context().close();
});

test('a name that was made to resolve to this machine is another one', async () => {
  const { port } = new URL(tenant.origin);
  const rebound = await browser({ args: [`--host-resolver-rules=MAP evil.example 127.0.0.1`] });
  const opened = await rebound.newPage();
  const answer = await opened.goto(`http://evil.example:${port}/keys`);
  assert.equal(answer.status(), 421);
  await rebound.close();
});

const HOSTILE = [
  '<script>alert(1)</script>',
  '"><img src=x onerror=alert(1)>',
  "' onmouseover='alert(1)",
  '</textarea><svg/onload=alert(1)>',
  '</template><script>alert(1)</script>',
  '{{constructor.constructor("alert(1)")()}}',
  'javascript:alert(1)',
  '<style>*{background:url(http://evil.example)}</style>',
  '<meta http-equiv=refresh content="0;url=http://evil.example">',
  '\u202Egnp.exe\u2066 <b>bidi</b>',
  '=HYPERLINK("http://evil.example")',
  '&lt;script&gt;alert(1)&lt;/script&gt; &#x3c;',
];

test('hostile texts stay texts on every page', async () => {
  const ids = [];
  for (const comment of HOSTILE) ids.push(await generate(tenant, { comment }));
  const opened = await page(launched, tenant);
  for (const id of ids) {
    for (const path of ['', '/edit', '/rotate', '/delete', '/examples']) {
      await opened.goto(`${tenant.origin}/keys/${id}${path}`);
    }
  }
  for (const path of ['/notifications', '/requests', '/settings']) await opened.goto(tenant.origin + path);
  for (const text of HOSTILE) {
    const query = new URLSearchParams({ 'f.comment': text, 'f.id': text, sort: text, col: text, page: text });
    await opened.goto(`${tenant.origin}/keys?${query}`);
    assert.equal(await opened.getByLabel('Comment: value').inputValue(), text.trim());
  }
  await opened.goto(`${tenant.origin}/keys`);
  await opened.getByLabel('Comment: value').fill('<');
  await opened.getByText(/of \d+ keys/).waitFor();
  for (const id of ids) assert.equal(await opened.locator(`tr[data-id="${id}"] :is(img, script, svg:not(.meter), style)`).count(), 0);
  // Markup in the page's hands goes nowhere but through the one policy.
  const injected = await opened.evaluate(() => {
    const tried = (make) => { try { make(); return 'taken'; } catch { return 'refused'; } };
    return [
      tried(() => { document.body.innerHTML += '<img src=x onerror=alert(1)>'; }),
      tried(() => { trustedTypes.createPolicy('other', { createHTML: (html) => html }); }),
      tried(() => { trustedTypes.createPolicy('console', { createHTML: (html) => html }); }),
    ];
  });
  assert.deepEqual(injected, ['refused', 'refused', 'refused']);
  assert.deepEqual(opened.elsewhere, []);
  assert.deepEqual(opened.faults.filter((fault) => !fault.includes('TrustedHTML') && !fault.includes('trusted')), []);
  await opened.context().close();
});

test('after signing out, Back shows nothing', async () => {
  // With the cache for Back, which Playwright turns off.
  const caching = await browser({ ignoreDefaultArgs: ['--disable-back-forward-cache'] });
  const opened = await page(caching, tenant);
  await opened.getByRole('button', { name: 'Sign out' }).click();
  await opened.goBack();
  // Not even for a moment: the page that the browser keeps for Back is empty.
  assert.ok(!(await opened.content()).includes('Instance Administrator'));
  await opened.getByText('open the address that the console printed').waitFor();
  assert.ok(!(await opened.content()).includes('Instance Administrator'));
  await caching.close();
});
