/** Which visits are shown, and the way from one to the next. */

export const articles = /** @type {HTMLElement[]} */ ([...document.querySelectorAll('article.visit')]);
const form = /** @type {HTMLFormElement} */ (document.querySelector('form.filter'));
export const field = {
  text: /** @type {HTMLInputElement} */ (form.elements.namedItem('text')),
  site: /** @type {HTMLSelectElement} */ (form.elements.namedItem('site')),
  status: /** @type {HTMLSelectElement} */ (form.elements.namedItem('status')),
  shown: /** @type {HTMLOutputElement} */ (form.elements.namedItem('shown')),
};

/** @param {HTMLElement} article */
function fits({ dataset }) {
  const words = field.text.value.toLowerCase().split(/\s+/);
  const status = field.status.value;
  return (
    (field.site.value === '' || dataset.site === field.site.value) &&
    (status === '' || (status === 'not' ? dataset.status !== 'success' : dataset.status === status)) &&
    words.every((word) => dataset.search?.includes(word))
  );
}

export function filter() {
  let shown = 0;
  for (const article of articles) {
    article.hidden = !fits(article);
    if (!article.hidden) shown++;
  }
  const all = articles.length;
  field.shown.value = `${shown === all ? all : `${shown} of ${all}`} ${all === 1 ? 'attempt' : 'attempts'}`;
  const none = document.getElementById('no-match');
  if (none !== null) none.hidden = shown > 0 || all === 0;
}

function showAll() {
  form.reset();
  filter();
}

/** A link to a visit that the filter hides shows all again. */
export function followHash() {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (target === null || !target.hidden) return;
  showAll();
  target.scrollIntoView();
  target.focus({ preventScroll: true });
}

/**
 * Goes to the next visit that is shown, or to the one before: from the one that has the focus and is in sight, else
 * from where the window is.
 * @param {1 | -1} way
 */
export function step(way) {
  const shown = articles.filter((article) => !article.hidden);
  const boxes = shown.map((article) => article.getBoundingClientRect());
  const edge = Math.max(0, form.getBoundingClientRect().bottom);
  const here = shown.findIndex((article) => article.contains(document.activeElement));
  const inSight = here >= 0 && boxes[here].bottom > edge && boxes[here].top < innerHeight;
  const after = boxes.findIndex(({ top }) => top > edge - 4);
  const next = way === 1 ? after : after < 0 ? shown.length - 1 : after - 1;
  const target = shown[inSight ? here + way : next];
  target?.scrollIntoView();
  target?.focus({ preventScroll: true });
}

form.addEventListener('input', filter);
form.addEventListener('submit', (event) => event.preventDefault());
form.addEventListener('reset', () => setTimeout(filter));
document.getElementById('clear')?.addEventListener('click', showAll);
addEventListener('hashchange', followHash);
for (const link of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll('a[data-site]')))
  link.addEventListener('click', () => {
    form.reset();
    field.site.value = link.dataset.site ?? '';
    filter();
  });
