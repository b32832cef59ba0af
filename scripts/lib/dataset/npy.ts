/** Arrays as numpy reads them: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html, version 1.0. Pure. */

/** Little-endian doubles, 32- and 64-bit integers, or texts of a fixed number of characters. */
export type Kind = '<f8' | '<i4' | '<i8' | `<U${number}`;

/** What a .npy file begins with; the values follow in C order. */
export function npyHeader(kind: Kind, shape: readonly number[]): Buffer {
  const tuple = `(${shape.join(', ')}${shape.length === 1 ? ',' : ''})`;
  const text = `{'descr': '${kind}', 'fortran_order': False, 'shape': ${tuple}, }`;
  // The values begin at a multiple of 64; the header's own ten bytes and its newline count.
  const padded = text.padEnd(Math.ceil((text.length + 11) / 64) * 64 - 11);
  const bytes = Buffer.alloc(10 + padded.length + 1);
  bytes.set([0x93, ...Buffer.from('NUMPY'), 1, 0]);
  bytes.writeUInt16LE(padded.length + 1, 8);
  bytes.write(`${padded}\n`, 10, 'latin1');
  return bytes;
}

/** The values of an array of texts (UTF-32, padded with zeros), `width` characters each. */
export function npyTexts(texts: readonly string[], width: number): Buffer {
  const bytes = Buffer.alloc(texts.length * width * 4);
  for (const [row, text] of texts.entries())
    for (const [i, character] of [...text].entries())
      bytes.writeUInt32LE(character.codePointAt(0) as number, 4 * (row * width + i));
  return bytes;
}

/** Characters of the longest text; 1 at least, as numpy has no texts of none. */
export const widthOf = (texts: readonly string[]): number =>
  texts.reduce((most, text) => Math.max(most, [...text].length), 1);
