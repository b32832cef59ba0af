/** Tables that a click on a column's title sorts: numbers the largest first, texts from a to z. */

/**
 * A cell's number; NaN where it says none. Groups of digits stand apart by a narrow gap.
 * @param {string} text
 */
const numberIn = (text) => Number.parseFloat(text.replace(/[\u202f<>]/g, ''));

/**
 * @param {HTMLTableElement} table
 * @param {HTMLTableCellElement} title
 */
function sortBy(table, title) {
  const numeric = title.classList.contains('n');
  const first = numeric && title.cellIndex > 0 ? 'descending' : 'ascending';
  const other = first === 'ascending' ? 'descending' : 'ascending';
  const way = title.getAttribute('aria-sort') === first ? other : first;
  for (const each of table.querySelectorAll('th[aria-sort]')) each.removeAttribute('aria-sort');
  title.setAttribute('aria-sort', way);
  const sign = way === 'ascending' ? 1 : -1;
  const [body] = table.tBodies;
  const rows = [...body.rows].map((row) => ({ row, text: row.cells[title.cellIndex].textContent ?? '' }));
  rows.sort((a, b) => {
    if (!numeric) return sign * a.text.localeCompare(b.text);
    const [x, y] = [numberIn(a.text), numberIn(b.text)];
    // What has no number comes last, whichever way.
    if (Number.isNaN(x) || Number.isNaN(y)) return Number(Number.isNaN(x)) - Number(Number.isNaN(y));
    return sign * (x - y);
  });
  body.append(...rows.map(({ row }) => row));
}

for (const table of /** @type {NodeListOf<HTMLTableElement>} */ (document.querySelectorAll('table.sites')))
  for (const title of /** @type {NodeListOf<HTMLTableCellElement>} */ (
    table.querySelectorAll('th.sortable')
  )) {
    const button = document.createElement('button');
    button.type = 'button';
    button.append(...title.childNodes);
    button.addEventListener('click', () => sortBy(table, title));
    title.append(button);
  }
