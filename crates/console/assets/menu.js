// The menu of a row: by the context menu, the menu key, Shift+F10, or its button.

import { byId } from './parts.js';

export const menu = byId('row-menu');
let menuOpener;
export const opener = () => menuOpener;
export const chosen = {};

export function openMenu(row, cell, from, x, y) {
  menuOpener = from;
  Object.assign(chosen, { cell, row });
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
