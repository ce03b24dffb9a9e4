// Saved views of a table: names and addresses, in this browser.

import { each } from './parts.js';

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
  if (!event.target.matches('[data-view-form]')) return;
  event.preventDefault();
  const name = new FormData(event.target).get('view');
  localStorage.setItem(VIEWS, JSON.stringify({ ...views(), [name]: location.search }));
  event.target.reset();
  showViews(event.target.closest('[data-views]'));
}

addEventListener('submit', saveView);
each('[data-views]', showViews);
