import { withoutKeys } from '../runner/secrets.ts';
import { type Change, single, type Task } from '../runner/task.ts';
import { quote } from '../shell.ts';

interface FileWish<F> {
  /** See {@link Task.tags}. */
  tags?: readonly string[];
  path: string;
  /** Three or four octal digits: `600`. */
  mode: string;
  /** The whole text, ending in a line break. */
  text: (facts: F) => string;
}

/**
 * Prints mode and owner, then the text; nothing where there is no file. The shell reads a small file itself, which saves
 * a program; where it has not every byte (a shell's words have no NUL), `cat` does it.
 */
const probeFor = (path: string): string => {
  const file = quote(path);
  return `[ -e ${file} ] || [ -L ${file} ] || exit 0
is=$(stat -c '%s %a %U:%G %F' ${file}) || exit
size=\${is%% *}
echo "\${is#* }"
text=
case $is in
  *' regular file') [ "$size" -gt 4096 ] || {
    while IFS= read -r line; do text="$text$line
"; done
    text=$text$line
  } <${file} ;;
esac
if [ -n "$text" ] && [ "\${#text}" = "$size" ]; then printf %s "$text"; else cat ${file}; fi`;
};

/** Written beside its place and moved there, so that a cut leaves the old file or the new one. */
function writing(path: string, mode: string, text: string): string {
  const [file, half] = [quote(path), quote(`${path}.comps-new`)];
  // The text travels in base64: whatever it holds, no shell reads it.
  const packed = Buffer.from(text).toString('base64');
  return `umask 077\nmkdir -p ${quote(path.replace(/\/[^/]*$/, '') || '/')}
echo ${packed} | base64 -d >${half}
chmod ${mode} ${half}\nchown root:root ${half}\nmv -f ${half} ${file}`;
}

/** A file has this text, this mode and belongs to root. */
export function file<F>(name: string, { path, mode, text, tags = ['files'] }: FileWish<F>): Task<F> {
  return {
    name,
    tags,
    probe: probeFor(path),
    judge: (seen, facts) => {
      const wanted = text(facts);
      const write = (line: string, before: string): Change => ({
        line,
        shell: writing(path, mode, wanted),
        diff: { path, before: withoutKeys(before), after: withoutKeys(wanted) },
      });
      if (seen === '') return single(write(`write ${path}`, ''));
      const stop = seen.indexOf('\n');
      const [stat, is] = [seen.slice(0, stop), seen.slice(stop + 1)];
      if (!stat.includes('regular'))
        return single(write(`put a file in the place of the ${stat.replace(/^\S+ \S+ /, '')} ${path}`, ''));
      if (is !== wanted) return single(write(`rewrite ${path}`, is));
      if (!stat.startsWith(`${mode} root:root `))
        return single({
          line: `set mode ${mode} and owner root on ${path}`,
          shell: `chown root:root ${quote(path)}\nchmod ${mode} ${quote(path)}`,
        });
      return single(undefined);
    },
  };
}
