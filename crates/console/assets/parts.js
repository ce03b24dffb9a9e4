// Parts of pages: asked for, put in place, and what is read out. Markup comes from this server alone,
// through the one policy below.

const policy = globalThis.trustedTypes?.createPolicy('console', { createHTML: (html) => html })
  ?? { createHTML: (html) => html };

export const byId = (id) => document.getElementById(id);
export const dialog = byId('dialog');

/** How long an answer may take before the page says that it waits. */
const SLOW = 1000;
let asked;

/** Says that the page waits, if it still does after a moment. What is returned ends it. */
export function waits() {
  let isSaid = false;
  const timer = setTimeout(() => { isSaid = true; say('Waiting for the tenant…', 0); }, SLOW);
  return () => { clearTimeout(timer); if (isSaid) say(''); };
}

/** Asks for parts of a page, and gives up what was asked before. */
export async function ask(url, part, options = {}) {
  asked?.abort();
  asked = new AbortController();
  const headers = { 'x-console-part': part };
  const ended = waits();
  try {
    const answer = await fetch(url, { ...options, headers, signal: asked.signal });
    const text = await answer.text();
    if (!text.startsWith('<template')) throw new Error(`the console answers with status ${answer.status}`);
    return text;
  } finally { ended(); }
}

/** Puts templates in place, each into the element that it names; only those for one element, if it is given. */
export function place(html, only) {
  const holder = document.createElement('template');
  holder.innerHTML = policy.createHTML(html);
  for (const part of holder.content.children) {
    const to = byId(part.dataset.part);
    if (!to || (only && part.dataset.part !== only)) continue;
    if (part.dataset.way === 'before') {
      dropKnown(part.content, to);
      to.prepend(part.content);
      while (to.children.length > Number(to.dataset.max ?? 200)) to.lastElementChild.remove();
    } else replace(to, part.content);
    prepare(to);
  }
}

/** Drops rows that a list has already, and those that are older than all of it. */
function dropKnown(content, list) {
  const oldest = Number(list.lastElementChild?.dataset.request ?? 0);
  for (const row of content.querySelectorAll('[data-request]')) {
    const { request } = row.dataset;
    if (Number(request) < oldest || list.querySelector(`[data-request="${request}"]`)) row.remove();
  }
}

const FOCUSABLE = 'a[href], button, input, select, textarea, summary';

/** Replaces what an element holds. The focus stays at the same place of it. */
function replace(to, content) {
  const at = [...to.querySelectorAll(FOCUSABLE)].indexOf(document.activeElement);
  to.replaceChildren(content);
  if (at >= 0) to.querySelectorAll(FOCUSABLE)[at]?.focus();
}

export function fails(error) {
  if (error.name !== 'AbortError') say(`No answer: ${error.message}`);
}

const makers = [];

/** Makes what a part of the page brings with it work. */
export function prepare(part) {
  for (const [selector, make] of makers) part.querySelectorAll(selector).forEach(make);
}

/** Registers what is done with each element that a page or a part brings. */
export function each(selector, make) {
  makers.push([selector, make]);
}

let quiet;

/** Says something to everybody, for so long; without a time, until something else is said. */
export function say(text, ms = 4000) {
  const said = byId('said');
  clearTimeout(quiet);
  // Within a dialog, what is outside of it is not read out.
  (dialog?.open ? dialog : document.body).append(said);
  said.textContent = text;
  if (ms) quiet = setTimeout(() => { said.textContent = ''; }, ms);
}
