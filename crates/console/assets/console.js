// The console's script. Every page works without it as far as a form can. The attributes that it acts on
// are listed in the crate's documentation. Markup comes from this server alone, through one policy.

const policy = globalThis.trustedTypes?.createPolicy('console', { createHTML: (html) => html })
  ?? { createHTML: (html) => html };
const byId = (id) => document.getElementById(id);
const dialog = byId('dialog');
const menu = byId('row-menu');

let quiet;
/** Announces a text for so long; without a time, until the next one. */
function say(text, ms = 4000) {
  const said = byId('said');
  clearTimeout(quiet);
  // Within a dialog, what is outside of it is not read out.
  (dialog.open ? dialog : document.body).append(said);
  said.textContent = text;
  if (ms) quiet = setTimeout(say, ms, '', 0);
}

const fails = (error) => { if (error.name !== 'AbortError') say(`No answer: ${error.message}`); };

/** Announces that the page waits, if it still does after a second. Returns what ends it. */
function waits() {
  let isSaid = false;
  const timer = setTimeout(() => { isSaid = true; say('Waiting for the tenant…', 0); }, 1000);
  return () => { clearTimeout(timer); if (isSaid) say('', 0); };
}

/** Copies a text. A key that was not copied is lost, so a failure is announced until the next one. */
const copy = (text, what = 'it') => navigator.clipboard.writeText(text).then(
  () => say(`Copied ${what}`), () => say(`Not copied: select ${what} and copy it yourself`, 0));

let asked;

/** Asks for parts of a page and puts them in place. It gives up what was asked before. */
async function ask(url, part, options = {}) {
  asked?.abort();
  asked = new AbortController();
  const ended = waits();
  try {
    const response = await fetch(url, { ...options, headers: { 'x-console-part': part }, signal: asked.signal });
    const html = await response.text();
    if (!html.startsWith('<template')) throw new Error(`the console answers with status ${response.status}`);
    place(html);
  } finally { ended(); }
}

/** Puts templates in place, each into the element that it names. */
function place(html) {
  const holder = document.createElement('template');
  holder.innerHTML = policy.createHTML(html);
  for (const { dataset: { part, way }, content } of holder.content.children) {
    const to = byId(part);
    if (!to) continue;
    if (way === 'before') addRows(to, content);
    else replace(to, content);
    prepare(to);
  }
}

/** Puts new rows before the others, without those that the list has already or is too short for. */
function addRows(list, content) {
  const oldest = Number(list.lastElementChild?.dataset.request ?? 0);
  for (const row of content.querySelectorAll('[data-request]')) {
    const { request } = row.dataset;
    if (Number(request) < oldest || list.querySelector(`[data-request="${request}"]`)) row.remove();
  }
  list.prepend(content);
  while (list.children.length > Number(list.dataset.max)) list.lastElementChild.remove();
}

const FOCUSABLE = 'a[href], button, input, select, textarea, summary';

/** Replaces what an element holds. The focus stays at the same place of it. */
function replace(to, content) {
  const at = [...to.querySelectorAll(FOCUSABLE)].indexOf(document.activeElement);
  to.replaceChildren(content);
  if (at >= 0) to.querySelectorAll(FOCUSABLE)[at]?.focus();
}

/** What a form would send, without what is empty and operators without a value. */
function fields(form) {
  const data = new FormData(form);
  const says = ([name, value]) => value !== '' && (!name.startsWith('o.') || data.get(name.replace('o.', 'f.')));
  return new URLSearchParams([...data].filter(says));
}

/** Asks for a form as it is filled in. */
async function live(form) {
  const data = fields(form);
  if (form.method === 'post') return ask(form.dataset.live, 'live', { method: 'post', body: data });
  const address = `${data}` === '' ? form.action : `${form.action}?${data}`;
  await ask(address, 'live');
  go('replaceState', address);
}

/** The last list that was asked for. */
let listed = Promise.resolve();
const list = (form) => { listed = live(form).catch(fails); };

function follow(link) {
  ask(link.href, 'live').then(() => go('pushState', link.href), fails);
}

