// How does an open page get what a run prints?
const log = document.querySelector('pre[data-events]');
const events = new URL(log.dataset.events, location.href);
events.searchParams.set('after', log.dataset.after);
const source = new EventSource(events);

/** Whoever reads further up must not be pulled away. */
const nearEndPx = 120;
/** When no more pages can be followed at once. */
const reloadMs = 10_000;

source.addEventListener('log', ({ data }) => {
  const page = document.documentElement;
  const atEnd = page.scrollHeight - page.clientHeight - page.scrollTop < nearEndPx;
  log.insertAdjacentHTML('beforeend', data);
  if (atEnd) page.scrollTop = page.scrollHeight;
});
source.addEventListener('end', () => {
  source.close();
  location.reload();
});
source.addEventListener('error', () => {
  if (source.readyState === EventSource.CLOSED) setTimeout(() => location.reload(), reloadMs);
});
