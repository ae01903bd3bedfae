import { other } from './message.ts';

export const cycle = (): number => other();
