/** What the tests of inventories share. */
import assert from 'node:assert/strict';
import { inspect } from 'node:util';
import { Fault } from '../../scripts/lib/cli.ts';
import { type Inventory, networkOf, parseInventory, type WholeNetwork } from '../../scripts/lib/inventory.ts';

export const parse = (text: string): Inventory => parseInventory(text, 'hosts.ini');
export const network = (text: string): WholeNetwork => networkOf(parse(text));

export function faultOf(work: () => unknown): Fault {
  try {
    work();
  } catch (error) {
    assert.ok(error instanceof Fault, `not a Fault: ${inspect(error)}`);
    return error;
  }
  assert.fail('accepted');
}
