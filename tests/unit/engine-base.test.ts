import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Fault } from '../../scripts/lib/cli.ts';
import { baseIn, filesOf, importWords, recipeOf } from '../../scripts/lib/lab/engine-base.ts';
import { buildError } from '../../scripts/lib/lab/engine-images.ts';

const FROM = 'node:24-trixie-slim';
const PLAIN = { registry: 'https://r.example/', certificates: undefined };
const CLOSED = { registry: 'https://r.example/', certificates: 'PEM\n' };
const base = baseIn(`FROM ${FROM}\n`, 'Dockerfile');

test('the base is the first image that the Dockerfile names', () => {
  assert.deepEqual(base, { tag: FROM, node: '24', suite: 'trixie' });
  for (const text of [
    `# FROM x\nARG a\nFROM --platform=linux/amd64 ${FROM} AS net\nFROM net AS client\n`,
    `from ${FROM}`,
  ])
    assert.equal(baseIn(text, 'Dockerfile').tag, FROM);
});

test('an image that the lab cannot make is refused, with the file and an example', () => {
  for (const text of ['FROM alpine:3\n', 'FROM node:24\n', 'FROM node:lts-trixie-slim\n', 'FROM scratch', ''])
    assert.throws(
      () => baseIn(text, 'client/Dockerfile'),
      (error) => error instanceof Fault && /^client\/Dockerfile: .*node:24-trixie-slim$/.test(error.message),
      text,
    );
});

test('certificates are carried over where this computer’s npm needs some, and nothing is where it does not', () => {
  const npmrc = (settings: typeof PLAIN | typeof CLOSED) =>
    filesOf(settings).find(({ path }) => path === '/usr/local/etc/npmrc')?.text;
  const text = (settings: typeof PLAIN | typeof CLOSED) =>
    JSON.stringify([filesOf(settings), importWords(FROM, '24.1.2', 'hash', settings)]);
  assert.equal(npmrc(PLAIN), 'registry=https://r.example/\n');
  assert.match(
    npmrc(CLOSED) ?? '',
    /^registry=https:\/\/r\.example\/\ncafile=\/usr\/local\/share\/ca-cert\S+\.crt\n$/,
  );
  assert.doesNotMatch(text(PLAIN), /certificates|CERTS|cafile/);
  assert.match(text(CLOSED), /PEM.*NODE_EXTRA_CA_CERTS=/);
});

test('a recipe is another one when anything that goes into the image is', () => {
  const recipes = [
    recipeOf(base, PLAIN),
    recipeOf(base, CLOSED),
    recipeOf(base, { ...PLAIN, registry: 'https://s.example/' }),
    recipeOf(baseIn('FROM node:26-trixie-slim', 'Dockerfile'), PLAIN),
  ];
  assert.equal(new Set(recipes).size, recipes.length);
  assert.equal(recipeOf(base, PLAIN), recipes[0]);
});

test('the import says what the image’s namesake says: Node’s version, entry point, command', () => {
  const words = importWords(FROM, '24.1.2', 'hash', PLAIN);
  for (const change of ['ENV NODE_VERSION=24.1.2', 'ENTRYPOINT ["docker-entrypoint.sh"]', 'CMD ["node"]'])
    assert.equal(words[words.indexOf(change) - 1], '--change', change);
  assert.equal(words.at(-1), FROM);
});

test('a failed build is told by its step and its last errors, without what Docker says of its builders', () => {
  const stdout = 'Step 1/2 : FROM a\n ---> 1\nStep 2/2 : RUN false\n ---> Running in 2\n';
  const stderr =
    'DEPRECATED: The legacy builder …\n            BuildKit is …\n\nThe command … returned a non-zero code: 1\n';
  assert.equal(
    buildError(stdout, stderr),
    'Step 2/2 : RUN false / The command … returned a non-zero code: 1',
  );
});
