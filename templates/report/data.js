/** The numbers of an attempt, as the page carries them. Scripts of this folder stand in the page one after the other. */

/**
 * @typedef {object} Visit
 * @property {{ name: string, number: number }[]} paths
 * @property {number} from
 * @property {number} to
 * @property {number | null} loaded
 * @property {Float32Array} times Seconds since the browser was told to go to the page.
 * @property {Uint16Array} sizes
 * @property {Uint8Array} tags A path's place in `paths`; 128 more from the client.
 * @property {number} steps
 * @property {Float32Array} growth Bytes by the end of each step, a row a path.
 * @property {Float32Array} switches When a path came into force.
 * @property {Uint8Array} current Which one that was.
 * @property {Float32Array} leaks Packets past the tunnels.
 */

/** @param {string} text */
function bytesOf(text) {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}

/** @param {string} text */
const floatsOf = (text) => new Float32Array(bytesOf(text).buffer);

/**
 * What an element with JSON holds; null where there is none.
 * @param {string} id
 */
export function jsonOf(id) {
  const text = document.getElementById(id)?.textContent;
  return text ? JSON.parse(text) : null;
}

/**
 * @param {string} folder
 * @returns {Visit | null}
 */
export function visitOf(folder) {
  const json = jsonOf(`plot-${folder}`);
  if (json === null) return null;
  const times = floatsOf(json.times);
  const sizes = new Uint16Array(bytesOf(json.sizes).buffer);
  const tags = bytesOf(json.tags);
  // In the order of time, so that no path lies above the others as a whole.
  const order = Uint32Array.from(times.keys()).sort((a, b) => times[a] - times[b]);
  return {
    ...json,
    times: Float32Array.from(order, (i) => times[i]),
    sizes: Uint16Array.from(order, (i) => sizes[i]),
    tags: Uint8Array.from(order, (i) => tags[i]),
    growth: floatsOf(json.growth),
    switches: floatsOf(json.switches),
    current: bytesOf(json.current),
    leaks: floatsOf(json.leaks),
  };
}

/**
 * Place of the last time that is not behind another one; -1 before the first.
 * @param {Float32Array} times
 * @param {number} time
 */
export function lastBefore(times, time) {
  let low = 0;
  let high = times.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (times[middle] <= time) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/**
 * The path in force at a time; undefined before the first.
 * @param {Visit} visit
 * @param {number} time
 */
export function pathAt(visit, time) {
  const at = lastBefore(visit.switches, time);
  return at < 0 ? undefined : visit.paths[visit.current[at]];
}
