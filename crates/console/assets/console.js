// The console's script. Every page works without it as far as a form can; it adds:
//   form[data-live]        asks again on every change; puts the answer's templates in place
//   a[data-live]           the same for a link, which goes into the address
//   a[data-dialog]         opens a page's content in the dialog; [data-close] closes it
//   [data-copy=TEXT]       copies the text; [data-copy-from=ID] the text of an element
//   [data-menu=ID]         opens a row's menu, as the context menu of a row does
//   [data-tabs]            makes tabs of its sections
//   details[data-views]    saved views of a table
// Markup comes from this server alone, through the one policy below.

const policy = globalThis.trustedTypes?.createPolicy('console', { createHTML: (html) => html })
  ?? { createHTML: (html) => html };
const byId = (id) => document.getElementById(id);
const dialog = byId('dialog');
const menu = byId('row-menu');

// Parts of pages

let asked;

/** Asks for parts of a page, and gives up what was asked before. */
async function ask(url, part, options = {}) {
  asked?.abort();
  asked = new AbortController();
  const headers = { 'x-console-part': part };
  const answer = await fetch(url, { ...options, headers, signal: asked.signal });
  const text = await answer.text();
  if (!text.startsWith('<template')) throw new Error(`the console answers with status ${answer.status}`);
  return text;
}

/** Puts templates in place, each into the element that it names. */
function place(html) {
  const holder = document.createElement('template');
  holder.innerHTML = policy.createHTML(html);
  for (const part of holder.content.children) {
    const to = byId(part.dataset.part);
    if (!to) continue;
    if (part.dataset.way === 'before') {
      to.prepend(part.content);
      while (to.children.length > Number(to.dataset.max ?? 200)) to.lastElementChild.remove();
    } else to.replaceChildren(part.content);
    prepare(to);
  }
}

function fails(error) {
  if (error.name !== 'AbortError') say(`No answer: ${error.message}`);
}

/** What a form would send, without what is empty. */
function fields(form) {
  const data = new URLSearchParams(new FormData(form));
  for (const [name, value] of [...data]) if (value === '') data.delete(name, value);
  // An operator without a value says nothing.
  for (const name of [...data.keys()]) {
    if (name.startsWith('o.') && !data.has(`f.${name.slice(2)}`)) data.delete(name);
  }
  return data;
}

async function live(form) {
  const isPost = form.method === 'post';
  const data = fields(form);
  // Columns go into the address where they were chosen there.
  if (!isPost && !new URLSearchParams(location.search).has('col')) data.delete('col');
  const address = isPost || `${data}` === '' ? form.action : `${form.action}?${data}`;
  try {
    place(await ask(form.dataset.live || address, 'live', isPost ? { method: 'post', body: data } : {}));
    if (!isPost) history.replaceState(null, '', address);
  } catch (error) { fails(error); }
}

addEventListener('input', ({ target }) => {
  const form = target.form;
  if (form && 'live' in form.dataset && !('reload' in target.dataset)) live(form);
});

// A form that is asked on every change has nothing left to send but its columns.
addEventListener('submit', (event) => {
  const form = event.target;
  if (form.matches('[data-view-form]')) return saveView(event);
  if (form.method !== 'get' || !('live' in form.dataset)) return;
  event.preventDefault();
  if (event.submitter) location.assign(`${form.action}?${fields(form)}`);
  else live(form);
});

async function follow(link) {
  try {
    place(await ask(link.href, 'live'));
    history.pushState(null, '', link.href);
  } catch (error) { fails(error); }
}

addEventListener('popstate', () => location.reload());

// Dialog

let opener;
async function open(link) {
  try {
    const html = await ask(link.href, 'dialog');
    opener = link.closest('[popover]') ? menuOpener : link;
    place(html);
    if (!dialog.open) dialog.showModal();
    dialog.querySelector('.dialog-body :is(input:not([type=hidden]), select, textarea, button, a)')?.focus();
  } catch (error) {
    if (error.name !== 'AbortError') location.assign(link.href);
  }
}

