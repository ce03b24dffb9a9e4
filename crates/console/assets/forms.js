// Forms and links with data-live: asked again on every change, the answer's parts put in place.

import { ask, each, fails, place, waits } from './parts.js';

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

/** Asks for the form as it is filled in. */
export async function live(form) {
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
  if (form.method === 'post') return sendOnce(event, form);
  if (!('live' in form.dataset)) return;
  event.preventDefault();
  if (event.submitter) location.assign(`${form.action}?${fields(form)}`);
  else live(form);
});

const sent = new WeakSet();

/** A second click must not take the place of the answer to the first: that answer alone has the new key. */
function sendOnce(event, form) {
  if (sent.has(form)) return event.preventDefault();
  sent.add(form);
  waits();
}

// Only the hint is replaced while a form is filled in: its button keeps the focus.
each('[data-may-be-sent]', (hint) => {
  hint.closest('form').querySelector('.submit button').disabled = hint.dataset.mayBeSent === 'false';
});

/** Follows a link within the page. */
export async function follow(link) {
  try {
    place(await ask(link.href, 'live'));
    history.pushState(null, '', link.href);
  } catch (error) { fails(error); }
}

addEventListener('popstate', () => location.reload());
