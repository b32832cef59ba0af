/** What the page does: draws what is near, obeys keys and buttons. */

import { jsonOf } from './data.js';
import { articles, field, filter, followHash, step } from './filter.js';
import { drawFigure, dropFigure, redrawAll, resizeAll, togglePath, zoom } from './plots.js';
import { renewTheme } from './theme.js';

/** Figures drawn for the printer at most: each takes a few megabytes until it is printed. */
const PRINTED = 80;
/** Pixels across a sheet of A4 or Letter between its margins. */
const PAPER = 660;

/** @param {Element} article */
const figureOf = (article) => /** @type {HTMLElement | null} */ (article.querySelector('figure.plot'));

const near = new IntersectionObserver(
  (entries) => {
    for (const { target, isIntersecting } of entries) {
      const figure = figureOf(target);
      if (figure === null) continue;
      if (isIntersecting) drawFigure(figure);
      else dropFigure(figure);
    }
  },
  { rootMargin: '600px' },
);
for (const article of articles) near.observe(article);

/** @param {HTMLElement} button */
function showPicture(button) {
  const data = jsonOf(`picture-${button.dataset.picture}`);
  const image = document.createElement('img');
  image.alt = 'Screenshot of the page';
  image.src = `data:image/png;base64,${data}`;
  button.replaceWith(image);
}

document.addEventListener('click', ({ target }) => {
  const button = /** @type {HTMLElement | null} */ (
    target instanceof Element ? target.closest('button') : null
  );
  if (button?.dataset.picture !== undefined) showPicture(button);
  if (button?.dataset.path === undefined) return;
  const figure = figureOf(/** @type {Element} */ (button.closest('article')));
  if (figure === null) return;
  button.setAttribute('aria-pressed', String(togglePath(figure, Number(button.dataset.path))));
});

document.addEventListener('keydown', (event) => {
  const { target, key } = event;
  if (event.ctrlKey || event.metaKey || event.altKey || !(target instanceof HTMLElement)) return;
  if (target.matches('input, select, textarea')) return;
  if (target.matches('figure.plot') && zoom(target, key)) event.preventDefault();
  else if (key === 'j') step(1);
  else if (key === 'k') step(-1);
  else if (key === '/') {
    event.preventDefault();
    field.text.focus();
  }
});

matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
  renewTheme();
  redrawAll();
});

addEventListener('beforeprint', () => {
  const shown = articles.filter((article) => !article.hidden).slice(0, PRINTED);
  for (const article of shown) {
    const figure = figureOf(article);
    if (figure !== null) drawFigure(figure);
  }
  document.documentElement.classList.add('paper');
  renewTheme();
  resizeAll(PAPER);
});
addEventListener('afterprint', () => {
  document.documentElement.classList.remove('paper');
  renewTheme();
  resizeAll();
});

// A browser that is reloaded fills the form in again by itself.
filter();
followHash();