dialog?.addEventListener('close', () => { dialog.replaceChildren(); opener?.focus(); });

// Copying

async function copy(text, what) {
  await navigator.clipboard.writeText(text);
  say(`Copied ${what}`);
}

let quiet;

function say(text) {
  const said = byId('said');
  clearTimeout(quiet);
  // Within a dialog, what is outside of it is not read out.
  (dialog?.open ? dialog : document.body).append(said);
  said.textContent = text;
  quiet = setTimeout(() => { said.textContent = ''; }, 4000);
}

// Menu

let menuOpener, menuCell, menuRow;

function openMenu(row, cell, from, x, y) {
  [menuOpener, menuCell, menuRow] = [from, cell, row];
  for (const link of menu.querySelectorAll('[data-path]')) {
    link.href = link.dataset.path.replace('{id}', row.dataset.id);
  }
  for (const link of menu.querySelectorAll('[data-time]')) {
    const { column, time } = cell?.dataset ?? {};
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

const items = () => [...menu.querySelectorAll('[role=menuitem]')].filter((item) => !item.hidden);

addEventListener('contextmenu', (event) => {
  const row = event.target.closest?.('tr[data-id]');
  // With text selected, the browser's own menu has what is wanted.
  if (!menu || !row || !getSelection().isCollapsed) return;
  event.preventDefault();
  const cell = event.target.closest('td, th');
  const box = event.target.getBoundingClientRect();
  const isKey = event.clientX === 0 && event.clientY === 0;
  const [x, y] = isKey ? [box.left, box.bottom] : [event.clientX, event.clientY];
  openMenu(row, cell?.classList.contains('more') ? null : cell, event.target.closest('a, button') ?? row.querySelector('[data-menu]'), x, y);
});

menu?.addEventListener('keydown', (event) => {
  const all = items();
  const at = all.indexOf(document.activeElement);
  const byLetter = event.key.length === 1
    && all.find((item, i) => i > at && item.textContent.toLowerCase().startsWith(event.key.toLowerCase()));
  const to = { ArrowDown: all[(at + 1) % all.length], ArrowUp: all.at(at - 1), Home: all[0], End: all.at(-1) }[event.key] ?? byLetter;
  if (to) { event.preventDefault(); to.focus(); }
  if (event.key === 'Tab') menu.hidePopover();
});

menu?.addEventListener('toggle', (event) => {
  if (event.newState === 'closed' && (menu.contains(document.activeElement) || document.activeElement === document.body)) menuOpener?.focus();
});

// Clicks

addEventListener('click', (event) => {
  const { target } = event;
  const isPlain = !event.ctrlKey && !event.metaKey && !event.shiftKey && event.button === 0;
  const on = (selector) => target.closest?.(selector);
  const link = on('a[data-dialog], a[data-live]');
  if (link && isPlain) {
    event.preventDefault();
    menu?.hidePopover();
    return 'dialog' in link.dataset ? open(link) : follow(link);
  }
  if (on('[data-close]') && dialog.open) { event.preventDefault(); return dialog.close(); }
  const button = on('[data-menu], [data-copy], [data-copy-from], [data-do], [role=tab]');
  if (!button) return;
  const { copy: text, copyFrom: from } = button.dataset;
  if (text !== undefined) copy(text, button.dataset.what ?? 'it');
  else if (from) copy(byId(from).textContent, button.dataset.what ?? 'it');
  else if (button.dataset.do === 'copy-row') { copy(menuRow.dataset.row, 'the row'); menu.hidePopover(); }
  else if (button.dataset.do === 'copy-cell') {
    copy(menuCell.dataset.text ?? menuCell.dataset.time ?? menuCell.textContent.trim(), 'the text');
    menu.hidePopover();
  } else if (button.dataset.menu) {
    const box = button.getBoundingClientRect();
    const row = button.closest('tr');
    openMenu(row, row.querySelector('[data-time]'), button, box.right - 220, box.bottom);
    menu.querySelector('[data-do=copy-cell]').hidden = true;
  } else if (button.role === 'tab') select(button);
});

// Tabs

function select(tab) {
  for (const other of tab.parentElement.children) {
    other.ariaSelected = String(other === tab);
    other.tabIndex = other === tab ? 0 : -1;
    byId(other.getAttribute('aria-controls')).hidden = other !== tab;
  }
}

function tabs(box) {
  const list = document.createElement('div');
  list.className = 'tabs';
  list.role = 'tablist';
  for (const panel of box.querySelectorAll(':scope > section')) {
    const heading = panel.querySelector('h2, h3');
    const tab = Object.assign(document.createElement('button'), { type: 'button', role: 'tab', id: `${panel.id}-tab`, textContent: heading.textContent });
    tab.setAttribute('aria-controls', panel.id);
    heading.hidden = true;
    panel.role = 'tabpanel';
    panel.setAttribute('aria-labelledby', tab.id);
    list.append(tab);
  }
  box.prepend(list);
  box.removeAttribute('data-tabs');
  list.addEventListener('keydown', ({ key }) => {
    const all = [...list.children];
    const at = all.indexOf(document.activeElement);
    const to = { ArrowRight: all[(at + 1) % all.length], ArrowLeft: all.at(at - 1), Home: all[0], End: all.at(-1) }[key];
    if (to) { select(to); to.focus(); }
  });
  select(list.firstElementChild);
}

// A field that is not valid is on a tab that may be hidden: without it the browser refuses in silence.
addEventListener('invalid', ({ target }) => {
  const panel = target.closest('[role=tabpanel]');
  if (panel?.hidden) select(byId(panel.getAttribute('aria-labelledby')));
}, true);

// Saved views

const VIEWS = 'cortexkey-views';
const views = () => JSON.parse(localStorage.getItem(VIEWS) ?? '{}');

function showViews(box) {
  box.hidden = false;
  box.querySelector('[data-view-list]').replaceChildren(...Object.entries(views()).map(([name, query]) => {
    const item = document.createElement('li');
    const link = Object.assign(document.createElement('a'), { href: `/keys${query}`, textContent: name });
    const gone = Object.assign(document.createElement('button'), { type: 'button', className: 'quiet', textContent: '✕', ariaLabel: `Delete the view ${name}` });
    gone.onclick = () => { const { [name]: _, ...rest } = views(); localStorage.setItem(VIEWS, JSON.stringify(rest)); showViews(box); };
    item.append(link, gone);
    return item;
  }));
}

function saveView(event) {
  event.preventDefault();
  const name = new FormData(event.target).get('view');
  localStorage.setItem(VIEWS, JSON.stringify({ ...views(), [name]: location.search }));
  event.target.reset();
  showViews(event.target.closest('[data-views]'));
}

// A key that was shown once does not come back.

addEventListener('pagehide', () => document.querySelectorAll('[data-secret]').forEach((key) => key.remove()));
addEventListener('pageshow', ({ persisted }) => { if (persisted) location.reload(); });

/** Makes what a part of the page brings with it work. */
function prepare(part) {
  part.querySelectorAll('[data-tabs]').forEach(tabs);
  part.querySelectorAll('[data-views]').forEach(showViews);
}

// Opened parts close when something else is used, and with Escape.
addEventListener('pointerdown', ({ target }) => {
  for (const drop of document.querySelectorAll('.drop[open]')) if (!drop.contains(target)) drop.open = false;
});
addEventListener('keydown', ({ key, target }) => {
  const drop = key === 'Escape' && target.closest?.('.drop[open]');
  if (drop) { drop.open = false; drop.firstElementChild.focus(); }
});

document.documentElement.classList.add('scripted');
prepare(document);
