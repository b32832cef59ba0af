/** The client, asked in bounded time. */
import { EXIT, Fault } from '../cli.ts';
import { CLIENT_PROBE, type ClientSeen, clientIn } from '../status/client.ts';
import { type ClientPlace, placeText, shellInClient } from './in-client.ts';
import { inTime } from './status-time.ts';

/** Seconds for an answer. */
const LIMIT = 15;

export class Client {
  readonly place: ClientPlace;
  /** An answer that is late is waited for in the next round, and not asked for anew. */
  private pending: Promise<ClientSeen | Fault> | undefined;

  constructor(place: ClientPlace) {
    this.place = place;
  }

  read(): Promise<ClientSeen | Fault> {
    this.pending ??= this.ask().finally(() => {
      this.pending = undefined;
    });
    const what = `no answer in ${LIMIT} s`;
    const late = (): Fault => new Fault({ at: placeText(this.place), what, code: EXIT.unreachable });
    return inTime(this.pending, LIMIT, late);
  }

  private async ask(): Promise<ClientSeen | Fault> {
    try {
      const { stdout } = await shellInClient(this.place, CLIENT_PROBE);
      return clientIn(stdout, placeText(this.place));
    } catch (error) {
      if (error instanceof Fault) return error;
      throw error;
    }
  }
}
