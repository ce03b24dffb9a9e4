// Tabs: made of the sections of an element with data-tabs.

import { byId, each } from './parts.js';

/** Shows the section of a tab. */
export function select(tab) {
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

each('[data-tabs]', tabs);
