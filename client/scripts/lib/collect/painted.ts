/**
 * Runs within a page: whether it shows anything. Looks through open shadow trees, which a page's source does not
 * have, and counts text, pictures, and boxes that a style gives a colour, a picture or an edge.
 */
function isPainted(): boolean {
  // What is of a browser's own and has no types here.
  interface Node {
    nodeType: number;
    textContent: string | null;
    tagName?: string;
    shadowRoot?: Node | null;
    childNodes: Iterable<Node>;
    getBoundingClientRect(): { width: number; height: number };
  }
  const page = globalThis as unknown as {
    document: { body: Node | null };
    getComputedStyle(
      node: Node,
    ): Record<'backgroundColor' | 'backgroundImage' | 'borderTopWidth' | 'borderTopStyle', string>;
  };
  /** More are not looked at. */
  let left = 5000;
  const drawn = (node: Node): boolean => {
    const { width, height } = node.getBoundingClientRect();
    if (width * height < 16) return false;
    if (/^(IMG|VIDEO|CANVAS|SVG|IFRAME|OBJECT|EMBED|INPUT|BUTTON|METER|PROGRESS)$/i.test(node.tagName ?? ''))
      return true;
    const style = page.getComputedStyle(node);
    const clear = /^(rgba\(0, 0, 0, 0\)|transparent)$/.test(style.backgroundColor);
    const edge = /[1-9]/.test(style.borderTopWidth) && style.borderTopStyle !== 'none';
    return !clear || style.backgroundImage !== 'none' || edge;
  };
  const shows = (node: Node): boolean => {
    if (--left < 0) return false;
    if (node.nodeType === 3) return (node.textContent ?? '').trim() !== '';
    if (node.nodeType !== 1) return node.nodeType === 11 && [...node.childNodes].some(shows);
    if (/^(SCRIPT|STYLE|NOSCRIPT|TEMPLATE)$/.test(node.tagName ?? '')) return false;
    if (node.tagName !== 'BODY' && drawn(node)) return true;
    return (node.shadowRoot ? shows(node.shadowRoot) : false) || [...node.childNodes].some(shows);
  };
  return page.document.body !== null && shows(page.document.body);
}

/** {@link isPainted} for a page; tsx gives functions their names by way of one of its own, which no page has. */
export const PAINTED = `(() => { const __name = (named) => named; return (${isPainted})(); })()`;
