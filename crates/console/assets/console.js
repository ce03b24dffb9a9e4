// The console's script. Every page works without it as far as a form can; it adds:
//   form[data-live]        asks again on every change; puts the answer's templates in place (forms.js)
//   a[data-live]           the same for a link, which goes into the address
//   a[data-dialog]         opens a page's content in the dialog; [data-close] closes it (dialog.js)
//   [data-copy=TEXT]       copies the text; [data-copy-from=ID] the text of an element
//   [data-menu=ID]         opens a row's menu, as the context menu of a row does (menu.js)
//   [data-tabs]            makes tabs of its sections (tabs.js)
//   details[data-views]    saved views of a table (views.js)
//   [data-stream=ADDRESS]  shows events as they come; [data-pause] holds them back (stream.js)

import { byId, dialog, prepare, say } from './parts.js';
import { follow } from './forms.js';
import { open } from './dialog.js';
import { chosen, menu, openMenu } from './menu.js';
import { select } from './tabs.js';
import './views.js';
import './stream.js';

async function copy(text, what) {
  await navigator.clipboard.writeText(text);
  say(`Copied ${what}`);
}

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
  else if (button.dataset.do === 'copy-row') { copy(chosen.row.dataset.row, 'the row'); menu.hidePopover(); }
  else if (button.dataset.do === 'copy-cell') {
    copy(chosen.cell.dataset.text ?? chosen.cell.dataset.time ?? chosen.cell.textContent.trim(), 'the text');
    menu.hidePopover();
  } else if (button.dataset.menu) {
    const box = button.getBoundingClientRect();
    const row = button.closest('tr');
    openMenu(row, row.querySelector('[data-time]'), button, box.right - 220, box.bottom);
    menu.querySelector('[data-do=copy-cell]').hidden = true;
  } else if (button.role === 'tab') select(button);
});

// Nothing of a page stays behind: Back restores pages without asking, and a key is shown once.
addEventListener('pagehide', ({ persisted }) => {
  if (persisted) document.body.replaceChildren();
  else document.querySelectorAll('[data-secret]').forEach((key) => key.remove());
});
addEventListener('pageshow', ({ persisted }) => { if (persisted) location.reload(); });

// Opened parts close when something else is used, and with Escape.
addEventListener('pointerdown', ({ target }) => {
  for (const drop of document.querySelectorAll('.drop[open]')) if (!drop.contains(target)) drop.open = false;
});
// What is below an open list is no target.
addEventListener('toggle', ({ target }) => {
  if (target.matches?.('.drop')) document.querySelectorAll('.scroll').forEach((table) => { table.inert = target.open; });
}, true);
addEventListener('keydown', ({ key, target }) => {
  const drop = key === 'Escape' && target.closest?.('.drop[open]');
  if (drop) { drop.open = false; drop.firstElementChild.focus(); }
});

document.documentElement.classList.add('scripted');
prepare(document);
