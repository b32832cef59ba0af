export { pause, until } from '../poll.ts';
