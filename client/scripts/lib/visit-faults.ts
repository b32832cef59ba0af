/** Why a visit came to nothing, for a person: what failed, the cause, the next step. All pure. */
import { EXIT, Fault, messageOf } from './fault.ts';

export interface VisitWish {
  /** Of the WebDriver. */
  server: string;
  /** Of the page. */
  page: string;
  /** Milliseconds for the page to load. */
  timeout: number;
  /** Chromium keeps its sandbox. */
  sandbox: boolean;
}

/** No WebDriver answers. */
export const unreachable = (server: string, what: string): Fault =>
  new Fault({
    at: `WebDriver ${server}`,
    what,
    next: 'is the demo up? npx zx scripts/wg-migrate.ts && cd wg-migrate && docker-compose up',
    code: EXIT.unreachable,
  });

/** A browser that did not start: what chromedriver says of it, in one line. */
export function notStarted(server: string, error: unknown): Fault {
  const reason = messageOf(error).split('\n')[0] ?? '';
  const died = /failed to start|instance exited|crashed/i.test(reason);
  return new Fault({
    at: `WebDriver ${server}`,
    what: died
      ? `Chromium ended at its start (${reason}); most often because it may not make its sandbox there`
      : `no browser: ${reason}`,
    next: died
      ? 'docker logs browser; or --no-sandbox, with which a page that takes over Chromium has the whole container'
      : 'docker logs browser',
    code: EXIT.failed,
  });
}

/** What to do about a page that could not be had. */
function advice(reason: string | undefined, late: boolean): string {
  if (late) return 'give it longer: --timeout 120';
  if (reason === 'ERR_NAME_NOT_RESOLVED')
    return 'is the name right? The wg-migrate demo knows www.example.org alone, unless rendered with --internet';
  if (reason === 'ERR_ABORTED') return 'is it a page? What is downloaded is none: curl, in wg_client';
  if (reason === 'ERR_CERT_AUTHORITY_INVALID')
    return 'another authority has signed it; after a new rendering: docker-compose up -d, in the demo’s folder';
  if (reason?.startsWith('ERR_CERT_'))
    return 'is it the name that the certificate is for? The demo’s is for www.example.org and example.org';
  if (reason === 'ERR_HTTP_RESPONSE_CODE_FAILURE')
    return 'the site answered with an error and no page: docker logs site';
  if (reason === 'ERR_TOO_MANY_REDIRECTS')
    return 'the site sends it round in a circle: curl -v, in wg_client';
  return 'docker-compose ps, in the demo’s folder: is every machine healthy?';
}

/** The page could not be had: the network's own word for it. */
export function notHad({ page, timeout }: VisitWish, message: string): Fault {
  const reason = /net::(ERR_\w+)/.exec(message)?.[1];
  const late = /timed? ?out/i.test(message) && reason === undefined;
  return new Fault({
    at: page,
    what: late ? `not there within ${timeout / 1000} s` : (reason ?? message.split('\n')[0] ?? ''),
    next: advice(reason, late),
    code: EXIT.failed,
  });
}
