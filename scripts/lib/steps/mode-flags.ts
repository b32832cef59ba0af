/** `--mode` and `--allow-tcp`: keys of config.cfg that a command line may set without `-e`. */
import { type Command, Option } from 'commander';
import { MODES, type Mode, TCPS, type Tcp } from '../config.ts';

export interface ModeFlags {
  mode?: Mode;
  allowTcp?: Tcp;
}

/** Of commands that need to know the mode, and write nothing of the client's. */
export const withModeFlag = (program: Command): Command =>
  program.addOption(
    new Option(
      '--mode <mode>',
      'wireguard: all in wg0; quic: no wg0 and no comp server, connections by QUIC move (before config.cfg’s mode)',
    ).choices(MODES),
  );

/** Of commands that write the client's files. */
export const withModeFlags = (program: Command): Command =>
  withModeFlag(program).addOption(
    new Option(
      '--allow-tcp <way>',
      'in mode quic, none: TCP is refused; sticky: each connection keeps its first path (before config.cfg’s allow_tcp)',
    ).choices(TCPS),
  );

/** The flags given as keys of config.cfg, each with its flag's name. */
export const givenKeys = ({ mode, allowTcp }: ModeFlags): { key: string; flag: string; value: string }[] => [
  ...(mode === undefined ? [] : [{ key: 'mode', flag: '--mode', value: mode }]),
  ...(allowTcp === undefined ? [] : [{ key: 'allow_tcp', flag: '--allow-tcp', value: allowTcp }]),
];

/** The same as words of a command line. */
export const modeWords = (flags: ModeFlags): string[] =>
  givenKeys(flags).flatMap(({ flag, value }) => [flag, value]);
