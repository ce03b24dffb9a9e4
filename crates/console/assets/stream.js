// Events of an element with data-stream=ADDRESS: parts of the page, as they come. One tab of the browser
// follows an address and tells the others, since a browser has six connections to a host.

import { byId, each, place } from './parts.js';
import { live } from './forms.js';

/** How long to wait before asking again where the console refused. */
const AGAIN = 5000;
let current;

const isPaused = () => document.querySelector('[data-pause]')?.ariaPressed === 'true';

/** What came while nobody looked is in the list. */
function refresh() {
  const form = byId('filters');
  if (form && !isPaused()) live(form);
}

function show(words) {
  current.words = words;
  const status = document.querySelector('[data-stream]');
  if (status) status.textContent = words;
}

function follow({ address, abort: { signal } }) {
  const channel = new BroadcastChannel(address);
  const take = (html) => { if (!isPaused()) place(html); };
  channel.onmessage = ({ data }) => take(data);
  const lead = () => new Promise((done) => {
    let source, timer;
    const start = () => {
      source = new EventSource(address);
      source.onopen = () => { show('Live'); refresh(); };
      source.onmessage = ({ data }) => { take(data); channel.postMessage(data); };
      source.onerror = () => {
        show('Reconnecting…');
        if (source.readyState === EventSource.CLOSED) timer = setTimeout(start, AGAIN);
      };
    };
    signal.addEventListener('abort', () => { clearTimeout(timer); source.close(); done(); });
    start();
  });
  signal.addEventListener('abort', () => channel.close());
  navigator.locks.request(`cortexkey ${address}`, { signal }, lead).catch(() => {});
}

each('[data-stream]', (status) => {
  const address = new URL(status.dataset.stream, location).href;
  if (address === current?.address) return show(current.words);
  current?.abort.abort();
  current = { address, abort: new AbortController(), words: '' };
  show('Live');
  follow(current);
});

each('[data-pause]', (button) => {
  button.hidden = false;
  button.onclick = () => {
    button.ariaPressed = String(!isPaused());
    if (!isPaused()) refresh();
  };
});
