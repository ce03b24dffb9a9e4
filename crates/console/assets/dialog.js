// The dialog: the content of another page, above this one.

import { ask, dialog, place } from './parts.js';
import { opener as menuOpener } from './menu.js';

let opener;

/** Opens the page of a link. */
export async function open(link) {
  try {
    const html = await ask(link.href, 'dialog');
    opener = link.closest('[popover]') ? menuOpener() : link;
    place(html);
    if (!dialog.open) dialog.showModal();
    dialog.querySelector('.dialog-body :is(input:not([type=hidden]), select, textarea, button, a)')?.focus();
  } catch (error) {
    if (error.name !== 'AbortError') location.assign(link.href);
  }
}

dialog?.addEventListener('close', () => { dialog.replaceChildren(); opener?.focus(); });
