// two modules that import each other: no-cycles
import { cycle } from './cycle.ts';

export const other = (): number => cycle();