/** The query of what is shown. A link within the page changes the fragment alone. */
let query = location.search;
const go = (how, to) => { history[how](null, '', to); query = location.search; };
addEventListener('popstate', () => { if (location.search !== query) location.reload(); });

addEventListener('input', ({ target: { form } }) => {
  if (form && 'live' in form.dataset) list(form);
});

addEventListener('submit', (event) => {
  if (event.target.method === 'post') waits();
  else if ('live' in event.target.dataset) event.preventDefault();
});

/** What opened the dialog, which has the content of another page. */
let opener;

async function open(link) {
  try {
    await ask(link.href, 'dialog');
  } catch (error) { return error.name === 'AbortError' || location.assign(link.href); }
  opener = link.role === 'menuitem' ? chosen.opener : link;
  if (!dialog.open) dialog.showModal();
  dialog.querySelector('.dialog-body :is(input:not([type=hidden]), select, textarea, button, a)')?.focus();
}

dialog.addEventListener('close', () => { dialog.replaceChildren(); opener?.focus(); });

/** The row and the cell that the menu is for, and what opened it. */
const chosen = {};
const items = () => [...menu.querySelectorAll('[role=menuitem]')].filter((item) => !item.hidden);

/** Opens the menu at a place of the window, with what applies to a time. */
function openMenu(row, cell, opener, x, y, timed = cell) {
  Object.assign(chosen, { row, cell, opener });
  const { column, time } = timed?.dataset ?? {};
  for (const link of menu.querySelectorAll('[data-path]')) link.href = link.dataset.path.replace('{id}', row.dataset.id);
  for (const link of menu.querySelectorAll('[data-time]')) {
    link.hidden = !time;
    link.href = `/keys?${new URLSearchParams({ [`f.${column}`]: time, [`o.${column}`]: link.dataset.time })}`;
    link.querySelector('[data-when]').textContent = time?.slice(0, 10) ?? '';
  }
  menu.querySelector('[data-do=copy-cell]').hidden = !cell;
  menu.showPopover();
  menu.style.left = `${Math.max(4, Math.min(x, innerWidth - menu.offsetWidth - 8))}px`;
  menu.style.top = `${Math.max(4, Math.min(y, innerHeight - menu.offsetHeight - 8))}px`;
  items()[0].focus();
}

/** Opens it below a row's button, for the row's first time. */
function openBelow(button) {
  const row = button.closest('tr');
  const box = button.getBoundingClientRect();
  openMenu(row, null, button, box.right - 220, box.bottom, row.querySelector('[data-time]'));
}

addEventListener('contextmenu', (event) => {
  const row = event.target.closest?.('tr[data-id]');
  // With text selected, the browser's own menu has what is wanted.
  if (!menu || !row || !getSelection().isCollapsed) return;
  event.preventDefault();
  const cell = event.target.closest('td:not(.more), th');
  const box = event.target.getBoundingClientRect();
  const isKey = event.clientX === 0 && event.clientY === 0;
  const [x, y] = isKey ? [box.left, box.bottom] : [event.clientX, event.clientY];
  openMenu(row, cell, event.target.closest('a, button') ?? row.querySelector('[data-menu]'), x, y);
});

/** Moves the focus to where a key leads in a list; returns that item, if there is one. */
function move(event, all, back, forth) {
  const { key } = event;
  const at = all.indexOf(document.activeElement);
  const begins = (item) => key.length === 1 && item.textContent.toLowerCase().startsWith(key.toLowerCase());
  const leads = { [forth]: all[(at + 1) % all.length], [back]: all.at(at - 1), Home: all[0], End: all.at(-1) };
  const to = leads[key] ?? all.slice(at + 1).find(begins);
  if (to) event.preventDefault();
  to?.focus();
  return to;
}

menu?.addEventListener('keydown', (event) => {
  move(event, items(), 'ArrowUp', 'ArrowDown');
  if (event.key === 'Tab') menu.hidePopover();
});

menu?.addEventListener('toggle', ({ newState }) => {
  const isInside = menu.contains(document.activeElement) || document.activeElement === document.body;
  if (newState === 'closed' && isInside) chosen.opener.focus();
});

