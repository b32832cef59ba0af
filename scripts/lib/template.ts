import { fileURLToPath } from 'node:url';
import Mustache from 'mustache';
import { Fault } from './cli.ts';
import { readText } from './files.ts';

/** A mustache context in which a name that is not there is an error instead of an empty string. */
class StrictContext extends Mustache.Context {
  readonly #file: string;

  constructor(view: unknown, file: string, parent?: Mustache.Context) {
    super(view as object, parent);
    this.#file = file;
  }

  override lookup(name: string): unknown {
    const value: unknown = super.lookup(name);
    if (value === undefined || value === null)
      throw new Fault({
        at: this.#file,
        what: `the template names {{${name}}}, which nothing gives a value`,
      });
    return value;
  }

  override push(view: unknown): StrictContext {
    return new StrictContext(view, this.#file, this);
  }
}

/**
 * Renders a mustache template as plain text: nothing is escaped for HTML (`a+b/c=` stays as it is),
 * and a name without a value is a Fault that says which. `file` is the template's name in that Fault.
 */
export function render(template: string, view: object, file: string): string {
  const writer = new Mustache.Writer();
  return writer.render(template, new StrictContext(view, file), undefined, { escape: String });
}

/** Renders `templates/NAME.mustache`. */
export function fromTemplate(name: string, view: object): string {
  const file = `templates/${name}.mustache`;
  return render(readText(fileURLToPath(new URL(`../../${file}`, import.meta.url))), view, file);
}
