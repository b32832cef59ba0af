/** playwright-core's messages, as failures. Pure. */
import { VisitError } from './failure.ts';

/** What playwright-core says of a start that failed, in one line. */
export function startTrouble(message: string): string {
  if (/no usable sandbox|sandbox.*(host|failed)|zygote/i.test(message))
    return 'it may not make its sandbox here; next: allow user namespaces, or --no-sandbox';
  if (/ENOENT|executable doesn't exist|not found/i.test(message))
    return 'there is none; next: apt-get install chromium';
  return message.split('\n')[0] ?? '';
}

/** What it says of a page that could not be loaded; `late`: what stands for its time-out. */
export function loadTrouble(message: string, late: VisitError): VisitError {
  if (/Timeout \d+ms exceeded/.test(message)) return late;
  if (/Download is starting/.test(message)) return new VisitError('download', 'it is a download and no page');
  if (/crashed|has been closed/.test(message))
    return new VisitError('crash', 'Chromium, or the page’s process, ended');
  const reason = /net::(ERR_\w+)/.exec(message)?.[1];
  // Chromium's word for an answer that is no page: 204, a download.
  if (reason === 'ERR_ABORTED') return new VisitError('network', 'ERR_ABORTED: the answer is no page');
  return new VisitError('network', reason ?? message.split('\n')[0] ?? '');
}
