import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { quote } from '../../scripts/lib/shell.ts';
import { render } from '../../scripts/lib/template.ts';
import { attempt } from '../../scripts/lib/transport/local.ts';

test('whatever a word holds, a shell reads it back as it was', async () => {
  const word = fc.string({ unit: 'binary' }).filter((text) => !text.includes('\0'));
  const words = fc.sample(word, 200).concat(["it's", '$(reboot)', '`x`', 'a\nb', '', '~', '-n', '*']);
  const { stdout } = await attempt(['sh', '-s'], { input: `printf '%s\\0' ${words.map(quote).join(' ')}` });
  assert.deepEqual(stdout.split('\0').slice(0, -1), words);
});

test('keys are not escaped for HTML', () => {
  assert.equal(render('{{key}}', { key: `a+b/c=<&"'` }, 't'), `a+b/c=<&"'`);
});

test('a name without a value is an error that says which, in sections too', () => {
  assert.throws(
    () => render('{{nmae}}', { name: 'x' }, 'wg.conf'),
    /wg\.conf: the template names \{\{nmae\}\}/,
  );
  assert.throws(() => render('{{#peers}}{{port}}{{/peers}}', { peers: [{ key: 'k' }] }, 't'), /\{\{port\}\}/);
  assert.equal(
    render('{{#peers}}{{key}}{{all}} {{/peers}}', { peers: [{ key: 'k' }, { key: 'l' }], all: 1 }, 't'),
    'k1 l1 ',
  );
});
