// Events of an element with data-stream=ADDRESS: parts of the page, as they come. One tab of the browser
// follows an address and tells the others, since a browser has six connections to a host.

import { byId, each, place } from './parts.js';
import { live } from './forms.js';

/** How long to wait before asking again where the console refused. */
const AGAIN = 5000;
/** How many events are kept for a list that was asked for before they came. */
const KEPT = 20;
let current;

const isPaused = () => document.querySelector('[data-pause]')?.ariaPressed === 'true';

/** Asks for the list: it has what came while nobody listened. */
function refresh() {
  const form = byId('filters');
  if (form && !isPaused()) live(form);
}

function take(html) {
  current.events = [...current.events, html].slice(-KEPT);
  if (!isPaused()) place(html);
}

function show(words) {
  current.words = words;
  const status = document.querySelector('[data-stream]');
  if (status) status.textContent = words;
}

function follow({ address, abort: { signal } }) {
  const channel = new BroadcastChannel(address);
  let source;
  const hear = ({ html, words, gap, isNew }) => {
    if (html) take(html);
    if (words) show(words);
    if (gap) refresh();
    if (isNew && source) channel.postMessage({ words: current.words });
  };
  channel.onmessage = ({ data }) => hear(data);
  const tell = (message) => { hear(message); channel.postMessage(message); };
  const lead = () => new Promise((done) => {
    let timer;
    const start = () => {
      source = new EventSource(address);
      source.onopen = () => tell({ words: 'Live', gap: true });
      source.onmessage = ({ data }) => tell({ html: data });
      source.onerror = () => {
        tell({ words: 'Reconnecting…' });
        if (source.readyState === EventSource.CLOSED) timer = setTimeout(start, AGAIN);
      };
    };
    signal.addEventListener('abort', () => { clearTimeout(timer); source.close(); done(); });
    start();
  });
  channel.postMessage({ isNew: true });
  signal.addEventListener('abort', () => channel.close());
  navigator.locks.request(`cortexkey ${address}`, { signal }, lead).catch(() => {});
}

each('[data-stream]', (status) => {
  const address = new URL(status.dataset.stream, location).href;
  if (address === current?.address) {
    // The list was put in place, and may be older than the last events.
    current.events.forEach((html) => place(html, 'rows'));
    return show(current.words);
  }
  current?.abort.abort();
  current = { address, abort: new AbortController(), words: '', events: [] };
  show('Connecting…');
  follow(current);
});

each('[data-pause]', (button) => {
  button.hidden = false;
  button.onclick = () => {
    button.ariaPressed = String(!isPaused());
    if (!isPaused()) refresh();
  };
});