function select(tab) {
  for (const other of tab.parentElement.children) {
    other.ariaSelected = String(other === tab);
    other.tabIndex = other === tab ? 0 : -1;
    byId(other.getAttribute('aria-controls')).hidden = other !== tab;
  }
}

// A field that is not valid may be on a hidden tab, where the browser cannot show why.
addEventListener('invalid', ({ target }) => {
  const panel = target.closest('[role=tabpanel][hidden]');
  if (panel) select(byId(panel.getAttribute('aria-labelledby')));
}, true);

// Events as they come. A hidden page does not listen, since a browser has six connections to a host.

let source, address, words, again;
const isPaused = () => document.querySelector('[data-pause]').ariaPressed === 'true';
/** Asks for the list: it has what came while nobody listened. */
const refresh = () => { if (!isPaused()) list(byId('filters')); };

function show(text) {
  words = text;
  document.querySelector('[data-stream]').textContent = text;
}

function listen() {
  clearTimeout(again);
  source?.close();
  if (document.hidden) return;
  source = new EventSource(address);
  source.onopen = () => { show('Live'); refresh(); };
  // A list that was asked for before may be older.
  source.onmessage = ({ data }) => listed.then(() => { if (!isPaused()) place(data); });
  source.onerror = () => {
    show('Reconnecting…');
    if (source.readyState === EventSource.CLOSED) again = setTimeout(listen, 5000);
  };
}

document.addEventListener('visibilitychange', () => { if (address) listen(); });

// What each page and each part of it brings, and what is clicked.

const BROUGHT = {
  '[role=tablist]': (tabs) => {
    tabs.hidden = false;
    tabs.onkeydown = (event) => {
      const tab = move(event, [...tabs.children], 'ArrowLeft', 'ArrowRight');
      if (tab) select(tab);
    };
    select(tabs.querySelector('[data-open]') ?? tabs.firstElementChild);
  },
  // They do nothing without this script.
  '[data-copy], [data-copy-from], [data-menu]': (button) => { button.hidden = false; },
  // Only the hint is replaced while a form is filled in: its button keeps the focus.
  '[data-may-be-sent]': (hint) => {
    hint.closest('form').querySelector('.submit button').disabled = hint.dataset.mayBeSent === 'false';
  },
  '[data-pause]': (button) => {
    button.hidden = false;
    button.onclick = () => { button.ariaPressed = String(!isPaused()); refresh(); };
  },
  '[data-stream]': ({ dataset: { stream } }) => {
    if (stream === address) return show(words);
    address = stream;
    show('Connecting…');
    listen();
  },
};

function prepare(part) {
  for (const [selector, make] of Object.entries(BROUGHT)) part.querySelectorAll(selector).forEach(make);
}

const CLICKS = {
  'a[data-dialog]': (link, event) => { event.preventDefault(); open(link); },
  'a[data-live]': (link, event) => { event.preventDefault(); follow(link); },
  '[data-close]': (_, event) => { if (dialog.open) { event.preventDefault(); dialog.close(); } },
  '[data-copy]': ({ dataset }) => copy(dataset.copy, dataset.what),
  '[data-copy-from]': ({ dataset }) => copy(byId(dataset.copyFrom).textContent, dataset.what),
  '[data-do=copy-row]': () => copy(chosen.row.dataset.row, 'the row'),
  '[data-do=copy-cell]': () => {
    const { dataset: { text, time, at }, textContent } = chosen.cell;
    copy(text ?? time ?? chosen.row.dataset.row.split('\t')[at] ?? textContent.trim(), 'the text');
  },
  '[data-menu]': openBelow,
  '[role=menuitem]': () => menu.hidePopover(),
  '[role=tab]': select,
};

addEventListener('click', (event) => {
  if (event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
  for (const [selector, act] of Object.entries(CLICKS)) {
    const on = event.target.closest?.(selector);
    if (on) act(on, event);
  }
});

// Nothing of a page stays behind: the browser may keep it for Back.
addEventListener('pagehide', ({ persisted }) => { if (persisted) document.body.replaceChildren(); });
addEventListener('pageshow', ({ persisted }) => { if (persisted) location.reload(); });

prepare(document);
